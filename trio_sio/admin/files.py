"""The page's files: the folder `page/`, read once into a table from path to response.

A path that is not in the table is not found, so there is nothing to escape from with `../`.
"""

import html
import importlib.resources
from collections.abc import Sequence

from trio_sio.http import Request, Response

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
}

# Everything comes from the server itself, and nothing runs inline.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = [
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-cache"),
]


class PageFiles:
    """The files under one path.

    Args:
        path: with a slash at its beginning and its end.
        namespace: of the view.
        title: of the page.

    Raises:
        ValueError: the path is not such a one.
    """

    def __init__(self, path: str, namespace: str, title: str) -> None:
        if not (path.startswith("/") and path.endswith("/")):
            raise ValueError(f"path must begin and end with a slash: {path!r}")
        self.path = path
        self._namespace = namespace
        self._title = title
        self._files: dict[str, tuple[str, bytes]] = {}
        for file in (importlib.resources.files("trio_sio.admin") / "page").iterdir():
            content_type = _TYPES.get(file.name.rpartition(".")[2])
            if content_type is not None:
                self._files[file.name] = content_type, file.read_bytes()

    def answer(
        self, request: Request, socketio_path: str, transports: Sequence[str]
    ) -> Response | None:
        """Return the response, or `None` if the path is none of these files'.

        Args:
            request: the request.
            socketio_path: where Socket.IO answers, for the page to know.
            transports: by which transports.
        """
        path = request.path
        if path == self.path.rstrip("/") and path:
            return Response(308, [("Location", self.path), *_HEADERS])
        if not path.startswith(self.path):
            return None
        found = self._files.get(path.removeprefix(self.path) or "index.html")
        if found is None:
            return Response.text(404, "There is nothing at this path.", _HEADERS)
        if request.method not in ("GET", "HEAD"):
            fields = [("Allow", "GET, HEAD"), *_HEADERS]
            return Response.text(405, "Only GET and HEAD are understood here.", fields)
        content_type, body = found
        if content_type.startswith("text/html"):
            body = self._fill(body, socketio_path, transports)
        headers = [("Content-Type", content_type), *_HEADERS]
        if request.method == "HEAD":
            return Response(200, [*headers, ("Content-Length", str(len(body)))])
        return Response(200, headers, body)

    def _fill(self, body: bytes, socketio_path: str, transports: Sequence[str]) -> bytes:
        told = {
            "{namespace}": self._namespace,
            "{path}": socketio_path,
            "{transports}": " ".join(transports),
            "{title}": self._title,
        }
        text = body.decode()
        for place, value in told.items():
            text = text.replace(place, html.escape(value))
        return text.encode()
