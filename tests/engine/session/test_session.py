"""A session's life: messages, heartbeat, closing, and what its handler may do."""

import logging

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from trio_sio.testing.wire import open_wire


class Sessions:
    """A handler that keeps its sessions and the reasons of their ends, with the time."""

    def __init__(self) -> None:
        self.all: list[trio_sio.Session] = []
        self.ends: list[tuple[object, float]] = []

    async def __call__(self, session: trio_sio.Session) -> None:
        self.all.append(session)
        try:
            while True:
                await session.receive()
        finally:
            self.ends.append((session.reason, trio.current_time()))


async def test_a_silent_client_is_given_up(autojump_clock: MockClock) -> None:
    sessions = Sessions()
    engine = trio_sio.Engine(ping_interval=10, ping_timeout=5)
    async with open_wire(engine, sessions) as wire:
        polling = await wire.handshake()
        websocket = await wire.websocket()
        await websocket.receive()
        assert await polling.poll() == ["1"]
        assert trio.current_time() == 15.0
        assert await websocket.receive_close() is None
        assert sessions.ends == [("ping timeout", 15.0)] * 2
        await websocket.aclose()
        await trio.sleep(1)
        assert engine.sessions == {}


@pytest.mark.parametrize("packet", ["2", "2data", "4", "3", "6", "0", "5", b"\x07"])
async def test_any_packet_is_a_sign_of_life(packet: str | bytes, autojump_clock: MockClock) -> None:
    sessions = Sessions()
    async with open_wire(trio_sio.Engine(), sessions) as wire:
        websocket = await wire.websocket()
        await trio.sleep(20)
        await websocket.send(packet)
        await trio.sleep(29)
        assert sessions.ends == []
        await trio.sleep(2)
        assert sessions.ends == [("ping timeout", 50.0)]


async def test_a_held_poll_is_no_sign_of_life(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(), Sessions()) as wire:
        session = await wire.handshake()
        await trio.sleep(20)
        assert await session.poll() == ["1"]
        assert trio.current_time() == 30.0


async def test_a_pong_has_no_data(autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(), Sessions()) as wire:
        session = await wire.handshake()
        await session.post("2probe")
        assert await session.poll() == ["3"]


async def test_a_client_is_not_blamed_for_a_slow_handler(autojump_clock: MockClock) -> None:
    ends: list[tuple[object, float]] = []

    async def slow(session: trio_sio.Session) -> None:
        try:
            while True:
                await session.receive()
                await trio.sleep(100)
        finally:
            ends.append((session.reason, trio.current_time()))

    async with open_wire(trio_sio.Engine(), slow) as wire:
        websocket = await wire.websocket()
        await websocket.send("4work")
        for _ in range(4):  # pings that nobody reads while the handler is busy
            await trio.sleep(25)
            await websocket.send("2")
        assert ends == []
        await trio.sleep(200)
        assert [reason for reason, _ in ends] == ["ping timeout"]
        assert ends[0][1] > 100


async def test_a_client_that_takes_nothing_is_found_though_the_handler_waits_for_it(
    autojump_clock: MockClock,
) -> None:
    ends: list[tuple[object, float]] = []

    async def fill(session: trio_sio.Session) -> None:
        try:
            await session.receive()
            while True:
                await session.send("x" * 1000)
        finally:
            ends.append((session.reason, trio.current_time()))

    async with open_wire(trio_sio.Engine(max_outbox=3), fill) as wire:
        session = await wire.handshake()
        await session.post("4go")
        await trio.sleep(200)
        assert [reason for reason, _ in ends] == ["ping timeout"]
        assert ends[0][1] <= 60.0


async def test_closing_sends_what_waits_first(autojump_clock: MockClock) -> None:
    async def leave(session: trio_sio.Session) -> None:
        for number in range(3):
            session.send_nowait(f"{number}")
        session.close()
        with pytest.raises(trio_sio.Disconnected):
            await session.send("too late")
        with pytest.raises(trio_sio.Disconnected):
            session.send_nowait("too late")
        with pytest.raises(trio_sio.Disconnected):
            await session.receive()

    async with open_wire(trio_sio.Engine(raise_errors=True), leave) as wire:
        websocket = await wire.websocket()
        assert [await websocket.receive() for _ in range(4)][1:] == ["40", "41", "42"]
        assert await websocket.receive_close() is None


