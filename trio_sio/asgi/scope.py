"""What an ASGI application is told of a request, and what its responses may say.

The server frames messages itself, so what is about the connection is taken out of the application's
fields (RFC 9110, 7.6.1): a length or a coding that is another than what is sent would be read as
the beginning of another response.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from trio_sio.asgi.types import VERSIONS, Scope
from trio_sio.http import Request

_OF_CONNECTION = frozenset(
    {"keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)


class Scopes:
    """Makes the scopes of requests.

    Args:
        state: of the application's lifespan; each scope has a copy.
    """

    def __init__(self, state: dict[str, Any]) -> None:
        self._state = state

    def http(self, request: Request) -> Scope:
        """Return the scope of a request of HTTP."""
        return {"type": "http", "method": request.method, **self._common(request)}

    def websocket(self, request: Request, subprotocols: list[str]) -> Scope:
        """Return the scope of a request for a WebSocket."""
        return {
            **self._common(request),
            "type": "websocket",
            "scheme": "wss" if request.secure else "ws",
            "subprotocols": subprotocols,
            "extensions": {"websocket.http.response": {}},
        }

    def _common(self, request: Request) -> dict[str, Any]:
        return {
            "asgi": dict(VERSIONS),
            "http_version": request.http_version,
            "scheme": "https" if request.secure else "http",
            "path": unquote(request.path, errors="replace"),
            "raw_path": request.path.encode("latin-1"),
            "query_string": request.query_string.encode("latin-1"),
            "root_path": "",
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in request.headers
            ],
            "client": (request.remote, request.remote_port) if request.remote else None,
            "server": request.local,
            "state": self._state.copy(),
            "extensions": {},
        }


def response_fields(fields: Iterable[Iterable[bytes]]) -> list[tuple[str, str]]:
    """Return an application's fields without those that are about the connection.

    Raises:
        TypeError, ValueError: they are no pairs of bytes.
    """
    found = []
    for name, value in fields:
        text, said = bytes(name).decode("latin-1"), bytes(value).decode("latin-1").strip(" \t")
        lower = text.lower()
        if lower == "connection":
            said = "close" if "close" in said.lower().replace(" ", "").split(",") else ""
        if lower not in _OF_CONNECTION and (said or lower != "connection"):
            found.append((text, said))
    return found
