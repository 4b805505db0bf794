"""Serves the browser's clients, socket.io-client 2.5.0 and 4.8.4 (JS: option `serveClient`).

`socket.io.js` is 2.5.0's, for pages written for 2.x, unless the query says `v=4`; the option turns
that to 4.8.4's. The other builds have names of their own in each generation: `slim` and `dev` are
2.5.0's, `min`, `esm.min` and `msgpack.min` are 4.8.4's.

The reference server of 2.x knows its files by the beginning of the request-target, that of 4.x by
the whole name; the ETag of either is the client's version, as it is here for the package's own
files. This server has more files of the npm package of 2.x.
"""

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

from trio_sio.browser_client import V2, V4, client_folder
from trio_sio.http import NO_STORE, Request, Response
from trio_sio.protocol.http.entity_tags import has_tag

logger = logging.getLogger("trio_sio.engine")

SCRIPTS = ("socket.io.js", "socket.io.slim.js", "socket.io.dev.js")
_NAMES = tuple(name + suffix for name in SCRIPTS for suffix in (".map", ""))
_OF_BOTH = ("socket.io.js", "socket.io.js.map")
_NAMES_4 = frozenset(Path(file).name for file in V4.files if file != "LICENSE")
_FOLDER_4 = V4.folder + "/"

GENERATION_4 = "4"
"""The option's value for a `socket.io.js` that is 4.8.4's."""

_KEPT = ("Cache-Control", "public, max-age=0")  # and asked about each time

Fields = list[tuple[str, str]]


class StaticFiles:
    """The files of one folder under the engine's path.

    A file is read once, and kept. A failure to read one is not remembered: the file may appear
    later, or the server may have had no descriptor left.

    Args:
        folder: where the files are; `True` for those that belong to the package, `"4"` for those
            with 4.8.4's as `socket.io.js`. Files of 4.8.4 in a folder of the application's may
            lie in its folder `v4`, where `fetch-client` puts them, or beside the others.
        path: the engine's path without a slash at its end.
        cors: returns the fields for pages of other origins.
    """

    def __init__(
        self, folder: bool | Path | str, path: str, cors: Callable[[Request], Fields]
    ) -> None:
        self._cors = cors
        self._plain_is_4 = folder == GENERATION_4
        self._is_own = folder is True or self._plain_is_4
        self._folder = client_folder() if self._is_own else Path(str(folder))
        self._beginning = f"{path}/socket.io."
        self._skipped = len(path) + 1
        self._files: dict[str, tuple[bytes, str]] = {}  # with their tags
        self._told: dict[str, str] = {}  # the last problem with a file that was logged

    def answer(self, request: Request) -> Response | None:
        """Return the response, `None` if the request is not for one of the files."""
        if not request.target.startswith(self._beginning):  # nearly every request
            return None
        name = self._find(request.target[self._skipped :])
        return None if name is None else self._serve(name, request)

    def _find(self, wanted: str) -> str | None:
        """Return the path of a file below the folder."""
        name, _, query = wanted.partition("?")
        if name in _OF_BOTH:
            asked = query.split("&")
            is_4 = "v=4" in asked or (self._plain_is_4 and "v=2" not in asked)
            return _FOLDER_4 + name if is_4 else name
        if name in _NAMES_4:
            return _FOLDER_4 + name
        found = next(filter(wanted.startswith, _NAMES), None)
        return None if self._plain_is_4 and found in _OF_BOTH else found

    def _serve(self, name: str, request: Request) -> Response:
        fields = self._cors(request)
        not_kept = [NO_STORE, *fields]
        if request.method not in ("GET", "HEAD"):
            return Response(405, [("Allow", "GET, HEAD"), *not_kept])
        try:
            content, etag = self._files.get(name) or self._read(name)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._tell(name, f"is not in {self._folder}; `trio-sio fetch-client` fetches it")
            text = f"{name} is not installed on this server: run `trio-sio fetch-client` there."
            return Response.text(404, text, not_kept)
        except OSError as error:
            self._tell(name, f"in {self._folder} cannot be read: {error.strerror}")
            text = f"{name} cannot be read at present; the server's log says why."
            return Response.text(503, text, not_kept)
        headers = [("ETag", etag), _KEPT, *fields]
        if has_current(request, etag):
            return Response(304, headers)
        kind = "application/json" if name.endswith(".map") else "application/javascript"
        if name.startswith(_FOLDER_4):
            kind += "; charset=utf-8"  # as the reference server of 4.x says it
        return Response(200, [("Content-Type", kind), *headers], content)

    def _read(self, name: str) -> tuple[bytes, str]:
        content = self._path_of(name).read_bytes()
        # In a folder of the application's may be anything: its tag is of the content.
        version = (V4 if name.startswith(_FOLDER_4) else V2).version
        etag = version if self._is_own else hashlib.sha256(content).hexdigest()[:32]
        etag = f'"{etag}"'
        self._told.pop(name, None)
        self._files[name] = content, etag
        return content, etag

    def _path_of(self, name: str) -> Path:
        path = self._folder / name
        is_beside = not self._is_own and not path.exists()
        return self._folder / name.removeprefix(_FOLDER_4) if is_beside else path

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
