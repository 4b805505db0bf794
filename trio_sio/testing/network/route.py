"""All connections of one client: they share its faults, and break and freeze together."""

import random
import sys
from collections import Counter
from dataclasses import dataclass
from functools import partial

import trio

from trio_sio.testing.network.faults import Cut, Direction, Ending, Faults, Freeze
from trio_sio.testing.network.pipe import Pipe
from trio_sio.testing.network.stream import FaultyStream
from trio_sio.testing.network.transcript import Transcript


@dataclass(frozen=True, slots=True)
class _Connection:
    """Both directions of a connection, and its name in the transcript."""

    name: str
    pipes: dict[Direction, Pipe]

    @property
    def is_over(self) -> bool:
        return all(pipe.is_over for pipe in self.pipes.values())


class Route:
    """The way of one client to the server.

    Args:
        faults: what happens on it.
        seed: decides by chance; another text for each client.
        name: the client's in the transcript.
        transcript: is told what happens.

    Attributes:
        name: as above.
    """

    def __init__(self, faults: Faults, seed: str, name: str, transcript: Transcript) -> None:
        self.name = name
        self._faults = faults
        self._seed = seed
        self._transcript = transcript
        self._opened = 0
        self._connections: list[_Connection] = []
        self._sent: Counter[Direction] = Counter()
        self._cut = faults.cut
        self._freeze = faults.freeze
        self._begun = trio.current_time()
        self._is_frozen = False

    def tell(self, what: str) -> None:
        """Add a line about the client to the transcript."""
        self._transcript.tell(self.name, what)

    def told(self) -> str:
        """Return the end of the transcript, for errors."""
        return f"the network at last:\n{self._transcript.tail()}"

    def open(self) -> tuple[FaultyStream, FaultyStream]:
        """Return both ends of a new connection, the client's first."""
        self._opened += 1
        name = f"{self.name}.{self._opened}"
        self._transcript.tell(name, "opens")
        pipes: dict[Direction, Pipe] = {
            "to_server": self._pipe(name, "to_server", None),
            "to_client": self._pipe(name, "to_client", self._faults.rate),
        }
        connection = _Connection(name, pipes)
        self._connections = [one for one in self._connections if not one.is_over]
        self._connections.append(connection)
        return (
            self._stream(connection, "to_server", "to_client"),
            self._stream(connection, "to_client", "to_server"),
        )

    @property
    def is_frozen(self) -> bool:
        """Whether nothing passes at this moment."""
        when = self._freeze.seconds if self._freeze is not None else None
        if when is not None and trio.current_time() >= self._begun + when:
            self.freeze()
        return self._is_frozen

    def freeze(self) -> None:
        """Let nothing pass any more, and tell nobody; what is under way still arrives."""
        self._freeze = None  # it has come
        if not self._is_frozen:
            self._is_frozen = True
            self.tell("is frozen")

    def thaw(self) -> None:
        """Let everything pass again; what was held arrives now, as TCP would send it again."""
        if self.is_frozen:
            self._is_frozen = False
            self.tell("is thawed")
            for connection in self._connections:
                for pipe in connection.pipes.values():
                    pipe.thaw()

    def cut(self, how: Ending) -> None:
        """Break all connections; what is under way still arrives."""
        for connection in self._connections:
            if not connection.is_over:
                self._break_off(connection, how)

    # -- what streams call ---------------------------------------------------------------------

    def _put(self, connection: _Connection, direction: Direction, piece: bytes) -> float:
        """Send a piece as far as the faults let it, and return when it arrives."""
        pipe = connection.pipes[direction]
        if self.is_frozen:
            return pipe.put(piece)
        passing = min(len(piece), self._left(self._cut, direction))
        passing = min(passing, self._left(self._freeze, direction))
        arrival = pipe.put(piece[:passing])
        self._sent[direction] += passing
        if self._cut is not None and self._left(self._cut, direction) == 0:
            how, self._cut = self._cut.how, None
            self._break_off(connection, how)
        elif self._left(self._freeze, direction) == 0:
            self.freeze()
            arrival = pipe.put(piece[passing:])
        return arrival

    def _left(self, fault: Cut | Freeze | None, direction: Direction) -> int:
        """Return how many bytes pass before a fault comes; many, if none does."""
        if fault is None or fault.after is None or fault.direction != direction:
            return sys.maxsize
        return max(0, fault.after - self._sent[direction])

    def _break_off(self, connection: _Connection, how: Ending) -> None:
        self._transcript.tell(connection.name, f"is cut ({how})")
        for pipe in connection.pipes.values():
            pipe.break_off(how)

    def _tell(self, who: str, size: int, pieces: int, first: float, last: float) -> None:
        elapsed = self._transcript.elapsed
        times = f"{elapsed(first):.4f}" + (f" to {elapsed(last):.4f}" if last > first else "")
        self._transcript.tell(who, f"{size} bytes in {pieces} pieces, there at {times}")

    # -- the parts of a connection -------------------------------------------------------------

    def _pipe(self, name: str, direction: Direction, rate: float | None) -> Pipe:
        # Each has a generator of its own: what one draws changes nothing for another.
        chance = random.Random(f"{self._seed} {name} {direction}")
        return Pipe(self._faults, chance, rate, lambda: self.is_frozen)

    def _stream(
        self, connection: _Connection, outgoing: Direction, incoming: Direction
    ) -> FaultyStream:
        return FaultyStream(
            connection.pipes[outgoing],
            connection.pipes[incoming],
            partial(self._put, connection, outgoing),
            partial(self._tell, f"{connection.name} {outgoing}:"),
        )
