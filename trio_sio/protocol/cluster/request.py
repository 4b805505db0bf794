r"""What a server asks the others, and what they respond, as socket.io-redis 5 writes it.

| kind                | who responds            | members of the request | of the response |
| ------------------- | ----------------------- | ---------------------- | --------------- |
| `CLIENTS`           | every server            | `rooms`                | `clients`       |
| `CLIENT_ROOMS`      | whoever has the socket  | `sid`                  | `rooms`         |
| `ALL_ROOMS`         | every server            |                        | `rooms`         |
| `REMOTE_JOIN`       | whoever has the socket  | `sid`, `room`          |                 |
| `REMOTE_LEAVE`      | whoever has the socket  | `sid`, `room`          |                 |
| `CUSTOM_REQUEST`    | every server            | `data`                 | `data`          |
| `REMOTE_DISCONNECT` | whoever has the socket  | `sid`, `close`         |                 |

Before these, a request has `requestid` and `type`, and a response `requestid`. A response of this
library also has `node`, the uid of the server, which JavaScript does not look at.

From socket.io-redis 6 on, other numbers mean other things on the same channels: there, 3 is to
leave and not to join. Such messages have `requestId` in place of `requestid`, and are refused;
`trio_sio.protocol.cluster.v8` reads them.
"""

from dataclasses import dataclass
from enum import IntEnum

from trio_sio.protocol.cluster.text import (
    OtherGeneration,
    read_name,
    read_object,
    read_room,
    read_rooms,
    write_object,
)
from trio_sio.protocol.socketio.foreign import Default
from trio_sio.protocol.socketio.packet import JSON


class RequestKind(IntEnum):
    """What is asked, by its number in a message."""

    CLIENTS = 0
    CLIENT_ROOMS = 1
    ALL_ROOMS = 2
    REMOTE_JOIN = 3
    REMOTE_LEAVE = 4
    CUSTOM_REQUEST = 5
    REMOTE_DISCONNECT = 6
    UNKNOWN = -1
    """Any other number: a request that is to be ignored, and cannot be encoded."""


_KINDS = {float(kind): kind for kind in RequestKind}
_ABOUT_A_SOCKET = frozenset(
    {
        RequestKind.CLIENT_ROOMS,
        RequestKind.REMOTE_JOIN,
        RequestKind.REMOTE_LEAVE,
        RequestKind.REMOTE_DISCONNECT,
    }
)
_ABOUT_A_ROOM = frozenset({RequestKind.REMOTE_JOIN, RequestKind.REMOTE_LEAVE})
_RESPONDED_WITH_ROOMS = frozenset({RequestKind.CLIENT_ROOMS, RequestKind.ALL_ROOMS})


@dataclass(frozen=True, slots=True)
class Request:
    """A request to the other servers.

    Attributes:
        id: by which its responses are recognized.
        kind: what is asked.
        rooms: of `CLIENTS`: whose sockets; all sockets, if there are none.
        sid: the id of the socket that it is about.
        room: of `REMOTE_JOIN` and `REMOTE_LEAVE`.
        close: of `REMOTE_DISCONNECT`: end the whole connection.
        data: of `CUSTOM_REQUEST`.
    """

    id: str
    kind: RequestKind
    rooms: tuple[str, ...] = ()
    sid: str = ""
    room: str = ""
    close: bool = False
    data: JSON = None


@dataclass(frozen=True, slots=True)
class Response:
    """What a server responds to a request.

    Attributes:
        id: that of the request.
        clients: to `CLIENTS`: the ids of sockets.
        rooms: to `CLIENT_ROOMS` and `ALL_ROOMS`.
        data: to `CUSTOM_REQUEST`.
        node: the uid of the server; `None` if it does not tell, as those in JavaScript.
    """

    id: str
    clients: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    data: JSON = None
    node: str | None = None


def encode_request(request: Request, default: Default | None = None) -> bytes:
    """Return the message of a request.

    Args:
        request: what is asked.
        default: makes something of values in its data that JSON cannot express.

    Raises:
        LocalProtocolError: its data cannot be sent as JSON.
    """
    kind = request.kind
    assert kind is not RequestKind.UNKNOWN
    members: dict[str, object] = {"requestid": request.id, "type": int(kind)}
    if kind is RequestKind.CLIENTS:
        members["rooms"] = request.rooms
    if kind in _ABOUT_A_SOCKET:
        members["sid"] = request.sid
    if kind in _ABOUT_A_ROOM:
        members["room"] = request.room
    if kind is RequestKind.REMOTE_DISCONNECT:
        members["close"] = request.close
    if kind is RequestKind.CUSTOM_REQUEST:
        members["data"] = request.data
    return write_object(members, default)


def decode_request(payload: bytes) -> Request:
    """Return a request of another server; one of a kind that nobody knows is `UNKNOWN`.

    Raises:
        RemoteProtocolError: it is not a request, or one of socket.io-redis 6 or later.
    """
    members = _read_members(payload, "request")
    ident = _read_id(members, "request")
    kind = _read_kind(members.get("type"))
    rooms = read_rooms(members.get("rooms"), "rooms", "request")
    return Request(
        ident,
        kind,
        rooms if kind is RequestKind.CLIENTS else (),
        read_room(members.get("sid"), "request") if kind in _ABOUT_A_SOCKET else "",
        read_room(members.get("room"), "request") if kind in _ABOUT_A_ROOM else "",
        kind is RequestKind.REMOTE_DISCONNECT and bool(members.get("close")),
        members.get("data") if kind is RequestKind.CUSTOM_REQUEST else None,
    )


def encode_response(response: Response, kind: RequestKind, default: Default | None = None) -> bytes:
    """Return the message of a response.

    Args:
        response: what is responded.
        kind: to what; only the members that this kind has are sent.
        default: makes something of values in its data that JSON cannot express.

    Raises:
        LocalProtocolError: its data cannot be sent as JSON.
    """
    members: dict[str, object] = {"requestid": response.id}
    if kind is RequestKind.CLIENTS:
        members["clients"] = response.clients
    if kind in _RESPONDED_WITH_ROOMS:
        members["rooms"] = response.rooms
    if kind is RequestKind.CUSTOM_REQUEST:
        members["data"] = response.data
    if response.node is not None:
        members["node"] = response.node
    return write_object(members, default)


def decode_response(payload: bytes) -> Response:
    """Return a response; what it should have and has not is empty, as it counts nevertheless.

    Raises:
        RemoteProtocolError: it is not a response, or one of socket.io-redis 6 or later.
    """
    members = _read_members(payload, "response")
    return Response(
        _read_id(members, "response"),
        _read_array(members.get("clients")),
        _read_array(members.get("rooms")),
        members.get("data"),
        read_name(members, "node", "response") if "node" in members else None,
    )


def _read_members(payload: bytes, what: str) -> dict[str, JSON]:
    if b"requestId" in payload and not payload.lstrip().startswith(b"{"):
        raise OtherGeneration(what)  # those of later servers are in MessagePack, too
    return read_object(payload, what)


def _read_id(members: dict[str, JSON], what: str) -> str:
    if "requestId" in members and "requestid" not in members:
        raise OtherGeneration(what)
    return read_name(members, "requestid", what)


def _read_kind(number: JSON) -> RequestKind:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return RequestKind.UNKNOWN
    return _KINDS.get(number, RequestKind.UNKNOWN)


def _read_array(value: JSON) -> tuple[str, ...]:
    return read_rooms(value if isinstance(value, list) else None, "", "response")
