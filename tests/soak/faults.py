"""What the network does to a connection: drawn once for each, from a seed.

Everybody's bytes are delayed, split at any border, sent one by one, and held up in one direction
for less than a heartbeat. Only clients that have agreed to it are cut.
"""

import enum
import random
import re
from dataclasses import dataclass, replace

STALL = 1.5
"""Seconds that a direction may stand still at most, and that it may take longer because of pieces;
far less than a silence that ends a session."""

_CLIENT = re.compile(rb"[?&]client=([a-z]+)-([0-9]+)")
_MORTAL = b"mortal"


class Kind(enum.Enum):
    """What a connection is for, by its first request."""

    POLLING = enum.auto()
    WEBSOCKET = enum.auto()
    UPGRADE = enum.auto()


class Pieces(enum.Enum):
    """How bytes are handed on."""

    WHOLE = enum.auto()
    SPLIT = enum.auto()
    SINGLE = enum.auto()


class Ending(enum.Enum):
    """How a connection is cut."""

    RESET = enum.auto()
    CLOSE = enum.auto()


@dataclass(frozen=True, slots=True)
class Direction:
    """What happens to the bytes of one direction.

    Attributes:
        pieces: how they are handed on.
        limit: so many bytes; then whole.
        delay: seconds that each chunk is delayed at most.
        stall_at: so many bytes pass before it stands still once, `None` if it does not.
        stall: for so many seconds.
        cut_at: so many bytes pass before the connection is cut, `None` if it is not.
    """

    pieces: Pieces = Pieces.WHOLE
    limit: int = 0
    delay: float = 0.0
    stall_at: int | None = None
    stall: float = 0.0
    cut_at: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to one connection, `up` to the server and `down` to the client."""

    up: Direction = Direction()
    down: Direction = Direction()
    ending: Ending = Ending.RESET


@dataclass(frozen=True, slots=True)
class Purpose:
    """Whose connection it is, and what for."""

    client: str
    kind: Kind
    mortal: bool

    @classmethod
    def of(cls, head: bytes) -> "Purpose":
        """Read the beginning of a request, such as `GET /socket.io/?client=mortal-3&EIO=3…`."""
        target = head.partition(b"\r\n")[0]
        found = _CLIENT.search(target)
        name, number = found.groups() if found else (b"nobody", b"0")
        kind = Kind.POLLING
        if b"transport=websocket" in target:
            kind = Kind.UPGRADE if b"sid=" in target else Kind.WEBSOCKET
        return cls(f"{name.decode()}-{number.decode()}", kind, name == _MORTAL)


_LIFE = 600_000
"""After how many bytes a WebSocket is cut at most, half a minute's worth."""

_POLLING_CUTS = 0.005
"""How many connections that poll are cut, each of which is one request, after `_REQUEST` bytes."""

_REQUEST = 1500

_UPGRADING = 450
"""An upgrade takes so many bytes: about 300 in the head of its request, 200 in the answer."""


class Faults:
    """Draws plans.

    Args:
        seed: the same seed draws the same plans.
        haste: cuts come so many times as often.
    """

    def __init__(self, seed: int, haste: int = 1) -> None:
        self._random = random.Random(seed)
        self._haste = haste

    def plan(self, purpose: Purpose) -> Plan:
        """Draw the plan of a connection."""
        up, down = self._direction(), self._direction()
        ending = self._random.choice(list(Ending))
        if not purpose.mortal or not self._is_cut(purpose.kind):
            return Plan(up, down, ending)
        cut_at = self._random.randrange(self._limit(purpose.kind))
        if self._random.random() < 0.5:
            return Plan(replace(up, cut_at=cut_at), down, ending)
        return Plan(up, replace(down, cut_at=cut_at), ending)

    def _is_cut(self, kind: Kind) -> bool:
        share = _POLLING_CUTS * self._haste if kind is Kind.POLLING else 0.95
        return self._random.random() < share

    def _limit(self, kind: Kind) -> int:
        """Return after how many bytes a connection is cut at most."""
        if kind is Kind.POLLING:
            return _REQUEST
        if kind is Kind.UPGRADE and self._random.random() < 0.5:
            return _UPGRADING
        return _LIFE // self._haste

    def _direction(self) -> Direction:
        draw = self._random
        stalls = draw.random() < 0.04
        return Direction(
            pieces=draw.choices(list(Pieces), (5, 3, 2))[0],
            limit=draw.choice((500, 3000, 20_000)),
            delay=draw.choice((0.0, 0.0, 0.005, 0.03)),
            stall_at=draw.choice((0, 100, 5000, 100_000)) if stalls else None,
            stall=draw.uniform(0.1, STALL),
        )

    def sizes(self, direction: Direction, size: int, passed: int) -> list[int]:
        """Return the sizes of the pieces of a chunk.

        Args:
            direction: the plan.
            size: of the chunk.
            passed: bytes that went before it.
        """
        small = min(size, max(0, direction.limit - passed))
        sizes: list[int] = []
        if direction.pieces is Pieces.SINGLE:
            sizes = [1] * small
        elif direction.pieces is Pieces.SPLIT:
            left = small
            while left:
                sizes.append(self._random.randint(1, min(left, self._random.choice((3, 50, 2000)))))
                left -= sizes[-1]
        rest = size - small if sizes else size
        return [*sizes, rest] if rest else sizes

    def delay(self, direction: Direction) -> float:
        """Return the delay of a chunk, in seconds."""
        return self._random.uniform(0, direction.delay)
