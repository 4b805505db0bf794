r"""Reads an input as a program: what clients do with the connections of one server.

    s                                the streams and the library for WebSockets, see `Choice`
    \xfe h0                          begin a session on connection 0
    \xfe p1 1:2                      POST this payload on connection 1
    \xfe w2 GET /@sid@ HTTP/1.1      write bytes on connection 2

A step has a verb, the number of a connection and bytes; they stand one behind the other. `\xfe`, of
which UTF-8 has no use, begins each. `@sid@` is the id of the session that was begun last. Whatever
the bytes, it is a program.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Literal, NamedTuple

BEGINS = b"\xfe"

MAX_STEPS = 24
"""More are not run, which keeps an input in the milliseconds."""

CONNECTIONS = 3

WSEngine = Literal["trio-websocket", "websockets"]


class Verb(Enum):
    """What is done."""

    WRITE = b"w"
    WRITE_IN_PIECES = b"k"
    HANDSHAKE = b"h"
    POLL = b"g"
    POST = b"p"
    UPGRADE = b"u"
    FRAME = b"f"
    TIME = b"t"
    END = b"e"
    CLOSE = b"x"


_VERBS = tuple(Verb)
_BY_LETTER = {verb.value: verb for verb in Verb}


class Step(NamedTuple):
    """One thing that a client does.

    Attributes:
        verb: what.
        connection: on which connection.
        data: with which bytes.
    """

    verb: Verb
    connection: int
    data: bytes


class Choice(NamedTuple):
    """How the server is reached, as the first byte says.

    Attributes:
        by_socket: by sockets of the kernel's, on which the server takes short cuts.
        ws_engine: the library that speaks WebSocket there.
    """

    by_socket: bool
    ws_engine: WSEngine


def read_program(data: bytes) -> tuple[Choice, list[Step]]:
    """Return what an input says."""
    first = data[0] if data else 0
    choice = Choice(bool(first & 1), "trio-websocket" if first & 2 else "websockets")
    return choice, [*_steps(data[1:])][:MAX_STEPS]


def _steps(data: bytes) -> Iterator[Step]:
    for piece in data.split(BEGINS)[1:]:
        if len(piece) >= 2:
            verb = _BY_LETTER.get(piece[:1]) or _VERBS[piece[0] % len(_VERBS)]
            yield Step(verb, piece[1] % CONNECTIONS, piece[2:])
