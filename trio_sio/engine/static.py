"""Serves the browser's client, socket.io-client 2.5.0 (JS: option `serveClient`).

The reference server knows two files, by the beginning of the request-target; their ETag is the
client's version. More of the npm package's files are served beside them, since they are there.
"""

import logging
from pathlib import Path

from trio_sio import client_files
from trio_sio.engine.message import Request, Response

logger = logging.getLogger("trio_sio.engine")

SCRIPTS = ("socket.io.js", "socket.io.slim.js", "socket.io.dev.js")
_NAMES = tuple(name + suffix for name in SCRIPTS for suffix in (".map", ""))

ETAG = f'"{client_files.VERSION}"'


class ClientFiles:
    """The files of one folder under the engine's path.

    Args:
        folder: where the files are; `True` for those that belong to the package.
        path: the engine's path without a slash at its end.
    """

    def __init__(self, folder: bool | Path | str, path: str) -> None:
        self._folder = client_files.client_folder() if folder is True else Path(str(folder))
        self._path = path
        self._beginnings = tuple(f"{path}/{name}" for name in SCRIPTS)
        self._contents: dict[str, bytes | None] = {}

    def answer(self, request: Request) -> Response | None:
        """Return the response, `None` if the request is for no file of ours."""
        if not request.target.startswith(self._beginnings):  # nearly every request
            return None
        for name in _NAMES:
            if request.target.startswith(f"{self._path}/{name}"):
                return self._serve(name, request)
        return None

    def _serve(self, name: str, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(405, [("Allow", "GET, HEAD")])
        content = self._read(name)
        if content is None:
            text = f"{name} is not installed on this server: run `trio-sio fetch-client` there.\n"
            return Response(404, [("Content-Type", "text/plain; charset=utf-8")], text.encode())
        if request.headers.get("if-none-match") == ETAG:
            return Response(304)
        kind = "application/json" if name.endswith(".map") else "application/javascript"
        headers = [("Content-Type", kind), ("ETag", ETAG)]
        if not name.endswith(".map"):
            headers.append(("Cache-Control", "public, max-age=0"))
        return Response(200, headers, content)

    def _read(self, name: str) -> bytes | None:
        """Return a file's content, read once; warn once if there is none."""
        if name not in self._contents:
            try:
                self._contents[name] = (self._folder / name).read_bytes()
            except OSError:
                logger.warning(
                    "serve_client: %s is not in %s; `trio-sio fetch-client` fetches it",
                    name,
                    self._folder,
                )
                self._contents[name] = None
        return self._contents[name]
