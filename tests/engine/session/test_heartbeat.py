"""Silence: the client's counts, ours does not."""

from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.engine.session.outboxes import make_outbox
from tests.support.held_loop import Counter
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.runtime.timers import Timers
from trio_sio.engine.session.heartbeat import STALL, beat
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import SessionState, Signal
from trio_sio.protocol.engineio.version import EIO3, EIO4, EngineVersion
from trio_sio.testing.transport import MemoryTransport

PING = EnginePacket(EnginePacketType.PING)


@dataclass
class Living:
    """A session whose patience is 30 seconds, and what becomes of it."""

    runtime: Runtime = field(default_factory=Runtime)
    is_listening: bool = True
    version: EngineVersion = EIO3
    timed_out: list[tuple[float, float]] = field(default_factory=list)
    pinged: list[float] = field(default_factory=list)
    interval: float = 25
    timeout: float = 5
    delays: list[float] = field(default_factory=list)  # of answers to its pings

    def __post_init__(self) -> None:
        now = trio.current_time()
        self.state = SessionState(self.interval, self.timeout, now, self.version)
        self.transport = MemoryTransport(100)
        self.outbox = make_outbox(self.transport)
        self.transport.attach(self.outbox)

    def ping(self) -> None:
        self.pinged.append(trio.current_time())
        self.state.ping(trio.current_time())
        if self.delays:
            self.runtime.timers.call_at(trio.current_time() + self.delays.pop(0), self.pong)

    def pong(self) -> None:
        self.state.receive(EnginePacket(EnginePacketType.PONG), trio.current_time())

    def time_out(self, silent: float) -> None:
        self.timed_out.append((trio.current_time(), silent))
        self.state.tick(trio.current_time())


async def live(session: Living, until: float) -> None:
    with trio.move_on_at(until):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.runtime.timers.run)
            await beat(session, session.runtime)
            nursery.cancel_scope.cancel()


async def test_packets_put_it_off(autojump_clock: MockClock) -> None:
    session = Living()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live, session, 1000)
        for _ in range(3):
            await trio.sleep(29)
            session.state.receive(PING, trio.current_time())
    assert session.timed_out == [(3 * 29 + 30, 30.0)]


async def test_where_the_server_pings(autojump_clock: MockClock) -> None:
    session = Living(version=EIO4)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live, session, 1000)
        await trio.sleep(27)
        session.state.receive(EnginePacket(EnginePacketType.PONG), trio.current_time())
    assert session.pinged == [25.0, 52.0]
    assert session.timed_out == [(57.0, 5.0)]


@pytest.mark.parametrize(
    ("interval", "limit", "delays"),
    [
        (25, 20, [0.5, 0.5, 19]),
        (10, 20, [0, 3, 11, 19.5, 1]),
        (1, 20, [0.5, 0.5, 1.5, 5, 19, 0]),
        (5, 60, [59, 0, 6]),
        (5, 5, [4.5, 0]),
    ],
)
async def test_each_ping_is_timed_by_the_answer_before(
    autojump_clock: MockClock, interval: float, limit: float, delays: list[float]
) -> None:
    """Whichever of both options is greater; at most a twentieth of the interval early."""
    session = Living(version=EIO4, interval=interval, timeout=limit, delays=[*delays])
    await live(session, 1000)
    due = interval
    for pinged, delay in zip(session.pinged, [*delays, limit], strict=True):
        assert due - interval / 20 <= pinged <= due
        due = pinged + delay + interval
    assert session.timed_out == [(session.pinged[-1] + limit, limit)]


async def test_a_handler_that_does_not_listen_hears_no_answer(autojump_clock: MockClock) -> None:
    session = Living(version=EIO4, is_listening=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live, session, 1000)
        await trio.sleep(101)
        session.is_listening = True  # the clock begins anew with the last look, at 100
    assert session.pinged == [25.0]
    assert session.timed_out == [(105.0, 5.0)]


async def test_who_is_not_listened_to_is_not_silent(autojump_clock: MockClock) -> None:
    session = Living(is_listening=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live, session, 1000)
        await trio.sleep(100)
        session.is_listening = True  # the clock begins anew with the last look, at 90
    assert session.timed_out == [(120.0, 30.0)]


async def test_who_takes_nothing_is_gone_all_the_same(autojump_clock: MockClock) -> None:
    session = Living(is_listening=False)
    session.outbox.stuck_since = 0.0
    await live(session, 1000)
    assert session.timed_out == [(30.0, 30.0)]


async def test_who_has_hung_up_is_gone_all_the_same(autojump_clock: MockClock) -> None:
    session = Living(is_listening=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live, session, 1000)
        await trio.sleep(70)
        session.transport.client_close()
    assert session.timed_out == [(90.0, 30.0)]


