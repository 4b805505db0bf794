"""A bounded channel between tasks, with Trio's interface and less memory than Trio's own.

A server keeps several for each of its clients, of which nearly all are idle: so the buffer is made
when values have to wait, and given back when the receiver has received them.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

import trio

from trio_sio.sync import Notifier, Parked

T = TypeVar("T")


class _No(Enum):
    """What the receiver finds when it has been woken and has been given no value."""

    VALUE = "nobody has woken it"
    END = "the senders' end has been closed"
    OWN_END = "its own end has been closed"


_EMPTY: deque[Any] = deque()
"""In place of a buffer in which nothing waits; an empty one takes 760 bytes."""


class _Sender(Parked, Generic[T]):
    """A task that waits for room in a channel, and the value that it sends."""

    __slots__ = ("_line", "failure", "value")

    def __init__(self, value: T, line: "OrderedDict[_Sender[T], None]") -> None:
        super().__init__()
        self.value = value
        self.failure: type[Exception] | None = None
        self._line = line
        line[self] = None

    def _abort(self, error: object) -> trio.lowlevel.Abort:
        del self._line[self]
        return super()._abort(error)

    def fail(self, failure: type[Exception]) -> None:
        """Have its `send` raise: the value will not be received."""
        self.failure = failure
        self.wake()


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """The state of a channel, by the names that `trio.MemoryChannelStatistics` uses.

    Attributes:
        current_buffer_used: values that have been sent and not received.
        max_buffer_size: the limit of these.
        tasks_waiting_send: tasks that wait for room.
        tasks_waiting_receive: 1 if the receiver waits for a value, otherwise 0.
    """

    current_buffer_used: int
    max_buffer_size: int
    tasks_waiting_send: int
    tasks_waiting_receive: int


class Channel(trio.abc.SendChannel[T], trio.abc.ReceiveChannel[T]):
    """A bounded channel with any number of senders and one receiver.

    Both ends of `trio.open_memory_channel` in one object. Values are received in the order in
    which they were sent, and senders that wait for room get it in the order in which they came.
    A `send` that is cancelled has sent nothing, a `receive` that is cancelled has taken nothing.

    `close` closes the end of the senders: what they have sent can still be received, and then
    `receive` raises `trio.EndOfChannel`. `close_receiving` closes the end of the receiver, and
    drops what has been sent.

    What passing one value costs, in µs, and what a channel costs in memory when nothing waits
    (`python3 -m benchmarks.channels`, on a small virtual machine):

        =========================================  ====  ======
                                                   ours  Trio's
        =========================================  ====  ======
        the receiver waits, and is woken            8.5     8.8
        the value waits, and is received            5.0     5.1
        no room: each end waits for the other       8.6     9.0
        (two tasks that only call `checkpoint`)     6.9     6.8
        bytes                                       136   1,780
        =========================================  ====  ======

    So what counts is the memory: nearly all of the time is that of the task switches.

    Args:
        max_buffer_size: values that may wait. With 0, `send` returns when the value is received.

    Raises:
        TypeError, ValueError: the size is not an int, or negative.
    """

    __slots__ = (
        "_buffer",
        "_handed_over",
        "_idle",
        "_is_closed",
        "_is_receiving_closed",
        "_receiver",
        "_senders",
        "max_buffer_size",
    )

    def __init__(self, max_buffer_size: int) -> None:
        if not isinstance(max_buffer_size, int):
            raise TypeError(f"max_buffer_size must be an int, not {max_buffer_size!r}")
        if max_buffer_size < 0:
            raise ValueError(f"max_buffer_size must be >= 0, not {max_buffer_size!r}")
        self.max_buffer_size = max_buffer_size
        self._buffer: deque[T] = _EMPTY
        self._senders: OrderedDict[_Sender[T], None] | None = None  # only while the buffer is full
        self._receiver = Parked()
        self._handed_over: T | _No = _No.VALUE  # to the receiver, which is about to run
        self._idle: Notifier | None = None
        self._is_closed = False
        self._is_receiving_closed = False

    def __repr__(self) -> str:
        return f"<Channel, {len(self._buffer)} of {self.max_buffer_size} values waiting>"

    # -- the senders' end ------------------------------------------------------------------

    def send_nowait(self, value: T) -> None:
        """Send a value if there is room for it.

        Raises:
            trio.WouldBlock: there is none.
            trio.ClosedResourceError: this end has been closed.
            trio.BrokenResourceError: the receiver's end has been closed.
        """
        if self._is_closed:
            raise trio.ClosedResourceError
        if self._is_receiving_closed:
            raise trio.BrokenResourceError
        if self._receiver.task is not None:
            self._handed_over = value
            self._receiver.wake()
        elif len(self._buffer) < self.max_buffer_size:
            self._put(value)
        else:
            raise trio.WouldBlock

    async def send(self, value: T) -> None:
        """Send a value, waiting for room.

        Raises:
            trio.ClosedResourceError: this end has been closed, or is while this waits.
            trio.BrokenResourceError: the receiver's end has been closed, or is while this waits.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            self.send_nowait(value)
        except trio.WouldBlock:
            pass
        else:
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        if self._senders is None:
            self._senders = OrderedDict()
        sender = _Sender(value, self._senders)
        await sender.park()
        if sender.failure is not None:
            raise sender.failure

    def close(self) -> None:
        """Send no more: what has been sent can still be received, and then comes the end.

        Senders that wait for room get `trio.ClosedResourceError`.
        """
        self._is_closed = True
        self._fail_senders(trio.ClosedResourceError)
        self._wake_receiver(_No.END)

    async def aclose(self) -> None:
        """Close as `close` does, and let other tasks run."""
        self.close()
        await trio.lowlevel.checkpoint()

    # -- the receiver's end ----------------------------------------------------------------

    def receive_nowait(self) -> T:
        """Return the next value if there is one.

        Raises:
            trio.WouldBlock: there is none.
            trio.EndOfChannel: there is none, and there will be none.
            trio.ClosedResourceError: this end has been closed.
            trio.BusyResourceError: another task is receiving.
        """
        self._check_receiving()
        self.admit_sender()
        if self._buffer:
            return self._buffer.popleft()
        if self._is_closed:
            raise trio.EndOfChannel
        raise trio.WouldBlock

    async def receive(self) -> T:
        """Return the next value, waiting for one.

        Raises:
            trio.EndOfChannel: there is none, and there will be none.
            trio.ClosedResourceError: this end has been closed, or is while this waits.
            trio.BusyResourceError: another task is receiving.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._buffer or self._senders or self._is_closed:
            value = self.receive_nowait()
            await trio.lowlevel.cancel_shielded_checkpoint()
            return value
        # As `_check_receiving`, which raises; a call for each value is spared.
        is_busy = self._receiver.task is not None or self._handed_over is not _No.VALUE
        if is_busy or self._is_receiving_closed:
            self._check_receiving()
        self._buffer, self._senders = _EMPTY, None
        if self._idle is not None:
            self._idle.notify_all()
        await self._receiver.park()
        handed_over, self._handed_over = self._handed_over, _No.VALUE
        if isinstance(handed_over, _No):
            raise trio.EndOfChannel if handed_over is _No.END else trio.ClosedResourceError
        return handed_over

    def admit_sender(self) -> bool:
        """Accept the value of the sender that has waited longest, although the buffer is full.

        Returns:
            Whether one waited.
        """
        if not self._senders:
            return False
        sender, _ = self._senders.popitem(last=False)
        self._put(sender.value)
        sender.wake()
        return True

    def close_receiving(self) -> None:
        """Receive no more: what has been sent is dropped.

        Senders that wait for room get `trio.BrokenResourceError`, and so does every later `send`.
        """
        self._is_receiving_closed = True
        self._buffer = _EMPTY
        self._fail_senders(trio.BrokenResourceError)
        self._wake_receiver(_No.OWN_END)

    # -- for whoever watches ---------------------------------------------------------------

    @property
    def is_empty(self) -> bool:
        """Whether no value waits, so that `receive` would wait for one."""
        return not self._buffer and not self._senders

    @property
    def is_closed(self) -> bool:
        """Whether one of the ends has been closed."""
        return self._is_closed or self._is_receiving_closed

    @property
    def is_idle(self) -> bool:
        """Whether the receiver waits, so that it is done with all that was sent; or never will."""
        return self._receiver.task is not None or self.is_closed

    async def wait_idle(self) -> None:
        """Return when `is_idle` is true; another value may have been sent meanwhile."""
        if self.is_idle:
            await trio.lowlevel.checkpoint()
            return
        if self._idle is None:
            self._idle = Notifier()
        await self._idle.wait()

    def statistics(self) -> ChannelStatistics:
        """Return how many values and tasks wait."""
        return ChannelStatistics(
            current_buffer_used=len(self._buffer),
            max_buffer_size=self.max_buffer_size,
            tasks_waiting_send=len(self._senders or ()),
            tasks_waiting_receive=int(self._receiver.task is not None),
        )

    # -- inside ----------------------------------------------------------------------------

    def _put(self, value: T) -> None:
        if self._buffer is _EMPTY:
            self._buffer = deque()
        self._buffer.append(value)

    def _check_receiving(self) -> None:
        if self._is_receiving_closed:
            raise trio.ClosedResourceError
        if self._receiver.task is not None or self._handed_over is not _No.VALUE:
            raise trio.BusyResourceError("another task is receiving")

    def _fail_senders(self, failure: type[Exception]) -> None:
        senders, self._senders = self._senders, None
        for sender in senders or ():
            sender.fail(failure)

    def _wake_receiver(self, end: _No) -> None:
        """One end has been closed: neither the receiver nor `wait_idle` waits any more."""
        if self._receiver.task is not None:
            self._handed_over = end
            self._receiver.wake()
        if self._idle is not None:
            self._idle.notify_all()
