"""Packets to Engine.IO messages and back.

    packet = type [ attachments "-" ] [ namespace "," ] [ id ] [ json ]

`type` is one digit; `attachments` stands for types 5 and 6 only and always; `namespace` begins
with a slash and is left out when it is "/". Types 5 and 6 are followed by as many binary
messages, in the order of the placeholders `{"_placeholder":true,"num":n}` in their JSON.

JSON is JavaScript's: NaN and the infinities are written as null, lone surrogates as escapes,
and neither NaN nor Infinity is read.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]

from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.checks import MAX_ID_DIGITS, excerpt, is_event, refuse_payload
from trio_sio.protocol.socketio.deep_json import read_deep
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.protocol.socketio.unsendable import explain, type_name

MAX_ATTACHMENTS = 10
"""The limit of the JavaScript parsers, on both sides: a client throws when it gets more."""

TYPES = tuple(PacketType)

_SHOWN = 10
"""Characters of a broken packet's head, and digits of a number, that an error shows."""

_BINARY_OF = {
    PacketType.EVENT: PacketType.BINARY_EVENT,
    PacketType.ACK: PacketType.BINARY_ACK,
}
_DIGITS = tuple(f"{kind:d}" for kind in TYPES)
_KINDS = {f"{kind:d}": kind for kind in TYPES}
_PLAIN_OF = {binary: plain for plain, binary in _BINARY_OF.items()}

_ATTACHMENTS = re.compile(r"([0-9]{1,19})-")
_PLACEHOLDER_TEXTS = ('{"_placeholder":true', ',"_placeholder":true')
"""Inside a JSON string quotes are escaped, and nothing else can stand in front of a key; so this
is exact."""


def _kept_encoder(default: Callable[[object], object]) -> Callable[[object], str]:
    """Return `JSONEncoder.encode` for all packets.

    The standard library's C encoder is made anew in each call of `encode`, which takes as long
    as its work on an event; here it is kept, where there is one. Circular data is a
    `RecursionError` then.
    """
    if c_make_encoder is None:
        return json.JSONEncoder(
            separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=default
        ).encode
    chunks = c_make_encoder(None, default, encode_basestring, None, ":", ",", False, False, False)
    return lambda data: "".join(chunks(data, 0))


class Encoder:
    """Makes messages of packets.

    Args:
        max_attachments: more binary values than this in one packet are refused.
    """

    def __init__(self, max_attachments: int = MAX_ATTACHMENTS) -> None:
        self.max_attachments = max_attachments
        self._found: list[bytes] | None = []
        self._to_json = _kept_encoder(self._take_out)

    def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
        """Return the packet's messages: its text, then its attachments.

        Args:
            packet: what to encode; EVENT and ACK become their binary forms, and the binary
                forms plain ones, by what is in `data`.
            binary: `False` writes bytes as JavaScript's `Buffer` in JSON (JS: `binary(false)`).

        Raises:
            LocalProtocolError: `data` holds something that JSON has no word for.
        """
        kind = _PLAIN_OF.get(packet.type, packet.type)
        head = _DIGITS[kind] + _head(packet)
        if packet.data is None:
            return [head]
        if kind is PacketType.ERROR and isinstance(packet.data, (bool, int, float)):
            raise LocalProtocolError(
                "the data of an ERROR packet is no number and no bool: digits would be read as an"
                " id, and JavaScript clients throw on true"
            )
        found: list[bytes] = []
        self._found = found if binary else None
        try:
            text = self._to_json(packet.data)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            text = self._to_json_anyway(packet, error)
        if not text.isascii():
            # JSON.stringify writes a lone surrogate as \udXXX, which happens to be what
            # Python's "backslashreplace" makes of it.
            text = text.encode("utf-8", "backslashreplace").decode()
        self._found = None  # or large attachments live until the next packet
        if not found:
            return [head + text]
        self._check(text, len(found))
        return [f"{_binary_type(kind):d}{len(found)}-{_head(packet)}{text}", *found]

    def _to_json_anyway(self, packet: Packet, error: Exception) -> str:
        """Write NaN and the infinities as null, if that is all that is wrong."""
        if "not JSON compliant" in str(error):
            if self._found:
                self._found.clear()
            try:
                return self._to_json(_without_nan(packet.data))
            except (TypeError, ValueError, OverflowError, RecursionError) as another:
                error = another
        self._found = []  # of no further use
        what = explain(packet, error, lambda value: self._to_json(_without_nan(value)))  # type: ignore[arg-type]
        raise LocalProtocolError(f"cannot be sent as JSON: {what}") from error

    def _take_out(self, value: object) -> object:
        """Replace what JSON cannot hold (called by the encoder, in the order of the text)."""
        if isinstance(value, (bytes, bytearray, memoryview)):
            if self._found is None:
                return {"type": "Buffer", "data": list(bytes(value))}
            self._found.append(bytes(value))
            return {"_placeholder": True, "num": len(self._found) - 1}
        if isinstance(value, datetime) and value.tzinfo is not None:
            utc = value.astimezone(UTC)
            return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if isinstance(value, date):
            return value.isoformat()
        raise TypeError(f"{type_name(value)} has no form in JSON")

    def _check(self, text: str, attachments: int) -> None:
        if attachments > self.max_attachments:
            raise LocalProtocolError(
                f"{attachments} binary values in one packet; max_attachments is"
                f" {self.max_attachments}, and JavaScript clients refuse more than 10"
            )
        if sum(map(text.count, _PLACEHOLDER_TEXTS)) != attachments:
            raise LocalProtocolError(
                'a dict with "_placeholder": True cannot be sent together with binary values'
            )


