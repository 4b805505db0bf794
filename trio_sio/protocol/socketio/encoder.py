"""Encodes packets of Socket.IO 4 as Engine.IO messages.

    packet = type [ attachments "-" ] [ namespace "," ] [ id ] [ json ]

`type` is one digit; `attachments` stands for types 5 and 6 only and always; `namespace` begins
with a slash and is left out when it is "/". Types 5 and 6 are followed by that many binary
messages, in the order of the placeholders `{"_placeholder":true,"num":n}` in their JSON.

JSON is JavaScript's: NaN and the infinities are written as null, lone surrogates as escapes.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from json.encoder import c_make_encoder, encode_basestring  # type: ignore[attr-defined]

from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio.foreign import Default, replace_foreign
from trio_sio.protocol.socketio.packet import (
    BINARY_OF,
    JSON,
    MAX_ATTACHMENTS,
    PLAIN_OF,
    Packet,
    PacketType,
)
from trio_sio.protocol.socketio.unsendable import explain, type_name

_DIGITS = tuple(f"{kind:d}" for kind in PacketType)

_PLACEHOLDER_TEXTS = ('{"_placeholder":true', ',"_placeholder":true')
"""Quotes are escaped inside a JSON string, and nothing else can precede a key: so this is exact."""


def _kept_encoder(default: Callable[[object], object]) -> Callable[[object], str]:
    """Return a function that does what `json.JSONEncoder.encode` does.

    That makes the C encoder anew in each call, which takes as long as encoding an event; here it
    is kept, if there is one. Circular data raises `RecursionError` then.
    """
    if c_make_encoder is None:
        return json.JSONEncoder(
            separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=default
        ).encode
    chunks = c_make_encoder(None, default, encode_basestring, None, ":", ",", False, False, False)
    return lambda data: "".join(chunks(data, 0))


class Encoder:
    """Encodes packets.

    Args:
        max_attachments: more binary values than this in one packet are refused.
        default: makes something of values that JSON cannot express; `None` to refuse them.
    """

    def __init__(
        self, max_attachments: int = MAX_ATTACHMENTS, default: Default | None = None
    ) -> None:
        self.max_attachments = max_attachments
        self._default = default
        self._found: list[bytes] | None = []
        self._to_json = _kept_encoder(self._take_out)

    def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
        """Return the packet's messages: its text, then its attachments.

        Args:
            packet: what to encode; whether it is sent as EVENT or BINARY_EVENT, and as ACK or
                BINARY_ACK, depends on its data alone.
            binary: `False` writes bytes as JavaScript's `Buffer` in JSON (JS: `binary(false)`).

        Raises:
            LocalProtocolError: the data contains something that JSON cannot express, and of which
                `default` makes nothing that it can.
        """
        kind = PLAIN_OF.get(packet.type, packet.type)
        head = _DIGITS[kind] + _head(packet)
        if packet.data is None:
            return [head]
        if kind is PacketType.ERROR and isinstance(packet.data, (bool, int, float)):
            raise LocalProtocolError(
                "the data of an ERROR packet must not be a number or a bool: digits would be read"
                " as an id, and JavaScript clients throw at true"
            )
        found: list[bytes] = []
        self._found = found if binary else None
        try:
            text = self._to_json(packet.data)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            if self._default is not None:
                self._found = []  # otherwise they stay in memory
                replaced = replace_foreign(packet, self._default)
                if replaced is not packet:
                    return self.encode(replaced, binary=binary)
                self._found = found if binary else None
            text = self._to_json_anyway(packet, error)
        if not text.isascii():
            # JSON.stringify writes a lone surrogate as \udXXX, which happens to be what
            # Python's "backslashreplace" makes of it.
            text = text.encode("utf-8", "backslashreplace").decode()
        self._found = None  # otherwise large attachments stay in memory until the next packet
        if not found:
            return [head + text]
        self._check(text, len(found))
        return [f"{_binary_type(kind):d}{len(found)}-{_head(packet)}{text}", *found]

    def _to_json_anyway(self, packet: Packet, error: Exception) -> str:
        """Encode NaN and the infinities as null, if nothing else is wrong."""
        if "not JSON compliant" in str(error):
            if self._found:
                self._found.clear()
            try:
                return self._to_json(_without_nan(packet.data))
            except (TypeError, ValueError, OverflowError, RecursionError) as another:
                error = another
        self._found = []  # otherwise they stay in memory
        what = explain(packet, error, lambda value: self._to_json(_without_nan(value)))  # type: ignore[arg-type]
        raise LocalProtocolError(f"cannot be sent as JSON: {what}") from error

    def _take_out(self, value: object) -> object:
        """Replace a value that JSON cannot express (called by `json`, in the order of the text)."""
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
        return BINARY_OF[kind]
    except KeyError:
        raise LocalProtocolError(f"a packet of type {kind.name} cannot carry binary") from None


def _head(packet: Packet) -> str:
    name = "" if packet.namespace == "/" else packet.namespace + ","
    return name if packet.id is None else f"{name}{packet.id}"


def _without_nan(data: JSON) -> JSON:
    """Return a copy with null for NaN and the infinities, and their names where they are keys."""
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
