"""What the server makes of connections that break, fall silent, or are too slow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

import trio_sio
from trio_sio import DisconnectDetail, Disconnected
from trio_sio.testing import Cut, Faults, Freeze, Network, NetworkClient, open_network
from trio_sio.testing.clients.transports import TRANSPORTS

DELAY = (0.01, 0.05)
PINGS_OUT = 30
"""Seconds after which a silent session ends."""


class Host:
    """An application that notes who leaves, and why."""

    def __init__(self, **options: object) -> None:
        self.io = trio_sio.Server(**options)  # type: ignore[arg-type]  # whatever a test needs
        self.details: list[DisconnectDetail] = []
        self.heard: list[object] = []
        self.io.on("connection", self._connection)

    @property
    def reasons(self) -> list[str]:
        return [str(detail.reason) for detail in self.details]

    def _connection(self, socket: trio_sio.Socket) -> None:
        socket.on("echo", self._echo)

        @socket.on("disconnect")
        def gone(reason: trio_sio.DisconnectReason) -> None:
            assert socket.detail is not None
            self.details.append(socket.detail)

    def _echo(self, *args: object) -> object:
        self.heard += args
        return args


@asynccontextmanager
async def open_host(**options: object) -> AsyncIterator[tuple[Host, Network]]:
    """A host whose sessions have all ended a while after the test is over with it."""
    host = Host(**options)
    async with open_network(host.io, seed=4) as network:
        yield host, network
        await trio.sleep(2 * PINGS_OUT)
        assert len(host.io.engine.sessions) == 0
        assert host.io.engine.statistics().connections == 0


async def call_on(client: NetworkClient) -> str:
    """Call until the connection is gone; return what the client says of that."""
    try:
        for number in range(1000):
            assert await client.call("echo", number, timeout=100) == [number]
    except Disconnected as gone:
        return str(gone)
    raise AssertionError("the network should have failed")


@pytest.mark.parametrize("freeze", [Freeze(2000, "to_client"), Freeze(2000), Freeze(seconds=2)])
@pytest.mark.parametrize("how", TRANSPORTS)
async def test_half_open(autojump_clock: trio.abc.Clock, how: str, freeze: Freeze) -> None:
    async with open_host() as (host, network):
        faults = Faults(delay=DELAY, freeze=freeze)
        begun = trio.current_time()
        async with network.connect(how, faults=faults) as client:
            assert await call_on(client) == "ping timeout"
            assert begun + PINGS_OUT - 1 < trio.current_time() < begun + 2 * PINGS_OUT
            await trio.sleep(PINGS_OUT)
            assert host.reasons == ["ping timeout"]  # nobody told the server
        assert host.heard == list(range(len(host.heard)))


@pytest.mark.parametrize("how_it_ends", ["reset", "end"])
@pytest.mark.parametrize("direction", ["to_server", "to_client"])
@pytest.mark.parametrize("how", TRANSPORTS)
async def test_cut(
    autojump_clock: trio.abc.Clock, how: str, direction: str, how_it_ends: str
) -> None:
    for after in range(1500, 1560, 25):
        cut = Cut(after, direction, how_it_ends)  # type: ignore[arg-type]  # of the parameters
        async with open_host() as (host, network):
            faults = Faults(delay=DELAY, chunk=30, cut=cut)
            async with network.connect(how, faults=faults) as client:
                told = await call_on(client)
        if how.startswith("polling"):
            assert told == "transport error"
            # Between a response and the next poll, the server sees nothing of the client.
            assert host.reasons in (["transport error"], ["ping timeout"])
        else:
            assert told == "transport close"
            assert host.reasons == ["transport close"]
        assert host.heard == list(range(len(host.heard)))


@pytest.mark.parametrize("how", ["polling", "websocket"])
async def test_the_client_breaks_it(autojump_clock: trio.abc.Clock, how: str) -> None:
    async with open_host() as (host, network), network.connect(how) as client:
        await trio.testing.wait_all_tasks_blocked()
        client.cut()
        with pytest.raises(Disconnected):
            await client.receive()
        with pytest.raises(Disconnected):
            await client.emit("echo", 1)
        await trio.sleep(1)
        assert host.reasons == ["transport error" if how == "polling" else "transport close"]


@pytest.mark.parametrize("how", ["polling", "websocket", "upgraded"])
async def test_a_slow_reader_is_a_slow_consumer(autojump_clock: trio.abc.Clock, how: str) -> None:
    async with open_host(max_outbox_bytes=100_000) as (host, network):
        faults = Faults(rate=1000, buffer=2000)
        async with network.connect(how, faults=faults):
            for number in range(200):
                await host.io.emit("news", number, "x" * 1000)
                await trio.sleep(0.01)
            await trio.sleep(1)
            assert host.reasons == ["slow consumer"]
            assert host.details[0].option == "max_outbox_bytes"
            assert host.details[0].limit == 100_000


@pytest.mark.parametrize("how", ["polling", "websocket", "upgraded"])
async def test_back_pressure_loses_nothing(autojump_clock: trio.abc.Clock, how: str) -> None:
    async with open_host(max_outbox_bytes=20_000) as (host, network):
        faults = Faults(rate=10_000, buffer=2000)
        async with network.connect(how, faults=faults) as client:
            (socket,) = host.io.of("/").sockets.values()
            begun = trio.current_time()

            async def send() -> None:
                for number in range(100):
                    await socket.emit("news", number, "x" * 1000)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(send)
                for number in range(100):
                    assert (await client.receive())[1] == number
            assert 10 < trio.current_time() - begun < 15
        assert host.reasons == ["transport close"]


async def test_a_client_that_does_not_receive_stops_reading(
    autojump_clock: trio.abc.Clock,
) -> None:
    async with open_host() as (host, network), network.connect(faults=Faults(buffer=2000)) as one:
        async with network.connect() as other:
            for number in range(2000):
                await host.io.emit("news", number)
                if number % 100 == 0:
                    await trio.sleep(0.1)
            assert host.reasons == ["slow consumer"]
            assert [(await other.receive())[1] for _ in range(1000)] == list(range(1000))
        received = [(await one.receive())[1] for _ in range(1000)]
        assert received == list(range(1000))
