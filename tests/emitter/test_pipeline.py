"""`Pipeline` with a scripted Redis: who shares a connection, is cancelled, loses it, goes on."""

import pytest
import trio
from trio.testing import (
    MemoryReceiveStream,
    MemorySendStream,
    MockClock,
    wait_all_tasks_blocked,
)

from trio_sio.adapters.redis.link.address import Endpoint
from trio_sio.adapters.redis.link.connection import Connection, ConnectionLost
from trio_sio.adapters.redis.link.resp import pack_publish
from trio_sio.emitter.pipeline import Pipeline

OK = b":1\r\n"


class Redis:
    """Opens connections, and is the other end of the last one.

    Attributes:
        opened: how many connections have been opened.
        reason: why none can be; `""` if one can.
        may_open: is waited for before one is.
    """

    def __init__(self) -> None:
        self.opened = 0
        self.reason = ""
        self.may_open = trio.Event()
        self.may_open.set()
        self._outgoing = MemorySendStream()
        self._incoming = MemoryReceiveStream()

    async def open(self, role: str) -> Connection:
        assert role == "emitter"
        await self.may_open.wait()
        if self.reason:
            raise ConnectionLost(self.reason)
        self.opened += 1
        self._outgoing = MemorySendStream()
        self._incoming = MemoryReceiveStream()
        stream = trio.StapledStream(self._outgoing, self._incoming)
        return Connection(stream, Endpoint("redis", 1), 1000)

    async def sent(self) -> list[bytes]:
        """What all tasks have sent since the last call, when they wait."""
        await wait_all_tasks_blocked()
        try:
            data = bytes(self._outgoing.get_data_nowait())
        except trio.WouldBlock:
            return []
        names = [part.split(b"\r\n")[-2] for part in data.split(b"*3\r\n")[1:]]
        assert data == b"".join(pack_publish(b"c", name) for name in names)
        return names

    def jam(self) -> None:
        """Let nothing more leave over the connection: whoever sends waits."""
        self._outgoing.send_all_hook = trio.sleep_forever

    @property
    def is_closed(self) -> bool:
        """Whether the connection has been closed from our side."""
        try:
            self._outgoing.get_data_nowait(1)
        except trio.WouldBlock:
            return False
        return True

    async def answer(self, data: bytes) -> None:
        """Answer, and wait until it has been read."""
        self._incoming.put_data(data)
        await wait_all_tasks_blocked()

    async def end(self) -> None:
        """Close the connection, and wait until that has been noticed."""
        self._incoming.put_eof()
        await wait_all_tasks_blocked()