async def test_a_loop_that_stood_still_is_not_the_clients_silence(mock_clock: MockClock) -> None:
    session = Living()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live, session, 1000)
        await wait_all_tasks_blocked()
        mock_clock.jump(30 + 2 * STALL)  # as if nothing had run for so long
        await wait_all_tasks_blocked()
        assert session.timed_out == []
        mock_clock.jump(30)
        await wait_all_tasks_blocked()
    assert session.timed_out == [(60 + 2 * STALL, 60 + 2 * STALL)]


async def test_the_time_that_the_loop_was_held_does_not_count(
    counter: Counter, autojump_clock: MockClock
) -> None:
    autojump_clock.rate = 1.0  # as everywhere but in tests: what holds the loop takes time
    session = Living(runtime=Runtime(0.25))

    async def compute() -> None:
        """Hold the loop four times, each time for no longer than one would hardly notice."""
        for _ in range(4):
            await trio.sleep(5)
            counter.hold(4)
            await trio.lowlevel.checkpoint()

    with session.runtime.stalls.watching():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live, session, 1000)
            await compute()
    ((when, silent),) = session.timed_out
    assert when >= 30 + 4 * 4
    assert silent >= 30 + 4 * 4


async def test_what_was_lost_before_the_client_was_heard_is_over(
    counter: Counter, autojump_clock: MockClock
) -> None:
    autojump_clock.rate = 1.0
    session = Living(runtime=Runtime(0.25))
    with session.runtime.stalls.watching():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live, session, 1000)
            await trio.sleep(5)
            counter.hold(1000)
            await trio.sleep(5)
            session.state.receive(PING, trio.current_time())
    ((when, _),) = session.timed_out
    assert when < 1000


async def test_who_takes_nothing_has_the_lost_time_as_well(
    counter: Counter, autojump_clock: MockClock
) -> None:
    autojump_clock.rate = 1.0
    session = Living(is_listening=False, runtime=Runtime(0.25))
    session.outbox.stuck_since = 0.0
    with session.runtime.stalls.watching():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(live, session, 1000)
            await trio.sleep(1)
            counter.hold(10)
    ((when, _),) = session.timed_out
    assert when >= 40


async def test_a_session_that_ends_ends_it(autojump_clock: MockClock) -> None:
    session = Living()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live, session, 1000)
        await trio.sleep(10)
        session.state.signal(Signal.TRANSPORT_LOST)
    assert session.timed_out == []


# -- many sessions --------------------------------------------------------------------------------


class CountingTimers(Timers):
    """Timers that count how often they wake."""

    def __init__(self) -> None:
        super().__init__()
        self.wakes = 0

    def _call_until(self, now: float) -> None:
        self.wakes += 1
        super()._call_until(now)


class OnTheDot(SessionState):
    """The state of a session whose pings leave when they are due."""

    early = 0.0


class Answering(Living):
    """A client that answers each ping at once."""

    def ping(self) -> None:
        super().ping()
        self.state.receive(EnginePacket(EnginePacketType.PONG), trio.current_time())


async def beat_many(starts: list[float], rounds: int, kind: type[SessionState]) -> tuple[int, int]:
    """Return how often the timers woke, and how many pings left most at one moment."""
    runtime = Runtime()
    timers = runtime.timers = CountingTimers()
    pinged: list[float] = []
    origin = trio.current_time()

    async def one(start: float) -> None:
        await trio.sleep(start)
        session = Answering(runtime, version=EIO4)
        session.state = kind(25, 5, trio.current_time(), EIO4)
        await trio.lowlevel.checkpoint()
        with trio.move_on_at(origin + 26 + 25 * rounds):
            await beat(session, runtime)
        assert len(session.pinged) in (rounds, rounds + 1)
        assert session.timed_out == []
        pinged.append(session.pinged[-1])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        async with trio.open_nursery() as clients:
            for start in starts:
                clients.start_soon(one, start)
        nursery.cancel_scope.cancel()
    return timers.wakes, max(map(pinged.count, pinged))


async def test_pings_of_many_sessions_leave_together(autojump_clock: MockClock) -> None:
    starts = [number / 8 for number in range(200)]  # all over the interval
    before, _ = await beat_many(starts, 8, OnTheDot)
    wakes, _ = await beat_many(starts, 8, SessionState)
    assert before > 200 * 8
    assert wakes < 8 * (2 * 26) + len(starts)


async def test_those_of_a_mass_reconnect_do_not_stay_together(autojump_clock: MockClock) -> None:
    _, before = await beat_many([0.0] * 90, 8, OnTheDot)
    _, together = await beat_many([0.0] * 90, 8, SessionState)
    assert before == 90
    assert together <= 30
