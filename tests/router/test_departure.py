"""The last steps of a socket."""

import pytest
import trio
from trio.testing import MockClock

import trio_sio
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
