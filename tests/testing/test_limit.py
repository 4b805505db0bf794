"""No client of tests waits for ever, and each says what it waited for."""

import traceback

import pytest
import trio
from trio.testing import MockClock

from trio_sio import Packet, PacketType, Server, Socket
from trio_sio.testing import connect, open_wire
from trio_sio.testing.limit import WAIT, within


async def test_an_event_that_never_comes(autojump_clock: MockClock) -> None:
    io = Server()
    async with connect(io) as client:
        with pytest.raises(trio.TooSlowError, match="waited 60 s for an event in '/'; what came"):
            await client.receive()
        await io.emit("news", 1)
        assert await client.receive() == ["news", 1]
        with pytest.raises(trio.TooSlowError, match=r'waited 5 s for .*"news",1'):
            await client.receive(timeout=5)
        with pytest.raises(trio.TooSlowError) as caught:
            await client.receive_packet()
        shown = "".join(traceback.format_exception(caught.value))
        assert shown.count("Traceback") == 1
        assert trio.current_time() == pytest.approx(2 * WAIT + 5)


async def test_an_acknowledgement_that_never_comes(autojump_clock: MockClock) -> None:
    async with connect(Server()) as client:
        with pytest.raises(trio.TooSlowError, match="waited 3 s for an acknowledgement of 'ask'"):
            await client.call("ask", timeout=3)


async def test_a_join_that_nobody_answers(autojump_clock: MockClock) -> None:
    io = Server(connect_timeout=1000)

    @io.use
    async def think(socket: Socket) -> None:
        await trio.sleep_forever()

    text = "waited 60 s for an answer to joining '/'; nothing came"
    with pytest.raises(trio.TooSlowError, match=text):
        async with connect(io):
            raise AssertionError("it was let in")


async def test_a_server_that_takes_nothing(autojump_clock: MockClock) -> None:
    io = Server(max_inbox=1)

    @io.on("work")
    async def work(socket: Socket) -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(10 * WAIT)

    async with connect(io) as client:
        work_packet = Packet(PacketType.EVENT, "/", ["work"])
        for _ in range(3):  # one is handled, one waits, and the reader has one in its hand
            await client.send_packet(work_packet)
        with pytest.raises(trio.TooSlowError, match="waited 60 s for the server to take"):
            await client.send_packet(work_packet)


async def test_bytes_that_never_come(autojump_clock: MockClock) -> None:
    async with open_wire(Server(ping_timeout=1000)) as wire:
        session = await wire.handshake()
        websocket = await session.upgrade()
        with pytest.raises(trio.TooSlowError, match="waited 600 s for bytes of the server; unread"):
            await websocket.receive()


async def test_what_comes_in_time_is_not_touched(autojump_clock: MockClock) -> None:
    with within(2, "a second", lambda: "nothing"):
        await trio.sleep(1)
    with trio.move_on_after(1) as outer:
        with within(2, "for ever", lambda: "nothing"):
            await trio.sleep_forever()
    assert outer.cancelled_caught
