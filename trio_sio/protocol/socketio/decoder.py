"""Decodes Engine.IO messages to packets of Socket.IO 4; `encoder` describes their format.

JSON is JavaScript's: neither NaN nor Infinity is read.
"""

import json
import re

from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.checks import MAX_ID_DIGITS, excerpt, is_event, refuse_payload
from trio_sio.protocol.socketio.deep_json import read_deep
from trio_sio.protocol.socketio.packet import JSON, MAX_ATTACHMENTS, PLAIN_OF, Packet, PacketType

_KINDS = {f"{kind:d}": kind for kind in PacketType}
_KINDS_5: dict[str, PacketType] = {
    digit: kind
    for digit, kind in _KINDS.items()
    if kind not in (PacketType.CONNECT, PacketType.ERROR)
}

_ATTACHMENTS = re.compile(r"([0-9]{1,19})-")

_SHOWN = 10
"""Characters of a malformed packet that an error shows."""


def _refuse_constant(name: str) -> JSON:
    raise ValueError(f"{name} is not JSON")


def _read_integer(digits: str) -> int | float:
    """Return an integer; one too long for Python is infinite, as in JavaScript."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
_EXACT = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_read_integer)


class Decoder:
    """Decodes the messages of one session; attachments arrive in messages of their own.

    Args:
        max_attachments: a packet that announces more is refused before any of them arrives.
    """

    __slots__ = ("_awaited", "_buffers", "_is_unwanted", "_packet", "max_attachments")

    _kinds = _KINDS

    def __init__(self, max_attachments: int = MAX_ATTACHMENTS) -> None:
        self.max_attachments = max_attachments
        self._packet: Packet | None = None
        self._awaited = 0
        self._buffers: list[bytes] = []
        self._is_unwanted = False

    @property
    def pending(self) -> Packet | None:
        """The packet whose attachments have not all arrived, without them; `None` if none is."""
        return self._packet

    def discard(self) -> None:
        """Drop the pending packet's attachments, and do not return the packet."""
        self._is_unwanted = self._packet is not None
        self._buffers = [b""] * len(self._buffers)

    def feed(self, message: str | bytes) -> Packet | None:
        """Decode one message; return a packet if that completes one.

        A packet of unknown type is ignored, as the reference parser ignores it.

        Raises:
            RemoteProtocolError: the message breaks the protocol; the session has to end.
        """
        if isinstance(message, bytes):
            return self._attachment(message)
        if self._packet is not None:
            raise RemoteProtocolError("got plaintext data when reconstructing a packet")
        if not message:
            raise RemoteProtocolError("invalid payload", "the message is empty")
        kind = self._kinds.get(message[0])
        if kind is None:
            return self._other(message)
        if kind not in PLAIN_OF:
            return _parse(kind, message, 1)
        self._header(kind, message)
        return None

    def _other(self, message: str) -> Packet | None:
        """Decode a message of a type that is not in `_kinds`."""
        return None

    def _header(self, kind: PacketType, message: str) -> None:
        count, start = self._count(message)
        self._packet = _parse(kind, message, start)
        self._awaited = count

    def _count(self, message: str) -> tuple[int, int]:
        found = _ATTACHMENTS.match(message, 1)
        if found is None or not (count := int(found[1])):
            raise RemoteProtocolError("Illegal attachments", f"in {message[:_SHOWN]!r}")
        if count > self.max_attachments:
            raise RemoteProtocolError(
                "too many attachments", f"{count}, but max_attachments is {self.max_attachments}"
            )
        return count, found.end()

    def _attachment(self, data: bytes) -> Packet | None:
        if self._packet is None:
            raise RemoteProtocolError("got binary data when not reconstructing a packet")
        self._buffers.append(b"" if self._is_unwanted else data)
        if len(self._buffers) < self._awaited:
            return None
        head, buffers = self._packet, self._buffers
        self._packet, self._buffers = None, []
        if self._is_unwanted:
            self._is_unwanted = False
            return None
        whole = _reconstruct(head.data, buffers)
        return Packet(head.type, head.namespace, whole, head.id)


