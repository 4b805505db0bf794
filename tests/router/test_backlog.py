"""Who falls behind, and who has caught up: told once each, in order, while the socket is here."""

import re
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import Packet, PacketRefused, PacketType, Refused, Server, Socket
from trio_sio.protocol.socketio.packet import BACKLOG
from trio_sio.testing import MemoryClient, connect

FILL = 4
"""Emits that put a client behind who has room for one: three wait then, and two may."""


def server() -> Server:
    return Server(max_outbox=4)


async def fall_behind(io: Server) -> None:
    for number in range(FILL):
        await io.emit("news", number)
    await wait_all_tasks_blocked()


async def catch_up(client: MemoryClient) -> None:
    for _ in range(FILL):
        await client.receive()
    await wait_all_tasks_blocked()


async def test_each_is_told_once_and_in_order(autojump_clock: MockClock) -> None:
    io = server()
    told: list[tuple[Socket, bool]] = []
    io.on_backlog(lambda socket, is_behind: told.append((socket, is_behind)))
    async with connect(io, buffer=1) as client:
        (socket,) = io.sockets.sockets.values()
        for number in range(FILL - 1):
            await io.emit("news", number)
            await wait_all_tasks_blocked()
            assert told == []
        await io.emit("news")
        await wait_all_tasks_blocked()
        assert told == [(socket, True)]
        assert socket.statistics().is_behind
        assert io.statistics().behind == 1
        await io.emit("news")
        await wait_all_tasks_blocked()
        assert len(told) == 1
        await client.receive()
        await wait_all_tasks_blocked()
        assert told == [(socket, True), (socket, False)]
        assert not socket.statistics().is_behind
        assert io.statistics().behind == 0
        for _ in range(FILL):
            await client.receive()
        await fall_behind(io)
        assert [is_behind for _, is_behind in told] == [True, False, True]


async def test_handlers_of_the_server_a_namespace_and_a_socket(autojump_clock: MockClock) -> None:
    io = server()
    told: list[tuple[object, ...]] = []

    @io.on_backlog
    async def of_the_server(socket: Socket, is_behind: bool) -> None:
        told.append((socket.id, is_behind))

    @io.of("/chat").on_backlog
    def of_a_namespace(socket: Socket, is_behind: bool) -> None:
        told.append((socket.id, is_behind))

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on_backlog
        async def of_a_socket(is_behind: bool) -> None:
            told.append((is_behind,))

    async with connect(io, buffer=1) as client, connect(io, buffer=1):
        await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
        await wait_all_tasks_blocked()
        (chatting,) = io.of("/chat").sockets.values()
        for _ in range(FILL):
            await io.sockets.sockets[client.id].emit("news")
        await wait_all_tasks_blocked()
        # All sockets of a client wait in the same queue, and the other client keeps up.
        assert sorted(map(str, told)) == sorted(
            map(str, [(client.id, True), (True,), (chatting.id, True)])
        )
        assert told.index((client.id, True)) < told.index((True,))


async def test_what_changes_back_in_between_is_left_out(autojump_clock: MockClock) -> None:
    io = server()
    told: list[tuple[bool, float]] = []

    @io.on_backlog
    async def slow(socket: Socket, is_behind: bool) -> None:
        told.append((is_behind, trio.current_time()))
        await trio.sleep(10)

    async with connect(io, buffer=1) as client:
        await fall_behind(io)
        await catch_up(client)
        await fall_behind(io)
        await trio.sleep(15)
        assert told == [(True, 0)]
        await catch_up(client)
        await fall_behind(io)
        await catch_up(client)
        await trio.sleep(30)
        assert told == [(True, 0), (False, 15)]


async def test_it_holds_up_no_event(autojump_clock: MockClock) -> None:
    io = server()
    io.on("here?", lambda socket: "yes")

    @io.on_backlog
    async def slow(socket: Socket, is_behind: bool) -> None:
        await trio.sleep_forever()

    async with connect(io, buffer=1) as client:
        await fall_behind(io)
        await catch_up(client)
        assert await client.call("here?") == ["yes"]


async def test_who_was_not_told_of_the_one_is_not_told_of_the_other(
    autojump_clock: MockClock,
) -> None:
    io = server()
    told: list[bool] = []
    async with connect(io, buffer=1) as client:
        await fall_behind(io)
        io.on_backlog(lambda _socket, is_behind: told.append(is_behind))
        await catch_up(client)
        assert told == []
        await fall_behind(io)
        assert told == [True]


async def test_a_socket_that_joins_later_is_told_of_what_comes_later(
    autojump_clock: MockClock,
) -> None:
    io = server()
    told: list[bool] = []
    io.of("/chat").on_backlog(lambda _socket, is_behind: told.append(is_behind))
    async with connect(io, buffer=1) as client:
        await fall_behind(io)
        await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
        await wait_all_tasks_blocked()
        await catch_up(client)
        assert told == []
        await fall_behind(io)
        assert told == [True]


# -- errors --------------------------------------------------------------------------------------


