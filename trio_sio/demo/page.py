"""The page: the files of the folder `page/`, served for every path that is not Socket.IO's.

The files are read once, into a table from path to answer. A path that is not in the table is a
404, so there is nothing to escape from with `../`.
"""

import importlib.resources
from collections.abc import Iterator, Sequence
from importlib.resources.abc import Traversable
from urllib.parse import parse_qs

import trio_sio

UNDER_THE_HOOD = "/under-the-hood"
"""Where the page shows its second view."""

_SCRIPTS = {"2": b"/socket.io/socket.io.js", "4": b"/socket.io/socket.io.min.js"}
"""The browser's client, by its generation, which the page's query names."""

_PAGES = ("/", "/index.html", UNDER_THE_HOOD)

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}

# Everything comes from here, nothing runs inline. JSONP polling sends by a form whose target is a
# hidden frame, hence `form-action`, `frame-src`, and the hash: of `javascript:0`, which the client
# gives that frame to begin with. It does nothing, but without the hash each poll is reported.
_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-hashes' 'sha256-4dTx5FmCRxx0roBWLMZmRPltvD3wNx8PrBOv/dG3gKU='",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    ("Content-Security-Policy", _CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-cache"),
)


class Page:
    """A table of files; called with a request it returns the response (`Server(fallback=…)`).

    Args:
        transports: how the page may travel.
    """

    def __init__(self, transports: Sequence[str] = ("polling", "websocket")) -> None:
        self._files = dict(_read(importlib.resources.files("trio_sio.demo") / "page", "/"))
        content_type, index = self._files.pop("/index.html")
        self._pages = {
            client: (content_type, _with_client(index, client, transports)) for client in _SCRIPTS
        }

    async def __call__(self, request: trio_sio.Request) -> trio_sio.Response:
        """Answer one request."""
        response = self._answer(request)
        if request.method != "HEAD" or not isinstance(response.body, bytes):
            return response
        length = ("Content-Length", str(len(response.body)))  # of what GET would have brought
        return trio_sio.Response(response.status, [*response.headers, length])

    def _answer(self, request: trio_sio.Request) -> trio_sio.Response:
        if request.method not in ("GET", "HEAD"):
            return _plain(405, "Only GET and HEAD are understood here.", ("Allow", "GET, HEAD"))
        found = self._find(request)
        if found is None:
            return _plain(404, "There is nothing at this path. The demo is at /.")
        content_type, body = found
        return trio_sio.Response(200, [("Content-Type", content_type), *_HEADERS], body)

    def _find(self, request: trio_sio.Request) -> tuple[str, bytes] | None:
        if request.path not in _PAGES:
            return self._files.get(request.path)
        client = parse_qs(request.query_string).get("client", [""])[-1]
        return self._pages.get(client, self._pages["2"])


def _with_client(index: bytes, client: str, transports: Sequence[str]) -> bytes:
    """Return the page with the script of one generation."""
    body = f'<body data-client="{client}" data-transports="{" ".join(transports)}">'
    index = index.replace(b"/socket.io/socket.io.js", _SCRIPTS[client])
    return index.replace(b"<body>", body.encode())


def _read(folder: Traversable, path: str) -> Iterator[tuple[str, tuple[str, bytes]]]:
    for file in folder.iterdir():
        content_type = _TYPES.get(file.name.rpartition(".")[2])
        if file.is_dir():
            yield from _read(file, f"{path}{file.name}/")
        elif content_type is not None:
            yield f"{path}{file.name}", (content_type, file.read_bytes())


def _plain(status: int, sentence: str, *headers: tuple[str, str]) -> trio_sio.Response:
    content_type = ("Content-Type", "text/plain; charset=utf-8")
    return trio_sio.Response(status, [content_type, *_HEADERS, *headers], f"{sentence}\n".encode())