async def test_closing_a_poller_takes_two_polls(autojump_clock: MockClock) -> None:
    sessions = Sessions()
    async with open_wire(trio_sio.Engine(), sessions) as wire:
        session = await wire.handshake()
        sessions.all[0].send_nowait("last")
        sessions.all[0].close()
        await session.post("4ignored")
        assert await session.poll() == ["4last"]
        assert await session.poll() == ["6", "1"]
        assert (await session.poll_response()).status == 400
        assert sessions.ends == [("forced close", 0.0)]


async def test_closing_with_a_poll_held(autojump_clock: MockClock) -> None:
    sessions = Sessions()
    async with open_wire(trio_sio.Engine(), sessions) as wire:
        session = await wire.handshake()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def poll() -> None:
                assert await session.poll() == ["1"]

            await wait_all_tasks_blocked()
            sessions.all[0].close()


async def test_a_client_leaves_by_polling(autojump_clock: MockClock) -> None:
    sessions = Sessions()
    async with open_wire(trio_sio.Engine(), sessions) as wire:
        session = await wire.handshake()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def poll() -> None:
                assert await session.poll() == ["6"]

            await wait_all_tasks_blocked()
            await session.post("1", "4ignored")
        assert sessions.ends == [("transport close", 0.0)]
        assert wire.engine.sessions == {}


async def test_malformed_payloads_end_it(autojump_clock: MockClock) -> None:
    sessions = Sessions()
    async with open_wire(trio_sio.Engine(), sessions) as wire:
        session = await wire.handshake()
        response = await session.post_body(b"nonsense")
        assert (response.status, response.body) == (200, b"ok")
        await trio.sleep(1)
        assert sessions.ends == [("parse error", 0.0)]


async def test_a_handler_that_returns_ends_its_session(autojump_clock: MockClock) -> None:
    async def brief(session: trio_sio.Session) -> None:
        await session.send("bye")

    async with open_wire(trio_sio.Engine(), brief) as wire:
        websocket = await wire.websocket()
        await websocket.receive()
        assert await websocket.receive() == "4bye"
        assert await websocket.receive_close() is None
        session = await wire.handshake()  # answered though nobody ever receives
        assert session.first == ["4bye"]


async def test_a_handler_that_fails_is_logged_and_hurts_nobody(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def handler(session: trio_sio.Session) -> None:
        while True:
            if await session.receive() == "boom":
                raise KeyError("a")
            await session.send("fine")

    async with open_wire(trio_sio.Engine(), handler) as wire:
        first, second = await wire.websocket(), await wire.websocket()
        for websocket in (first, second):
            await websocket.receive()
        await first.send("4boom")
        assert await first.receive_close() is None
        await second.send("4a")
        assert await second.receive() == "4fine"
    (record,) = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert record.name == "trio_sio.engine"


async def test_tasks_of_a_session_may_outlive_receive(autojump_clock: MockClock) -> None:
    done: list[float] = []

    async def after(session: trio_sio.Session) -> None:
        await trio.sleep(3)
        assert session.closed
        done.append(trio.current_time())

    async def handler(session: trio_sio.Session) -> None:
        session.nursery.start_soon(after, session)
        await session.receive()

    async with open_wire(trio_sio.Engine(raise_errors=True), handler) as wire:
        websocket = await wire.websocket()
        await websocket.receive()
        await websocket.close()
        await trio.sleep(10)
        assert done == [3.0]
        assert wire.engine.sessions == {}


async def test_what_need_not_wait_does_not_overtake_what_waits(autojump_clock: MockClock) -> None:
    """Though there would be room for it, since it is smaller."""
    story: list[str] = []

    async def handle(session: trio_sio.Session) -> None:
        await session.receive()
        await session.send("a" * 90)
        session.nursery.start_soon(session.send, "b" * 50)
        await wait_all_tasks_blocked()
        with pytest.raises(trio.WouldBlock):
            session.send_nowait("c")
        story.append("it would block")
        await session.receive()
        session.send_nowait("c")
        await session.receive()

    engine = trio_sio.Engine(max_outbox_bytes=100, raise_errors=True)
    async with open_wire(engine, handle) as wire:
        session = await wire.handshake()
        await session.post("4")
        await trio.sleep(1)
        assert story == ["it would block"]
        heard = await session.poll()
        await session.post("4")
        while len(heard) < 3:
            heard += await session.poll()
        assert heard == ["4" + "a" * 90, "4" + "b" * 50, "4c"]
