"""An event for the sockets of other servers, as @socket.io/redis-adapter publishes it.

    [uid, {type, data, nsp}, {rooms, except, flags}]    in MessagePack, with its keys in this order

`type` is always 2: whether there are bytes in the data is looked at by whoever sends it to clients.
A server of 4.x would send what says 5 so that its clients cannot read it.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from trio_sio.protocol.cluster.text import MAX_NAME, read_object, write_object
from trio_sio.protocol.cluster.v8.selection import (
    ALL,
    USUAL,
    Manner,
    Selection,
    read_manner,
    read_options,
    read_selection,
)
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.checks import excerpt, is_event
from trio_sio.protocol.socketio.notepack import pack_data, unpack_data
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.protocol.socketio.slow_notepack import has_binary
from trio_sio.protocol.socketio.unsendable import explain

EVENT, BINARY_EVENT = 2, 5


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A broadcast from one server to the others.

    Attributes:
        uid: of the sender.
        packet: the event.
        selection: which sockets get it.
        manner: how it is sent.
    """

    uid: str
    packet: Packet
    selection: Selection = ALL
    manner: Manner = USUAL


def encode_broadcast(
    uid: str,
    packet: Packet,
    rooms: Collection[str] = (),
    excepted: Collection[str] = (),
    manner: Manner = USUAL,
) -> bytes:
    """Return the message of a broadcast.

    Raises:
        LocalProtocolError: the data cannot be sent. (Whether JSON has its keys is not looked at.)
    """
    options = Selection(tuple(rooms), tuple(excepted)).members() | {"flags": manner.members()}
    if not manner.binary and has_binary(packet.data):
        packet = replace(packet, data=_without_binary(packet.data))
    try:
        return pack_data([uid, event_fields(packet), options])
    except (TypeError, ValueError) as error:
        what = explain(packet, error, pack_data)
        raise LocalProtocolError(f"cannot be sent to other servers: {what}") from error


def _without_binary(data: JSON) -> JSON:
    """Return data with JavaScript's Buffer in JSON for bytes: servers there have no such flag."""
    return read_object(write_object({"data": data}), "broadcast")["data"]


def event_fields(packet: Packet) -> dict[str, object]:
    """Return an event as an object, with its keys in JavaScript's order."""
    return {"type": EVENT, "data": packet.data, "nsp": packet.namespace}


def decode_broadcast(payload: bytes) -> Broadcast:
    """Return a broadcast of another server, or the own one.

    Raises:
        RemoteProtocolError: it is not a broadcast.
    """
    message = unpack_data(payload)
    if not isinstance(message, list) or len(message) < 2:
        raise _error(f"{excerpt(message)} in place of sender, packet and options")
    uid = message[0]
    if not isinstance(uid, str) or not 0 < len(uid) <= MAX_NAME:
        raise _error(f"the sender is {excerpt(uid)}")
    packet = read_event(message[1], "broadcast")
    options = read_options(message[2] if len(message) > 2 else None, "broadcast")
    selection = read_selection(options, "broadcast")
    return Broadcast(uid, packet, selection, read_manner(options, "broadcast"))


def read_event(fields: JSON, what: str) -> Packet:
    """Return an event from its object.

    Raises:
        RemoteProtocolError: it is something else.
    """
    if not isinstance(fields, dict):
        raise RemoteProtocolError(f"invalid {what}", f"{excerpt(fields)} in place of a packet")
    kind, data, namespace = fields.get("type"), fields.get("data"), fields.get("nsp", "/")
    if kind != EVENT and kind != BINARY_EVENT:
        hint = f"a packet of type {excerpt(kind)}; events have 2 or 5"
        raise RemoteProtocolError(f"invalid {what}", hint)
    if not is_event(data):
        raise RemoteProtocolError(f"invalid {what}", f"an event with {excerpt(data)}")
    if not isinstance(namespace, str):
        raise RemoteProtocolError(f"invalid {what}", f"the namespace is {excerpt(namespace)}")
    if fields.get("id") is not None:
        raise RemoteProtocolError(f"invalid {what}", "an event with an id, which is the sender's")
    return Packet(PacketType.EVENT, namespace, data)


def _error(hint: str) -> RemoteProtocolError:
    return RemoteProtocolError("invalid broadcast", hint)
