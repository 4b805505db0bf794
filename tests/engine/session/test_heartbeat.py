"""Silence: the client's counts, ours does not."""

from dataclasses import dataclass, field

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.engine.session.outboxes import make_outbox
from tests.support.held_loop import Counter
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.heartbeat import STALL, beat
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import SessionState, Signal
from trio_sio.testing.transport import MemoryTransport

PING = EnginePacket(EnginePacketType.PING)


@dataclass
class Living:
    """A session whose patience is 30 seconds, and what becomes of it."""

    runtime: Runtime = field(default_factory=Runtime)
    is_listening: bool = True
    timed_out: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = SessionState(25, 5, trio.current_time())
        self.transport = MemoryTransport(100)
        self.outbox = make_outbox(self.transport)
        self.transport.attach(self.outbox)

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
