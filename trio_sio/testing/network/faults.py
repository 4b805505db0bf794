"""What a network does to a client: what TCP can do, and no more."""

import math
from dataclasses import dataclass, fields
from typing import Literal, Protocol, get_args

Direction = Literal["to_server", "to_client"]
"""Which way bytes go."""

Ending = Literal["reset", "end"]
"""How a connection breaks: both ends get an error, or both read the end of the stream."""

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
ENDINGS: tuple[Ending, ...] = get_args(Ending)

BUFFER = 65_536
"""Bytes that a direction of a connection holds, as sockets and networks do."""


class _Printer(Protocol):
    def text(self, text: str) -> None:
        """Print text."""


class _Told:
    """Shows what is not as by default, in one line: what a test prints is for eyes."""

    __slots__ = ()

    def __repr__(self) -> str:
        told = [
            f"{one.name}={value!r}"
            for one in fields(self)  # type: ignore[arg-type]  # those below are dataclasses
            if (value := getattr(self, one.name)) != one.default
        ]
        return f"{type(self).__name__}({', '.join(told)})"

    def _repr_pretty_(self, printer: _Printer, cycle: bool) -> None:
        """How Hypothesis shows it in a failing example."""
        printer.text(repr(self))


@dataclass(frozen=True, slots=True, repr=False)
class Cut(_Told):
    """The connection that carries a certain byte breaks behind it.

    Attributes:
        after: bytes in this direction, counted over all connections of the client.
        direction: which way: "to_server" or "to_client".
        how: "reset": both ends get `trio.BrokenResourceError`; "end": they read the end.

    Raises:
        ValueError: there is no such direction or ending, or `after` is negative.
    """

    after: int
    direction: Direction = "to_server"
    how: Ending = "reset"

    def __post_init__(self) -> None:
        _check(self.after >= 0, "after", "at least 0", self.after)
        _check(self.direction in DIRECTIONS, "direction", f"one of {DIRECTIONS}", self.direction)
        _check(self.how in ENDINGS, "how", f"one of {ENDINGS}", self.how)


@dataclass(frozen=True, slots=True, repr=False)
class Freeze(_Told):
    """All connections of the client become half-open: no byte passes, and nobody is told.

    Attributes:
        after: bytes in this direction, counted over all connections of the client; `None` if
            `seconds` says when.
        direction: which way: "to_server" or "to_client".
        seconds: since the client began to connect; `None` if `after` says when.

    Raises:
        ValueError: neither says when, or one is out of range.
    """

    after: int | None = None
    direction: Direction = "to_server"
    seconds: float | None = None

    def __post_init__(self) -> None:
        said = self.after is not None or self.seconds is not None
        _check(said, "after", "given unless 'seconds' is", None)
        _check(self.after is None or self.after >= 0, "after", "at least 0", self.after)
        _check(self.direction in DIRECTIONS, "direction", f"one of {DIRECTIONS}", self.direction)
        _check(self.seconds is None or self.seconds >= 0, "seconds", "at least 0", self.seconds)


@dataclass(frozen=True, slots=True, repr=False)
class Faults(_Told):
    """What the network does to one client; together with the network's seed it can be replayed.

    Bytes of one connection keep their order, as in TCP. A client that polls has two connections,
    each with delays of its own, so that its requests overtake each other.

    Attributes:
        delay: the shortest and the longest time in seconds that a piece is under way, in either
            direction.
        chunk: the size in bytes of the largest piece; 1 delivers byte by byte, `None` whatever was
            sent at once.
        rate: bytes per second that the client reads at most; `None` for any number.
        buffer: bytes that each direction of a connection holds; whoever sends more has to wait.
        cut: where a connection breaks.
        freeze: when all connections become half-open.

    Raises:
        ValueError: one of these is out of range.
    """

    delay: tuple[float, float] = (0.0, 0.0)
    chunk: int | None = None
    rate: float | None = None
    buffer: int = BUFFER
    cut: Cut | None = None
    freeze: Freeze | None = None

    def __post_init__(self) -> None:
        shortest, longest = self.delay
        ordered = 0 <= shortest <= longest < math.inf
        _check(ordered, "delay", "two numbers of seconds, the smaller one first", self.delay)
        _check(self.chunk is None or self.chunk >= 1, "chunk", "at least 1", self.chunk)
        _check(self.rate is None or self.rate > 0, "rate", "more than 0", self.rate)
        _check(self.buffer >= 1, "buffer", "at least 1", self.buffer)


def _check(right: bool, name: str, wanted: str, value: object) -> None:
    if not right:
        raise ValueError(f"{name!r} must be {wanted}, not {value!r}")
