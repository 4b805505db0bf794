"""The MessagePack parsers of socket.io-msgpack-parser 2.x and 3.x (option `parser="msgpack"`).

Of 2.x, for clients of Socket.IO 2.x:

| packet                     | message                                                    |
| -------------------------- | ---------------------------------------------------------- |
| CONNECT, DISCONNECT, ERROR | JSON text: `{"type":0,"nsp":"/"}`                          |
| EVENT, ACK, binary or not  | one binary message: a MessagePack map, binary values inline |

Keys come in the JavaScript server's order: `type, data, id, nsp` for events, `id, type, data, nsp`
for acknowledgements.

Of 3.x, for clients of Socket.IO 3.x and 4.x: every packet is one binary message, and there are no
types for binary ones.

Needs the library msgpack (extra `msgpack`).
"""

import json
from collections.abc import Sequence

from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.checks import (
    check_id,
    check_namespace,
    excerpt,
    is_event,
    refuse_payload,
)
from trio_sio.protocol.socketio.foreign import Default, replace_foreign
from trio_sio.protocol.socketio.notepack import pack, unpack
from trio_sio.protocol.socketio.packet import BINARY_OF, JSON, PLAIN_OF, Packet, PacketType
from trio_sio.protocol.socketio.unsendable import explain

_AS_TEXT = (PacketType.CONNECT, PacketType.DISCONNECT, PacketType.ERROR)
_MAYBE_BARE = (PacketType.CONNECT, PacketType.DISCONNECT)
_EVENTS = (PacketType.EVENT, PacketType.BINARY_EVENT)
_ACKS = (PacketType.ACK, PacketType.BINARY_ACK)

_UNDEFINED = b"\xd4\x00\x00"


class Encoder:
    """Encodes packets.

    Args:
        default: makes something of values that have no form; `None` to refuse them.
    """

    def __init__(self, default: Default | None = None) -> None:
        self._default = default

    def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
        """Return the packet's one message.

        Args:
            packet: what to encode; whether it is sent as EVENT or BINARY_EVENT, and as ACK or
                BINARY_ACK, depends on its data alone.
            binary: `False` calls the packet plain whatever is in it (JS: `binary(false)`).

        Raises:
            LocalProtocolError: the data contains something that MessagePack cannot express, and of
                which `default` makes nothing that it can.
        """
        if packet.type in _AS_TEXT:
            return [_control_text(packet, self._default)]
        return [self._packed(packet, binary=binary)]

    def _kind_of(self, packet: Packet, *, binary: bool) -> PacketType:
        kind = PLAIN_OF.get(packet.type, packet.type)
        return BINARY_OF[kind] if binary and _has_binary(packet.data) else kind

    def _packed(self, packet: Packet, *, binary: bool) -> bytes:
        try:
            return pack(_fields(packet, self._kind_of(packet, binary=binary)))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            if self._default is not None:
                replaced = replace_foreign(packet, self._default, "MessagePack")
                if replaced is not packet:
                    return self._packed(replaced, binary=binary)
            what = explain(packet, error, pack)  # type: ignore[arg-type]  # whatever it is
            raise LocalProtocolError(f"cannot be sent as MessagePack: {what}") from error


class Encoder5(Encoder):
    """Encodes packets for clients of Socket.IO 3.x and 4.x."""

    def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
        """Return the packet's one message; as `Encoder.encode`."""
        return [self._packed(packet, binary=binary)]

    def _kind_of(self, packet: Packet, *, binary: bool) -> PacketType:
        return PLAIN_OF.get(packet.type, packet.type)


def as_5(messages: Sequence[str | bytes]) -> list[str | bytes]:
    """Return what `Encoder5` makes of an event or an acknowledgement, of what `Encoder` made."""
    return [_as_5(message) if isinstance(message, bytes) else message for message in messages]


def _as_5(message: bytes) -> bytes:
    fields = unpack(message)
    assert isinstance(fields, dict)
    kind = _kind(fields["type"])
    return pack({**fields, "type": int(PLAIN_OF[kind])}) if kind in PLAIN_OF else message


def _fields(packet: Packet, kind: PacketType) -> dict[str, JSON]:
    if packet.data is None and kind in _MAYBE_BARE:
        return {"type": int(kind), "nsp": packet.namespace}
    type_and_data: dict[str, JSON] = {"type": int(kind), "data": packet.data}
    if packet.id is None:
        return {**type_and_data, "nsp": packet.namespace}
    if kind in _ACKS:
        return {"id": packet.id, **type_and_data, "nsp": packet.namespace}
    return {**type_and_data, "id": packet.id, "nsp": packet.namespace}


