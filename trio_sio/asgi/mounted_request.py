"""A request that another server has read, as this one's endpoints know requests."""

from collections.abc import Iterator
from urllib.parse import quote, unquote

import trio

from trio_sio.asgi.types import Message, Receive, Scope
from trio_sio.http import BodyTooLarge, BodyTooSlow, Headers, Request

_IN_PATH = "/!$&'()*+,;=:@~-._"
"""What may stand in a path as it is (RFC 3986, 3.3)."""

_KEY = "dHJpb19zaW8gb3ZlciBIVFRQLzI="[:22] + "=="
"""In place of `Sec-WebSocket-Key`, which a handshake of HTTP/2 does not have (RFC 8441, 5)."""


class Receiver:
    """What one request brings: its body, and that the client leaves.

    Only one task may read at a time.

    Args:
        receive: the other server's.
        body_timeout: seconds that the body may take.

    Attributes:
        hung_up: whether the client has left, as far as that has been received.
        has_all: whether the body has been received to its end.
    """

    def __init__(self, receive: Receive, body_timeout: float) -> None:
        self.hung_up = False
        self.has_all = False
        self._receive = receive
        self._body_timeout = body_timeout
        self._ahead: bytes | None = None  # a piece of the body that nobody has asked for yet

    def expect_no_body(self) -> None:
        """Note that the request has no body."""
        self.has_all = True

    async def wait_hung_up(self) -> None:
        """Return when the client has left; one piece of the body is kept, no more is received."""
        while not self.hung_up:
            if self._ahead is not None:
                await trio.sleep_forever()
            piece = self._take(await self._receive())
            if piece:
                self._ahead = piece

    def _take(self, message: Message) -> bytes:
        if message["type"] == "http.request":
            self.has_all = not message.get("more_body", False)
            return bytes(message.get("body") or b"")
        self.hung_up = True  # http.disconnect, websocket.disconnect
        return b""

    async def read_piece(self) -> bytes:
        """Return some bytes of the body, `b""` at its end.

        Raises:
            BodyTooSlow: nothing came for `body_timeout`.
            trio.BrokenResourceError: the client left.
        """
        piece, self._ahead = self._ahead or b"", None
        with trio.move_on_after(self._body_timeout):
            while not (piece or self.has_all or self.hung_up):
                piece = self._take(await self._receive())
            if self.hung_up:
                raise trio.BrokenResourceError("the client left in the middle of a body")
            return piece
        raise BodyTooSlow(self._body_timeout)

    async def read(self, limit: int, announced: int) -> bytes:
        """Return the body; what `Request.body` does, and raises.

        Args:
            limit: bytes that it may have.
            announced: its Content-Length, 0 if it has none.
        """
        if announced > limit:
            raise BodyTooLarge(announced, limit)
        size, pieces = 0, []
        with trio.move_on_after(self._body_timeout):
            while piece := await self.read_piece():
                size += len(piece)
                if size > limit:
                    raise BodyTooLarge(size, limit)
                pieces.append(piece)
            return b"".join(pieces)
        raise BodyTooSlow(self._body_timeout)


def request_of(scope: Scope, receiver: Receiver, path: str) -> Request:
    """Return the request of a scope.

    Args:
        scope: of type "http" or "websocket".
        receiver: has the body.
        path: of the scope, as `path_of` returns it.
    """
    is_websocket = scope["type"] == "websocket"
    fields = list(_fields(scope, is_websocket=is_websocket))
    headers = Headers.of_lower(fields)
    length = headers.get("content-length")
    announced = int(length) if length.isdecimal() else 0

    async def read_body(limit: int) -> bytes:
        return await receiver.read(limit, announced)

    read = 0

    async def read_piece(limit: int | None) -> bytes:
        nonlocal read
        if limit is not None and announced > limit:
            raise BodyTooLarge(announced, limit)
        piece = await receiver.read_piece()
        read += len(piece)
        if limit is not None and read > limit:
            raise BodyTooLarge(read, limit)
        return piece

    query = scope.get("query_string", b"").decode("latin-1")
    client, server = scope.get("client"), scope.get("server")
    return Request(
        scope.get("method", "GET"),
        f"{path}?{query}" if query else path,
        headers,
        str(client[0]) if client else "",
        scope.get("scheme") in ("https", "wss"),
        "1.0" if scope.get("http_version") == "1.0" else "1.1",
        int(client[1] or 0) if client else 0,
        (str(server[0]), server[1]) if server else None,
        read_body,
        read_piece,
    )


def _fields(scope: Scope, *, is_websocket: bool) -> Iterator[tuple[str, str]]:
    """Yield the header fields; those of a WebSocket's handshake are as in HTTP/1.1.

    The other server has checked the handshake. A request that it does not treat as one is none.
    """
    names = set()
    for name, value in scope["headers"]:
        text = name.decode("latin-1").lower()
        if text == "upgrade" and not is_websocket:
            continue
        names.add(text)
        yield text, value.decode("latin-1")
    if is_websocket and "upgrade" not in names:
        yield from (("upgrade", "websocket"), ("connection", "upgrade"))
    if is_websocket and "sec-websocket-key" not in names:
        yield "sec-websocket-key", _KEY
    if is_websocket and "sec-websocket-version" not in names:
        yield "sec-websocket-version", "13"


def path_of(scope: Scope, ours: str) -> str:
    """Return the path of a scope as this server knows it.

    `root_path` is where the application was mounted (ASGI, "HTTP Connection Scope"): it is taken
    off, unless only the whole path is one of ours: `mount("/socket.io", …)`. Some dispatchers
    shorten `path` and leave `raw_path`; then the former counts.

    Args:
        scope: of type "http" or "websocket".
        ours: the path at which the server answers, "/" at its end.
    """
    path: str = scope["path"]
    raw = scope.get("raw_path") or b""
    whole = raw.decode("latin-1").partition("?")[0]
    if unquote(whole) != path:
        whole = quote(path, safe=_IN_PATH)
    root = quote(scope.get("root_path", ""), safe=_IN_PATH).removesuffix("/")
    if root and (whole == root or whole.startswith(root + "/")):
        inner = whole.removeprefix(root) or "/"
        if f"{inner}/".startswith(ours) or not f"{whole}/".startswith(ours):
            return inner
    return whole or "/"
