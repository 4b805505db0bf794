"""The opening handshake (RFC 6455, section 4.2), which is the same for all backends."""

import base64
import hashlib
import re
from collections.abc import Iterable

from trio_sio.engine import proxy_faults
from trio_sio.http import Request
from trio_sio.logs.shown import printable
from trio_sio.protocol.http.field_list import elements, has_element

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FIELDS = ("Sec-WebSocket-Version", "Sec-WebSocket-Key")
_VERSIONS = ("13", "8")
"""8 is what browsers of 2011 send; the frames are the same."""

_NUMBERS = re.compile("[0-9, ]{0,9}")
_KEY = re.compile("[A-Za-z0-9+/]{22}==")
_SUBPROTOCOL = re.compile("[!-~]+")


def problem(request: Request) -> str:
    """Return what is wrong with an upgrade request, `""` if it can be accepted."""
    if request.method != "GET":
        return f"the method must be GET, not {printable(request.method, 20)}"
    if request.has_body:  # it would be read as frames
        return "a request for a WebSocket must not have a body"
    missing = [name for name in _FIELDS if name.lower() not in request.headers]
    if missing:
        text = f"there is no {' and no '.join(missing)}"
        return f"{text}; does a proxy pass on the fields that begin with Sec-WebSocket?"
    version = request.headers.get("sec-websocket-version")
    if version not in _VERSIONS:
        number = repr(version) if _NUMBERS.fullmatch(version) else "something else"
        return f"Sec-WebSocket-Version must be 13, not {number}"
    if not _KEY.fullmatch(request.headers.get("sec-websocket-key")):
        return "Sec-WebSocket-Key must be 16 bytes in base64"
    return ""


def absence(request: Request) -> str:
    """Say why a request for the transport "websocket" does not ask for a WebSocket."""
    text = "transport=websocket without an upgrade"
    wanted = {"Upgrade": "websocket", "Connection": "upgrade"}
    missing = [
        f"'{name}: {element}'"
        for name, element in wanted.items()
        if not has_element(request.headers.get_all(name), element)
    ]
    text += f": there is no {' and no '.join(missing)}; does a proxy pass them on?"
    return text + proxy_faults.of_version(request)


def subprotocol(request: Request) -> str | None:
    """Return the subprotocol to answer with: the first one offered, as the reference does.

    One with other than visible ASCII characters counts as not offered: it cannot be sent back.
    """
    offered = elements(request.headers.get_all("sec-websocket-protocol"))
    return next((one for one in offered if _SUBPROTOCOL.fullmatch(one)), None)


def accept_value(key: str) -> bytes:
    """Return the `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key`."""
    digest = hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest)


def acceptance(
    request: Request, extensions: str = "", fields: Iterable[tuple[str, str]] = ()
) -> bytes:
    """Return the 101 answer.

    Args:
        request: a request without a `problem`.
        extensions: the value of `Sec-WebSocket-Extensions`, if any were agreed upon.
        fields: further header fields, which have been checked.
    """
    accept = accept_value(request.headers.get("sec-websocket-key"))
    lines = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Accept: " + accept,
    ]
    chosen = subprotocol(request)
    if chosen is not None:
        lines.append(b"Sec-WebSocket-Protocol: " + chosen.encode("ascii"))
    if extensions:
        lines.append(b"Sec-WebSocket-Extensions: " + extensions.encode("latin-1"))
    lines += [f"{name}: {value}".encode("latin-1") for name, value in fields]
    return b"\r\n".join(lines) + b"\r\n\r\n"