def _control_text(packet: Packet, default: Default | None) -> str:
    fields: dict[str, JSON] = {"type": int(packet.type), "nsp": packet.namespace}
    if packet.type is PacketType.ERROR:
        fields["data"] = _error_text(packet, default)
    return _json(fields)


def _error_text(packet: Packet, default: Default | None) -> str:
    """Return the data of an ERROR packet as a str: JavaScript clients throw at anything else."""
    data = packet.data
    if data is None:
        return ""
    if isinstance(data, str):
        return data
    try:
        return _json(data)
    except (TypeError, ValueError, RecursionError) as error:
        if default is not None:
            replaced = replace_foreign(packet, default)
            if replaced is not packet:
                return _error_text(replaced, default)
        what = explain(packet, error, _json)  # type: ignore[arg-type]  # whatever it is
        raise LocalProtocolError(f"cannot be sent as JSON: {what}") from error


def _json(data: JSON) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def _has_binary(data: object) -> bool:
    if isinstance(data, (bytes, bytearray, memoryview)):
        return True
    if isinstance(data, (list, tuple)):
        return any(map(_has_binary, data))
    return isinstance(data, dict) and any(map(_has_binary, data.values()))


class Decoder:
    """Decodes messages; it keeps nothing between them."""

    def feed(self, message: str | bytes) -> Packet | None:
        """Return the packet of one message; JSON and MessagePack are accepted for every type.

        Raises:
            RemoteProtocolError: the message breaks the protocol; the session has to end.
        """
        fields = _load_json(message) if isinstance(message, str) else unpack(message)
        if not isinstance(fields, dict):
            raise RemoteProtocolError("invalid format", "a packet must be a map")
        if isinstance(message, bytes):
            for key in ("data", "id"):
                if fields.get(key) is None and _says_undefined(key, message):
                    fields.pop(key, None)
        kind = _kind(fields.get("type"))
        namespace = check_namespace(fields.get("nsp"))
        _check_data(kind, fields)
        ack_id = check_id(fields["id"]) if "id" in fields else None
        if kind in _EVENTS and not is_event(fields.get("data")):  # JavaScript does not ask
            raise refuse_payload(kind, fields.get("data"))
        return Packet(kind, namespace, fields.get("data"), ack_id)


class Decoder5:
    """Decodes messages of clients of Socket.IO 3.x and 4.x; it keeps nothing between them."""

    def feed(self, message: str | bytes) -> Packet | None:
        """Return the packet of one message.

        Raises:
            RemoteProtocolError: the message breaks the protocol; the session has to end.
        """
        if isinstance(message, str):
            raise RemoteProtocolError("invalid format", "a packet is binary, this one is text")
        fields = unpack(message)
        if not isinstance(fields, dict):
            raise RemoteProtocolError("invalid format", "a packet must be a map")
        if fields.get("data") is None and _says_undefined("data", message):
            fields.pop("data", None)
        kind = _kind(fields.get("type"))
        namespace = check_namespace(fields.get("nsp"))
        data = fields.get("data")
        if not _is_fitting(kind, fields):
            raise refuse_payload(kind, data)
        return Packet(kind, namespace, data, check_id(fields["id"]) if "id" in fields else None)


def _is_fitting(kind: PacketType, fields: dict[str, JSON]) -> bool:
    """Whether a client of Socket.IO 3.x or 4.x may send such data in a packet of this type."""
    data = fields.get("data")
    if kind is PacketType.CONNECT:
        return "data" not in fields or isinstance(data, dict)
    if kind is PacketType.DISCONNECT:
        return "data" not in fields
    if kind is PacketType.EVENT:
        return is_event(data)
    return kind is PacketType.ACK and isinstance(data, list)


def _says_undefined(key: str, message: bytes) -> bool:
    """Whether a field is JavaScript's undefined, which counts as absent, and not null."""
    return bytes((0xA0 | len(key),)) + key.encode() + _UNDEFINED in message


def _load_json(message: str) -> object:
    try:
        loaded: object = json.loads(message)
    except RecursionError:
        raise RemoteProtocolError("invalid format", "nested too deeply") from None
    except ValueError as error:
        raise RemoteProtocolError("invalid format", f"not JSON: {error}") from None
    return loaded


def _kind(value: object) -> PacketType:
    number = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= 6:
        raise RemoteProtocolError("invalid packet type", excerpt(value))
    return PacketType(number)


def _check_data(kind: PacketType, fields: dict[str, JSON]) -> None:
    data = fields.get("data")
    if kind in (PacketType.CONNECT, PacketType.DISCONNECT):
        good = "data" not in fields
    elif kind is PacketType.ERROR:
        good = isinstance(data, str)
    else:
        good = isinstance(data, list)
    if not good:
        raise refuse_payload(kind, data)
