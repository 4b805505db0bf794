"""Whether what a server has said to one client is HTTP and WebSocket, to the last byte."""

import h11

CONTROL = range(8, 16)
OPCODES = (1, 2, 8, 9, 10)
CLOSE = 8
DEFLATED = 4

_AT_LEAST = {126: (126, 2), 127: (65536, 8)}  # of a length byte: the least length, its bytes


class Invalid(AssertionError):
    """The server said something that the protocol does not know."""


def check_http(data: bytes, *, ended: bool, asked_head: bool = False) -> None:
    """Check answers to requests, and the frames behind one that switches to WebSocket.

    Args:
        data: all that has come; there may be more requests than answers.
        ended: whether the server has closed the connection behind it.
        asked_head: whether a request may have been HEAD, whose answer has no body.

    Raises:
        Invalid: h11 does not understand it, or half an answer is missing.
    """
    while data:
        try:
            switched, rest = _read_answer(_asked("GET", data, ended=ended))
        except Invalid:
            if not asked_head:
                raise
            switched, rest = _read_answer(_asked("HEAD", data, ended=ended))
        data = rest
        if switched:
            check_websocket(data)
            return


def _asked(method: str, data: bytes, *, ended: bool) -> h11.Connection:
    """An h11 client that has asked for a WebSocket, which the server need not give."""
    connection = h11.Connection(h11.CLIENT)
    fields = [("Host", "a"), ("Connection", "upgrade"), ("Upgrade", "websocket")]
    connection.send(h11.Request(method=method, target="/", headers=fields))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    if ended:
        connection.receive_data(b"")
    return connection


def _read_answer(connection: h11.Connection) -> tuple[bool, bytes]:
    """Read one answer; return whether it switches to WebSocket, and what is behind it."""
    length, has_no_body = -1, False
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise Invalid(f"no answer of HTTP: {error}: {connection.trailing_data!r}") from error
        if event is h11.PAUSED or isinstance(event, h11.EndOfMessage):
            switched = connection.their_state is h11.SWITCHED_PROTOCOL
            if not switched and length < 0 and not has_no_body:
                raise Invalid("an answer that does not say how long it is")
            return switched, connection.trailing_data[0]
        if isinstance(event, h11.Response):
            lengths = [value for name, value in event.headers if name == b"content-length"]
            length = int(lengths[0]) if lengths else length
            has_no_body = event.status_code == 204
        if event is h11.NEED_DATA or isinstance(event, h11.ConnectionClosed):
            raise Invalid(f"half an answer: {connection.trailing_data!r}")
        if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
            return True, connection.trailing_data[0]


def check_websocket(data: bytes, *, deflated: bool = True) -> None:
    """Check the frames of a server.

    Args:
        data: all that has come.
        deflated: whether messages may be compressed.

    Raises:
        Invalid: they break RFC 6455.
    """
    closed = False
    while data:
        if closed:
            raise Invalid(f"behind the close frame: {data!r}")
        first, payload, data = _take_frame(data)
        _check_frame(first, payload, deflated=deflated)
        closed = first & 0x0F == CLOSE


def _take_frame(data: bytes) -> tuple[int, bytes, bytes]:
    """Return a frame's first byte and payload, and what is behind it."""
    if len(data) < 2:
        raise Invalid(f"half a frame: {data!r}")
    first, size = data[0], data[1]
    if size & 0x80:
        raise Invalid(f"a server masks nothing: {data[:20]!r}")
    start = 2
    if size in _AT_LEAST:
        least, width = _AT_LEAST[size]
        start += width
        size = int.from_bytes(data[2:start], "big")
        if size < least:
            raise Invalid(f"a length that is not the shortest: {data[:start]!r}")
    if len(data) < start + size:
        raise Invalid(f"half a frame: {data!r}")
    return first, data[start : start + size], data[start + size :]


def _check_frame(first: int, payload: bytes, *, deflated: bool) -> None:
    opcode, bits, fin = first & 0x0F, first >> 4 & 7, first & 0x80
    if opcode not in OPCODES or not fin:
        raise Invalid(f"a frame that begins with {first:#x}")
    if bits and not (deflated and bits == DEFLATED and opcode not in CONTROL):
        raise Invalid(f"reserved bits {bits}")
    if opcode in CONTROL and len(payload) > 125:
        raise Invalid("a long control frame")
    try:
        if opcode == 1 and not bits:
            payload.decode()
        if opcode == CLOSE:
            payload[2:].decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"no text: {payload!r}") from error
    if opcode == CLOSE and payload and not _is_close_code(payload[:2]):
        raise Invalid(f"close code {payload[:2]!r}")


def _is_close_code(two: bytes) -> bool:
    code = int.from_bytes(two, "big")
    return len(two) == 2 and (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999)