def _binary_type(kind: PacketType) -> PacketType:
    try:
        return _BINARY_OF[kind]
    except KeyError:
        raise LocalProtocolError(f"a packet of type {kind.name} cannot carry binary") from None


def _head(packet: Packet) -> str:
    name = "" if packet.namespace == "/" else packet.namespace + ","
    return name if packet.id is None else f"{name}{packet.id}"


def _without_nan(data: JSON) -> JSON:
    """Return a copy in which NaN and the infinities are null, or "NaN" where they are keys."""
    if isinstance(data, float):
        return data if data - data == 0 else None
    if isinstance(data, dict):
        return {_key(key): _without_nan(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_without_nan(value) for value in data]
    return data


_FLOAT_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def _key(key: str) -> str:
    if isinstance(key, float) and key - key != 0:
        return _FLOAT_NAMES[str(key)]
    return key


def encode(packet: Packet) -> list[str | bytes]:
    """Return the messages of one packet; see `Encoder.encode`."""
    return Encoder().encode(packet)


def _refuse_constant(name: str) -> JSON:
    raise ValueError(f"{name} is not JSON")


def _read_integer(digits: str) -> int | float:
    """Return an integer; one of more digits than Python converts is infinite, as in JavaScript."""
    try:
        return int(digits)
    except ValueError:
        return float(digits)


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
_EXACT = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=_read_integer)


class Decoder:
    """Makes packets of messages; one for each session, since attachments come separately.

    Args:
        max_attachments: a packet that announces more is refused before any arrives.
    """

    __slots__ = ("_awaited", "_buffers", "_is_unwanted", "_packet", "max_attachments")

    def __init__(self, max_attachments: int = MAX_ATTACHMENTS) -> None:
        self.max_attachments = max_attachments
        self._packet: Packet | None = None
        self._awaited = 0
        self._buffers: list[bytes] = []
        self._is_unwanted = False

    @property
    def pending(self) -> Packet | None:
        """The packet whose attachments have not all come, without them; `None` if there is none."""
        return self._packet

    def discard(self) -> None:
        """Keep none of the pending packet's attachments, and do not return it."""
        self._is_unwanted = self._packet is not None
        self._buffers = [b""] * len(self._buffers)

    def feed(self, message: str | bytes) -> Packet | None:
        """Take one message; return a packet when one is whole.

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
        kind = _KINDS.get(message[0])
        if kind is None:
            return None
        if kind not in _PLAIN_OF:
            return _parse(kind, message, 1)
        self._header(kind, message)
        return None

    def _header(self, kind: PacketType, message: str) -> None:
        count, start = self._count(message)
        self._packet = _parse(kind, message, start)
        self._awaited = count

    def _count(self, message: str) -> tuple[int, int]:
        found = _ATTACHMENTS.match(message, 1)
        if found is None or (count := int(found[1])) == 0:
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


def _parse(kind: PacketType, message: str, start: int) -> Packet:
    """Read what follows the type and the number of attachments."""
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
    """Return namespace, id, and where the JSON begins."""
    name = "/"
    if message[start] == "/":
        comma = message.find(",", start)
        end = len(message) if comma < 0 else comma
        name = message[start:end]
        start = end + 1 if comma >= 0 else end
    end = start
    while end < len(message) and message[end] in "0123456789":
        end += 1
        if end - start > MAX_ID_DIGITS:
            raise RemoteProtocolError("invalid payload", f"an id of over {MAX_ID_DIGITS} digits")
    return name, int(message[start:end]) if end > start else None, end


def _read_json(text: str, start: int) -> JSON:
    data: JSON
    try:
        # Without the copy and the two searches for white space of `decode`, which is left to
        # judge whatever is not quite as JavaScript writes it.
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
        except (RecursionError, ValueError):  # too deep, or an integer that is too long
            return read_deep(text, start, _EXACT.raw_decode)
    except ValueError as error:
        raise RemoteProtocolError("invalid payload", str(error)) from None


def _check_payload(kind: PacketType, data: JSON) -> None:
    """Refuse data that is not of the type's shape; no data at all is accepted for every type."""
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

    Of any depth: what is yet to be looked at is on a list.
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
