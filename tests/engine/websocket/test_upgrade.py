"""From polling to WebSocket, step by step."""

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.refusals import told
from trio_sio.options import WSEngine
from trio_sio.testing.wire import WireClient, open_wire
from trio_sio.testing.wire_websocket import WebSocketClosed

pytestmark = pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])


MOVED = (
    '{"code":3,"message":"Bad request",'
    '"detail":"the session\'s transport is websocket, not polling"}'
)


async def echo(session: trio_sio.Session) -> None:
    while True:
        await session.send(await session.receive())


class Sessions:
    """A handler that keeps its sessions, their messages and the reasons of their ends."""

    def __init__(self) -> None:
        self.all: list[trio_sio.Session] = []
        self.heard: list[str | bytes] = []
        self.reasons: list[object] = []

    async def __call__(self, session: trio_sio.Session) -> None:
        self.all.append(session)
        try:
            while True:
                self.heard.append(await session.receive())
        finally:
            self.reasons.append(session.reason)


async def test_the_normal_sequence(ws_engine: WSEngine, autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), echo) as wire:
        session = await wire.handshake()
        await session.post("4by polling")
        assert await session.poll() == ["4by polling"]
        websocket = await session.upgrade()
        await websocket.send("4by websocket")
        assert await websocket.receive() == "4by websocket"
        assert wire.engine.sessions[session.sid].transport.name == "websocket"
        assert wire.engine.sessions[session.sid].upgraded
        response = await session.poll_response()
        assert (response.status, response.body) == (
            400,
            told(b'{"code":3,"message":"Bad request"}'),
        )


async def test_a_held_poll_is_let_go_after_a_tenth_of_a_second(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), echo) as wire:
        session = await wire.handshake()
        await session.probe()
        for number in (1, 2):
            assert await session.poll() == ["6"]
            assert trio.current_time() == pytest.approx(number / 10)


async def test_what_is_sent_meanwhile_leaves_in_order_and_once(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    sessions = Sessions()
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), sessions) as wire:
        session = await wire.handshake()
        websocket = await session.probe()
        ours = sessions.all[0]
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def poll() -> None:
                assert await session.poll() == ["4with the poll"]

            await wait_all_tasks_blocked()
            ours.send_nowait("with the poll")
        assert not ours.send_volatile("not now")
        for number in range(20):
            ours.send_nowait(f"{number}")
        await websocket.send("5")
        assert [await websocket.receive() for _ in range(20)] == [f"4{n}" for n in range(20)]
        ours.send_nowait("later")
        assert await websocket.receive() == "4later"


async def test_what_came_by_polling_comes_first(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    heard: list[str | bytes] = []

    async def slow(session: trio_sio.Session) -> None:
        while True:
            heard.append(await session.receive())
            await trio.sleep(1)

    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), slow) as wire:
        session = await wire.handshake()
        await session.post(*[f"4{number}" for number in range(5)])
        websocket = await session.upgrade()
        await websocket.send("4last")
        await trio.sleep(20)
    assert heard == ["0", "1", "2", "3", "4", "last"]


async def test_a_post_that_waits_for_a_busy_handler_does_not_keep_the_client_from_moving(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    """The handler waits for room in the outbox, which the client makes when it has moved."""
    heard: list[str | bytes] = []

    async def talkative(session: trio_sio.Session) -> None:
        while True:
            heard.append(await session.receive())
            for number in range(3):
                await session.send(f"{number}")

    engine = trio_sio.Engine(ws_engine=ws_engine, max_outbox=1)
    async with open_wire(engine, talkative) as wire:
        session = await wire.handshake()
        await session.post("4a", "4b")
        websocket = await session.probe()
        await session.post("4c")  # answered though nobody has read it
        assert heard == ["a"]
        await websocket.send("5")
        assert [await websocket.receive() for _ in range(9)] == ["40", "41", "42"] * 3
        assert heard == ["a", "b", "c"]


async def test_one_can_wait_for_what_came_by_polling_and_then_by_websocket(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    heard: list[str | bytes] = []

    async def slow(session: trio_sio.Session) -> None:
        while True:
            heard.append(await session.receive())
            await trio.sleep(5)

    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), slow) as wire:
        session = await wire.handshake()
        await session.post("4a")
        websocket = await session.probe()
        await session.post("4b", "4c")
        await websocket.send("5")
        await websocket.send("4d")
        assert heard == ["a"]
        await wire.engine.sessions[session.sid].wait_heard()
        assert heard == ["a", "b", "c", "d"]


async def test_an_upgrade_without_a_probe(ws_engine: WSEngine, autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), echo) as wire:
        session = await wire.handshake()
        websocket = await session.open_websocket()
        await websocket.send("5")
        await websocket.send("4a")
        assert await websocket.receive() == "4a"


