"""The publisher: its queue, what it does while Redis is away, and how it finds that Redis hangs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
import trio
import trio.testing

from tests.support.memory_redis import ENDPOINT, MemoryRedis
from trio_sio.adapters.redis.health import Health
from trio_sio.adapters.redis.journal import Journal
from trio_sio.adapters.redis.link.backoff import FIRST_DELAY, MAX_DELAY, Backoff
from trio_sio.adapters.redis.link.connection import GRACE, Connection, ConnectionLost
from trio_sio.adapters.redis.link.resp import ErrorReply, pack_publish
from trio_sio.adapters.redis.publisher import WINDOW_BYTES, Publisher

MAX_BYTES = 10_000
TIMEOUT = 5.0
KILO = bytes(1000)
SIZE = len(pack_publish(b"c", KILO))


class Stage:
    """A publisher, what it notes, and Redis."""

    def __init__(self, nursery: trio.Nursery, max_bytes: int = MAX_BYTES) -> None:
        self.redis = MemoryRedis(nursery)
        self.journal = Journal()
        self.health = Health(lambda healthy: None)
        self.connections: list[Connection] = []
        self.publisher = Publisher(
            self.redis,
            Backoff(lambda: 1.0),
            self.health,
            self.journal,
            on_connected=self.connections.append,
            max_bytes=max_bytes,
            command_timeout=TIMEOUT,
        )
        self.nursery = nursery

    async def run(self) -> None:
        self.nursery.start_soon(self.publisher.run)
        await trio.testing.wait_all_tasks_blocked()

    def received(self) -> list[bytes]:
        """The messages that Redis has got on its present connection."""
        commands = self.redis.peer("publisher").commands
        return [words[2] for words in commands if words[0] == b"PUBLISH"]


@asynccontextmanager
async def stage(max_bytes: int = MAX_BYTES) -> AsyncIterator[Stage]:
    async with trio.open_nursery() as nursery:
        yield Stage(nursery, max_bytes)
        nursery.cancel_scope.cancel()


async def settle() -> None:
    await trio.testing.wait_all_tasks_blocked()


async def test_messages_arrive_in_order_and_in_one_piece(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.run()
        assert on.health.problem != ""  # the subscriber's and the probe's
        assert on.connections[0].endpoint == on.publisher.endpoint
        for number in range(5):
            await on.publisher.publish(b"c", b"%d" % number)
        assert on.redis.peer("publisher").commands == []  # one send for all of them
        await settle()
        assert on.received() == [b"0", b"1", b"2", b"3", b"4"]
        assert on.journal.published == 5
        assert on.publisher.queued_bytes == 0


async def test_what_is_queued_while_redis_is_away_is_sent_when_it_comes(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        on.redis.refusal = ConnectionLost("no Redis")
        await on.run()
        assert on.health.problem == "Redis cannot be reached: no Redis"
        await on.publisher.publish(b"c", b"a")
        assert on.publisher.publish_nowait(b"c", b"b")
        assert await on.publisher.ask(b"PUBSUB", b"NUMSUB", b"c") is None
        on.redis.refusal = None
        await trio.sleep(MAX_DELAY)
        assert on.received() == [b"a", b"b"]
        assert on.journal.dropped == 0


async def test_while_redis_is_away_the_oldest_messages_are_dropped(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as on:
        on.redis.refusal = ConnectionLost("no Redis")
        await on.run()
        for number in range(15):
            await on.publisher.publish(b"c", b"%d" % (number % 10) + KILO[1:])
        assert on.publisher.queued_bytes <= MAX_BYTES
        assert on.journal.dropped == 6
        on.redis.refusal = None
        await trio.sleep(MAX_DELAY)
        assert b"".join(payload[:1] for payload in on.received()) == b"678901234"
        assert "messages for other servers were dropped while Redis was away" in caplog.text


async def test_a_message_larger_than_the_queue_is_not_kept_while_redis_is_away(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.publisher.publish(b"c", bytes(MAX_BYTES))
        assert (on.publisher.queued_bytes, on.journal.dropped) == (0, 1)
        await on.run()
        await on.publisher.publish(b"c", bytes(MAX_BYTES))  # but it may go alone
        await settle()
        assert len(on.received()) == 1


async def test_while_connected_whoever_publishes_waits_for_room(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        on.redis.silent.add("publisher")
        await on.run()
        for _ in range(9):
            await on.publisher.publish(b"c", KILO)
        done: list[str] = []

        async def publish(name: str, payload: bytes) -> None:
            await on.publisher.publish(b"c", payload)
            done.append(name)

        for name, payload in [("large", KILO), ("small", b""), ("large, too", KILO)]:
            on.nursery.start_soon(publish, name, payload)
            await settle()
        assert done == []  # a small one does not overtake
        assert not on.publisher.publish_nowait(b"c", b"")
        assert on.journal.dropped == 1
        peer = on.redis.peer("publisher")
        await peer.send(b":1\r\n")
        await settle()
        assert done == ["large", "small"]
        await peer.send(b":1\r\n" * 2)
        await settle()
        assert done == ["large", "small", "large, too"]


async def test_there_is_room_for_what_would_not_wait(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        assert on.publisher.has_room(b"c", bytes(MAX_BYTES))  # it may go alone
        for _ in range(20):
            assert on.publisher.has_room(b"c", KILO)  # Redis is away: the oldest are dropped
            await on.publisher.publish(b"c", KILO)
    async with stage() as on:
        on.redis.silent.add("publisher")
        await on.run()
        for rest in range(MAX_BYTES // SIZE, 0, -1):
            assert on.publisher.has_room(b"c", bytes(len(KILO) * rest))
            await on.publisher.publish(b"c", KILO)
        assert not on.publisher.has_room(b"c", KILO)
        assert on.publisher.has_room(b"c", b"")
        on.nursery.start_soon(on.publisher.publish, b"c", KILO)
        await settle()
        assert not on.publisher.has_room(b"c", b"")  # somebody waits: nothing overtakes
        assert on.journal.dropped == 0


async def test_so_much_is_sent_without_an_answer(autojump_clock: trio.testing.MockClock) -> None:
    async with stage(max_bytes=10 * WINDOW_BYTES) as on:
        on.redis.silent.add("publisher")
        await on.run()
        half = bytes(WINDOW_BYTES // 2)
        for _ in range(6):
            await on.publisher.publish(b"c", half)
        await settle()
        assert len(on.received()) == 2
        await on.redis.peer("publisher").send(b":1\r\n")
        await settle()
        assert len(on.received()) == 3


async def test_questions_are_answered_in_their_order(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        on.redis.errors[b"BAD"] = b"ERR no"
        await on.run()
        await on.publisher.publish(b"c", b"x")
        assert await on.publisher.ask(b"PUBSUB", b"NUMSUB", b"c") == [b"c", 0]
        assert await on.publisher.ask(b"BAD") == ErrorReply("ERR", "ERR no")
        with trio.move_on_after(0):
            await on.publisher.ask(b"BAD")  # its answer is for nobody
        assert await on.publisher.ask(b"PUBSUB", b"NUMSUB", b"d") == [b"d", 0]


async def test_a_redis_that_hangs_is_given_up(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as on:
        await on.run()
        on.redis.silent.add("publisher")
        await on.publisher.publish(b"c", b"lost")
        async with trio.open_nursery() as nursery:
            began = trio.current_time()
            nursery.start_soon(on.publisher.publish, b"c", b"lost, too")
            assert await on.publisher.ask(b"PUBSUB", b"NUMSUB", b"c") is None
            assert trio.current_time() - began == pytest.approx(TIMEOUT + GRACE)
        assert on.health.problem == "Redis cannot be reached: Redis has not answered in 5 s"
        assert on.journal.dropped == 2
        assert (
            "messages for other servers were sent and not confirmed, and may be lost: 2"
            in caplog.text
        )
        on.redis.silent.clear()
        await on.publisher.publish(b"c", b"later")
        await trio.sleep(MAX_DELAY)
        assert on.received() == [b"later"]


async def test_as_long_as_something_comes_redis_does_not_hang(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        on.redis.silent.add("publisher")
        await on.run()
        for _ in range(4):
            await on.publisher.publish(b"c", b"x")
        for _ in range(4):
            await trio.sleep(TIMEOUT - 1)
            await on.redis.peer("publisher").send(b":1\r\n")
        await trio.sleep(10 * TIMEOUT)  # with nothing owed, nothing has to come
        assert len(on.redis.opened) == 1
        assert on.journal.published == 4


class Blocked:
    """Opens connections whose other end takes nothing."""

    def __init__(self) -> None:
        self.ends: list[trio.abc.Stream] = []

    async def open(self, role: str) -> Connection:
        await trio.lowlevel.checkpoint()
        ours, theirs = trio.testing.lockstep_stream_pair()
        self.ends.append(theirs)
        return Connection(ours, ENDPOINT, 100)


async def test_a_held_event_loop_is_not_a_redis_that_hangs(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        on.redis.silent.add("publisher")
        await on.run()
        for number in range(1, 11):
            await on.publisher.publish(b"c", b"x")
            await settle()
            await on.redis.peer("publisher").send(b":1\r\n")
            autojump_clock.jump(2 * TIMEOUT)  # and the answer is there
            await settle()
            assert on.journal.published == number
        assert len(on.redis.opened) == 1


async def test_a_stream_that_takes_nothing_hangs_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    blocked = Blocked()
    publisher = Publisher(
        blocked,
        Backoff(lambda: 1.0),
        Health(lambda healthy: None),
        Journal(),
        on_connected=lambda connection: None,
        max_bytes=MAX_BYTES,
        command_timeout=TIMEOUT,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(publisher.run)
        await settle()
        assert await publisher.ask(b"PUBSUB") is None
        await trio.sleep(MAX_DELAY)
        assert len(blocked.ends) == 2
        nursery.cancel_scope.cancel()


async def test_attempts_back_off_and_a_refusal_is_not_hurried(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        on.redis.refusal = ConnectionLost("no Redis")
        await on.run()
        await trio.sleep(FIRST_DELAY * 7.5)
        times = [time for _, time in on.redis.opened]
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert gaps == pytest.approx([FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY])
        on.redis.refusal = ConnectionLost("wrong password", is_refusal=True)
        on.redis.opened.clear()
        await trio.sleep(10 * MAX_DELAY)
        assert 9 <= len(on.redis.opened) <= 11
        assert on.health.problem == "Redis cannot be reached: wrong password"


@pytest.mark.parametrize("code", ["READONLY", "LOADING", "MASTERDOWN", "NOAUTH"])
async def test_a_server_that_is_the_wrong_one_is_left(
    autojump_clock: trio.testing.MockClock, code: str
) -> None:
    async with stage() as on:
        await on.run()
        on.redis.errors[b"PUBLISH"] = f"{code} some words".encode()
        await on.publisher.publish(b"c", b"x")
        await settle()
        assert f"Redis refuses commands: {code} some words" in on.health.problem
        on.redis.errors.clear()
        await trio.sleep(MAX_DELAY)
        await on.publisher.publish(b"c", b"y")
        await settle()
        assert on.received() == [b"y"]
        assert on.journal.dropped == 1


@pytest.mark.parametrize("code", ["NOPERM", "OOM", "ERR"])
async def test_a_message_that_is_refused_is_counted_and_told(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture, code: str
) -> None:
    async with stage() as on:
        await on.run()
        on.redis.errors[b"PUBLISH"] = f"{code} some words".encode()
        await on.publisher.publish(b"c", b"x")
        await settle()
        assert (on.journal.dropped, on.journal.published) == (1, 0)
        assert f"Redis refuses a command: {code} some words" in caplog.text
        assert len(on.redis.opened) == 1


async def test_an_answer_to_nothing_ends_the_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with stage() as on:
        await on.run()
        await on.redis.peer("publisher").send(b":1\r\n")
        await trio.sleep(MAX_DELAY)
        assert len(on.redis.opened) == 2


async def test_flush_waits_for_the_answers(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        await on.publisher.flush()  # away
        on.redis.silent.add("publisher")
        await on.run()
        await on.publisher.flush()  # nothing to wait for
        await on.publisher.publish(b"c", b"x")
        with trio.move_on_after(1) as scope:
            await on.publisher.flush()
        assert scope.cancelled_caught
        on.nursery.start_soon(on.redis.peer("publisher").send, b":1\r\n")
        await on.publisher.flush()
        assert on.journal.published == 1


async def test_restart_opens_another_connection(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        on.publisher.restart("nobody is connected")
        await on.run()
        on.publisher.restart("the primary is elsewhere")
        await settle()
        assert on.health.problem == "Redis cannot be reached: the primary is elsewhere"
        await trio.sleep(MAX_DELAY)
        assert on.publisher.is_connected
        assert len(on.redis.opened) == 2


async def test_what_is_left_at_the_end_is_counted(autojump_clock: trio.testing.MockClock) -> None:
    async with stage() as on:
        on.redis.refusal = ConnectionLost("no Redis")
        await on.run()
        await on.publisher.publish(b"c", b"x")
    assert on.journal.dropped == 1
    assert on.publisher.queued_bytes == 0
