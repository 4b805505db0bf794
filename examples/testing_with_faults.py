"""Testing an application over a bad network: real bytes, no port, no waiting."""

import pytest
import trio
from hypothesis import given, settings, strategies as st
from trio.testing import MockClock

import trio_sio
from trio_sio.testing import Cut, Faults, Freeze, open_network

NOTES = ["soup", "bread", "salt"]


def application():
    io = trio_sio.Server(max_outbox_bytes=50_000)
    reasons = []

    @io.on("connection")
    def connection(socket):
        socket.on("disconnect", lambda reason: reasons.append(str(reason)))
        socket.on("note", lambda text: io.emit("noted", text))

    return io, reasons


@settings(deadline=None, max_examples=50)
@given(
    transport=st.sampled_from(["polling", "websocket", "upgraded"]),
    delay=st.tuples(st.floats(0, 0.2), st.floats(0.2, 2)),
    chunk=st.none() | st.integers(1, 100),
)
def test_notes_arrive_in_order_over_any_network(transport, delay, chunk):
    async def main():
        io, _ = application()
        async with open_network(io, seed=1) as network:
            faults = Faults(delay=delay, chunk=chunk)
            async with network.connect(transport, faults=faults) as client:
                for note in NOTES:
                    await client.emit("note", note)
                assert [await client.receive() for _ in NOTES] == [["noted", n] for n in NOTES]

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def test_a_connection_that_breaks(autojump_clock):
    io, reasons = application()
    async with open_network(io) as network:
        faults = Faults(cut=Cut(1000, "to_server"))
        async with network.connect("websocket", faults=faults) as client:
            with pytest.raises(trio_sio.Disconnected):
                while True:
                    await client.emit("note", "soup")
        assert reasons == ["transport close"]


async def test_a_connection_that_is_half_open(autojump_clock):
    io, reasons = application()
    async with open_network(io) as network:
        faults = Faults(freeze=Freeze(seconds=10))
        async with network.connect("polling", faults=faults) as client:
            with pytest.raises(trio_sio.Disconnected, match="ping timeout"):
                await client.receive()
            await trio.sleep(30)  # the server has heard nothing for as long, and was told nothing
            assert reasons == ["ping timeout"]


async def test_a_client_that_reads_too_slowly(autojump_clock):
    io, reasons = application()
    async with open_network(io) as network:
        faults = Faults(rate=1000, buffer=2000)  # bytes per second, and bytes under way
        async with network.connect("websocket", faults=faults):
            for _ in range(100):
                await io.emit("noted", "x" * 1000)
                await trio.sleep(0.1)
            assert reasons == ["slow consumer"]


async def test_events_during_an_upgrade(autojump_clock):
    io, _ = application()
    async with open_network(io) as network:
        async with (
            network.connect("polling", faults=Faults(delay=(0.1, 0.5))) as client,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(client.upgrade)
            for note in NOTES:
                await client.emit("note", note)
                assert await client.receive() == ["noted", note]
