"""The opening handshake of RFC 6455, section 4.2, as far as it is the same for each library."""

import base64
import binascii
import hashlib

from trio_sio.engine.message import Request

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_VERSIONS = ("13", "8")
"""8 is what browsers of 2011 said; the frames are the same."""


def problem(request: Request) -> str:
    """Return what is wrong with an upgrade request, `""` if nothing is."""
    if request.method != "GET":
        return f"the method must be GET, not {request.method}"
    if request.headers.get("sec-websocket-version") not in _VERSIONS:
        seen = request.headers.get("sec-websocket-version")
        number = repr(seen) if seen.isdecimal() and len(seen) < 4 else "something else"
        return f"Sec-WebSocket-Version must be 13, not {number}"
    key = request.headers.get("sec-websocket-key")
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    return "" if len(decoded) == 16 else "Sec-WebSocket-Key must be 16 bytes in base64"


def subprotocol(request: Request) -> str | None:
    """Return the subprotocol to answer with: the first one offered, as the reference does."""
    offered = request.headers.get("sec-websocket-protocol").split(",")[0].strip()
    return offered or None


def acceptance(request: Request, extensions: str = "") -> bytes:
    """Return the 101 answer.

    Args:
        request: a request without a `problem`.
        extensions: the value of `Sec-WebSocket-Extensions`, if any were agreed upon.
    """
    key = request.headers.get("sec-websocket-key").encode("ascii")
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept,
    ]
    chosen = subprotocol(request)
    if chosen is not None:
        lines.append(b"Sec-WebSocket-Protocol: " + chosen.encode("latin-1"))
    if extensions:
        lines.append(b"Sec-WebSocket-Extensions: " + extensions.encode("latin-1"))
    return b"\r\n".join(lines) + b"\r\n\r\n"


def refusal(message: str) -> bytes:
    """Return the raw answer to an upgrade request that is refused: 400 and a text.

    The reference server answers so whatever the reason, and closes the connection.
    """
    body = message.encode("utf-8", "replace")
    return (
        b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-type: text/html\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )
