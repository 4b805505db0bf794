"""Channels, Trio's and ours: one set of tests for all, and the same steps with two compared."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given, settings, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio.channel import Channel
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.router.inbox import Inbox
from trio_sio.router.order import EventOrder


@dataclass
class Ends:
    """Both ends of a channel, whoever made it; or what the tests of all channels use."""

    send: Callable[[int], Awaitable[None]]
    send_nowait: Callable[[int], None]
    close: Callable[[], None]
    sending: trio.abc.SendChannel[Any]
    receive: Callable[[], Awaitable[int]]
    receive_nowait: Callable[[], int]
    close_receiving: Callable[[], None]
    receiving: trio.abc.ReceiveChannel[Any]


@dataclass
class AllEnds(Ends):
    """Both ends, of a channel of which the tests ask everything."""

    statistics: Callable[[], Any]

    def state(self) -> tuple[int, int, int, int]:
        """What waits, and the limit."""
        numbers = self.statistics()
        return (
            numbers.current_buffer_used,
            numbers.max_buffer_size,
            numbers.tasks_waiting_send,
            numbers.tasks_waiting_receive,
        )


def open_ours(size: int) -> AllEnds:
    channel = Channel[int](size)
    return AllEnds(
        *(channel.send, channel.send_nowait, channel.close, channel),
        *(channel.receive, channel.receive_nowait, channel.close_receiving, channel),
        channel.statistics,
    )


def open_trios(size: int) -> AllEnds:
    sending, receiving = trio.open_memory_channel[int](size)
    return AllEnds(
        *(sending.send, sending.send_nowait, sending.close, sending),
        *(receiving.receive, receiving.receive_nowait, receiving.close, receiving),
        sending.statistics,
    )


def open_inbox(size: int) -> Ends:
    """A channel of packets, of which these have a number."""
    inbox = Inbox(size, EventOrder())

    def packet(number: int) -> Packet:
        return Packet(PacketType.EVENT, "/", ["x", number])

    def number_of(packet: Packet) -> int:
        number = packet.args[0]
        assert isinstance(number, int)
        return number

    async def receive() -> int:
        return number_of(await inbox.receive())

    return Ends(
        lambda number: inbox.send(packet(number)),
        lambda number: inbox.send_nowait(packet(number)),
        *(inbox.close, inbox, receive, lambda: number_of(inbox.receive_nowait())),
        *(inbox.close_receiving, inbox),
    )


Open = Callable[[int], Ends]
OpenAll = Callable[[int], AllEnds]
every = pytest.mark.parametrize(
    "open_channel", [open_ours, open_trios, open_inbox], ids=["ours", "trios", "inbox"]
)
both = pytest.mark.parametrize("open_channel", [open_ours, open_trios], ids=["ours", "trios"])


@dataclass
class Log:
    """What became of the calls of tasks, by name."""

    nursery: trio.Nursery
    results: dict[str, object] = field(default_factory=dict)

    async def begin(self, name: str, call: Callable[[], Awaitable[object]]) -> trio.CancelScope:
        """Call in a task, and return when that waits or has ended."""
        scope = trio.CancelScope()

        async def run() -> None:
            with scope:
                try:
                    self.results[name] = await call()
                except (
                    trio.EndOfChannel,
                    trio.ClosedResourceError,
                    trio.BrokenResourceError,
                ) as error:
                    self.results[name] = type(error)
            if scope.cancelled_caught:
                self.results[name] = "cancelled"

        self.nursery.start_soon(run)
        await wait_all_tasks_blocked()
        return scope


async def rest_of(ends: Ends) -> list[int]:
    """What comes until the end, in the order of its coming."""
    values: list[int] = []
    with suppress(trio.EndOfChannel):
        while True:
            values.append(await ends.receive())
    return values


@pytest.fixture
async def log(autojump_clock: MockClock) -> AsyncIterator[Log]:
    async with trio.open_nursery() as nursery:
        yield Log(nursery)
        nursery.cancel_scope.cancel()


# -- as Trio's -------------------------------------------------------------------------------------


@every
async def test_values_arrive_in_order_and_then_the_end(open_channel: Open) -> None:
    ends = open_channel(3)
    for value in range(3):
        ends.send_nowait(value)
    with pytest.raises(trio.WouldBlock):
        ends.send_nowait(3)
    assert await ends.receive() == 0
    ends.close()
    assert await rest_of(ends) == [1, 2]
    assert [value async for value in ends.receiving] == []
    with pytest.raises(trio.EndOfChannel):
        await ends.receive()


@every
async def test_receiving_without_waiting(open_channel: Open, log: Log) -> None:
    ends = open_channel(2)
    with pytest.raises(trio.WouldBlock):
        ends.receive_nowait()
    ends.send_nowait(0)
    ends.send_nowait(1)
    await log.begin("send", lambda: ends.send(2))
    assert ends.receive_nowait() == 0
    await wait_all_tasks_blocked()
    assert "send" in log.results  # there was room
    assert (ends.receive_nowait(), ends.receive_nowait()) == (1, 2)
    ends.close()
    with pytest.raises(trio.EndOfChannel):
        ends.receive_nowait()
    ends.close_receiving()
    with pytest.raises(trio.ClosedResourceError):
        ends.receive_nowait()


@every
async def test_receiving_without_waiting_while_another_task_receives(
    open_channel: Open, log: Log
) -> None:
    ends = open_channel(1)
    await log.begin("receive", ends.receive)
    with pytest.raises((trio.BusyResourceError, trio.WouldBlock)):  # Trio's has many receivers
        ends.receive_nowait()
    ends.send_nowait(7)
    await wait_all_tasks_blocked()
    assert log.results == {"receive": 7}


@both
async def test_what_waits_is_told(open_channel: OpenAll) -> None:
    ends = open_channel(3)
    ends.send_nowait(0)
    ends.send_nowait(1)
    assert ends.state() == (2, 3, 0, 0)
    ends.close()
    assert (ends.receive_nowait(), ends.receive_nowait()) == (0, 1)
    with pytest.raises(trio.EndOfChannel):
        ends.receive_nowait()


@both
async def test_a_receiver_that_waits_gets_the_value(open_channel: OpenAll, log: Log) -> None:
    ends = open_channel(1)
    with pytest.raises(trio.WouldBlock):
        ends.receive_nowait()
    await log.begin("receive", ends.receive)
    assert ends.state() == (0, 1, 0, 1)
    ends.send_nowait(1)
    ends.send_nowait(2)  # before the receiver has run: the first takes no room
    with pytest.raises(trio.WouldBlock):
        ends.send_nowait(3)
    await wait_all_tasks_blocked()
    assert log.results == {"receive": 1}
    assert ends.receive_nowait() == 2


@both
async def test_senders_get_room_in_the_order_in_which_they_came(
    open_channel: OpenAll, log: Log
) -> None:
    ends = open_channel(1)
    ends.send_nowait(0)
    for value in (1, 2, 3):
        await log.begin(f"send {value}", lambda value=value: ends.send(value))  # type: ignore[misc]
    assert ends.state() == (1, 1, 3, 0)
    assert ends.receive_nowait() == 0
    with pytest.raises(trio.WouldBlock):
        ends.send_nowait(4)  # the room is that of the first in line
    await wait_all_tasks_blocked()
    assert log.results == {"send 1": None}
    assert [await ends.receive() for _ in range(3)] == [1, 2, 3]
    await wait_all_tasks_blocked()
    assert log.results == {"send 1": None, "send 2": None, "send 3": None}


@both
async def test_without_a_buffer_both_ends_meet(open_channel: OpenAll, log: Log) -> None:
    ends = open_channel(0)
    with pytest.raises(trio.WouldBlock):
        ends.send_nowait(0)
    await log.begin("send", lambda: ends.send(1))
    assert ends.state() == (0, 0, 1, 0)
    assert log.results == {}
    assert await ends.receive() == 1
    await log.begin("receive", ends.receive)
    assert log.results == {"send": None}
    ends.send_nowait(2)
    with pytest.raises(trio.WouldBlock):
        ends.send_nowait(3)
    await wait_all_tasks_blocked()
    assert log.results == {"send": None, "receive": 2}


@every
async def test_whoever_is_cancelled_has_sent_and_received_nothing(
    open_channel: Open, log: Log
) -> None:
    ends = open_channel(1)
    receiving = await log.begin("receive", ends.receive)
    receiving.cancel()
    await wait_all_tasks_blocked()
    ends.send_nowait(1)
    senders = [await log.begin(f"send {n}", lambda n=n: ends.send(n)) for n in (2, 3)]  # type: ignore[misc]
    senders[0].cancel()
    await wait_all_tasks_blocked()
    assert log.results == {"receive": "cancelled", "send 2": "cancelled"}
    assert [await ends.receive() for _ in range(2)] == [1, 3]
    ends.close()
    assert await rest_of(ends) == []


@both
async def test_a_value_that_was_handed_over_is_not_lost_by_a_cancellation(
    open_channel: OpenAll, log: Log
) -> None:
    ends = open_channel(1)
    receiving = await log.begin("receive", ends.receive)
    ends.send_nowait(1)
    receiving.cancel()  # before it has run
    await wait_all_tasks_blocked()
    ends.send_nowait(2)
    sending = await log.begin("send", lambda: ends.send(3))
    assert ends.receive_nowait() == 2
    sending.cancel()  # after its value was taken into the buffer
    await wait_all_tasks_blocked()
    assert log.results == {"receive": 1, "send": None}
    assert ends.receive_nowait() == 3


@both
async def test_each_call_is_a_checkpoint(open_channel: OpenAll) -> None:
    ends = open_channel(1)
    with trio.testing.assert_checkpoints():
        await ends.send(1)
    with trio.testing.assert_checkpoints():
        assert await ends.receive() == 1
    with trio.testing.assert_checkpoints():
        await ends.sending.aclose()


@every
@pytest.mark.parametrize("size", [0, 1, 2])
async def test_each_call_can_be_cancelled(open_channel: Open, size: int) -> None:
    """Also where it need not wait: then nothing has happened."""
    ends = open_channel(size)
    if size:
        ends.send_nowait(1)
    for call in (lambda: ends.send(2), ends.receive):
        with trio.CancelScope() as scope:
            scope.cancel()
            await call()
        assert scope.cancelled_caught
    ends.close()
    assert await rest_of(ends) == [1] * (size > 0)


@every
async def test_the_end_of_the_senders(open_channel: Open, log: Log) -> None:
    ends = open_channel(1)
    ends.send_nowait(1)
    await log.begin("send", lambda: ends.send(2))
    ends.close()
    ends.close()
    await wait_all_tasks_blocked()
    assert log.results == {"send": trio.ClosedResourceError}
    with pytest.raises(trio.ClosedResourceError):
        ends.send_nowait(3)
    with pytest.raises(trio.ClosedResourceError):
        await ends.send(3)
    assert await ends.receive() == 1
    with pytest.raises(trio.EndOfChannel):
        await ends.receive()


@every
async def test_the_end_of_the_senders_ends_a_receive(open_channel: Open, log: Log) -> None:
    ends = open_channel(1)
    await log.begin("receive", ends.receive)
    async with ends.sending:
        pass
    await wait_all_tasks_blocked()
    assert log.results == {"receive": trio.EndOfChannel}


@every
async def test_the_end_of_the_receiver(open_channel: Open, log: Log) -> None:
    ends = open_channel(1)
    ends.send_nowait(1)
    await log.begin("send", lambda: ends.send(2))
    ends.close_receiving()
    ends.close_receiving()
    await wait_all_tasks_blocked()
    assert log.results == {"send": trio.BrokenResourceError}
    with pytest.raises(trio.BrokenResourceError):
        ends.send_nowait(3)
    with pytest.raises(trio.BrokenResourceError):
        await ends.send(3)
    with pytest.raises(trio.ClosedResourceError):
        await ends.receive()
    ends.close()
    with pytest.raises(trio.ClosedResourceError):
        ends.send_nowait(3)
    with pytest.raises(trio.ClosedResourceError):
        await ends.receive()


@every
async def test_the_end_of_the_receiver_ends_a_receive(open_channel: Open, log: Log) -> None:
    ends = open_channel(1)
    await log.begin("receive", ends.receive)
    ends.close_receiving()
    await wait_all_tasks_blocked()
    assert log.results == {"receive": trio.ClosedResourceError}


@both
async def test_the_first_end_counts_for_a_receiver_that_waits(
    open_channel: OpenAll, log: Log
) -> None:
    ends = open_channel(1)
    await log.begin("receive", ends.receive)
    ends.close()
    ends.close_receiving()
    await wait_all_tasks_blocked()
    assert log.results == {"receive": trio.EndOfChannel}


@both
@pytest.mark.parametrize("close", ["close", "close_receiving"])
async def test_a_value_that_was_handed_over_outlives_the_end(
    open_channel: OpenAll, close: str, log: Log
) -> None:
    ends = open_channel(1)
    await log.begin("receive", ends.receive)
    ends.send_nowait(1)
    getattr(ends, close)()
    await wait_all_tasks_blocked()
    assert log.results == {"receive": 1}


@both
@pytest.mark.parametrize(("size", "error"), [("3", TypeError), (-1, ValueError), (1.5, TypeError)])
def test_sizes_that_cannot_be_meant(
    open_channel: OpenAll, size: int, error: type[Exception]
) -> None:
    with pytest.raises(error, match="max_buffer_size must be"):
        open_channel(size)


class Steps:
    """Takes steps with one channel, in a world in which nothing runs between two of them."""

    def __init__(self, ends: AllEnds, nursery: trio.Nursery) -> None:
        self.ends = ends
        self.log = Log(nursery)
        self.receiving: tuple[str, trio.CancelScope] | None = None
        self.sending: list[trio.CancelScope] = []

    async def take(self, number: int, step: str) -> object:
        """Take a step; calls that have not returned go by its number."""
        ends, name = self.ends, f"{number} {step}"
        is_receiving = self.receiving is not None and self.receiving[0] not in self.log.results
        match step:
            case "send":
                self.sending.append(await self.log.begin(name, lambda: ends.send(number)))
            case "receive" if not is_receiving:
                self.receiving = (name, await self.log.begin(name, ends.receive))
            case "send_nowait":
                return self._now(lambda: ends.send_nowait(number))
            case "receive_nowait" if not is_receiving:
                return self._now(ends.receive_nowait)
            case "cancel_receive" if self.receiving is not None:
                self.receiving[1].cancel()
            case "cancel_first_send" if self.sending:
                self.sending[0].cancel()
            case "cancel_last_send" if self.sending:
                self.sending[-1].cancel()
            case "close":
                ends.close()
            case "close_receiving":
                ends.close_receiving()
            case "run":
                await wait_all_tasks_blocked()
        return dict(self.log.results), ends.state()

    def _now(self, call: Callable[[], object]) -> object:
        try:
            return call(), self.ends.state()
        except (
            trio.WouldBlock,
            trio.EndOfChannel,
            trio.ClosedResourceError,
            trio.BrokenResourceError,
        ) as error:
            return type(error), self.ends.state()


OFTEN = ["send", "receive", "send_nowait", "receive_nowait", "run"]
AT_TIMES = ["cancel_receive", "cancel_first_send", "cancel_last_send"]
AT_THE_END = ["close", "close_receiving", "run", "receive", "send", "receive_nowait"]
steps = st.tuples(
    st.lists(st.sampled_from(3 * OFTEN + AT_TIMES), max_size=40),
    st.lists(st.sampled_from(AT_THE_END), max_size=6),
).map(lambda two: two[0] + two[1])


@settings(deadline=None)
@given(size=st.integers(0, 3), steps=steps)
def test_ours_does_as_trios_does(size: int, steps: list[str]) -> None:
    """Whatever is sent, received, cancelled and closed, in any order."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            ours = Steps(open_ours(size), nursery)
            trios = Steps(open_trios(size), nursery)
            for number, step in enumerate([*steps, "run"]):
                taken = [await ours.take(number, step), await trios.take(number, step)]
                if step in ("send", "receive", "run"):  # the one runs the tasks of the other
                    assert ours.log.results == trios.log.results
                    assert ours.ends.state() == trios.ends.state()
                else:
                    assert taken[0] == taken[1]
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))


