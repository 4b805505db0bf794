"""The subscriber: what it hears, how it notices that it does not, and what it says of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from tests.support.memory_redis import MemoryRedis, push
from trio_sio.adapters.memory import WORK_LIMIT
from trio_sio.adapters.redis.health import Gap, Health, Part
from trio_sio.adapters.redis.journal import Journal
from trio_sio.adapters.redis.link.backoff import FIRST_DELAY, MAX_DELAY, Backoff
from trio_sio.adapters.redis.link.connection import GRACE, Connection, ConnectionLost
from trio_sio.adapters.redis.subscriber import MESSAGE_WORK, Subscriber
from trio_sio.adapters.redis.subscriptions import Listener, Subscriptions

TIMEOUT = 5.0
MAX_EXACT = 3


class Stage:
    """A subscriber with one namespace, what it notes, and Redis."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.redis = MemoryRedis(nursery)
        self.journal = Journal()
        self.health = Health(lambda healthy: None)
        self.health.find(Part.PUBLISHER, "")
        self.connections: list[Connection] = []
        self.hearings: list[Gap | None] = []
        self.subscriber = Subscriber(
            self.redis,
            Subscriptions(MAX_EXACT),
            Backoff(lambda: 1.0),
            self.health,
            self.journal,
            on_connected=self.connections.append,
            on_hearing=self.hearings.append,
            subscribe_timeout=1.0,
            command_timeout=TIMEOUT,
        )
        self.nursery = nursery
        self.heard: list[bytes] = []
        self.work = 0
        self.listener = Listener(self.receive, [b"base#"], b"base#", b"base#*")
        self.subscriber.open(self.listener)

    def receive(self, channel: bytes, payload: bytes) -> int:
        if payload == b"bad":
            raise RuntimeError("a mistake")
        self.heard.append(payload)
        return self.work

    async def run(self) -> None:
        self.nursery.start_soon(self.subscriber.run)
        await settle()

    async def publish(self, channel: bytes, payload: bytes) -> None:
        await self.redis.publish(channel, payload)
        await settle()


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    async with trio.open_nursery() as nursery:
        yield Stage(nursery)
        nursery.cancel_scope.cancel()


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked()


