"""The life of a session: what its outbox asks for, upgrades, and its tasks."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
import trio
from trio.testing import MockClock

from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.lifecycle import Lifecycle
from trio_sio.engine.session.log import CloseRecord, SessionLog
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import EngineOptions
from trio_sio.protocol.engineio.state import State
from trio_sio.protocol.engineio.version import EIO3
from trio_sio.testing.transport import MemoryTransport

LOST = DisconnectReason.TRANSPORT_CLOSE
SLOW = DisconnectReason.SLOW_CONSUMER
FULL = Explanation("12 packets wait", "max_outbox", 11, 12)


@pytest.fixture(autouse=True)
def talkative(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "trio_sio")


@dataclass
class Living:
    """A session, as far as its lifecycle cares."""

    lifecycle: Lifecycle
    is_listening: bool = True

    def __post_init__(self) -> None:
        self.state, self.outbox = self.lifecycle.state, self.lifecycle.outbox

    def ping(self) -> None:
        raise AssertionError("the client pings")

    def time_out(self, silent: float) -> None:
        self.lifecycle.time_out(silent)


class Probed:
    """A WebSocket that is tried."""

    def __init__(self) -> None:
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1

    async def settle(self) -> None: ...


def make(runtime: Runtime | None = None, **options: float) -> Lifecycle:
    transport = MemoryTransport(10)
    record = CloseRecord("abcdefgh", SessionLog(LogThrottle()))
    made = EngineOptions(**options)  # type: ignore[arg-type]  # by name
    lifecycle = Lifecycle(transport, made, runtime or Runtime(), record, EIO3)
    transport.attach(lifecycle.outbox)
    return lifecycle


async def run(lifecycle: Lifecycle, handler: Callable[[Living], Awaitable[object]]) -> None:
    await lifecycle.run(Living(lifecycle), handler, None)


async def test_a_slow_consumer_is_disconnected_and_told_why() -> None:
    lifecycle = make()
    lifecycle.slow_consumer(FULL)
    assert lifecycle.state.is_closed
    detail = lifecycle.record.detail
    assert detail is not None
    assert (detail.reason, detail.option, detail.limit) == (SLOW, "max_outbox", 11)


async def test_limits_that_end_nothing_are_counted() -> None:
    lifecycle = make()
    assert lifecycle.limits is None
    for option in ("max_outbox", "max_inbox", "max_outbox"):
        lifecycle.count_limit(option)
    assert lifecycle.limits == {"max_outbox": 2, "max_inbox": 1}
    assert lifecycle.state.is_open


async def test_backlogs_are_told_to_whom_wants_to_know() -> None:
    lifecycle, told = make(), list[bool]()
    lifecycle.backlog_changed(True)
    lifecycle.on_backlog(told.append)
    lifecycle.backlog_changed(False)
    assert told == [False]


async def test_it_lasts_as_long_as_the_handler_and_its_tasks(autojump_clock: MockClock) -> None:
    lifecycle, done = make(), list[float]()

    async def work() -> None:
        await trio.sleep(5)
        done.append(trio.current_time())

    async def handler(session: Living) -> None:
        session.lifecycle.nursery.start_soon(work)

    await run(lifecycle, handler)
    assert (done, trio.current_time()) == ([5.0], 5.0)
    assert lifecycle.state.is_closed
    assert lifecycle.state.reason is DisconnectReason.FORCED_CLOSE
    await lifecycle.wait_application_done()
    await lifecycle.wait_ended()


async def test_what_failed_is_raised_at_the_end(autojump_clock: MockClock) -> None:
    lifecycle, error = make(), ZeroDivisionError()

    async def handler(session: Living) -> None:
        lifecycle.flush_failed(error)
        raise KeyError

    with pytest.RaisesGroup(ZeroDivisionError, KeyError, flatten_subgroups=True):
        await run(lifecycle, handler)
    detail = lifecycle.record.detail
    assert detail is not None
    assert detail.text == "its on_backlog function or its transport failed"


async def test_whoever_joins_nothing_is_closed(autojump_clock: MockClock) -> None:
    for joins in (False, True):
        runtime = Runtime()
        lifecycle = make(runtime, connect_timeout=10)
        async with trio.open_nursery() as nursery:
            await nursery.start(runtime.run)
            with trio.move_on_after(20) as scope:
                if joins:
                    nursery.start_soon(_join_after, 5, lifecycle)
                await run(lifecycle, rest)
            nursery.cancel_scope.cancel()
        assert scope.cancelled_caught is joins
        detail = lifecycle.record.detail
        assert detail is not None
        assert (detail.option == "connect_timeout") is not joins


async def rest(session: Living) -> None:
    await trio.sleep_forever()


async def _join_after(seconds: float, lifecycle: Lifecycle) -> None:
    await trio.sleep(seconds)
    lifecycle.joined()


async def test_a_probe_is_cancelled_by_the_end_and_by_nothing_else() -> None:
    lifecycle, probe = make(), Probed()
    lifecycle.begin_upgrade(probe)
    assert lifecycle.probe is probe
    assert lifecycle.state.state is State.UPGRADING
    lifecycle.close()
    assert probe.cancelled == 0  # what is queued may still leave by the WebSocket
    lifecycle.abort(LOST)
    assert probe.cancelled == 1
    assert not lifecycle.finish_upgrade()
    assert lifecycle.probe is None


@pytest.mark.parametrize("moves", [True, False])
async def test_an_upgrade_succeeds_or_changes_nothing(moves: bool) -> None:
    lifecycle = make()
    lifecycle.begin_upgrade(Probed())
    if moves:
        assert lifecycle.finish_upgrade()
    else:
        lifecycle.abandon_upgrade()
    assert (lifecycle.state.state, lifecycle.probe) == (State.OPEN, None)
