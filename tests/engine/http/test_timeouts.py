"""The deadline of a connection: it moves without cost, and is looked at when it matters."""

import trio
from trio.testing import MockClock

from trio_sio.engine.http.timeouts import STOPPED, Phase, RequestTimer
from trio_sio.engine.runtime.timers import Timers

LIMITS = {Phase.HEAD: 10.0, Phase.BODY: 100.0, Phase.IDLE: 1000.0}


async def test_a_phase_that_lasts_too_long(autojump_clock: MockClock) -> None:
    timers, expired = Timers(), list[float]()
    clock = RequestTimer(timers, LIMITS, lambda: expired.append(trio.current_time()))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        clock.begin(Phase.IDLE)
        await trio.sleep(900)
        clock.begin(Phase.HEAD)  # its deadline comes before that of the call that is set
        await trio.sleep(9)
        clock.pause()
        await trio.sleep(500)
        clock.begin(Phase.BODY)
        await trio.sleep(99)
        clock.begin(Phase.BODY)
        assert (expired, clock.expired) == ([], None)
        await trio.sleep(200)
        assert expired == [900 + 9 + 500 + 99 + 100]
        assert clock.expired is Phase.BODY
        assert clock.limit(Phase.BODY) == 100.0
        clock.pause()
        assert len(timers) == 0
        nursery.cancel_scope.cancel()


async def test_many_requests_set_one_call(autojump_clock: MockClock) -> None:
    timers = Timers()
    clock = RequestTimer(timers, LIMITS, lambda: None)
    for _ in range(10):
        clock.begin(Phase.HEAD)
        clock.begin(Phase.IDLE)
        clock.pause()
    assert len(timers) == 1
    clock.stop()
    assert len(timers) == 0


async def test_without_an_alarm_there_are_no_limits() -> None:
    STOPPED.begin(Phase.HEAD)
    STOPPED.pause()
    STOPPED.stop()
    assert STOPPED.expired is None


def test_phases_are_named_by_their_options() -> None:
    names = {phase.value for phase in Phase}
    assert names == {"head_timeout", "body_timeout", "keep_alive_timeout", "answer_timeout"}
