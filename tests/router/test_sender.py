"""Packets of the protocol's own, for a client that takes nothing."""

import ast
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import (
    ConnectionRefused,
    Disconnected,
    DisconnectReason,
    Packet,
    PacketRefused,
    PacketType,
    Server,
    Socket,
)
from trio_sio.options import OVERFLOW_POLICIES, OverflowPolicy
from trio_sio.testing import MemoryClient, connect

PACKAGE = Path(__file__).parents[2] / "trio_sio"
ROOM = 8
Act = Callable[[Server, Socket, MemoryClient], Awaitable[object]]


async def let_in(io: Server, socket: Socket, client: MemoryClient) -> None:
    await client.send_packet(Packet(PacketType.CONNECT, "/chat"))


async def refuse(io: Server, socket: Socket, client: MemoryClient) -> None:
    await client.send_packet(Packet(PacketType.CONNECT, "/private"))


async def refuse_unknown(io: Server, socket: Socket, client: MemoryClient) -> None:
    await client.send_packet(Packet(PacketType.CONNECT, "/unknown"))


async def disconnect(io: Server, socket: Socket, client: MemoryClient) -> None:
    await socket.disconnect()


async def refuse_packet(io: Server, socket: Socket, client: MemoryClient) -> None:
    await client.emit("refused")


@pytest.mark.parametrize("policy", OVERFLOW_POLICIES)
@pytest.mark.parametrize("act", [let_in, refuse, refuse_unknown, disconnect, refuse_packet])
async def test_a_client_without_room_for_one_is_closed_with_an_explanation(
    act: Act, policy: OverflowPolicy, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "trio_sio")
    io = Server(max_outbox=ROOM, on_overflow=policy)
    io.of("/chat")
    io.of("/private").use(refuse_socket)
    io.on("refused", refuse_event)
    async with io:
        async with connect(io, buffer=1) as client:
            await wait_all_tasks_blocked()
            (socket,) = io.sockets.sockets.values()
            for number in range(ROOM + 1):
                await socket.emit("filler", number)
            await act(io, socket, client)
            await wait_all_tasks_blocked()
            detail = client.session.detail
        assert detail is not None
        assert detail.reason == "slow consumer"
        assert (detail.option, detail.limit, detail.size) == ("max_outbox", ROOM, ROOM + 1)
        assert f"slow consumer: {ROOM + 1} packets wait for a client" in caplog.text
        assert io.statistics().limits == {"max_outbox": 1}
        assert io.statistics().ended == {"slow consumer": 1}


def refuse_socket(socket: Socket) -> None:
    raise ConnectionRefused("no")


def refuse_event(socket: Socket) -> None:
    raise PacketRefused("no")


async def test_one_is_never_dropped_for_a_newer_event(autojump_clock: MockClock) -> None:
    io = Server(max_outbox=ROOM, on_overflow="drop_oldest")
    io.of("/chat")
    async with connect(io, buffer=1) as client:
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.sockets.values()
        await socket.emit("first")  # on its way
        await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
        await wait_all_tasks_blocked()
        for number in range(3 * ROOM):
            await io.emit("filler", number)
        kinds = [part.parts[0][:2] for part in client.session.outbox._queue]
        assert "40" in kinds


# -- every end explains itself --------------------------------------------------------------------

WITHOUT = {
    # The reason says all there is.
    ("server.py", "_close_clients"): "server shutting down",
    ("router/drain.py", "_let_go"): "server shutting down",
    ("engine/engine.py", "aclose"): "server shutting down",
    ("router/client.py", "disconnect"): "server namespace disconnect",
    ("engine/session/lifecycle.py", "_write"): "transport close: the connection broke",
    ("engine/session/lifecycle.py", "run"): "the handler has ended, or the server is cancelled",
    # The operator is told, and the log.
    ("admin/operator.py", "_disconnect_session"): "forced close",
    # Whoever calls it explains it.
    ("router/client.py", "_end"): "explained by `run`",
}


ENDS = re.compile(r"session\.(abort|close)\b|self\.(abort|close)\(|self\.abort,")


def ends() -> Iterator[tuple[str, str, bool]]:
    """Each function of the package that ends a session, and whether it says why."""
    for path in sorted(PACKAGE.rglob("*.py")):
        here = path.relative_to(PACKAGE).as_posix()
        if here.startswith(("demo/", "testing/")):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.unparse(node)
                of_a_session = "session" in here or "session" in text
                if of_a_session and ENDS.search(text):
                    yield here, node.name, ".explain(" in text


def test_whoever_ends_a_session_says_why() -> None:
    silent = {(here, name) for here, name, explains in ends() if not explains}
    assert silent == set(WITHOUT)


def test_what_is_explained_names_the_option_and_its_value() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name == "disconnect.py":  # which only writes it out
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Explanation":
                arguments = len(node.args) + len(node.keywords)
                assert arguments != 2, f"{path}:{node.lineno} names an option without its value"


async def test_nothing_is_sent_by_one_that_is_closed(autojump_clock: MockClock) -> None:
    io = Server()
    async with connect(io) as client:
        (socket,) = io.sockets.sockets.values()
        sender = socket.sender
        assert not sender.is_over
        await client.leave()
        await wait_all_tasks_blocked()
        assert sender.is_over
        assert sender.reason is DisconnectReason.CLIENT_NAMESPACE_DISCONNECT
        with pytest.raises(Disconnected) as caught:
            sender.encode("news", (), socket.flags)
        assert caught.value.reason is sender.reason
        with pytest.raises(Disconnected):
            await socket.call("question")
        assert not sender.acks


async def test_one_is_over_when_its_session_is(autojump_clock: MockClock) -> None:
    io = Server()
    async with connect(io) as client:
        (socket,) = io.sockets.sockets.values()
        client.session.close()
        assert socket.sender.reason is None
        assert socket.sender.is_over
