"""Whatever the network does: nothing is out of order or twice, and every session ends."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trio
import trio.testing
from hypothesis import given, strategies as st

import trio_sio
from tests.support.examples import examples
from trio_sio.testing import Cut, Faults, Freeze, Network, open_network
from trio_sio.testing.clients.transports import TRANSPORTS
from trio_sio.testing.network.faults import DIRECTIONS, ENDINGS

ENOUGH = 200
"""Seconds after which the server has given up every client and connection."""

CUTS = st.builds(Cut, st.integers(0, 4000), st.sampled_from(DIRECTIONS), st.sampled_from(ENDINGS))
FREEZES = st.builds(Freeze, st.integers(0, 4000), st.sampled_from(DIRECTIONS)) | st.builds(
    Freeze, seconds=st.floats(0, 40)
)
FAULTS = st.builds(
    Faults,
    delay=st.tuples(st.floats(0, 0.1), st.floats(0.1, 3)),
    chunk=st.sampled_from([None, 1, 7, 100]),
    rate=st.none() | st.floats(500, 100_000),
    buffer=st.integers(50, 70_000),
    cut=st.none() | CUTS,
    freeze=st.none() | FREEZES,
)
LOGGER = logging.getLogger("trio_sio")


class Errors(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


@contextmanager
def no_errors_logged() -> Iterator[None]:
    errors = Errors()
    LOGGER.addHandler(errors)
    try:
        yield
    finally:
        LOGGER.removeHandler(errors)
    assert errors.texts == []


class Host:
    """Echoes numbers by events and acknowledgements, and sends some of its own."""

    def __init__(self) -> None:
        self.io = trio_sio.Server(max_outbox_bytes=20_000, raise_errors=True)
        self.heard: list[list[int]] = []
        self.joined = self.gone = 0
        self.io.on("connection", self._connection)

    def _connection(self, socket: trio_sio.Socket) -> None:
        numbers: list[int] = []
        self.heard.append(numbers)
        self.joined += 1

        @socket.on("number")
        async def number(value: int, data: bytes) -> None:
            numbers.append(value)
            await socket.emit("number", value, data)
            self.io.emit_nowait("all", value, data)

        @socket.on("disconnect")
        def disconnect(reason: str) -> None:
            self.gone += 1


async def visit(network: Network, how: str, faults: Faults, *, upgrades: bool) -> list[int]:
    """Be there for a while; return which of the own numbers were heard."""
    heard: list[int] = []
    try:
        async with network.connect(how, faults=faults) as client:

            async def say() -> None:
                for number in range(8):
                    await client.emit("number", number, bytes(100))

            async def move() -> None:
                await trio.sleep(0.3)
                with suppress(trio.BrokenResourceError):
                    await client.upgrade()

            async def listen() -> None:
                while True:
                    name, value, _ = await client.receive()
                    if name == "number":
                        heard.append(value)

            try:
                with trio.move_on_after(60):
                    async with trio.open_nursery() as nursery:
                        nursery.start_soon(listen)
                        nursery.start_soon(say)
                        if upgrades and how.startswith("polling"):
                            nursery.start_soon(move)
            except* (trio_sio.Disconnected, trio.TooSlowError):
                pass
    except (trio_sio.ConnectionRefused, trio.BrokenResourceError, trio.TooSlowError):
        pass
    return heard


@examples(20)
@given(
    clients=st.lists(st.tuples(st.sampled_from(TRANSPORTS), FAULTS), min_size=1, max_size=3),
    upgrades=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_order_and_ends(clients: list[tuple[str, Faults]], upgrades: bool, seed: int) -> None:
    host, heard = Host(), list[list[int]]()

    async def main() -> None:
        async with open_network(host.io, seed=seed) as network:

            async def one(how: str, faults: Faults) -> None:
                heard.append(await visit(network, how, faults, upgrades=upgrades))

            async with trio.open_nursery() as nursery:
                for how, faults in clients:
                    nursery.start_soon(one, how, faults)
            await trio.sleep(ENOUGH)
            statistics = host.io.engine.statistics()
            assert (len(host.io.engine.sessions), statistics.connections) == (0, 0)

    with no_errors_logged():
        trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert host.joined == host.gone
    for numbers in (*host.heard, *heard):
        assert numbers == list(range(len(numbers)))
