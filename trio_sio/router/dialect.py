"""What differs between the revisions of Socket.IO's protocol, apart from how packets are spelled.

| dialect | clients         | is in "/"          | ids                | a refusal's data        |
| ------- | --------------- | ------------------ | ------------------ | ----------------------- |
| `SIO4`  | socket.io 1, 2  | from the beginning | the session's      | the message, or data    |
| `SIO5`  | socket.io 3, 4  | when it asks       | random, of its own | an object that has both |

A session of Engine.IO 3 speaks `SIO4`, one of Engine.IO 4 `SIO5`.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from trio_sio.protocol.socketio.packet import JSON, RESERVED_EVENTS, RESERVED_EVENTS_4, Packet
from trio_sio.router.handshake import split_namespace

ID_BYTES = 15
"""Random bytes of a socket's id: 20 characters."""

Auth = Mapping[str, JSON]
"""What a client says when it joins a namespace."""


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One revision of the protocol.

    Attributes:
        number: the revision (`socket.protocol`).
        joins_root: whether each client is in "/" from the beginning, and joins others after that.
        is_strict: whether a client's session ends by what no client could send by a race.
        tells_errors: whether an ERROR packet may go to a client that has joined.
        can_recover: whether a client may come back to its socket after its connection was lost.
        reserved: the names of events that are ignored.
        make_id: returns a new socket's id, of the session's id and the namespace's name.
        read_connect: returns a namespace's name, and what the client says with it.
        opening: returns the data of a CONNECT packet, of the socket's id and its pid, if any.
        refusal: returns the data of an ERROR packet, of a message and the application's data.
    """

    number: int
    joins_root: bool
    is_strict: bool
    tells_errors: bool
    can_recover: bool
    reserved: frozenset[str]
    make_id: Callable[[str, str], str]
    read_connect: Callable[[Packet], tuple[str, Auth]]
    opening: Callable[[str, str | None], JSON]
    refusal: Callable[[str, JSON], JSON]


def _session_id(session_id: str, namespace: str) -> str:
    return session_id if namespace == "/" else f"{namespace}#{session_id}"


def _random_id(session_id: str, namespace: str) -> str:
    return secrets.token_urlsafe(ID_BYTES)


def _read_query(packet: Packet) -> tuple[str, Auth]:
    return split_namespace(packet.namespace)  # type: ignore[return-value]  # a query is JSON


def _read_auth(packet: Packet) -> tuple[str, Auth]:
    return packet.namespace, packet.data if isinstance(packet.data, dict) else {}


def _message_or_data(message: str, data: JSON) -> JSON:
    return data or message  # as in JavaScript


def _message_and_data(message: str, data: JSON) -> JSON:
    return {"message": message} if data is None else {"message": message, "data": data}


SIO4: Final = Dialect(
    number=4,
    joins_root=True,
    is_strict=False,
    tells_errors=True,
    can_recover=False,
    reserved=RESERVED_EVENTS_4,
    make_id=_session_id,
    read_connect=_read_query,
    opening=lambda sid, pid: None,
    refusal=_message_or_data,
)

SIO5: Final = Dialect(
    number=5,
    joins_root=False,
    is_strict=True,
    tells_errors=False,
    can_recover=True,
    reserved=RESERVED_EVENTS,
    make_id=_random_id,
    read_connect=_read_auth,
    opening=lambda sid, pid: {"sid": sid} if pid is None else {"sid": sid, "pid": pid},
    refusal=_message_and_data,
)


def dialect_of(engine_protocol: int) -> Dialect:
    """Return the dialect of a session that speaks this revision of Engine.IO."""
    return SIO4 if engine_protocol == 3 else SIO5
