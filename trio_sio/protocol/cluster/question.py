"""What servers of this library ask each other about many sockets at once, and what they state.

A question goes to all servers of this library that have the namespace. socket.io-redis 5 has
nothing like it, so both have channels of their own, and are in MessagePack, as answers may have
bytes:

    question    [id, kind, rooms, excepted, {…}]      a target, and what is to be done with it
    statement   [id, node, kind, …]

| question     | members of the last part                            | statements                  |
| ------------ | --------------------------------------------------- | --------------------------- |
| `CALL`       | `data`, `timeout`, `volatile`, `compress`, `binary` | `ASKED`, `ANSWERED`, `LEFT` |
| `FETCH`      |                                                     | `SOCKETS`                   |
| `JOIN`       | `rooms`                                             | `DONE`                      |
| `LEAVE`      | `rooms`                                             | `DONE`                      |
| `DISCONNECT` | `close`                                             | `DONE`                      |
| `FORGET`     | `call`                                              |                             |

| statement  | members                            | meaning                                       |
| ---------- | ---------------------------------- | --------------------------------------------- |
| `ASKED`    | names, names                       | these sockets were asked; these cannot be     |
| `ANSWERED` | name, arguments                    | a socket has answered                         |
| `LEFT`     | names                              | these sockets will not answer                 |
| `LOST`     | names                              | they have answered what is too large to pass  |
| `SOCKETS`  | list of objects, whether it is all | id, handshake, rooms and data of each         |
| `DONE`     |                                    | it holds                                      |
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from trio_sio.protocol.cluster.text import MAX_NAME, read_rooms
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.checks import excerpt, is_event
from trio_sio.protocol.socketio.notepack import pack_data, unpack_data
from trio_sio.protocol.socketio.packet import JSON

MAX_TIMEOUT = 86_400.0
"""Seconds for which another server may have this one wait for answers."""


class QuestionKind(IntEnum):
    """What is to be done with the sockets of a target."""

    CALL = 0
    FETCH = 1
    JOIN = 2
    LEAVE = 3
    DISCONNECT = 4
    FORGET = 5


class StatementKind(IntEnum):
    """What a server says in return."""

    ASKED = 0
    ANSWERED = 1
    LEFT = 2
    SOCKETS = 3
    DONE = 4
    LOST = 5


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the other servers.

    Attributes:
        id: begins with the uid of the server that asks.
        kind: what is to be done.
        rooms: with the sockets in any of these rooms; with all, if there are none.
        excepted: but with none in any of these.
        data: of `CALL`: the event's name and arguments.
        timeout: of `CALL`: seconds for which answers are waited for.
        volatile, compress, binary: of `CALL`: how the event is sent.
        names: of `JOIN` and `LEAVE`: the rooms.
        close: of `DISCONNECT`: end the whole connections.
        call: of `FORGET`: the id of a call whose answers nobody waits for any more.
    """

    id: str
    kind: QuestionKind
    rooms: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    data: JSON = None
    timeout: float = 0.0
    volatile: bool = False
    compress: bool = True
    binary: bool = True
    names: tuple[str, ...] = ()
    close: bool = False
    call: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a server says in return.

    Attributes:
        id: that of the question.
        node: the uid of the server.
        kind: what it says.
        names: the sockets that it is about.
        lost: of `ASKED`: those that cannot be asked.
        args: of `ANSWERED`.
        sockets: of `SOCKETS`.
        is_last: whether that server will say nothing more of this kind.
    """

    id: str
    node: str
    kind: StatementKind
    names: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    args: tuple[JSON, ...] = ()
    sockets: tuple[Mapping[str, JSON], ...] = ()
    is_last: bool = True


def encode_question(question: Question) -> bytes:
    """Return the message of a question.

    Raises:
        LocalProtocolError: its data cannot be sent.
    """
    members: dict[str, object] = {}
    if question.kind is QuestionKind.CALL:
        members = {
            "data": question.data,
            "timeout": question.timeout,
            "volatile": question.volatile,
            "compress": question.compress,
            "binary": question.binary,
        }
    elif question.kind in (QuestionKind.JOIN, QuestionKind.LEAVE):
        members = {"rooms": [*question.names]}
    elif question.kind is QuestionKind.DISCONNECT:
        members = {"close": question.close}
    elif question.kind is QuestionKind.FORGET:
        members = {"call": question.call}
    target = [*question.rooms], [*question.excepted]
    return _pack([question.id, int(question.kind), *target, members])


def decode_question(payload: bytes) -> Question:
    """Return a question of another server.

    Raises:
        RemoteProtocolError: it is none.
    """
    message = unpack_data(payload)
    if not isinstance(message, list) or len(message) < 5:
        raise _error("question", f"{excerpt(message)} in place of a question")
    members = message[4]
    if not isinstance(members, dict):
        raise _error("question", f"{excerpt(members)} in place of members")
    kind = _kind(message[1], QuestionKind, "question")
    data, timeout = members.get("data"), members.get("timeout")
    if kind is QuestionKind.CALL:
        if not is_event(data):
            raise _error("question", f"an event with {excerpt(data)}")
        if isinstance(timeout, bool) or not isinstance(timeout, int | float):
            raise _error("question", f'"timeout" is {excerpt(timeout)}')
    seconds = float(timeout) if isinstance(timeout, int | float) else 0.0
    return Question(
        _name(message[0], "question"),
        kind,
        read_rooms(message[2], "rooms", "question"),
        read_rooms(message[3], "excepted", "question"),
        data,
        0.0 if math.isnan(seconds) else min(max(seconds, 0.0), MAX_TIMEOUT),
        bool(members.get("volatile")),
        members.get("compress") is not False,
        members.get("binary") is not False,
        read_rooms(members.get("rooms"), "rooms", "question"),
        bool(members.get("close")),
        _name(members.get("call"), "question") if kind is QuestionKind.FORGET else "",
    )


def encode_statement(statement: Statement) -> bytes:
    """Return the message of a statement.

    Raises:
        LocalProtocolError: something in it cannot be sent.
    """
    kind, members = statement.kind, list[object]()
    if kind is StatementKind.ASKED:
        members = [[*statement.names], [*statement.lost]]
    elif kind is StatementKind.ANSWERED:
        members = [*statement.names, [*statement.args]]
    elif kind in (StatementKind.LEFT, StatementKind.LOST):
        members = [[*statement.names]]
    elif kind is StatementKind.SOCKETS:
        members = [[dict(one) for one in statement.sockets], statement.is_last]
    return _pack([statement.id, statement.node, int(kind), *members])


def decode_statement(payload: bytes) -> Statement:
    """Return a statement of another server.

    Raises:
        RemoteProtocolError: it is none.
    """
    message = unpack_data(payload)
    if not isinstance(message, list) or len(message) < 3:
        raise _error("statement", f"{excerpt(message)} in place of a statement")
    ident, node = _name(message[0], "statement"), _name(message[1], "statement")
    kind = _kind(message[2], StatementKind, "statement")
    first, second = [*message[3:5], None, None][:2]
    if kind is StatementKind.ASKED:
        names = read_rooms(first, "names", "statement")
        return Statement(ident, node, kind, names, read_rooms(second, "lost", "statement"))
    if kind is StatementKind.ANSWERED:
        if not isinstance(second, list):
            raise _error("statement", f"an answer with {excerpt(second)}")
        return Statement(
            ident, node, kind, read_rooms([first], "names", "statement"), args=tuple(second)
        )
    if kind in (StatementKind.LEFT, StatementKind.LOST):
        return Statement(ident, node, kind, read_rooms(first, "names", "statement"))
    if kind is StatementKind.SOCKETS:
        if not isinstance(first, list):
            raise _error("statement", f"sockets with {excerpt(first)}")
        sockets = tuple([one for one in first if isinstance(one, dict)])
        return Statement(ident, node, kind, sockets=sockets, is_last=second is not False)
    return Statement(ident, node, kind)


def size_of(value: object) -> int | None:
    """Return how many bytes another server would be told of a value in; `None` if it cannot be."""
    try:
        return len(pack_data(value))
    except (TypeError, ValueError):
        return None


K = TypeVar("K", bound=IntEnum)


def _kind(number: JSON, kinds: type[K], what: str) -> K:
    if isinstance(number, int) and not isinstance(number, bool):
        for kind in kinds:
            if kind == number:
                return kind
    raise _error(what, f"{excerpt(number)} in place of its kind")


def _name(value: JSON, what: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise _error(what, f"{excerpt(value)} in place of an id")
    return value


def _pack(message: list[object]) -> bytes:
    try:
        return pack_data(message)
    except (TypeError, ValueError) as error:
        raise LocalProtocolError(f"cannot be sent to other servers: {error}") from error


def _error(what: str, hint: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"invalid {what}", hint)