class Decoder5(Decoder):
    """Decodes the messages of a client of Socket.IO 3 or 4, as strictly as the reference does.

    Types 0 to 3, 5 and 6 are spelled as those of Socket.IO 2; a CONNECT has an object or nothing.
    """

    __slots__ = ()

    _kinds = _KINDS_5

    def _other(self, message: str) -> Packet:
        if message[0] != "0":
            raise RemoteProtocolError("unknown packet type", excerpt(message))
        name, _, start = _read_head(message, 1) if len(message) > 1 else ("/", None, 1)
        if start == len(message):
            return Packet(PacketType.CONNECT, name)
        data = _read_json(message, start)
        if not isinstance(data, dict):
            raise refuse_payload(PacketType.CONNECT, data)
        return Packet(PacketType.CONNECT, name, data)


def _parse(kind: PacketType, message: str, start: int) -> Packet:
    """Parse what follows the type and the number of attachments."""
    if start == len(message):
        return Packet(kind)
    name: str = "/"
    ident: int | None = None
    if message[start] != "[":  # most events are in "/" and want no answer
        name, ident, start = _read_head(message, start)
        if start == len(message):
            return Packet(kind, name, None, ident)
    data = _read_json(message, start)
    _check_payload(kind, data)
    return Packet(kind, name, data, ident)


def _read_head(message: str, start: int) -> tuple[str, int | None, int]:
    """Return the namespace, the id, and where the JSON begins."""
    name = "/"
    if message[start] == "/":
        comma = message.find(",", start)
        if comma == -1:
            return message[start:], None, len(message)
        name, start = message[start:comma], comma + 1
    end = start
    while end < len(message) and message[end] in "0123456789":
        end += 1
        if end - start > MAX_ID_DIGITS:
            raise RemoteProtocolError("invalid payload", f"an id of over {MAX_ID_DIGITS} digits")
    digits = message[start:end]
    return name, int(digits) if digits else None, end


def _read_json(text: str, start: int) -> JSON:
    data: JSON
    try:
        # `decode` copies the text and searches for white space twice; it only judges what is not
        # quite as JavaScript writes it.
        data, end = _JSON.raw_decode(text, start)
        if end == len(text):
            return data
    except (RecursionError, ValueError):
        pass
    try:
        try:
            return _JSON.decode(text[start:])  # type: ignore[no-any-return]
        except json.JSONDecodeError:
            raise
        except (RecursionError, ValueError):  # nested too deeply, or too long an integer
            return read_deep(text, start, _EXACT.raw_decode)
    except ValueError as error:
        raise RemoteProtocolError("invalid payload", str(error)) from None


def _check_payload(kind: PacketType, data: JSON) -> None:
    """Raise if the data does not have the shape of its type. (A packet without data is fine.)"""
    if kind is PacketType.EVENT or kind is PacketType.BINARY_EVENT:
        good = is_event(data)
    elif kind is PacketType.CONNECT:
        good = data is None or isinstance(data, (dict, list))
    elif kind is PacketType.DISCONNECT:
        good = False
    elif kind is PacketType.ERROR:
        good = data is None or isinstance(data, (str, dict, list))
    else:
        good = isinstance(data, list)
    if not good:
        raise refuse_payload(kind, data)


def _reconstruct(data: JSON, buffers: list[bytes]) -> JSON:
    """Return `data` with its placeholders replaced by the attachments they number.

    Without recursion, since the data may be nested to any depth.
    """
    root = [data]
    containers: list[list[JSON] | dict[str, JSON]] = [root]
    while containers:
        container = containers.pop()
        members = container.items() if isinstance(container, dict) else enumerate(container)
        for key, value in members:
            if isinstance(value, dict) and value.get("_placeholder") is True:
                container[key] = _attachment_of(value, buffers)  # type: ignore[index]
            elif isinstance(value, (dict, list)):
                containers.append(value)
    return root[0]


def _attachment_of(placeholder: dict[str, JSON], buffers: list[bytes]) -> bytes:
    number = placeholder.get("num")
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(buffers):
        raise RemoteProtocolError("illegal attachments", f"placeholder number {excerpt(number)}")
    return buffers[number]
