"""Asking rooms and acting on all their sockets, with clients 2.5.0 and 4.8.4 in them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio

from tests.support.peers import MODERN, PACKAGE, WEBSOCKET, Client, peer, served
from tests.support.raw import raw
from tests.support.servers import MakeServer
from trio_sio import MissingAnswers, RemoteSocket, Server, Socket

pytestmark = pytest.mark.node


@asynccontextmanager
async def both(
    io: Server, *, how: list[list[object] | None] | None = None
) -> AsyncIterator[list[tuple[Client, Socket]]]:
    """A client of each generation, and the server's ends; they answer "how?" as `how` says."""
    told = how or [["old", 1], ["new"]]
    async with served(io) as url, AsyncExitStack() as stack:
        found = []
        for command, answer in zip((PACKAGE, MODERN["4.8"]), told, strict=True):
            process = await stack.enter_async_context(peer(command))
            answers = {} if answer is None else {"how?": answer}
            hear = ["a", "b", "last", *([] if answers else ["how?"])]
            client = await process.open(url, hear=hear, answers=answers, **WEBSOCKET.options)
            (sid,) = await client.hear("connect")
            found.append((client, io.sockets.connected[sid]))
        yield found


async def test_a_room_answers(make_server: MakeServer) -> None:
    io = make_server()
    async with both(io) as ((old, one), (new, two)):
        assert (one.protocol, two.protocol) == (4, 5)
        for socket in (one, two):
            await socket.join("room")
        answers = await io.to("room").call("how?", b"\x01", timeout=30)
        assert sorted(answers, key=repr) == ["new", ("old", 1)]
        for client in (old, new):
            assert await client.hear("how?") == [b"\x01"]
        async with io.sockets.answers("how?", timeout=30) as arriving:
            assert sorted([answer async for answer in arriving], key=repr) == ["new", ("old", 1)]
        assert arriving.missing == ()
        async with io.sockets.answers("how?", timeout=30) as arriving:
            named = {name: answer async for name, answer in arriving.named()}
        assert named == {one.id: ("old", 1), two.id: "new"}
        assert await one.broadcast.call("how?") == ["new"]
        assert await io.to("nobody").call("how?") == []


async def test_who_is_missing(make_server: MakeServer) -> None:
    """The client of 2.5.0 hears the question and says nothing; then it leaves another one."""
    io = make_server()
    async with both(io, how=[None, ["new"]]) as ((old, one), (_, _)):
        with pytest.raises(MissingAnswers) as caught:
            await io.call("how?", timeout=0.5)
        assert (caught.value.answers, caught.value.missing) == (["new"], (one.id,))
        assert isinstance(caught.value, trio.TooSlowError)
        await old.hear("how?")
        async with trio.open_nursery() as nursery:

            async def leave() -> None:
                await old.hear("how?")
                await old.close()

            nursery.start_soon(leave)
            assert await io.call("how?", timeout=30) == ["new"]


async def test_messagepack_answers_too(make_server: MakeServer) -> None:
    io = make_server(parser="msgpack")
    async with served(io) as url, peer() as process:
        client = await process.open(url, answers={"how?": [b"\x01"]}, parser="msgpack")
        await client.hear("connect")
        assert await io.call("how?", b"\x02") == [b"\x01"]
        assert await client.hear("how?") == [b"\x02"]


async def test_the_sockets_of_a_room(make_server: MakeServer) -> None:
    io = make_server()
    async with both(io) as ((old, one), (new, two)):
        assert [*await io.fetch_sockets()] == [one, two]
        assert not any(isinstance(socket, RemoteSocket) for socket in (one, two))
        await io.sockets_join("red", "green")
        await io.except_(one.id).sockets_leave("green")
        await io.to("green").emit("a", 1)
        await io.to("red").emit("b", 2)
        assert await old.hear("a") == [1]
        assert await old.hear("b") == await new.hear("b") == [2]
        assert new.unheard("a") == 0
        await io.in_("green").disconnect_sockets()
        assert await old.hear("disconnect") == ["io server disconnect"]
        await io.disconnect_sockets(close=True)
        assert (await new.hear("disconnect"))[0] == "io server disconnect"
        await two.session.wait_closed()


async def test_a_socket_speaks_to_others_but_some_and_to_those_here(
    make_server: MakeServer,
) -> None:
    io = make_server()
    async with both(io) as ((old, one), (new, two)):
        await one.except_(two.id).emit("a")
        await one.local.emit("b", 1)
        assert await new.hear("b") == [1]
        await io.emit("last")
        for client in (old, new):
            await client.hear("last")
            assert client.unheard("a") == client.unheard("b") == 0


async def test_handlers_of_every_event(make_server: MakeServer) -> None:
    io = make_server()
    seen: list[object] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on_any(lambda event, *args: seen.append(("socket", event, *args)))
        socket.use(lambda packet: seen.append(("middleware", packet.event)))

    @io.on("echo")
    def echo(socket: Socket, value: object) -> object:
        seen.append(("handler", value))
        return value

    @io.on_any(first=True)
    async def first(socket: Socket, event: str, *args: object) -> None:
        seen.append(("namespace", event, *args))

    def second(socket: Socket, event: str, *args: object) -> None:
        seen.append(("second", event))

    io.on_any(second)
    assert io.any_handlers == (first, second)
    io.remove_any(second)
    async with both(io) as ((old, _), (new, _)):
        for client in (old, new):
            seen.clear()
            assert await client.call("echo", b"\x01") == [b"\x01"]
            assert seen == [
                ("namespace", "echo", b"\x01"),
                ("socket", "echo", b"\x01"),
                ("middleware", "echo"),
                ("handler", b"\x01"),
            ]


async def test_handlers_of_every_event_that_is_sent(make_server: MakeServer) -> None:
    io = make_server()
    seen: list[object] = []

    @io.on_any_outgoing
    def sent(socket: Socket, event: str, *args: object) -> None:
        seen.append((socket.protocol, event, *args))

    async with both(io) as ((old, _), (new, two)):
        two.on_any_outgoing(lambda event, *args: seen.append(("own", event)))
        await io.emit("a", 1)
        assert seen == [(4, "a", 1), (5, "a", 1), ("own", "a")]
        assert await old.hear("a") == await new.hear("a") == [1]
        assert io.any_outgoing_handlers == (sent,)
        io.remove_any_outgoing(sent)
        two.remove_any_outgoing()
        seen.clear()
        await two.emit("b")
        await new.hear("b")
        assert seen == []


async def test_the_verbs_of_the_adapter(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        (socket,) = await io.to(*io.sockets.connected).fetch_sockets()
        target, adapter = io.to(socket.id), io.sockets.adapter
        assert {*map(id, await adapter.fetch_sockets(target))} == {id(socket)}
        assert await adapter.server_count() == 1
        await adapter.server_side_emit(["hello", 1])  # there are no others
        await adapter.add_sockets(target, ["red"])
        await io.to("red").emit("a")
        assert await websocket.receive() == '42["a"]'
        await adapter.remove_sockets(target, ["red"])
        await io.to("red").emit("b")
        async with target.answers("how?") as answers:
            assert await websocket.receive() == '420["how?"]'
            await websocket.send('430["well"]')
            assert [one async for one in answers] == ["well"]
        await adapter.disconnect_sockets(target)
        assert await websocket.receive() == "41"
