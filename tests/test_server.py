"""The server: options and life; what it does by delegating is tested there."""

import re
from collections.abc import Collection
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import (
    Disconnected,
    DisconnectReason,
    Engine,
    MemoryAdapter,
    Namespace,
    Packet,
    PacketType,
    Server,
    Socket,
)
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.testing import connect


def test_unknown_option_is_refused_with_a_suggestion() -> None:
    with pytest.raises(TypeError, match=r"unknown option 'ping_interva'; .* 'ping_interval'\?"):
        Server(ping_interva=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"unknown option 'xyz'$"):
        Server(xyz=1)  # type: ignore[call-arg]


def test_options_of_socketio() -> None:
    io = Server()
    assert io.path == "/socket.io"
    assert io.serve_client is True
    assert io.origins == "*"
    assert io.adapter is MemoryAdapter
    assert repr(io) == "<Server at '/socket.io', 0 clients>"
    assert Server(path="/x").path == "/x"


def test_an_engine_of_ones_own_has_its_own_options() -> None:
    engine = Engine(path="/mine", grace=1)
    io = Server(engine=engine, max_inbox=3)
    assert io.engine is engine
    assert io.path == "/mine"
    assert io.router.context.grace == 1
    assert io.router.context.options.max_inbox == 3
    with pytest.raises(TypeError, match=r"give \['grace', 'path'\] to the engine"):
        Server(engine=engine, path="/other", grace=2, max_inbox=3)


async def test_some_options_may_be_set_until_serving_begins(
    autojump_clock: trio.abc.Clock, tmp_path: Path
) -> None:
    io = Server()
    io.path = "/elsewhere"
    io.serve_client = tmp_path
    io.origins = ["https://example.org"]
    io.adapter = Quiet
    assert io.path == "/elsewhere"
    assert io.serve_client == tmp_path
    assert io.origins == ["https://example.org"]
    assert io.adapter is Quiet
    with pytest.raises(ValueError, match="'path'"):
        io.path = "no slash"
    async with io:
        with pytest.raises(RuntimeError):
            io.path = "/late"
        with pytest.raises(RuntimeError):
            io.serve_client = False
        with pytest.raises(RuntimeError):
            io.origins = "*"
        with pytest.raises(RuntimeError, match="adapter"):
            io.adapter = MemoryAdapter
    assert io.path == "/elsewhere"


class Quiet(MemoryAdapter):
    """An adapter that knows when somebody joins."""

    def __init__(self, namespace: Namespace) -> None:
        super().__init__(namespace)
        self.joined: list[str] = []

    async def add_all(self, socket_id: str, rooms: Collection[str]) -> None:
        self.joined.extend(rooms)
        await super().add_all(socket_id, rooms)


@pytest.mark.parametrize("how", ["option", "property"])
async def test_every_namespace_has_an_adapter_of_the_kind(
    autojump_clock: trio.abc.Clock, how: str
) -> None:
    io = Server(adapter=Quiet) if how == "option" else Server()
    io.of("/chat")
    if how == "property":
        io.adapter = Quiet
    io.of(re.compile("/dynamic"))
    async with connect(io, "/chat") as client, connect(io, "/dynamic"):
        await io.of("/chat").emit("hello")
        assert await client.receive() == ["hello"]
        for name in ("/", "/chat", "/dynamic"):
            adapter = io.of(name).adapter
            assert isinstance(adapter, Quiet)
            assert len(adapter.joined) == (2 if name == "/" else 1)


class Shouting(Encoder):
    """An encoder that shouts."""

    def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
        messages = super().encode(packet, binary=binary)
        return [part.upper() if isinstance(part, str) else part for part in messages]


class Whispering(Decoder):
    """A decoder that whispers."""

    def feed(self, message: str | bytes) -> Packet | None:
        return super().feed(message.lower() if isinstance(message, str) else message)


async def test_a_parser_of_ones_own(autojump_clock: trio.abc.Clock) -> None:
    io = Server(parser=SimpleNamespace(Encoder=Shouting, Decoder=Whispering))
    io.on("echo", lambda socket, *args: args)
    async with connect(io) as client:
        assert await client.call("ECHO", "Hello", b"Hello") == ["hello", b"Hello"]
        messages = io.router.encoder.encode(Packet(PacketType.EVENT, "/", ["x"]))
        assert messages == ['2["X"]']


# -- life --------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["aclose", "leave the block"])
async def test_closing_ends_every_client(autojump_clock: trio.abc.Clock, how: str) -> None:
    io = Server()
    reasons: list[str] = []
    finished: list[str] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("disconnect")
        async def disconnect(reason: str) -> None:
            reasons.append(reason)
            await trio.sleep(2)
            finished.append(reason)

    async def stay() -> None:
        async with connect(io) as client:
            with pytest.raises(Disconnected):
                await client.receive()

    async with trio.open_nursery() as nursery:
        async with io:
            for _ in range(3):
                nursery.start_soon(stay)
            await wait_all_tasks_blocked()
            if how == "aclose":
                await io.aclose()
                assert not io.router.clients
                assert len(finished) == 3
    assert reasons == finished == [DisconnectReason.SERVER_SHUTTING_DOWN] * 3


async def test_a_client_opens_the_server_if_nobody_has(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    assert not io.engine.serving
    async with connect(io):
        assert io.engine.serving
