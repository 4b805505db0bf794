"""What clients in memory and clients of bytes have in common: they agree in all of it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import pytest
import trio

import trio_sio
from trio_sio import ConnectionRefused, Disconnected, Refused
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing import connect, open_network
from trio_sio.testing.clients.base_client import BaseClient
from trio_sio.testing.clients.expectation import Unexpected

Open = Callable[[trio_sio.Server, str], AbstractAsyncContextManager[BaseClient]]


@asynccontextmanager
async def in_memory(
    io: trio_sio.Server, namespace: str, *, protocol: int = 4
) -> AsyncIterator[BaseClient]:
    async with connect(io, namespace, protocol=protocol) as client:
        yield client


@asynccontextmanager
async def by_bytes(
    io: trio_sio.Server, namespace: str, *, protocol: int = 4
) -> AsyncIterator[BaseClient]:
    async with (
        open_network(io) as network,
        network.connect("polling", namespace, protocol=protocol) as client,
    ):
        yield client


both = pytest.mark.parametrize(
    "open_client",
    [
        pytest.param(partial(kind, protocol=protocol), id=f"{kind.__name__}-{protocol}")
        for kind in (in_memory, by_bytes)
        for protocol in (4, 5)
    ],
)


@both
async def test_events_and_acknowledgements(
    autojump_clock: trio.abc.Clock, open_client: Open
) -> None:
    io = trio_sio.Server()

    @io.of("/chat").on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        socket.on("message", socket.send)
        socket.on("add", lambda one, other: one + other)
        socket.on("ask back", lambda: socket.call("how much?"))

    async with open_client(io, "chat") as client:
        if client.protocol == 4:
            assert client.id == f"/chat#{client.session_id}"
        assert list(io.of("/chat").sockets) == [client.id]
        await client.send(1, b"2")
        assert await client.receive() == ["message", 1, b"2"]
        assert await client.call("add", 1, 2) == [3]
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def ask() -> None:
                assert await client.call("ask back") == [7]

            question = await client.receive_packet()
            await client.answer(question, 7)


@both
async def test_waits_end_and_say_what_came(
    autojump_clock: trio.abc.Clock, open_client: Open
) -> None:
    io = trio_sio.Server()
    io.on("news", lambda socket: socket.emit("news"))
    async with open_client(io, "/") as client:
        await client.emit("news")
        with pytest.raises(trio.TooSlowError, match=r"acknowledgement of 'x'; what came .*news"):
            await client.call("x", timeout=5)
        assert await client.receive() == ["news"]
        with pytest.raises(trio.TooSlowError, match="waited 60 s for an event in '/'"):
            await client.receive()


@both
async def test_refusals_and_ends(autojump_clock: trio.abc.Clock, open_client: Open) -> None:
    io = trio_sio.Server()

    @io.of("/closed").use
    def refuse(socket: trio_sio.Socket) -> None:
        raise ConnectionRefused("no", {"code": 1})

    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        socket.on("bye", lambda: socket.disconnect(close=True))

        @socket.use
        def check(packet: trio_sio.Packet) -> None:
            if packet.event == "wrong":
                raise trio_sio.PacketRefused("not that")

    async with io:
        with pytest.raises(ConnectionRefused) as refused:
            async with open_client(io, "/closed"):
                raise AssertionError("the client was let in")
        assert refused.value.data == {"code": 1}
    async with open_client(io, "/") as client:
        await client.emit("wrong")
        if client.protocol == 4:  # a client of 5 is told nothing
            with pytest.raises(Refused, match="not that"):
                await client.receive()
        await client.emit("bye")
        with pytest.raises(Disconnected):
            await client.receive()
        with pytest.raises(Disconnected):
            await client.call("wrong")


WORDS = [None, {}, {"token": "1"}, {"a": [1, {"b": None}], "é": ""}]


@pytest.mark.parametrize("auth", WORDS, ids=repr)
@pytest.mark.parametrize("name", ["/", "/chat"])
async def test_what_a_client_of_5_says_when_it_joins(
    autojump_clock: trio.abc.Clock, name: str, auth: dict[str, JSON] | None
) -> None:
    io = trio_sio.Server()
    io.of(name)
    async with open_network(io) as network:
        for opened in (
            connect(io, name, protocol=5, auth=auth, query={"q": "1"}),
            network.connect("polling", name, protocol=5, auth=auth, query={"q": "1"}),
        ):
            async with opened as client:
                (socket,) = io.of(name).connected.values()
                assert isinstance(socket, trio_sio.Socket)
                assert (client.id, socket.protocol) == (socket.id, 5)
                assert client.session_id not in client.id
                assert socket.handshake.auth == (auth or {})
                assert socket.handshake.get("q") == "1"


@both
async def test_what_has_come_and_that_there_is_no_more(
    autojump_clock: trio.abc.Clock, open_client: Open
) -> None:
    io = trio_sio.Server()
    async with open_client(io, "/") as client:
        await io.emit("one", b"1")
        await io.emit("two")
        await trio.testing.wait_all_tasks_blocked()
        assert client.receive_nowait() == ["one", b"1"]
        assert client.receive_nowait() == ["two"]
        with pytest.raises(trio.WouldBlock):
            client.receive_nowait()
        await io.emit("three")
        await io.disconnect_sockets()
        await trio.testing.wait_all_tasks_blocked()
        assert client.receive_nowait() == ["three"]
        with pytest.raises(Disconnected):
            client.receive_nowait()


@both
async def test_an_error_is_raised_without_waiting(
    autojump_clock: trio.abc.Clock, open_client: Open
) -> None:
    io = trio_sio.Server()

    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        @socket.use
        def refuse(packet: trio_sio.Packet) -> None:
            raise trio_sio.PacketRefused("no")

    async with open_client(io, "/") as client:
        await client.emit("shout")
        await trio.testing.wait_all_tasks_blocked()
        # In protocol 5 no packet tells a client that its own was refused.
        expected = Refused if client.protocol == 4 else trio.WouldBlock
        with pytest.raises(expected):
            client.receive_nowait()


@both
async def test_shows_who_and_where_it_is(autojump_clock: trio.abc.Clock, open_client: Open) -> None:
    io = trio_sio.Server()
    io.of("/chat")
    async with open_client(io, "/chat") as client:
        kind = type(client).__name__
        assert client.id in repr(client)
        assert repr(client) == f"<{kind} '{client.id}' in '/chat', protocol {client.protocol}>"


class Fed(BaseClient):
    """A client to which a test says what the server sends."""

    session_id = "x"
    reason = None

    async def _send_parts(self, parts: Sequence[str | bytes]) -> None:
        await trio.lowlevel.checkpoint()

    def _took(self, parts: int) -> None:
        """There is room."""

    def feed(self, part: str) -> None:
        self._feed(part)


@pytest.mark.parametrize("part", ["0", "0{}", '0{"sid":""}', '0{"sid":1}', "0[]"])
def test_a_client_of_5_insists_on_its_id(part: str) -> None:
    """Otherwise JavaScript's clients take the server for one of 2.x."""
    with pytest.raises(Unexpected, match="CONNECT has no sid"):
        Fed("/", Encoder(), Decoder(), 5).feed(part)
    Fed("/", Encoder(), Decoder(), 4).feed(part)


@pytest.mark.parametrize("part", ["4", '4"no"', "4{}", '4{"message":1}'])
async def test_a_client_of_5_insists_on_a_message(part: str) -> None:
    client = Fed("/", Encoder(), Decoder(), 5)
    client.feed(part)
    with pytest.raises(Unexpected, match="a refusal is an object with a message"):
        await client.join()
