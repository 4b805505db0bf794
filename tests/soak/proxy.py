"""A TCP proxy that is a bad network: it delays, splits, stalls and cuts, as `faults.py` says."""

import socket
import struct
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import trio

from tests.soak.faults import STALL, Direction, Ending, Faults, Kind, Plan, Purpose

_CHUNK = 65536
_LINGER_NOT = struct.pack("ii", 1, 0)
"""Of SO_LINGER: `close` sends RST, and what was not delivered is thrown away."""


class Proxy:
    """Forwards connections to one port.

    Args:
        port: where the server listens.
        faults: draws what happens to each connection.

    Attributes:
        connections: how many there have been, by kind.
        cuts: how many were cut, by kind and ending.
        cuts_of: how many connections of each client were cut.
        log: what became of connections of each client, in words.
        single: bytes that were sent one by one.
        stalls: how often a direction stood still.
    """

    def __init__(self, port: int, faults: Faults) -> None:
        self._port = port
        self._faults = faults
        self._calm = False
        self._open: set[_Connection] = set()
        self.connections: Counter[Kind] = Counter()
        self.cuts: Counter[tuple[Kind, Ending]] = Counter()
        self.cuts_of: Counter[str] = Counter()
        self.log: defaultdict[str, list[str]] = defaultdict(list)
        self.single = 0
        self.stalls = 0

    def calm(self) -> None:
        """Be a good network from now on."""
        self._calm = True

    def cut_mortals(self) -> None:
        """Cut all connections at once of those who may be cut."""
        for connection in self._open:
            connection.cut()

    async def forward(self, near: trio.SocketStream) -> None:
        """One connection; a task."""
        async with near:
            try:
                head = await near.receive_some(_CHUNK)
                far = await trio.open_tcp_stream("127.0.0.1", self._port)
            except (OSError, trio.BrokenResourceError):
                return
            async with far:
                connection = _Connection(self, near, far, Purpose.of(head))
                self._open.add(connection)
                await connection.run(head)
                self._open.discard(connection)

    def plan(self, purpose: Purpose) -> Plan:
        """Draw the plan of a new connection."""
        self.connections[purpose.kind] += 1
        return Plan() if self._calm else self._faults.plan(purpose)

    def pieces(self, direction: Direction, data: bytes, flow: "_Flow") -> Iterator[bytes]:
        """Give a chunk as it is to be handed on; what takes too long in pieces goes on whole."""
        sizes = [] if self._calm else self._faults.sizes(direction, len(data), flow.passed)
        started, start = trio.current_time(), 0
        for size in sizes:
            if flow.slow + trio.current_time() - started > STALL:
                break
            self.single += size == 1
            yield data[start : start + size]
            start += size
        if start < len(data):
            yield data[start:]
        flow.slow += trio.current_time() - started

    def delay(self, direction: Direction) -> float:
        """Return the delay of a chunk."""
        return 0.0 if self._calm else self._faults.delay(direction)

    def note(self, purpose: Purpose, what: str) -> None:
        """Write down what became of a connection."""
        kind = purpose.kind.name.lower()
        self.log[purpose.client].append(f"{trio.current_time():.2f} {kind} {what}")

    def may_cut(self, purpose: Purpose, ending: Ending) -> bool:
        """Whether a connection is cut now that it is due; notes it."""
        if self._calm:
            return False
        self.cuts[purpose.kind, ending] += 1
        self.cuts_of[purpose.client] += 1
        self.note(purpose, f"cut, {ending.name.lower()}")
        return True


@dataclass
class _Flow:
    """What one direction has carried: bytes, and seconds that it took to hand them on."""

    passed: int = 0
    slow: float = 0.0


class _Connection:
    """A connection of the client's, and ours to the server."""

    def __init__(
        self, proxy: Proxy, near: trio.SocketStream, far: trio.SocketStream, purpose: Purpose
    ) -> None:
        self._proxy = proxy
        self._near = near
        self._far = far
        self._purpose = purpose
        self._plan = proxy.plan(purpose)
        self._scope = trio.CancelScope()

    async def run(self, head: bytes) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._carry, self._near, self._far, self._plan.up, head)
                nursery.start_soon(self._carry, self._far, self._near, self._plan.down, b"")

    def cut(self) -> None:
        """Cut it if its client is mortal."""
        if self._purpose.mortal and self._proxy.may_cut(self._purpose, self._plan.ending):
            self._end(self._plan.ending)

    async def _carry(
        self, source: trio.SocketStream, sink: trio.SocketStream, direction: Direction, data: bytes
    ) -> None:
        flow = _Flow()
        try:
            while data := data or await source.receive_some(_CHUNK):
                await self._pass_on(sink, direction, data, flow)
                data = b""
            await sink.send_eof()
        except trio.BrokenResourceError:  # either end was reset, and so is the other
            self._proxy.note(self._purpose, "was reset")
            self._end(Ending.RESET)

    async def _pass_on(
        self, sink: trio.SocketStream, direction: Direction, data: bytes, flow: "_Flow"
    ) -> None:
        await trio.sleep(self._proxy.delay(direction))
        for piece in self._proxy.pieces(direction, data, flow):
            if _within(direction.stall_at, flow.passed, piece):
                self._proxy.stalls += 1
                await trio.sleep(direction.stall)
            cut = _within(direction.cut_at, flow.passed, piece)
            if cut and self._proxy.may_cut(self._purpose, self._plan.ending):
                assert direction.cut_at is not None
                await sink.send_all(piece[: direction.cut_at - flow.passed])
                self._end(self._plan.ending)
            await sink.send_all(piece)
            flow.passed += len(piece)

    def _end(self, ending: Ending) -> None:
        """Both streams are closed as soon as the tasks have ended."""
        if ending is Ending.RESET:
            for stream in (self._near, self._far):
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._scope.cancel()


def _within(place: int | None, passed: int, piece: bytes) -> bool:
    return place is not None and passed <= place < passed + len(piece)


@asynccontextmanager
async def bad_network(url: str, faults: Faults) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy in front of a server, and the URL there."""
    host, _, port = url.rpartition(":")
    proxy = Proxy(int(port), faults)
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, proxy.forward, 0, host="127.0.0.1")
        listeners: list[trio.SocketListener] = await nursery.start(serve)
        yield proxy, f"{host}:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()
