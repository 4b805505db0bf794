"""Hooks of MkDocs: list the files of the package, and warn of pages that load from elsewhere.

A strict build fails for a warning. Links that a reader may follow are welcome; what a browser loads
by itself (scripts, styles, pictures, frames) is not.
"""

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

logger = logging.getLogger("mkdocs.plugins.loads_nothing")

_LOADS = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=["']?(?:https?:)?//[^\s"'>]*"""
    r"""|<link\b[^>]*\brel=["']?(?:stylesheet|preload|icon|preconnect)[^>]*"""
    r"""\bhref=["']?(?:https?:)?//[^\s"'>]*"""
    r"""|<link\b[^>]*\bhref=["']?(?:https?:)?//[^\s"'>]*[^>]*\brel=["']?(?:stylesheet|preload|icon)"""
)


PACKAGE = Path(__file__).parents[1] / "trio_sio"
FILES = "<!-- the files of the package -->"


def on_page_markdown(markdown: str, **_: object) -> str:
    """Put the list of files where a page asks for it."""
    return markdown.replace(FILES, "\n".join(list_of_files()))


def list_of_files() -> Iterator[str]:
    """Yield the lines of a list: folders, and files with the first lines of their docstrings."""
    for folder in sorted({path.parent for path in PACKAGE.rglob("*.py")}):
        yield f"\n### {folder.relative_to(PACKAGE.parent).as_posix()}\n"
        yield f"{_first_line(folder / '__init__.py')}\n"
        yield "| file | |\n| --- | --- |"
        for path in sorted(folder.glob("*.py")):
            if path.name != "__init__.py":
                yield f"| `{path.name}` | {_first_line(path)} |"


def _first_line(path: Path) -> str:
    """Return the first sentence of a module's docstring, as Markdown that fits into a table."""
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return docstring.partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")


def on_post_page(output: str, *, page: Any, **_: object) -> str:  # noqa: ANN401 - MkDocs has no types
    """Look at a page as it will be written."""
    for found in loaded_from_elsewhere(output):
        logger.warning("%s loads something from elsewhere: %s", page.file.src_uri, found)
    return output


def loaded_from_elsewhere(html: str) -> list[str]:
    """Return the tags of a page for which a browser would ask another server."""
    return _LOADS.findall(html)
