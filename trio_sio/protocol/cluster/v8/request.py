r"""What a server asks the others, or tells them to do, as @socket.io/redis-adapter 8 writes it.

| kind                | about                  | its members                                       |
| ------------------- | ---------------------- | ------------------------------------------------- |
| `SOCKETS`           | every server           | `rooms`                                           |
| `ALL_ROOMS`         | every server           |                                                   |
| `REMOTE_JOIN`       | sockets of all servers | `opts`, `rooms`; of one socket: `sid` and `room`  |
| `REMOTE_LEAVE`      | sockets of all servers | as `REMOTE_JOIN`                                  |
| `REMOTE_DISCONNECT` | sockets of all servers | `opts`, `close`; of one socket: `sid` and `close` |
| `REMOTE_FETCH`      | every server           | `opts`                                            |
| `SERVER_SIDE_EMIT`  | every other server     | `data`                                            |
| `BROADCAST`         | sockets of all servers | `packet`, `opts`                                  |

Before these, a request has `uid`, by which a server knows its own ones, `requestId` if somebody
waits for responses, and `type`. What is for all sockets of `opts` has no `requestId` and no
response; servers of this library write one, and respond when it is done.

A `BROADCAST` of this library also says `"departures": true`: whoever responds to it tells of each
client that has left without an answer. `SOCKETS` with `"fence": true` is for servers in JavaScript
alone: what they respond tells that they have done what was asked before.
"""

from dataclasses import dataclass
from enum import IntEnum

from trio_sio.protocol.cluster.text import MAX_NAME, read_name, read_room, read_rooms
from trio_sio.protocol.cluster.v8.broadcast import event_fields, read_event
from trio_sio.protocol.cluster.v8.message import pack_message, read_message, write_message
from trio_sio.protocol.cluster.v8.selection import (
    USUAL,
    Manner,
    Selection,
    read_manner,
    read_options,
    read_selection,
)
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.checks import excerpt, is_event
from trio_sio.protocol.socketio.packet import JSON, Packet


class RequestKind(IntEnum):
    """What is asked, by its number in a message."""

    SOCKETS = 0
    ALL_ROOMS = 1
    REMOTE_JOIN = 2
    REMOTE_LEAVE = 3
    REMOTE_DISCONNECT = 4
    REMOTE_FETCH = 5
    SERVER_SIDE_EMIT = 6
    BROADCAST = 7
    UNKNOWN = -1
    """Any other number: a request that is to be ignored, and cannot be encoded."""