class World:
    """A pipeline, and what becomes of its messages."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.redis = Redis()
        self.pipeline = Pipeline(self.redis, timeout=5)
        self.outcomes: dict[str, str] = {}
        self._nursery = nursery

    async def publish(self, name: str) -> trio.CancelScope:
        """Publish in a task of its own, and return how to cancel it."""
        scope = trio.CancelScope()
        self._nursery.start_soon(self._publish, name, scope)
        await wait_all_tasks_blocked()
        return scope

    async def _publish(self, name: str, scope: trio.CancelScope) -> None:
        self.outcomes[name] = "cancelled"
        with scope:
            try:
                await self.pipeline.publish(b"c", name.encode())
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                self.outcomes[name] = f"{type(error).__name__}: {error}"
            else:
                self.outcomes[name] = "taken"


@pytest.fixture
def world(nursery: trio.Nursery) -> World:
    return World(nursery)


async def test_it_returns_when_redis_has_taken_it(world: World, autojump_clock: MockClock) -> None:
    await world.publish("a")
    assert await world.redis.sent() == [b"a"]
    assert world.outcomes == {"a": "cancelled"}  # until now
    await world.redis.answer(OK)
    assert world.outcomes == {"a": "taken"}
    await world.publish("b")
    assert await world.redis.sent() == [b"b"]
    await world.redis.answer(OK)
    assert world.outcomes == {"a": "taken", "b": "taken"}
    assert world.redis.opened == 1


async def test_what_tasks_have_queued_meanwhile_is_sent_at_once(
    world: World, autojump_clock: MockClock
) -> None:
    for name in ("a", "b", "c", "d"):
        await world.publish(name)
    assert await world.redis.sent() == [b"a"]
    await world.redis.answer(OK)
    assert await world.redis.sent() == [b"b", b"c", b"d"]
    await world.redis.answer(OK + OK[:2])
    await world.redis.answer(OK[2:] + OK)
    assert set(world.outcomes.values()) == {"taken"}


async def test_a_refusal_goes_to_whose_message_it_is(
    world: World, autojump_clock: MockClock
) -> None:
    for name in ("a", "b", "c", "d"):
        await world.publish(name)
    await world.redis.answer(OK)
    await world.redis.answer(OK + b"-NOPERM not you\r\n" + b">2\r\n$3\r\nfoo\r\n:1\r\n" + OK)
    refused = world.outcomes.pop("c")
    assert refused == "BrokenResourceError: Redis refuses the message: NOPERM not you"
    assert set(world.outcomes.values()) == {"taken"}
    assert world.redis.opened == 1


async def test_who_is_cancelled_while_it_waits_for_its_reply(
    world: World, autojump_clock: MockClock
) -> None:
    """The replies of the others are still theirs."""
    first = await world.publish("a")
    await world.publish("b")
    first.cancel()
    assert await world.redis.sent() == [b"a", b"b"]
    await world.redis.answer(b"-ERR of a\r\n")
    assert world.outcomes["b"] == "cancelled"
    await world.redis.answer(OK)
    assert world.outcomes == {"a": "cancelled", "b": "taken"}
    assert world.redis.opened == 1


async def test_a_reply_that_nobody_waits_for(world: World, autojump_clock: MockClock) -> None:
    (await world.publish("a")).cancel()
    await wait_all_tasks_blocked()
    await world.publish("b")
    await world.redis.answer(b"-ERR of a\r\n" + OK)
    assert world.outcomes == {"a": "cancelled", "b": "taken"}


async def test_who_is_cancelled_before_it_is_sent_is_not_sent(
    world: World, autojump_clock: MockClock
) -> None:
    await world.publish("a")
    (await world.publish("b")).cancel()
    await world.publish("c")
    await world.redis.answer(OK)
    assert await world.redis.sent() == [b"a", b"c"]
    await world.redis.answer(OK)
    assert world.outcomes == {"a": "taken", "b": "cancelled", "c": "taken"}


async def test_who_is_cancelled_while_it_sends_cuts_off_the_others(
    world: World, autojump_clock: MockClock
) -> None:
    """Nobody knows how much has left, so the connection is of no use any more."""
    await world.publish("a")
    await world.redis.answer(OK)
    world.redis.jam()
    scope = await world.publish("b")
    await world.publish("c")
    scope.cancel()
    await wait_all_tasks_blocked()
    assert await world.redis.sent() == [b"c"]  # it was not sent, so it is sent now
    assert world.redis.opened == 2
    await world.redis.answer(OK)
    assert world.outcomes == {"a": "taken", "b": "cancelled", "c": "taken"}


async def test_a_batch_that_is_cut_off(world: World, autojump_clock: MockClock) -> None:
    await world.publish("a")
    scope = await world.publish("b")
    await world.publish("c")
    world.redis.jam()
    await world.redis.answer(OK)
    scope.cancel()
    await wait_all_tasks_blocked()
    assert world.outcomes["b"] == "cancelled"
    assert "it was cut off" in world.outcomes["c"]
    await world.publish("d")
    assert await world.redis.sent() == [b"d"]
    await world.redis.answer(OK)
    assert world.outcomes["d"] == "taken"


async def test_a_new_connection_that_is_lost_is_an_error(
    world: World, autojump_clock: MockClock
) -> None:
    await world.publish("a")
    await world.redis.end()
    assert world.outcomes == {"a": "BrokenResourceError: Redis closed the connection"}
    assert world.redis.opened == 1


async def test_a_good_connection_that_was_lost_is_replaced_once(
    world: World, autojump_clock: MockClock
) -> None:
    await world.publish("a")
    await world.redis.answer(OK)
    await world.publish("b")
    await world.publish("c")
    await world.redis.end()
    assert await world.redis.sent() == [b"b", b"c"]
    assert world.redis.opened == 2
    await world.redis.end()
    lost = "BrokenResourceError: Redis closed the connection"
    assert world.outcomes == {"a": "taken", "b": lost, "c": lost}
    assert world.redis.opened == 2


async def test_no_connection(world: World, autojump_clock: MockClock) -> None:
    world.redis.may_open = trio.Event()
    world.redis.reason = "nobody there"
    await world.publish("a")
    await world.publish("b")
    world.redis.may_open.set()
    await wait_all_tasks_blocked()
    lost = "BrokenResourceError: nobody there"
    assert world.outcomes == {"a": lost, "b": lost}
    world.redis.reason = ""
    await world.publish("c")
    await world.redis.answer(OK)
    assert world.outcomes["c"] == "taken"


async def test_no_connection_any_more(world: World, autojump_clock: MockClock) -> None:
    await world.publish("a")
    await world.redis.answer(OK)
    await world.publish("b")
    world.redis.reason = "nobody there"
    await world.redis.end()
    assert world.outcomes == {"a": "taken", "b": "BrokenResourceError: nobody there"}


async def test_redis_says_nonsense(world: World, autojump_clock: MockClock) -> None:
    await world.publish("a")
    await world.redis.answer(b"HTTP/1.1 400 Bad Request\r\n")
    assert world.outcomes["a"].startswith("BrokenResourceError: ")


async def test_redis_does_not_answer(world: World, autojump_clock: MockClock) -> None:
    await world.publish("a")
    await trio.sleep(1)
    await world.publish("b")
    await trio.sleep(4.5)
    late = "BrokenResourceError: Redis has not answered in 5 s"
    assert world.outcomes["a"] == late
    assert await world.redis.sent() == [b"b"]  # over a new connection: it has some time left
    await world.redis.answer(OK)
    assert world.outcomes == {"a": late, "b": "taken"}
    assert world.redis.opened == 2


async def test_no_connection_in_time(world: World, autojump_clock: MockClock) -> None:
    world.redis.may_open = trio.Event()
    await world.publish("a")
    await trio.sleep(5.5)
    assert world.outcomes == {"a": "BrokenResourceError: Redis has not answered in 5 s"}
    world.redis.may_open.set()
    await world.publish("b")
    assert await world.redis.sent() == [b"b"]
    await world.redis.answer(OK)


async def test_closed_while_messages_are_on_their_way(
    world: World, autojump_clock: MockClock
) -> None:
    await world.publish("a")
    await world.publish("b")
    await world.pipeline.aclose()
    await wait_all_tasks_blocked()
    closed = "ClosedResourceError: the emitter is closed"
    assert world.outcomes == {"a": closed, "b": closed}
    await world.publish("c")
    assert world.outcomes["c"] == closed
    assert world.redis.opened == 1


async def test_closed_while_it_connects(world: World, autojump_clock: MockClock) -> None:
    world.redis.may_open = trio.Event()
    await world.publish("a")
    await world.pipeline.aclose()
    world.redis.may_open.set()
    await wait_all_tasks_blocked()
    assert world.outcomes == {"a": "ClosedResourceError: the emitter is closed"}
    assert world.redis.opened == 1
    assert world.redis.is_closed
