"""Serves the browser's client, socket.io-client 2.5.0 (JS: option `serveClient`).

The reference server serves two files, which it knows by the beginning of the request-target; their
ETag is the client's version, as it is here for the package's own files. This server has more files
of the npm package.
"""

import hashlib
import logging
from pathlib import Path

from trio_sio import browser_client
from trio_sio.http import Request, Response
from trio_sio.protocol.http.entity_tags import has_tag

logger = logging.getLogger("trio_sio.engine")

SCRIPTS = ("socket.io.js", "socket.io.slim.js", "socket.io.dev.js")
_NAMES = tuple(name + suffix for name in SCRIPTS for suffix in (".map", ""))

ETAG = f'"{browser_client.VERSION}"'


_HEADERS = [
    ("Cache-Control", "public, max-age=0"),  # kept, and asked about each time
    ("Access-Control-Allow-Origin", "*"),  # for `<script crossorigin integrity=…>`
]
_NOT_KEPT = [("Cache-Control", "no-store"), ("Access-Control-Allow-Origin", "*")]


class StaticFiles:
    """The files of one folder under the engine's path.

    A file is read once, and kept. A failure to read one is not remembered: the file may appear
    later, or the server may have had no descriptor left.

    Args:
        folder: where the files are; `True` for those that belong to the package.
        path: the engine's path without a slash at its end.
    """

    def __init__(self, folder: bool | Path | str, path: str) -> None:
        self._is_own = folder is True
        self._folder = browser_client.client_folder() if folder is True else Path(str(folder))
        self._path = path
        self._beginnings = tuple(f"{path}/{name}" for name in SCRIPTS)
        self._files: dict[str, tuple[bytes, str]] = {}  # with their tags
        self._told: dict[str, str] = {}  # the last problem with a file that was logged

    def answer(self, request: Request) -> Response | None:
        """Return the response, `None` if the request is not for one of the files."""
        if not request.target.startswith(self._beginnings):  # nearly every request
            return None
        for name in _NAMES:
            if request.target.startswith(f"{self._path}/{name}"):
                return self._serve(name, request)
        return None

    def _serve(self, name: str, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(405, [("Allow", "GET, HEAD"), *_NOT_KEPT])
        try:
            content, etag = self._files.get(name) or self._read(name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._tell(name, f"is not in {self._folder}; `trio-sio fetch-client` fetches it")
            text = f"{name} is not installed on this server: run `trio-sio fetch-client` there."
            return Response.text(404, text, _NOT_KEPT)
        except OSError as error:
            self._tell(name, f"in {self._folder} cannot be read: {error.strerror}")
            text = f"{name} cannot be read at present; the server's log says why."
            return Response.text(503, text, _NOT_KEPT)
        headers = [("ETag", etag), *_HEADERS]
        if has_current(request, etag):
            return Response(304, headers)
        kind = "application/json" if name.endswith(".map") else "application/javascript"
        return Response(200, [("Content-Type", kind), *headers], content)

    def _read(self, name: str) -> tuple[bytes, str]:
        content = (self._folder / name).read_bytes()
        # In a folder of the application's may be anything: its tag is of the content.
        etag = ETAG if self._is_own else f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        self._told.pop(name, None)
        self._files[name] = content, etag
        return content, etag

    def _tell(self, name: str, problem: str) -> None:
        """Log what is wrong with a file, once until it is something else."""
        if self._told.get(name) != problem:
            self._told[name] = problem
            logger.warning("serve_client: %s %s", name, problem)


def has_current(request: Request, etag: str) -> bool:
    """Whether to answer a GET or HEAD with 304, since the client has the file with this tag.

    `If-None-Match` is compared weakly (RFC 9110, 13.1.2): it does not matter whether a tag is
    marked as weak. `If-Modified-Since` is for responses with a `Last-Modified`, which these have
    not.
    """
    if request.method not in ("GET", "HEAD"):
        return False
    return has_tag(request.headers.get_all("if-none-match"), etag)