_KINDS = {float(kind): kind for kind in RequestKind}
_JOINING = frozenset({RequestKind.REMOTE_JOIN, RequestKind.REMOTE_LEAVE})
_COMMANDS = _JOINING | {RequestKind.REMOTE_DISCONNECT}


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the other servers.

    Attributes:
        kind: what is asked.
        uid: of the sender; `""` if it does not say, as JavaScript's emitters.
        id: by which its responses are recognized; `""` if nobody waits for any.
        selection: the sockets that it is about; `None` if it is about one.
        rooms: of `SOCKETS`, whose sockets; of joining and leaving, which rooms.
        sid: the id of the one socket that it is about.
        close: of `REMOTE_DISCONNECT`: end the whole connection.
        data: of `SERVER_SIDE_EMIT`: the event and its arguments.
        packet: of `BROADCAST`: the event.
        manner: how that is sent.
        departures: of `BROADCAST`: tell of clients that leave without an answer.
        fence: of `SOCKETS`: it is not for servers of this library.
    """

    kind: RequestKind
    uid: str = ""
    id: str = ""
    selection: Selection | None = None
    rooms: tuple[str, ...] = ()
    sid: str = ""
    close: bool = False
    data: JSON = None
    packet: Packet | None = None
    manner: Manner = USUAL
    departures: bool = False
    fence: bool = False


def encode_request(request: Request) -> bytes:
    """Return the message of a request.

    Raises:
        LocalProtocolError: its data cannot be sent.
    """
    kind = request.kind
    assert kind is not RequestKind.UNKNOWN
    members: dict[str, object] = {}
    if request.uid:
        members["uid"] = request.uid
    if request.id:
        members["requestId"] = request.id
    members["type"] = int(kind)
    if request.packet is not None:
        return pack_message({**members, **_broadcast(request, request.packet)})
    if request.selection is not None:
        members["opts"] = request.selection.members()
    if kind is RequestKind.SOCKETS:
        members["rooms"] = list(request.rooms)
        if request.fence:
            members["fence"] = True
    if kind in _COMMANDS:
        members |= _command(request)
    if kind is RequestKind.SERVER_SIDE_EMIT:
        members["data"] = request.data
    return write_message(members)


def _broadcast(request: Request, packet: Packet) -> dict[str, object]:
    selection = request.selection or Selection()
    options = selection.members() | {"flags": request.manner.members()}
    said: dict[str, object] = {"packet": event_fields(packet), "opts": options}
    return said | {"departures": True} if request.departures else said


def _command(request: Request) -> dict[str, object]:
    said: dict[str, object] = {} if request.selection is not None else {"sid": request.sid}
    if request.kind is RequestKind.REMOTE_DISCONNECT:
        said["close"] = request.close
    elif request.selection is not None:
        said["rooms"] = list(request.rooms)
    else:
        (said["room"],) = request.rooms
    return said


def decode_request(payload: bytes) -> Request:
    """Return a request of another server; one of a kind that nobody knows is `UNKNOWN`.

    Raises:
        OtherGeneration: it is one of the format of socket.io-redis 5.
        RemoteProtocolError: it is something else.
    """
    members = read_message(payload, "request")
    kind = _read_kind(members.get("type"))
    uid, ident = _read_optional(members, "uid"), _read_optional(members, "requestId")
    if kind is RequestKind.UNKNOWN:
        return Request(kind, uid, ident)
    if kind is RequestKind.BROADCAST:
        return _read_broadcast(members, uid)
    if kind is RequestKind.SERVER_SIDE_EMIT:
        return Request(kind, uid, ident, data=_read_event_data(members.get("data")))
    if kind in _COMMANDS:
        return _read_command(members, kind, uid, ident)
    ident = read_name(members, "requestId", "request")
    if kind is RequestKind.REMOTE_FETCH:
        options = read_options(members.get("opts"), "request")
        return Request(kind, uid, ident, read_selection(options, "request"))
    if kind is RequestKind.ALL_ROOMS:
        return Request(kind, uid, ident)
    return Request(kind, uid, ident, rooms=_rooms(members), fence=members.get("fence") is True)


def _read_broadcast(members: dict[str, JSON], uid: str) -> Request:
    ident = read_name(members, "requestId", "request")
    options = read_options(members.get("opts"), "request")
    return Request(
        RequestKind.BROADCAST,
        uid,
        ident,
        read_selection(options, "request"),
        packet=read_event(members.get("packet"), "request"),
        manner=read_manner(options, "request"),
        departures=members.get("departures") is True,
    )


def _read_command(members: dict[str, JSON], kind: RequestKind, uid: str, ident: str) -> Request:
    close = kind is RequestKind.REMOTE_DISCONNECT and bool(members.get("close"))
    is_joining = kind in _JOINING
    if members.get("opts") or members.get("opts") == {}:  # true in JavaScript
        options = read_options(members["opts"], "request")
        selection = read_selection(options, "request")
        rooms = _rooms(members) if is_joining else ()
        return Request(kind, uid, ident, selection, rooms, close=close)
    room = (read_room(members.get("room"), "request"),) if is_joining else ()
    sid = read_room(members.get("sid"), "request")
    return Request(kind, uid, ident, rooms=room, sid=sid, close=close)


def _rooms(members: dict[str, JSON]) -> tuple[str, ...]:
    return read_rooms(members.get("rooms"), "rooms", "request")


def _read_optional(members: dict[str, JSON], key: str) -> str:
    value = members.get(key)
    if value is None:
        return ""
    if isinstance(value, str) and len(value) <= MAX_NAME:
        return value
    raise RemoteProtocolError("invalid request", f'"{key}" is {excerpt(value)}')


def _read_event_data(data: JSON) -> JSON:
    if is_event(data):
        return data
    raise RemoteProtocolError("invalid request", f"an event with {excerpt(data)}")


def _read_kind(number: JSON) -> RequestKind:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return RequestKind.UNKNOWN
    return _KINDS.get(number, RequestKind.UNKNOWN)
