"""A network between clients and a server: who gets in, and what is told of it."""

import pytest
import trio

import trio_sio
from trio_sio import ConnectionRefused
from trio_sio.testing import Faults, open_network
from trio_sio.testing.clients.transports import transports_of


def application() -> trio_sio.Server:
    io = trio_sio.Server()

    @io.of("/chat").on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        socket.on("echo", socket.send)
        socket.on("add", lambda one, other: one + other)

    return io


@pytest.mark.parametrize("faults", [Faults(), Faults(delay=(0.01, 0.2), chunk=1)], ids=str)
@pytest.mark.parametrize(
    ("protocol", "how"), [(protocol, how) for protocol in (4, 5) for how in transports_of(protocol)]
)
async def test_each_transport(
    autojump_clock: trio.abc.Clock, protocol: int, how: str, faults: Faults
) -> None:
    async with open_network(application(), seed=7) as network:
        async with network.connect(how, "/chat", faults=faults, protocol=protocol) as client:
            assert client.transport == how.partition("-")[0].replace("upgraded", "websocket")
            await client.emit("echo", "\u20ac\n", b"\0")
            assert await client.receive() == ["message", "\u20ac\n", b"\0"]
            await trio.sleep(100)
            assert await client.call("add", 1, 2) == [3]


async def test_protocol_5_has_no_jsonp(autojump_clock: trio.abc.Clock) -> None:
    async with open_network(application()) as network:
        with pytest.raises(ValueError, match="'transport' must be one of"):
            async with network.connect("polling-jsonp", protocol=5):
                raise AssertionError("the client was let in")


@pytest.mark.parametrize("heartbeat", [True, False])
@pytest.mark.parametrize("how", ["polling", "websocket", "upgraded"])
async def test_who_gives_up_whom_in_protocol_5(
    autojump_clock: trio.abc.Clock, how: str, heartbeat: bool
) -> None:
    """The server pings: a client that does not hear it, and one that does not answer, are lost."""
    io = application()
    async with open_network(io) as network:
        async with network.connect(how, protocol=5, heartbeat=heartbeat) as client:
            if heartbeat:
                client.freeze()
            session = io.engine.sessions[client.session_id]
            await trio.sleep(46)  # 25 s and 20 s, as options have them by default
            assert session.reason == "ping timeout"
            assert client.reason == ("ping timeout" if heartbeat else "transport close")


async def test_a_server_that_is_open_stays_open(autojump_clock: trio.abc.Clock) -> None:
    async with application() as io:
        async with open_network(io) as network, network.connect() as client:
            assert io.engine.serving
            assert client.namespace == "/"
        assert io.engine.serving
        async with open_network(io) as network, network.connect("polling", "chat") as client:
            assert client.namespace == "/chat"


async def test_what_a_test_raises_is_told_what_went_before(
    autojump_clock: trio.abc.Clock,
) -> None:
    with pytest.raises(AssertionError) as caught:
        async with open_network(application(), seed=7) as network:
            async with network.connect("polling", "/chat", faults=Faults(chunk=100)) as client:
                for number in range(9):
                    await client.emit("echo", number)
                assert await client.call("add", 1, 2) == [4]
    (note,) = caught.value.__notes__
    first, faults, left_out, *tail = note.splitlines()
    assert first == "network with seed=7"
    assert faults.endswith("client 1 has Faults(chunk=100)")
    assert left_out.endswith("lines before")
    assert tail == network.transcript.lines[-len(tail) :]


async def test_who_is_refused(autojump_clock: trio.abc.Clock) -> None:
    io = trio_sio.Server(allow_request=lambda request: "good" in request.target)
    async with open_network(io) as network:
        for how in ("polling", "websocket"):
            with pytest.raises(ConnectionRefused, match=r"40[03]"):
                async with network.connect(how):
                    raise AssertionError("the client was let in")
            async with network.connect(how, query={"good": "1"}) as client:
                assert client.reason is None
        with pytest.raises(ConnectionRefused, match="Invalid namespace"):
            async with network.connect(namespace="/unknown", query={"good": "1"}):
                raise AssertionError("the client was let in")
        with pytest.raises(ValueError, match="'transport' must be one of"):
            async with network.connect("pigeon"):
                raise AssertionError("there is no such transport")


async def test_header_fields(autojump_clock: trio.abc.Clock) -> None:
    io, seen = trio_sio.Server(), list[str | None]()
    io.on("connection", lambda socket: seen.append(socket.handshake.headers.get("x-who")))
    async with open_network(io) as network:
        for how in ("polling", "websocket"):
            async with network.connect(how, headers={"X-Who": how}):
                pass
    assert seen == ["polling", "websocket"]


async def test_raw_bytes_go_through_faults_too(autojump_clock: trio.abc.Clock) -> None:
    async with open_network(application()) as network:
        async with network.open_wire(faults=Faults(delay=(1, 1), chunk=3)) as wire:
            session = await wire.handshake()
            assert trio.current_time() == 2  # there and back
            assert session.first == ["40"]


@pytest.mark.parametrize("transport", ["polling", "polling-base64", "polling-jsonp"])
async def test_a_client_that_polls_outlives_idle_connections(
    autojump_clock: trio.abc.Clock, transport: str
) -> None:
    """The server closes a connection without requests before the client pings by it."""
    io = trio_sio.Server()
    io.on("echo", lambda socket, *args: args)
    async with open_network(io) as network, network.connect(transport) as client:
        await trio.sleep(300)
        assert await client.call("echo", 1) == [1]
