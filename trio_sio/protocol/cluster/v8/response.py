r"""What servers respond to each other, as @socket.io/redis-adapter 8 writes it.

| to                  | the members of a response                                                  |
| ------------------- | -------------------------------------------------------------------------- |
| `SOCKETS`           | `requestId`, `sockets`: ids                                                |
| `ALL_ROOMS`         | `requestId`, `rooms`                                                       |
| `REMOTE_FETCH`      | `requestId`, `sockets`: `{id, handshake, rooms, data}` each                |
| `REMOTE_JOIN` …     | `requestId`                                                                |
| `SERVER_SIDE_EMIT`  | `type` 6, `requestId`, `data`: what the server's handler has returned      |
| `BROADCAST`         | `type` 8, `requestId`, `clientCount`: how many sockets were sent the event |
|                     | `type` 9, `requestId`, `packet`: the first argument of an answer           |

A response of this library also has `node`, the uid of the server, and an answer `args`, unless it
has one argument; JavaScript does not look at them. To whoever asks for it, it also tells how many
clients have left without an answer: `type` 8 with `departed` in place of `clientCount`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from trio_sio.protocol.cluster.text import read_name, read_room, read_rooms
from trio_sio.protocol.cluster.v8.message import pack_message, read_message, write_message
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.checks import excerpt
from trio_sio.protocol.socketio.packet import JSON

MAX_COUNT = 2**20
"""Clients of one server that answer; a place is kept for each."""


class ResponseKind(IntEnum):
    """What kind of response says its type; most have none."""

    SERVER_SIDE_EMIT = 6
    CLIENT_COUNT = 8
    ANSWER = 9


_KINDS = {float(kind): kind for kind in ResponseKind}


@dataclass(frozen=True, slots=True)
class FoundSocket:
    """A socket of another server.

    Attributes:
        id: its id.
        handshake: what JavaScript says of it; `{}` if it is no object.
        rooms: where it is.
        data: what the application has attached to it.
    """

    id: str
    handshake: Mapping[str, JSON] = field(default_factory=dict)
    rooms: tuple[str, ...] = ()
    data: JSON = None


@dataclass(frozen=True, slots=True)
class Response:
    """What a server responds to a request.

    Attributes:
        id: that of the request.
        kind: what it says of itself, if anything.
        sids: to `SOCKETS`: the ids of sockets.
        found: to `REMOTE_FETCH`: sockets.
        rooms: to `ALL_ROOMS`.
        data: of `SERVER_SIDE_EMIT`.
        args: of `ANSWER`: what the client has answered.
        count: of `CLIENT_COUNT`: how many sockets will answer.
        departed: or how many that were counted will not.
        node: the uid of the server; `None` if it does not tell, as those in JavaScript.
    """

    id: str
    kind: ResponseKind | None = None
    sids: tuple[str, ...] = ()
    found: tuple[FoundSocket, ...] = ()
    rooms: tuple[str, ...] = ()
    data: JSON = None
    args: tuple[JSON, ...] = ()
    count: int = 0
    departed: int = 0
    node: str | None = None


def encode_sids(ident: str, sids: tuple[str, ...], node: str) -> bytes:
    """Return the response to `SOCKETS`."""
    return write_message({"requestId": ident, "sockets": list(sids), "node": node})


def encode_rooms(ident: str, rooms: tuple[str, ...], node: str) -> bytes:
    """Return the response to `ALL_ROOMS`."""
    return write_message({"requestId": ident, "rooms": list(rooms), "node": node})


def encode_done(ident: str, node: str) -> bytes:
    """Return the response to what has been done."""
    return write_message({"requestId": ident, "node": node})


def encode_found(ident: str, found: tuple[FoundSocket, ...], node: str) -> bytes:
    """Return the response to `REMOTE_FETCH`.

    Raises:
        LocalProtocolError: the data of a socket cannot be sent.
    """
    sockets = [_socket(one) for one in found]
    return write_message({"requestId": ident, "sockets": sockets, "node": node})


def _socket(found: FoundSocket) -> dict[str, object]:
    rooms = list(found.rooms)
    return {"id": found.id, "handshake": found.handshake, "rooms": rooms, "data": found.data}


def encode_reply(ident: str, data: JSON, node: str) -> bytes:
    """Return the response to `SERVER_SIDE_EMIT`.

    Raises:
        LocalProtocolError: the data cannot be sent.
    """
    kind = int(ResponseKind.SERVER_SIDE_EMIT)
    return write_message({"type": kind, "requestId": ident, "data": data, "node": node})


def encode_count(ident: str, count: int, node: str) -> bytes:
    """Return how many sockets of this server have been sent a broadcast."""
    kind = int(ResponseKind.CLIENT_COUNT)
    return write_message({"type": kind, "requestId": ident, "clientCount": count, "node": node})


def encode_departed(ident: str, departed: int, node: str) -> bytes:
    """Return how many sockets will not answer a broadcast: they have left."""
    kind = int(ResponseKind.CLIENT_COUNT)
    return write_message({"type": kind, "requestId": ident, "departed": departed, "node": node})


def encode_answer(ident: str, args: Sequence[JSON], node: str) -> bytes:
    """Return what a client has answered to a broadcast.

    Raises:
        LocalProtocolError: the answer cannot be sent.
    """
    kind = int(ResponseKind.ANSWER)
    said: dict[str, object] = {"type": kind, "requestId": ident}
    if args:
        said["packet"] = args[0]
    if len(args) != 1:
        said["args"] = list(args)
    return pack_message({**said, "node": node})


def decode_response(payload: bytes) -> Response:
    """Return a response; what it should have and has not is empty, as it counts nevertheless.

    Raises:
        OtherGeneration: it is one of the format of socket.io-redis 5.
        RemoteProtocolError: it is something else.
    """
    members = read_message(payload, "response")
    ident = read_name(members, "requestId", "response")
    node = read_name(members, "node", "response") if "node" in members else None
    kind = _read_kind(members.get("type"))
    if kind is ResponseKind.CLIENT_COUNT:
        count, departed = _count(members, "clientCount"), _count(members, "departed")
        return Response(ident, kind, count=count, departed=departed, node=node)
    if kind is ResponseKind.ANSWER:
        return Response(ident, kind, args=_read_args(members), node=node)
    if kind is ResponseKind.SERVER_SIDE_EMIT:
        return Response(ident, kind, data=members.get("data"), node=node)
    sids, found = _read_sockets(members.get("sockets"))
    rooms = _read_list(members.get("rooms"))
    return Response(ident, None, sids, found, rooms, node=node)


def _read_kind(number: JSON) -> ResponseKind | None:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return None
    return _KINDS.get(number)


def _count(members: dict[str, JSON], key: str) -> int:
    value = members.get(key, 0)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JavaScript has one kind of number
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT:
        return value
    raise RemoteProtocolError("invalid response", f'"{key}" is {excerpt(value)}')


def _read_args(members: dict[str, JSON]) -> tuple[JSON, ...]:
    args = members.get("args")
    if isinstance(args, list):
        return tuple(args)
    return (members["packet"],) if "packet" in members else ()


def _read_sockets(value: JSON) -> tuple[tuple[str, ...], tuple[FoundSocket, ...]]:
    """Return ids or sockets, whichever a response to one of two kinds of requests has."""
    if not isinstance(value, list):
        return (), ()
    found = tuple([_read_socket(one) for one in value if isinstance(one, dict)])
    sids = tuple([read_room(one, "response") for one in value if not isinstance(one, dict)])
    return sids, found


def _read_socket(members: dict[str, JSON]) -> FoundSocket:
    handshake = members.get("handshake")
    return FoundSocket(
        read_room(members.get("id"), "response"),
        handshake if isinstance(handshake, dict) else {},
        _read_list(members.get("rooms")),
        members.get("data"),
    )


def _read_list(value: JSON) -> tuple[str, ...]:
    return read_rooms(value if isinstance(value, list) else None, "", "response")
