"""Puts the browser client into the wheel, fetched with npm while the wheel is built.

A machine without npm or network gets a wheel all the same, and a warning: the server then says
at its path how to get the client. TRIO_SIO_NO_CLIENT=1 asks for a wheel without it.
"""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = "trio_sio/client"


class ClientBuildHook(BuildHookInterface[Any]):
    """Runs for the wheel, standard and editable; the sdist has sources only."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch the client if it is missing, and list it as part of the wheel."""
        if os.environ.get("TRIO_SIO_NO_CLIENT") == "1":
            return
        if self._has_client():
            # Git does not know the folder, so hatchling would leave it out.
            build_data["artifacts"].append(f"/{_FOLDER}/")

    def _has_client(self) -> bool:
        browser_client = _load(Path(self.root, "trio_sio", "browser_client.py"))
        folder = Path(self.root, _FOLDER)
        if browser_client.is_complete(folder):
            return True
        try:
            browser_client.fetch(folder)
        except browser_client.ClientFilesError as error:
            self.app.display_warning(
                f"trio-sio is built without the browser client: {error}. "
                "`trio-sio fetch-client` gets it later."
            )
            return False
        return True


def _load(path: Path) -> ModuleType:
    """Load a file by its path: importing the package would need what it depends on."""
    spec = importlib.util.spec_from_file_location("browser_client", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