async def test_what_is_wanted_is_heard(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        assert not on.subscriber.is_hearing
        await on.run()
        assert on.subscriber.is_hearing
        assert on.hearings == [None]
        assert on.connections[0].endpoint == on.subscriber.endpoint
        on.subscriber.add(on.listener, [b"base#r#"])
        await on.subscriber.wait()
        assert on.subscriber.subscriptions == 2
        await on.publish(b"base#r#", b"1")
        await on.publish(b"base#", b"2")
        await on.publish(b"base#other#", b"3")
        on.subscriber.discard(on.listener, [b"base#r#"])
        await on.subscriber.wait()
        await on.publish(b"base#r#", b"4")
        on.subscriber.close(on.listener)
        await on.subscriber.wait()
        await on.publish(b"base#", b"5")
        assert on.heard == [b"1", b"2"]


async def test_changes_of_one_tick_are_one_command(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        await on.run()
        on.subscriber.add(on.listener, [b"base#a#"])
        on.subscriber.add(on.listener, [b"base#b#"])
        await on.subscriber.wait()
        (_, command) = on.redis.peer("subscriber").commands
        assert command == (b"SUBSCRIBE", b"base#a#", b"base#b#")


async def test_wait_waits_for_the_confirmation_and_not_for_ever(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as on:
        await on.subscriber.wait()  # away
        await on.run()
        await on.subscriber.wait()  # nothing to wait for
        on.redis.silent.add("subscriber")
        on.subscriber.add(on.listener, [b"base#r#"])
        began = trio.current_time()
        on.nursery.start_soon(_confirm_later, on, b"base#r#")
        await on.subscriber.wait()
        assert trio.current_time() - began == pytest.approx(0.5)
        on.subscriber.add(on.listener, [b"base#s#"])
        await on.subscriber.wait()
        assert trio.current_time() - began == pytest.approx(1.5)
        assert "Redis has not confirmed subscriptions in 1 s" in caplog.text


async def _confirm_later(on: Stage, channel: bytes) -> None:
    await trio.sleep(0.5)
    await on.redis.peer("subscriber").send(push(b"subscribe", channel, 1))


async def test_wait_ends_with_the_connection(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        await on.run()
        on.redis.silent.add("subscriber")
        on.subscriber.add(on.listener, [b"base#r#"])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(on.subscriber.wait)
            await settle()
            began = trio.current_time()
            await on.redis.peer("subscriber").close()
        assert trio.current_time() == began


async def test_a_lost_connection_is_opened_again_and_the_gap_is_told(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as on:
        await on.run()
        on.subscriber.add(on.listener, [b"base#r#"])
        await on.subscriber.wait()
        heard = trio.current_time()
        await trio.sleep(3)
        await on.redis.peer("subscriber").close()
        await settle()
        assert not on.subscriber.is_hearing
        assert on.subscriber.subscriptions == 0
        await trio.sleep(FIRST_DELAY)
        await settle()
        assert on.subscriber.is_hearing
        (_, gap) = on.hearings
        assert gap is not None
        assert gap.began == pytest.approx(heard)
        assert gap.seconds == pytest.approx(3 + FIRST_DELAY)
        assert gap.cause == "Redis closed the connection"
        assert "Redis cannot be heard: Redis closed the connection" in caplog.text
        await on.publish(b"base#r#", b"again")
        assert on.heard == [b"again"]


async def test_a_redis_that_is_absent_at_the_start_is_a_gap_from_then_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        on.redis.refusal = ConnectionLost("no Redis")
        began = trio.current_time()
        await on.run()
        await on.health.wait_settled()
        await trio.sleep(20)
        on.redis.refusal = ConnectionLost("still none")
        await trio.sleep(20)
        on.redis.refusal = None
        await trio.sleep(MAX_DELAY)
        (gap,) = on.hearings
        assert gap is not None
        assert gap.began == pytest.approx(began)
        assert gap.cause == "no Redis"


async def test_one_failed_attempt_after_the_other_is_one_gap(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.run()
        await on.redis.peer("subscriber").close()
        on.redis.refusal = ConnectionLost("no Redis")
        await trio.sleep(30)
        on.redis.refusal = None
        await trio.sleep(MAX_DELAY)
        assert len(on.hearings) == 2
        assert on.hearings[1] is not None
        assert on.hearings[1].cause == "Redis closed the connection"


async def test_a_deaf_connection_is_replaced(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        on.subscriber.restart("nobody is connected")
        await on.run()
        on.subscriber.restart("it is deaf")
        on.subscriber.restart("another reason")
        await trio.sleep(MAX_DELAY)
        (_, gap) = on.hearings
        assert gap is not None
        assert gap.cause == "it is deaf"
        await on.publish(b"base#", b"x")
        assert on.heard == [b"x"]


async def test_subscriptions_that_are_not_confirmed_end_the_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        on.redis.silent.add("subscriber")
        began = trio.current_time()
        await on.run()
        await on.health.wait_settled()
        assert trio.current_time() - began == pytest.approx(TIMEOUT + GRACE)
        assert on.health.problem == (
            "Redis cannot be heard: Redis has not confirmed subscriptions in 5 s"
        )
        on.redis.silent.clear()
        await trio.sleep(MAX_DELAY)
        assert on.subscriber.is_hearing


async def test_a_held_event_loop_is_not_a_redis_that_hangs(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.run()
        on.redis.silent.add("subscriber")
        for number in range(MAX_EXACT):
            room = b"base#%d#" % number
            on.subscriber.add(on.listener, [room])
            await settle()
            await on.redis.peer("subscriber").send(push(b"subscribe", room, 1))
            autojump_clock.jump(2 * TIMEOUT)  # and the confirmation is there
            await settle()
        assert len(on.redis.opened) == 1


async def test_while_messages_come_confirmations_may_take_their_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.run()
        on.redis.silent.add("subscriber")
        on.subscriber.add(on.listener, [b"base#r#"])
        for _ in range(4):
            await trio.sleep(TIMEOUT - 1)
            await on.publish(b"base#", b"x")
        assert len(on.redis.opened) == 1
        await trio.sleep(2 * TIMEOUT)
        assert len(on.redis.opened) == 2


async def test_a_refused_subscription_is_told_and_not_hurried(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        on.redis.errors[b"SUBSCRIBE"] = b"NOPERM no channel"
        await on.run()
        await trio.sleep(10 * MAX_DELAY)
        assert (
            on.health.problem == "Redis cannot be heard: Redis refuses SUBSCRIBE: NOPERM no channel"
        )
        assert len(on.redis.opened) <= 11


async def test_without_patterns_all_goes_on(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as on:
        on.redis.errors[b"PSUBSCRIBE"] = b"NOPERM no pattern"
        await on.run()
        rooms = [b"base#%d#" % number for number in range(5)]
        on.subscriber.add(on.listener, rooms)
        await on.subscriber.wait()
        await settle()
        assert on.redis.peer("subscriber").channels == {b"base#", *rooms}
        assert "Redis refuses patterns" in caplog.text
        assert len(on.redis.opened) == 1


async def test_many_rooms_come_by_a_pattern(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        await on.run()
        rooms = [b"base#%d#" % number for number in range(5)]
        on.subscriber.add(on.listener, rooms)
        await on.subscriber.wait()
        await settle()
        peer = on.redis.peer("subscriber")
        assert (peer.channels, peer.patterns) == ({b"base#"}, {b"base#*"})
        await on.publish(rooms[0], b"room")
        await on.publish(b"base#", b"base")
        assert on.heard == [b"room", b"base"]


async def test_a_refusal_or_a_confirmation_of_nothing_ends_the_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    for data in (b"-ERR max number of clients reached\r\n", push(b"subscribe", b"x", 1)):
        async with stage() as on:
            await on.run()
            await on.redis.peer("subscriber").send(data)
            await trio.sleep(MAX_DELAY)
            assert len(on.redis.opened) == 2
            assert on.hearings[1] is not None


async def test_a_message_that_cannot_be_handled_is_counted(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as on:
        await on.run()
        await on.publish(b"base#", b"bad")
        await on.publish(b"base#", b"good")
        assert on.heard == [b"good"]
        assert on.journal.invalid == 1
        assert "a message from Redis could not be handled" in caplog.text
        caplog.clear()


async def test_all_of_one_read_is_passed_on_at_once_unless_it_is_much_work(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.run()
        seen: list[int] = []

        async def look() -> None:
            while True:
                seen.append(len(on.heard))
                await trio.lowlevel.checkpoint()

        on.nursery.start_soon(look)
        message = push(b"message", b"base#", b"x")
        await on.redis.peer("subscriber").send(10 * message)
        while len(on.heard) < 10:
            await trio.lowlevel.checkpoint()
        assert set(seen) <= {0, 10}
        seen.clear()
        on.work = WORK_LIMIT // 5 - MESSAGE_WORK + 1
        await on.redis.peer("subscriber").send(15 * message)
        while len(on.heard) < 25:
            await trio.lowlevel.checkpoint()
        assert set(seen) <= {10, 15, 20, 25}
        assert {15, 20} & set(seen)
