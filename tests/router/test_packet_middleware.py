"""Packet middleware: it sees each event first, may change it, and may refuse it."""

from dataclasses import replace

import pytest
import trio

from trio_sio import JSON, Packet, PacketRefused, PacketType, Server, Socket
from trio_sio.testing import connect


async def test_middleware_sees_and_changes_events(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    seen: list[tuple[str, list[JSON]]] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.use
        async def first(packet: Packet) -> Packet:
            await trio.sleep(1)
            seen.append((packet.event, packet.args))
            return replace(packet, data=["renamed", *packet.args, b"more"])

        @socket.use
        def second(packet: Packet) -> None:
            seen.append((packet.event, packet.args))

        socket.on("renamed", lambda *args: args)

    async with connect(io) as client:
        assert await client.call("x", 1) == [1, b"more"]
    assert seen == [("x", [1]), ("renamed", [1, b"more"])]


@pytest.mark.parametrize(
    ("refusal", "answer"),
    [
        (PacketRefused("no"), "no"),
        (PacketRefused("no", {"code": 1}), {"code": 1}),
        (PacketRefused("falsy", []), "falsy"),
    ],
)
async def test_middleware_may_refuse(
    autojump_clock: trio.abc.Clock,
    caplog: pytest.LogCaptureFixture,
    refusal: PacketRefused,
    answer: JSON,
) -> None:
    io = Server()
    called = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.use
        def only_good(packet: Packet) -> None:
            if packet.event != "good":
                raise refusal

        socket.use(lambda packet: called.append(packet.event))
        socket.on("bad", lambda: called.append("handler"))
        socket.on("good", lambda: "good")

    async with connect(io) as client:
        await client.emit("bad")
        packet = await client.receive_packet()
        assert (packet.type, packet.data) == (PacketType.ERROR, answer)
        assert await client.call("good") == ["good"]
    assert called == ["good"]
    assert caplog.records == []


async def test_middleware_with_a_wrong_result_is_an_error(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    handled = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.use(lambda packet: True if packet.event == "bad" else None)
        socket.use(lambda packet: 1 / 0 if packet.event == "worse" else None)
        for event in ("bad", "worse", "good"):
            socket.on(event, lambda event=event: handled.append(event))

    async with connect(io, raise_errors=False) as client:
        await client.emit("bad")
        await client.emit("worse")
        await client.call("good")
    assert handled == ["good"]
    assert len(caplog.records) == 2
    assert "<lambda>, packet middleware, returned bool, not a Packet or None" in caplog.text
    assert "<lambda>, packet middleware, failed for <Socket 'memory…' in '/'" in caplog.text
    with pytest.raises(TypeError, match="middleware must be callable"):
        Socket.use(None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("packet", "sentence"),
    [
        (Packet(PacketType.EVENT, "/", ("bad", 1)), "with tuple as data"),  # type: ignore[arg-type]
        (Packet(PacketType.EVENT, "/", []), "must be a list, the event's name"),
        (Packet(PacketType.EVENT), "with NoneType as data"),
        (Packet(PacketType.BINARY_EVENT, "/", "bad"), "with str as data"),
        (Packet(PacketType.ACK, "/", ["bad"]), "returned the Packet of ACK, not of an event"),
    ],
)
async def test_a_packet_that_is_no_event_is_an_error_and_not_passed_over(
    packet: Packet,
    sentence: str,
    autojump_clock: trio.abc.Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = Server()
    handled = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.use(lambda seen: packet if seen.event == "bad" else None)
        for event in ("bad", "good"):
            socket.on(event, lambda *_, event=event: handled.append(event))

    async with connect(io, raise_errors=False) as client:
        await client.emit("bad")
        await client.call("good")
    assert handled == ["good"]
    assert len(caplog.records) == 1
    assert sentence in caplog.text
