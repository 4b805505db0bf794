"""The last steps of a socket."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.router.departures import Departures
from trio_sio.testing import connect


async def test_rooms_are_there_in_disconnecting_and_gone_in_disconnect(
    autojump_clock: MockClock,
) -> None:
    io = trio_sio.Server()
    seen: list[object] = []

    @io.on("connection")
    async def join(socket: trio_sio.Socket) -> None:
        await socket.join("a")
        socket.on("disconnecting", lambda reason: seen.append((reason, socket.rooms)))
        socket.on("disconnecting", lambda reason: seen.append(socket.connected))
        socket.on("disconnect", lambda reason: seen.append((reason, socket.rooms)))
        socket.on("disconnect", lambda reason: seen.append(socket.connected))

    async with connect(io) as client:
        sid = client.id
    reason = "transport close"
    assert seen == [(reason, {sid, "a"}), True, (reason, frozenset()), False]
    assert io.sockets.connected == {}


async def test_the_last_handlers_share_grace_and_are_cut(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server(grace=4)
    seen: list[tuple[str, float]] = []

    @io.on("disconnecting")
    async def slow(socket: trio_sio.Socket, reason: str) -> None:
        await trio.sleep(3)
        seen.append(("disconnecting", trio.current_time()))

    @io.on("disconnect")
    async def slower(socket: trio_sio.Socket, reason: str) -> None:
        seen.append(("disconnect begins", trio.current_time()))
        await trio.sleep(60)
        seen.append(("disconnect ends", trio.current_time()))

    async with connect(io):
        pass
    assert seen == [("disconnecting", 3.0), ("disconnect begins", 3.0)]
    assert trio.current_time() == 4.0
    assert "cut off after grace" in caplog.text
    assert io.sockets.connected == {}


async def test_they_run_even_when_the_server_is_cancelled(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    seen: list[str] = []

    @io.on("disconnect")
    async def save(socket: trio_sio.Socket, reason: str) -> None:
        await trio.sleep(1)
        seen.append(reason)

    with trio.CancelScope() as scope:
        async with io, connect(io):
            scope.cancel()
            await trio.sleep_forever()
    assert seen == ["server shutting down"]


async def test_a_broken_packet_is_told_before(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    seen: list[object] = []
    io.on("error", lambda socket, error: seen.append(type(error)))
    io.on("disconnecting", lambda socket, reason: seen.append(reason))
    io.on("disconnect", lambda socket, reason: seen.append(reason))
    async with connect(io) as client:
        packet = trio_sio.Packet(trio_sio.PacketType.DISCONNECT, "/", {"not": "allowed"})
        await client.send_packet(packet)
        await trio.sleep(1)
    assert seen == [trio_sio.RemoteProtocolError, "forced close", "forced close"]


async def test_an_error_in_one_of_them_does_not_spare_the_others(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    seen: list[str] = []

    @io.on("disconnecting")
    def fail(socket: trio_sio.Socket, reason: str) -> None:
        raise KeyError("a")

    io.on("disconnecting", lambda socket, reason: seen.append("second"))
    io.on("disconnect", lambda socket, reason: seen.append("disconnect"))
    async with connect(io, raise_errors=False):
        pass
    assert seen == ["second", "disconnect"]
    assert caplog.text.count("which handles 'disconnecting', failed") == 1


async def test_a_handler_that_does_not_end_holds_the_next_namespace_up_for_grace(
    autojump_clock: MockClock,
) -> None:
    io = trio_sio.Server(grace=4)
    left: list[tuple[str, float]] = []

    @io.on("work")
    async def work(socket: trio_sio.Socket) -> None:
        await trio.sleep_forever()

    for namespace in (io, io.of("/admin"), io.of("/chat")):
        namespace.on(
            "disconnecting", lambda socket, _: left.append((socket.nsp.name, trio.current_time()))
        )
    async with connect(io) as client:
        for name in ("/admin", "/chat"):
            await client.send_packet(trio_sio.Packet(trio_sio.PacketType.CONNECT, name))
        await client.emit("work")
        await trio.sleep(1)
    assert sorted(left) == [("/", 5.0), ("/admin", 5.0), ("/chat", 5.0)]


class Difficult(trio_sio.MemoryAdapter):
    """An adapter that does not let go of a socket as it should.

    Attributes:
        behave: what it does instead.
    """

    behave: Callable[[], Awaitable[object]]

    async def remove_all(self, socket_id: str) -> None:
        await super().remove_all(socket_id)
        await type(self).behave()


async def hang() -> None:
    await trio.sleep_forever()


async def fail() -> None:
    raise OSError("no connection")


async def fail_late() -> None:
    await trio.sleep(2)
    raise OSError("no connection")


async def cancel() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("behave", [hang, fail, fail_late, cancel])
@pytest.mark.parametrize("ends", ["the client goes", "kicked", "leaves", "the server closes"])
async def test_a_difficult_adapter_skips_no_step_and_costs_grace_at_most(
    ends: str,
    behave: Callable[[], Awaitable[object]],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = trio_sio.Server(adapter=type("Adapter", (Difficult,), {"behave": staticmethod(behave)}))
    io = trio_sio.Server(adapter=io.adapter, grace=4)
    dynamic = io.of(re.compile("/room-.*"))
    left: list[tuple[str, float]] = []

    @dynamic.on("disconnect")
    async def gone(socket: trio_sio.Socket, reason: str) -> None:
        await trio.sleep(1)  # it has its time, however long the adapter took
        left.append((reason, trio.current_time()))

    async with io:
        async with connect(io, "/room-1", raise_errors=False) as client:
            # A client's name, that nobody else asks for.
            (socket,) = io.router.namespaces["/room-1"].sockets.values()
            if ends == "kicked":
                await socket.disconnect()
            elif ends == "leaves":
                await client.leave()
            elif ends == "the server closes":
                await io.aclose()
        await trio.sleep(20)
        assert not socket.connected
        ((_, when),) = left
        assert when <= (2 * 4 + 1)  # "/" is left at the same time, and may be waited for
        assert [*io.router.namespaces] == ["/"]
        assert not io.router.clients
        assert not io.engine.sessions
    assert "no connection" in caplog.text or "CancelledError" in caplog.text or behave is hang
    assert ("did not take it out" in caplog.text) is (behave is hang)


async def test_with_raise_errors_each_step_is_taken_all_the_same(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(adapter=type("Adapter", (Difficult,), {"behave": staticmethod(fail)}))
    seen: list[str] = []

    @io.on("disconnecting")
    def leaving(socket: trio_sio.Socket, reason: str) -> None:
        raise KeyError("a mistake")

    io.on("disconnect", lambda socket, reason: seen.append("disconnect"))
    with pytest.raises(OSError, match="no connection") as caught:
        async with connect(io):
            pass
    assert isinstance(caught.value.__context__, KeyError)
    assert seen == ["disconnect"]
    assert not io.sockets.sockets
    assert not io.router.clients


async def test_a_refusal_in_one_of_them_refuses_nothing_and_is_a_failure(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    seen: list[str] = []

    @io.on("disconnecting")
    def refuse(socket: trio_sio.Socket, reason: str) -> None:
        raise trio_sio.PacketRefused("too late")

    io.on("disconnect", lambda socket, reason: seen.append("disconnect"))
    async with connect(io, raise_errors=False):
        pass
    assert seen == ["disconnect"]
    assert caplog.text.count("refuse, which handles 'disconnecting', failed") == 1


async def test_each_waits_for_the_one_that_began_before_it(autojump_clock: MockClock) -> None:
    departures = Departures[str]()
    for name in "abc":
        departures.begin(name)
    left: list[tuple[str, float]] = []

    async def leave(name: str, patience: float, seconds: float) -> None:
        await departures[name].wait_turn(patience)
        await trio.sleep(seconds)
        left.append((name, trio.current_time()))
        departures.end(name)

    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave, "c", 100, 1)
        nursery.start_soon(leave, "b", 10, 1)
        nursery.start_soon(leave, "a", 100, 15)
        await departures.wait_one()
        assert len(departures) == 2
    # "b" has waited for "a" as long as it may, and "c" for "b" until that had left.
    assert [(name, when - begun) for name, when in left] == [("b", 11), ("c", 12), ("a", 15)]
    assert len(departures) == 0
    with pytest.raises(KeyError):
        departures["a"]


async def test_who_begins_when_nobody_leaves_waits_for_nobody() -> None:
    departures = Departures[str]()
    departures.begin("a")
    departures.end("a")
    departures.begin("b")
    with trio.fail_after(0):
        await departures["b"].wait_turn(10)


def test_an_error_is_announced_once() -> None:
    departures = Departures[str]()
    departures.begin("a")
    error = ValueError()
    departures["a"].announce(error, ["a", "b"])
    assert departures["a"].take_announcement() == (error, ["a", "b"])
    assert departures["a"].take_announcement() is None
