"""An object between servers: JSON, or MessagePack if there are bytes in it.

Servers in JavaScript send most messages as JSON, and read both: what begins with a brace is JSON.
"""

from collections.abc import Mapping

from trio_sio.protocol.cluster.text import OtherGeneration, read_object, write_object
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.checks import excerpt
from trio_sio.protocol.socketio.notepack import pack_data, unpack_data
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.protocol.socketio.slow_notepack import has_binary
from trio_sio.protocol.socketio.unsendable import explain

_BRACE = b"{"


def write_message(members: Mapping[str, object]) -> bytes:
    """Return an object as a message: MessagePack if there are bytes in it, otherwise JSON.

    Raises:
        LocalProtocolError: something in it cannot be sent.
    """
    return pack_message(members) if has_binary(members) else write_object(members)


def pack_message(members: Mapping[str, object]) -> bytes:
    """Return an object as MessagePack.

    Raises:
        LocalProtocolError: something in it cannot be sent.
    """
    try:
        return pack_data(members)
    except (TypeError, ValueError) as error:
        whole = Packet(PacketType.CONNECT, "/", dict(members))  # type: ignore[arg-type]  # it judges
        what = explain(whole, error, pack_data)
        raise LocalProtocolError(f"cannot be sent to other servers: {what}") from error


def read_message(payload: bytes, what: str) -> dict[str, JSON]:
    """Return the object of a message.

    Args:
        payload: the message.
        what: what it should be, for the error.

    Raises:
        OtherGeneration: it is one of the format of socket.io-redis 5.
        RemoteProtocolError: it is something else than an object.
    """
    if payload.startswith(_BRACE):
        members = read_object(payload, what)
    else:
        unpacked = unpack_data(payload)
        if not isinstance(unpacked, dict):
            raise RemoteProtocolError(f"invalid {what}", f"{excerpt(unpacked)} is no object")
        members = unpacked
    if "requestid" in members and "requestId" not in members:
        raise OtherGeneration(what)
    return members