# -- ours alone ------------------------------------------------------------------------------------


async def test_there_is_one_receiver(log: Log) -> None:
    ends = open_ours(1)
    await log.begin("receive", ends.receive)
    for _ in range(2):
        with pytest.raises(trio.BusyResourceError):
            await ends.receive()
        with pytest.raises(trio.BusyResourceError):
            ends.receive_nowait()
        if not ends.state()[-1]:
            break
        ends.send_nowait(1)  # the receiver has its value, and has not run
    await wait_all_tasks_blocked()
    assert log.results == {"receive": 1}
    ends.send_nowait(2)
    assert await ends.receive() == 2


async def test_a_sender_is_admitted_to_a_full_buffer(log: Log) -> None:
    channel = Channel[int](0)
    assert not channel.admit_sender()
    for value in (1, 2):
        await log.begin(f"send {value}", lambda value=value: channel.send(value))  # type: ignore[misc]
    assert channel.admit_sender()
    await wait_all_tasks_blocked()
    assert log.results == {"send 1": None}
    assert channel.statistics().current_buffer_used == 1
    with pytest.raises(trio.WouldBlock):
        channel.send_nowait(3)
    assert [await channel.receive() for _ in range(2)] == [1, 2]


async def test_idle_is_a_receiver_that_waits(log: Log) -> None:
    channel = Channel[int](2)
    assert not channel.is_idle
    await log.begin("idle", channel.wait_idle)
    channel.send_nowait(1)
    assert await channel.receive() == 1
    await wait_all_tasks_blocked()
    assert "idle" not in log.results  # the receiver may be at work on it
    receiving = await log.begin("receive", channel.receive)
    assert channel.is_idle
    assert log.results == {"idle": None}
    with trio.testing.assert_checkpoints():
        await channel.wait_idle()
    channel.send_nowait(2)
    assert not channel.is_idle
    await wait_all_tasks_blocked()
    assert (log.results["receive"], receiving.cancel_called) == (2, False)


@pytest.mark.parametrize("close", ["close", "close_receiving"])
async def test_a_closed_channel_is_idle(close: str, log: Log) -> None:
    channel = Channel[int](2)
    await log.begin("idle", channel.wait_idle)
    getattr(channel, close)()
    await wait_all_tasks_blocked()
    assert (channel.is_idle, log.results) == (True, {"idle": None})


@pytest.mark.parametrize("size", [0, 1])
async def test_it_is_empty_when_receive_would_wait(size: int, log: Log) -> None:
    channel = Channel[int](size)
    assert channel.is_empty
    await log.begin("send", lambda: channel.send(1))
    assert not channel.is_empty
    assert await channel.receive() == 1
    assert channel.is_empty


@pytest.mark.parametrize("close", ["close", "close_receiving"])
def test_it_is_closed_when_one_end_is(close: str) -> None:
    channel = Channel[int](2)
    assert not channel.is_closed
    getattr(channel, close)()
    assert channel.is_closed


def test_it_tells_how_full_it_is() -> None:
    channel = Channel[int](2)
    channel.send_nowait(1)
    assert repr(channel) == "<Channel, 1 of 2 values waiting>"
