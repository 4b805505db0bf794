"""The upgrade of a client, as JavaScript's client does it, while events come and go."""

import pytest
import trio

import trio_sio
from trio_sio import Disconnected
from trio_sio.testing import Cut, Faults, Network, open_network
from trio_sio.testing.network.faults import Direction
from trio_sio.testing.wire_websocket import packet_frames


def application() -> trio_sio.Server:
    io = trio_sio.Server()

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        socket.on("echo", socket.send)

    return io


@pytest.mark.parametrize(
    ("how", "protocol"),
    [("polling", 4), ("polling-base64", 4), ("polling-jsonp", 4), ("polling", 5)],
)
async def test_events_keep_their_order_during_an_upgrade(
    autojump_clock: trio.abc.Clock, how: str, protocol: int
) -> None:
    faults = Faults(delay=(0.01, 0.5), chunk=20)
    async with (
        open_network(application(), seed=3) as network,
        network.connect(how, faults=faults, protocol=protocol) as client,
    ):

        async def emit() -> None:
            for number in range(50):
                await client.emit("echo", number, b"\0")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(emit)
            await trio.sleep(1)
            nursery.start_soon(client.upgrade)
            for number in range(50):
                assert await client.receive() == ["message", number, b"\0"]
        assert client.transport == "websocket"
        with pytest.raises(RuntimeError, match="only a client that polls"):
            await client.upgrade()


async def test_an_upgrade_that_is_refused(autojump_clock: trio.abc.Clock) -> None:
    io = trio_sio.Server(transports=["polling"])
    io.on("connection", lambda socket: socket.on("echo", socket.send))
    async with open_network(io) as network, network.connect("polling") as client:
        with pytest.raises(trio.BrokenResourceError, match="no upgrade"):
            await client.upgrade()
        await client.emit("echo", 1)
        assert await client.receive() == ["message", 1]
        assert client.transport == "polling"


# Where the probing client's bytes go: handshake, poll, opening of the WebSocket, probe, UPGRADE.
@pytest.mark.parametrize("direction", ["to_server", "to_client"])
async def test_a_cut_anywhere_in_an_upgrade(
    autojump_clock: trio.abc.Clock, direction: Direction
) -> None:
    outcomes = set[str]()
    for after in range(0, 900, 20):
        faults = Faults(delay=(0.01, 0.05), chunk=50, cut=Cut(after, direction))
        io, gone = application(), list[str]()
        io.on("connection", lambda socket, gone=gone: socket.on("disconnect", gone.append))
        async with open_network(io, seed=7) as network:
            outcomes.add(await upgrade_and_speak(network, faults))
            await trio.sleep(100)
            assert len(io.engine.sessions) == 0
        assert set(gone) <= {"transport error", "transport close", "ping timeout"}
    assert outcomes == {"not in", "no upgrade, but all heard", "lost", "all heard"}


async def upgrade_and_speak(network: Network, faults: Faults) -> str:
    """Have a client upgrade and speak; return how far it came."""
    how = ""
    try:
        async with network.connect("polling", faults=faults) as client:
            how = "lost"
            upgraded = True
            try:
                await client.upgrade()
            except Disconnected:
                return how
            except trio.BrokenResourceError:
                upgraded = False
            for number in range(3):
                await client.emit("echo", number)
            for number in range(3):
                assert await client.receive() == ["message", number]
            return "all heard" if upgraded else "no upgrade, but all heard"
    except trio.BrokenResourceError:
        return how or "not in"


async def test_one_upgrade_at_a_time(autojump_clock: trio.abc.Clock) -> None:
    faults = Faults(delay=(0.1, 0.1))
    async with open_network(application()) as network:
        async with (
            network.connect("polling", faults=faults) as client,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(client.upgrade)
            await trio.sleep(0.1)
            with pytest.raises(RuntimeError, match="only once at a time"):
                await client.upgrade()


async def test_an_upgrade_that_is_given_up(autojump_clock: trio.abc.Clock) -> None:
    faults = Faults(delay=(0.1, 0.1))
    async with open_network(application()) as network:
        for patience in (0.05, 0.15, 0.25, 0.35, 0.45):
            async with network.connect("polling", faults=faults) as client:
                with trio.move_on_after(patience) as scope:
                    await client.upgrade()
                assert scope.cancelled_caught
                await client.emit("echo", patience)
                assert await client.receive() == ["message", patience]


async def test_a_post_that_ends_behind_upgrade_brings_nothing(
    autojump_clock: trio.abc.Clock,
) -> None:
    """The WebSocket's UPGRADE overtakes half a POST, as on connections of their own it may."""
    io = application()
    async with open_network(io) as network, network.open_wire() as wire:
        session = await wire.handshake()
        body = b'12:42["echo",1]'
        head = session.poster.request_bytes("POST", session.target, {}, body)
        await session.poster.send(head[:-5])
        websocket = await session.probe()
        await session.poll()
        await websocket.send("5")
        await websocket.send('42["echo",2]')
        assert await websocket.receive() == '42["message",2]'
        assert await session.poster.receive_rest() == b""  # the server waits for it no longer
        await websocket.send('42["echo",3]')
        assert await websocket.receive() == '42["message",3]'


async def test_a_post_behind_upgrade_is_refused(autojump_clock: trio.abc.Clock) -> None:
    io = application()
    async with open_network(io) as network, network.open_wire() as wire:
        session = await wire.handshake()
        websocket = await session.upgrade()
        response = await session.post_body(b'12:42["echo",1]')
        assert response.status == 400
        await websocket.send('42["echo",2]')
        assert await websocket.receive() == '42["message",2]'


async def test_what_follows_upgrade_in_one_piece_is_heard(autojump_clock: trio.abc.Clock) -> None:
    io = application()
    async with open_network(io) as network:
        for faults in (Faults(), Faults(chunk=1)):
            async with network.open_wire(faults=faults) as wire:
                session = await wire.handshake()
                websocket = await session.probe()
                frames = [packet_frames(text) for text in ("5", '42["echo",1]', '42["echo",2]')]
                await websocket.connection.send(b"".join(frames))
                assert await websocket.receive() == '42["message",1]'
                assert await websocket.receive() == '42["message",2]'
