"""JSON as JavaScript writes and reads it: compact, NaN as null, bytes as `Buffer`, one object.

Members of objects are checked here, so that all messages in JSON are refused in the same words.
"""

import json
from collections.abc import Mapping

from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.checks import excerpt
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.foreign import Default
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType

MAX_NAME = 256
"""Characters of an id or a name that another server has chosen for itself."""


class OtherGeneration(RemoteProtocolError):
    """A message in the format of the other generation of servers, which cannot share a key.

    Args:
        what: what it should be, in a word.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"invalid {what}",
            "it is in the format of another generation of servers: those of Socket.IO 2.x and of"
            " 4.x cannot be in one cluster; let all have the option `generation` of one of them, or"
            " give each generation a key of its own",
        )


def write_object(members: Mapping[str, object], default: Default | None = None) -> bytes:
    """Return the text of an object.

    Args:
        members: by their names.
        default: makes something of values that JSON cannot express.

    Raises:
        LocalProtocolError: something in it cannot be sent as JSON.
    """
    # The encoder of packets does it as JavaScript does, and says what cannot be sent and where:
    # as the data of a packet without an id, the object stands after the digit of the type.
    whole = Packet(PacketType.CONNECT, "/", dict(members))  # type: ignore[arg-type]  # it judges
    (message,) = Encoder(default=default).encode(whole, binary=False)
    assert isinstance(message, str)
    return message[1:].encode()


def read_object(payload: bytes, what: str) -> dict[str, JSON]:
    """Return the object of a text.

    Args:
        payload: the text; invalid UTF-8 is replaced.
        what: what it should be, for the error.

    Raises:
        RemoteProtocolError: it is not JSON, or something else than an object.
    """
    try:
        value: JSON = json.loads(payload.decode("utf-8", "replace"), parse_constant=_refuse)
    except RecursionError:
        raise RemoteProtocolError(f"invalid {what}", "nested too deeply") from None
    except ValueError as error:
        raise RemoteProtocolError(f"invalid {what}", f"not JSON: {error}") from None
    if not isinstance(value, dict):
        raise RemoteProtocolError(f"invalid {what}", f"{excerpt(value)} in place of an object")
    return value


def _refuse(name: str) -> JSON:
    raise ValueError(f"{name} is not JSON")


def read_name(members: Mapping[str, JSON], key: str, what: str) -> str:
    """Return an id or a name: not empty, and not longer than `MAX_NAME`.

    Raises:
        RemoteProtocolError: it is something else.
    """
    value = members.get(key)
    if not isinstance(value, str):
        raise RemoteProtocolError(f"invalid {what}", f'"{key}" is {excerpt(value)}')
    if not 0 < len(value) <= MAX_NAME:
        raise RemoteProtocolError(f"invalid {what}", f'"{key}" has {len(value)} characters')
    return value


def read_room(value: JSON, what: str) -> str:
    """Return the name of a room or the id of a socket; a number becomes its digits.

    Raises:
        RemoteProtocolError: it is something else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise RemoteProtocolError(f"invalid {what}", f"{excerpt(value)} in place of a room")


def read_rooms(value: JSON, key: str, what: str) -> tuple[str, ...]:
    """Return the names of rooms, or the ids of sockets; nothing and null are none.

    Raises:
        RemoteProtocolError: it is not a list of them.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        raise RemoteProtocolError(f"invalid {what}", f'"{key}" is {excerpt(value)}')
    return tuple([one if isinstance(one, str) else read_room(one, what) for one in value])