async def test_an_error_goes_the_way_of_all_errors(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = server()
    told: list[object] = []
    io.on("error", lambda _socket, error: told.append(error))

    @io.on_backlog
    def fail(socket: Socket, is_behind: bool) -> None:
        raise LookupError("a mistake")

    io.on_backlog(lambda _socket, is_behind: told.append(is_behind))
    async with connect(io, buffer=1, raise_errors=False) as client:
        await fall_behind(io)
        await catch_up(client)
        assert [str(one) for one in told] == ["a mistake", "True", "a mistake", "False"]
        assert client.session.reason is None
    assert caplog.text.count("which hears of backlogs, failed for <Socket") == 2
    assert "and 1 more like it" in caplog.text


async def test_an_error_comes_out_of_a_test(autojump_clock: MockClock) -> None:
    io = server()

    @io.on_backlog
    async def fail(socket: Socket, is_behind: bool) -> None:
        raise LookupError("a mistake")

    with pytest.raises(LookupError):
        async with connect(io, buffer=1):
            await fall_behind(io)
            await trio.sleep_forever()


async def test_a_refusal_is_told_to_the_client(autojump_clock: MockClock) -> None:
    io = server()
    told: list[bool] = []

    @io.on_backlog
    def refuse(socket: Socket, is_behind: bool) -> None:
        told.append(is_behind)
        if is_behind:
            raise PacketRefused("ask for less")

    async with connect(io, buffer=1) as client:
        await fall_behind(io)
        await catch_up(client)
        with pytest.raises(Refused, match="ask for less"):
            await client.receive()
        assert told == [True, False]


# -- the name under which they are kept ----------------------------------------------------------


async def test_a_client_cannot_set_it_off(autojump_clock: MockClock) -> None:
    io = server()
    told: list[object] = []
    io.on_backlog(lambda _socket, is_behind: told.append(is_behind))
    io.on("here?", lambda socket: "yes")

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on_backlog(told.append)

    async with connect(io) as client:
        await client.emit(BACKLOG, True)
        await client.emit(BACKLOG)
        assert await client.call("here?") == ["yes"]
    assert told == []


async def test_it_can_be_neither_emitted_nor_found(autojump_clock: MockClock) -> None:
    io = server()
    reserved = re.escape(f"{BACKLOG!r} is reserved")
    io.on("news", print)
    io.on_backlog(print)
    assert io.event_names() == ["news"]
    with pytest.raises(ValueError, match=reserved):
        await io.emit(BACKLOG, True)
    with pytest.raises(ValueError, match=reserved):
        await io.of("/chat").to("room").emit(BACKLOG, True)
    async with connect(io):
        (socket,) = io.sockets.sockets.values()
        socket.on_backlog(print)
        assert socket.event_names() == []
        with pytest.raises(ValueError, match=reserved):
            socket.emit_nowait(BACKLOG, True)


@pytest.mark.parametrize("handler", [1, "one", None])
def test_a_handler_can_be_called(handler: Any) -> None:  # noqa: ANN401
    with pytest.raises(TypeError, match="a handler must be callable"):
        server().on_backlog(handler)


async def test_they_are_forgotten_with_all_others(autojump_clock: MockClock) -> None:
    io = server()
    told: list[bool] = []
    io.on_backlog(lambda _socket, is_behind: told.append(is_behind))
    io.remove_all_listeners()
    async with connect(io, buffer=1):
        await fall_behind(io)
    assert told == []


async def test_dynamic_namespaces_have_those_of_their_parent_and_their_own(
    autojump_clock: MockClock,
) -> None:
    io = server()
    told: list[str] = []
    teams = io.of(re.compile(r"/team-\d"))
    teams.on_backlog(lambda socket, is_behind: told.append(f"parent {socket.nsp.name}"))

    @teams.on("connection")
    def connection(socket: Socket) -> None:
        if socket.nsp.name == "/team-2":
            socket.nsp.on_backlog(lambda socket, is_behind: told.append("own"))

    for name in ("/team-1", "/team-2"):
        async with connect(io, name, buffer=1):
            for _ in range(FILL):
                await teams.emit("news")
            await wait_all_tasks_blocked()
    assert told == ["parent /team-1", "parent /team-2", "own"]


async def test_a_dynamic_namespace_with_such_a_handler_stays(autojump_clock: MockClock) -> None:
    io = server()
    teams = io.of(re.compile(r"/team-\d"))

    @teams.on("connection")
    def connection(socket: Socket) -> None:
        if socket.nsp.name == "/team-2":
            socket.nsp.on_backlog(print)

    async with io:
        for name in ("/team-1", "/team-2"):
            async with connect(io, name):
                pass
        assert list(teams.children) == ["/team-2"]


# -- the end -------------------------------------------------------------------------------------


async def test_nothing_is_told_of_a_session_that_has_ended(autojump_clock: MockClock) -> None:
    io = server()
    told: list[object] = []
    io.on_backlog(lambda _socket, is_behind: told.append(is_behind))
    io.on("disconnect", lambda _socket, reason: told.append(str(reason)))
    async with connect(io, buffer=1) as client:
        (socket,) = io.sockets.sockets.values()
        for _ in range(FILL):
            socket.emit_nowait("news")
        client.session.close()  # in the same tick, at whose end it is behind
        await wait_all_tasks_blocked()
    assert told == ["forced close"]


@pytest.mark.parametrize("by", ["the socket", "the session"])
async def test_what_has_yet_to_be_told_is_not_told_any_more(
    by: str, autojump_clock: MockClock
) -> None:
    io = server()
    told: list[object] = []
    io.on_backlog(lambda _socket, is_behind: told.append(is_behind))
    async with connect(io, buffer=1) as client:
        (socket,) = io.sockets.sockets.values()
        for _ in range(FILL):
            socket.emit_nowait("news")
        client.session.outbox.flush()  # now a task is to tell it
        if by == "the socket":
            socket.kick()
        else:
            client.session.close()
        await wait_all_tasks_blocked()
    assert told == []


async def test_a_handler_that_does_not_end_ends_with_the_sockets_tasks(
    autojump_clock: MockClock,
) -> None:
    io = server()
    ended: list[float] = []

    @io.on_backlog
    async def slow(socket: Socket, is_behind: bool) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.append(trio.current_time())

    async with connect(io, buffer=1):
        await fall_behind(io)
        await trio.sleep(1)
    assert ended == [1.0]