async def test_a_poll_that_is_held_when_the_client_moves_is_refused(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    """By the reference server it gets a CLOSE, which another client may take for the end."""
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), echo) as wire:
        session = await wire.handshake()
        websocket = await session.probe()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def poll() -> None:
                response = await session.poll_response()
                assert (response.status, response.text) == (400, MOVED)

            await wait_all_tasks_blocked()
            await websocket.send("5")
        await websocket.send("4a")
        assert await websocket.receive() == "4a"


async def test_a_probe_is_answered_as_often_as_it_is_sent(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), echo) as wire:
        session = await wire.handshake()
        websocket = await session.open_websocket()
        for _ in range(3):
            await websocket.send("2probe")
            assert await websocket.receive() == "3probe"
        await websocket.send("5")
        await websocket.send("4a")
        assert await websocket.receive() == "4a"


async def still_polls(wire: WireClient, sid: str) -> bool:
    session = wire.engine.sessions[sid]
    return session.transport.name == "polling" and session.probe is None


@pytest.mark.parametrize("packet", ["2", "2other", "4a", "3probe", "x", b"\x02probe", "6"])
async def test_anything_else_on_the_probe_closes_it_alone(
    packet: str | bytes, ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), echo) as wire:
        session = await wire.handshake()
        websocket = await session.open_websocket()
        await websocket.send(packet)
        with pytest.raises(WebSocketClosed) as closed:
            await websocket.receive()
        assert closed.value.code is None
        assert await still_polls(wire, session.sid)
        await session.post("4on polling")
        assert await session.poll() == ["4on polling"]
        again = await session.upgrade()
        await again.send("4a")
        assert await again.receive() == "4a"


async def test_a_probe_takes_too_long(ws_engine: WSEngine, autojump_clock: MockClock) -> None:
    engine = trio_sio.Engine(ws_engine=ws_engine, upgrade_timeout=3)
    async with open_wire(engine, echo) as wire:
        session = await wire.handshake()
        websocket = await session.probe()
        with pytest.raises(WebSocketClosed):
            await websocket.receive()
        assert trio.current_time() == 3.0
        assert await still_polls(wire, session.sid)
        await session.post("4on polling")
        assert await session.poll() == ["4on polling"]


async def test_a_probe_is_lost(ws_engine: WSEngine, autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), echo) as wire:
        session = await wire.handshake()
        await (await session.probe()).aclose()
        await trio.sleep(1)
        assert await still_polls(wire, session.sid)


async def test_only_one_at_a_time(ws_engine: WSEngine, autojump_clock: MockClock) -> None:
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), echo) as wire:
        session = await wire.handshake()
        first = await session.probe()
        for _ in range(2):
            other = await session.open_websocket()
            with pytest.raises(WebSocketClosed) as closed:
                await other.receive()
            assert closed.value.code is None
            if await still_polls(wire, session.sid):
                raise AssertionError("the first probe was disturbed")
            await first.send("5")
            await wait_all_tasks_blocked()
        await first.send("4a")
        assert await first.receive() == "4a"


End = Callable[[trio_sio.Session], None]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda session: session.abort(trio_sio.DisconnectReason.SLOW_CONSUMER), "slow consumer"),
        (lambda session: session.overlap("GET"), "transport error"),
    ],
)
async def test_the_session_ends_meanwhile(
    end: End, reason: str, ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    sessions = Sessions()
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), sessions) as wire:
        session = await wire.handshake()
        websocket = await session.probe()
        end(sessions.all[0])
        with pytest.raises(WebSocketClosed):
            await websocket.receive()
        await trio.sleep(1)
        assert sessions.reasons == [reason]
        assert wire.engine.sessions == {}


@pytest.mark.parametrize("probes", [True, False], ids=["probe", "no-probe"])
@pytest.mark.parametrize("ticks", range(8))
async def test_the_session_ends_in_the_tick_of_the_upgrade(
    ticks: int, probes: bool, ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    """Whichever turn of the loop it is, the upgrade's task ends quietly."""
    sessions = Sessions()
    engine = trio_sio.Engine(ws_engine=ws_engine, raise_errors=True)
    async with open_wire(engine, sessions) as wire:
        session = await wire.handshake()
        websocket = await (session.probe() if probes else session.open_websocket())
        await websocket.send("5")
        for _ in range(ticks):
            await trio.lowlevel.checkpoint()
        sessions.all[0].abort(trio_sio.DisconnectReason.SLOW_CONSUMER)
        with pytest.raises(WebSocketClosed):
            await websocket.receive()
        await trio.sleep(60)  # we do not answer the close frame
        assert sessions.reasons == ["slow consumer"]
        assert wire.engine.sessions == {}


async def test_a_session_being_closed_sends_its_last_words_to_where_the_client_goes(
    ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    sessions = Sessions()
    async with open_wire(trio_sio.Engine(ws_engine=ws_engine), sessions) as wire:
        session = await wire.handshake()
        websocket = await session.probe()
        ours = sessions.all[0]
        ours.send_nowait("goodbye")
        ours.close()
        await websocket.send("5")
        assert await websocket.receive() == "4goodbye"
        assert await websocket.receive_close() is None
        await trio.sleep(10)
        assert wire.engine.sessions == {}
