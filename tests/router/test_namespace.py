"""Namespaces: the middleware that lets sockets in, and what it may do meanwhile."""

from dataclasses import replace
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import JSON, ConnectionRefused, DisconnectReason, Packet, PacketType, Server, Socket
from trio_sio.testing import connect


async def test_middleware_runs_in_its_order_before_the_handlers(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    story = []

    @io.use
    async def first(socket: Socket) -> None:
        await trio.sleep(5)
        assert not socket.connected
        story.append("first")

    @io.use
    def second(socket: Socket) -> None:
        socket.data["user"] = "anna"
        story.append("second")

    @io.on("connect")
    def connect_too(socket: Socket) -> None:
        story.append("connect")

    @io.on("connection")
    def connection(socket: Socket) -> None:
        assert socket.connected
        story.append(socket.data["user"])

    async with connect(io):
        await wait_all_tasks_blocked()
    assert story == ["first", "second", "connect", "anna"]


@pytest.mark.parametrize(
    ("refusal", "answer"),
    [
        (ConnectionRefused("not you"), "not you"),
        (ConnectionRefused("not you", {"code": 7}), {"code": 7}),
        (ConnectionRefused("not you", ["a", 1]), ["a", 1]),
        (ConnectionRefused(data="data alone"), "data alone"),
        (ConnectionRefused("text for falsy data", 0), "text for falsy data"),
        (ConnectionRefused("text for falsy data", ""), "text for falsy data"),
        (ConnectionRefused("text for no data", None), "text for no data"),
        (ConnectionRefused(), ""),
    ],
)
@pytest.mark.parametrize("namespace", ["/", "/chat"])
async def test_refusal(
    autojump_clock: trio.abc.Clock,
    caplog: pytest.LogCaptureFixture,
    refusal: ConnectionRefused,
    answer: JSON,
    namespace: str,
) -> None:
    io = Server()
    called = []

    @io.of(namespace).use
    async def refuse(socket: Socket) -> None:
        raise refusal

    io.of(namespace).use(lambda socket: called.append("later middleware"))
    io.of(namespace).on("connection", lambda socket: called.append("connection"))
    io.of(namespace).on("disconnect", lambda socket, reason: called.append("disconnect"))
    async with io:
        with pytest.raises(ConnectionRefused) as refused:
            async with connect(io, namespace):
                raise AssertionError("the client was let in")
        assert refused.value.answer == answer
        assert not io.of(namespace).sockets
    assert called == []
    assert caplog.records == []


async def test_refused_client_may_stay_elsewhere(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    tries = []

    @io.of("/chat").use
    def refuse_first(socket: Socket) -> None:
        tries.append(socket.id)
        if len(tries) == 1:
            raise ConnectionRefused("try again")

    async with connect(io) as client:
        for _ in range(2):
            await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
            await wait_all_tasks_blocked()
        assert client.session.reason is None
        assert list(io.of("/chat").sockets) == tries[1:]


async def test_failing_middleware_keeps_its_secret(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()

    @io.use
    async def broken(socket: Socket) -> None:
        raise LookupError("the password is swordfish")

    with pytest.raises(ConnectionRefused, match=r"^Internal server error$"):
        async with connect(io, raise_errors=False):
            raise AssertionError("the client was let in")
    assert len(caplog.records) == 1
    assert "swordfish" in caplog.text
    assert io.sockets.statistics().failures == 1


async def test_failing_middleware_comes_out_of_a_test(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()

    @io.use
    async def broken(socket: Socket) -> None:
        raise LookupError("a mistake")

    with pytest.raises(LookupError):
        async with connect(io):
            raise AssertionError("the client was let in")
    assert caplog.records == []


async def test_middleware_stops_when_its_client_leaves(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    story: list[str] = []

    @io.of("/chat").use
    async def slow(socket: Socket) -> None:
        story.append("begun")
        try:
            await trio.sleep(1000)
        finally:
            story.append(f"stopped, connected: {socket.connected}")

    io.of("/chat").on("connection", lambda socket: story.append("connection"))
    io.of("/chat").on("disconnect", lambda socket, reason: story.append("disconnect"))
    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
        await wait_all_tasks_blocked()
    assert story == ["begun", "stopped, connected: False"]


async def test_slow_middleware_stalls_nobody_else(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    gate = trio.Event()
    io.of("/slow").use(lambda socket: gate.wait())
    io.on("here?", lambda socket: "yes")
    async with connect(io) as client, connect(io) as other:
        await client.send_packet(Packet(PacketType.CONNECT, "/slow"))
        assert await client.call("here?") == ["yes"]
        assert await other.call("here?") == ["yes"]
        assert not io.of("/slow").sockets
        gate.set()
        await wait_all_tasks_blocked()
        assert len(io.of("/slow").sockets) == 1


async def test_emit_and_join_inside_middleware(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    chat = io.of("/chat")

    @chat.use
    async def welcome(socket: Socket) -> None:
        await socket.join("early")
        await socket.emit("early")
        # It is in the room, but not in the namespace yet.
        assert await chat.in_("early").clients() == set()
        await chat.emit("not for who is joining")

    @chat.on("connection")
    async def connection(socket: Socket) -> None:
        assert socket.rooms == {socket.id, "early"}
        await chat.to("early").emit("for the room")

    async with connect(io, "/chat") as client:
        assert await client.receive() == ["early"]
        assert await client.receive() == ["for the room"]


async def test_rooms_joined_in_middleware_are_left_with_the_refusal(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()

    @io.of("/chat").use
    async def refuse(socket: Socket) -> None:
        await socket.join("early")
        raise ConnectionRefused("no")

    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
        await wait_all_tasks_blocked()
        assert await io.of("/chat").adapter.client_rooms(f"/chat#{client.id}") == frozenset()


async def test_disconnect_inside_middleware(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    connections = []
    io.on("connection", lambda socket: connections.append(socket))

    @io.of("/chat").use
    async def go_away(socket: Socket) -> None:
        await socket.disconnect(close=True)

    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
        await wait_all_tasks_blocked()
        assert client.session.reason is DisconnectReason.SERVER_NAMESPACE_DISCONNECT
    assert len(connections) == 1
    assert not io.of("/chat").sockets


async def test_a_handler_that_refuses_sends_the_client_away(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    reasons = []
    io.of("/chat").on("disconnect", lambda socket, reason: reasons.append(reason))

    @io.of("/chat").on("connection")
    async def connection(socket: Socket) -> None:
        raise ConnectionRefused("on second thoughts", {"code": 1})

    async with connect(io, "/chat") as client:
        packet = await client.receive_packet()
        assert (packet.type, packet.data) == (PacketType.ERROR, {"code": 1})
        await wait_all_tasks_blocked()
        assert client.session.reason is None
    assert reasons == [DisconnectReason.SERVER_NAMESPACE_DISCONNECT]


@pytest.mark.parametrize("function", [None, 1, "middleware"])
def test_middleware_can_be_called(function: object) -> None:
    with pytest.raises(TypeError, match="middleware must be callable"):
        Server().of("/chat").use(function)  # type: ignore[type-var]


# -- statistics --------------------------------------------------------------------------------


async def test_what_it_counts(autojump_clock: trio.abc.Clock) -> None:
    io = Server(raise_errors=False)
    chat = io.of("/chat")
    chat.on("ask", lambda socket: "answer")
    chat.on("fail", lambda socket: 1 / 0)
    nothing = chat.statistics()
    async with connect(io, "/chat", raise_errors=False) as client:
        for event in ("ask", "fail", "nobody hears this"):
            await client.emit(event)
        await wait_all_tasks_blocked()
        (socket,) = chat.sockets.values()
        await socket.emit("one")
        await chat.emit("two")
        await io.emit("elsewhere")
        now = chat.statistics()
        assert (now.sockets, now.joined, sum(now.left.values())) == (1, 1, 0)
        assert (now.events_in, now.events_out, now.calls, now.failures) == (3, 2, 2, 1)
        of_root = io.sockets.statistics()
        assert (of_root.sockets, of_root.joined, of_root.events_out) == (1, 1, 1)
        assert (of_root.events_in, of_root.calls, of_root.failures) == (0, 0, 0)
        await socket.disconnect()
        await wait_all_tasks_blocked()
    later = chat.statistics()
    assert later == replace(now, sockets=0, left={**nothing.left, "server namespace disconnect": 1})
    assert io.sockets.statistics().left["transport close"] == 1
    assert io.statistics().namespaces == {"/": io.sockets.statistics(), "/chat": later}
    assert (io.statistics().joined, io.statistics().events_in) == (2, 3)


async def test_who_is_refused_has_not_joined_and_leaves_nothing(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    nothing = io.sockets.statistics()
    io.use(refuse_all)
    with pytest.raises(ConnectionRefused):
        async with connect(io):
            raise AssertionError("the client was let in")
    assert io.sockets.statistics() == nothing
    assert io.statistics().refused["middleware"] == 1


def refuse_all(socket: Socket) -> None:
    raise ConnectionRefused("no")


async def test_acknowledgements_that_are_waited_for(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io) as client, connect(io), trio.open_nursery() as nursery:
        sockets = list(io.sockets.sockets.values())
        for socket in sockets:
            nursery.start_soon(partial(socket.call, "ask", timeout=5))
        await sockets[0].emit("ask", ack=print)
        await wait_all_tasks_blocked()
        assert io.sockets.statistics().pending_acks == io.statistics().pending_acks == 3
        await client.send_packet(Packet(PacketType.ACK, "/", [], 0))
        await wait_all_tasks_blocked()
        assert io.sockets.statistics().pending_acks == 2
        nursery.cancel_scope.cancel()
    assert io.sockets.statistics().pending_acks == 0
