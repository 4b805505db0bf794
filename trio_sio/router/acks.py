"""The acknowledgements that one socket waits for, closed with the socket.

They do not go through the inbox but straight from the session's reader to whoever waits, so a
handler may wait for one.
"""

from collections.abc import Callable
from typing import Protocol

import trio

from trio_sio.abc import AwaitedAnswer, Session
from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import Disconnected, LimitReached
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.sync import Notifier

OnAnswer = Callable[..., object]


class Callbacks(Protocol):
    """What runs in the socket's background."""

    @property
    def callbacks(self) -> int:
        """How many functions that were given an answer run."""


class Slot(AwaitedAnswer):
    """One answer that a task waits for."""

    __slots__ = ("_args", "_event", "_reason")

    def __init__(self) -> None:
        self._event = trio.Event()
        self._args: list[JSON] | None = None
        self._reason: DisconnectReason | None = None

    def fill(self, args: list[JSON]) -> None:
        """Give the answer."""
        self._args = args
        self._event.set()

    def close(self, reason: DisconnectReason | None) -> None:
        """Wake whoever waits, with `Disconnected`."""
        self._reason = reason
        self._event.set()

    async def wait(self) -> list[JSON]:
        """Return the answer's arguments; raises `Disconnected` if there will be none."""
        await self._event.wait()
        if self._args is None:
            raise Disconnected(self._reason)
        return self._args


class PendingAcks:
    """The answers that one socket waits for, by their ids.

    A callback counts until it has ended. Otherwise a client that answers faster than its callbacks
    end could have any number of them run.

    Args:
        session: its client's.
        limit: how many there may be (option `max_pending_acks`).
        background: knows how many callbacks run.
    """

    __slots__ = ("_background", "_empty", "_limit", "_session", "_waiting")

    def __init__(self, session: Session, limit: int, background: Callbacks) -> None:
        self._session = session
        self._limit = limit
        self._background = background
        self._waiting: dict[int, AwaitedAnswer | OnAnswer] | None = None  # most never wait for any
        self._empty: Notifier | None = None  # for whoever waits until there are none

    def __len__(self) -> int:
        return len(self._waiting or ())

    def _put(self, ack_id: int, waiting: AwaitedAnswer | OnAnswer) -> None:
        if self._waiting is None:
            self._waiting = {}
        running = self._background.callbacks
        if len(self._waiting) + running >= self._limit:
            self._session.count_limit("max_pending_acks")
            text = f"a client owes {len(self._waiting)} answers"
            if running:
                text += f", and {running} callbacks run"
            raise LimitReached(text, "max_pending_acks", self._limit)
        self._waiting[ack_id] = waiting

    def _pop(self, ack_id: int | None) -> AwaitedAnswer | OnAnswer | None:
        if self._waiting is None or ack_id is None:
            return None
        waiting = self._waiting.pop(ack_id, None)
        if not self._waiting:
            self._tell_empty()
        return waiting

    def _tell_empty(self) -> None:
        if self._empty is not None:
            self._empty.notify_all()

    async def wait_empty(self) -> None:
        """Wait until no answer is waited for. (By the time this returns, one may be again.)"""
        if not self._waiting:
            await trio.lowlevel.checkpoint()
            return
        if self._empty is None:
            self._empty = Notifier()
        await self._empty.wait()

    def wait_for(self, ack_id: int) -> Slot:
        """Open a slot for a task that waits; raises `LimitReached`."""
        slot = Slot()
        self._put(ack_id, slot)
        return slot

    def expect(self, ack_id: int, awaited: AwaitedAnswer) -> None:
        """Give an answer to `awaited`, or tell it of the end; raises `LimitReached`."""
        self._put(ack_id, awaited)

    def call_back(self, ack_id: int, function: OnAnswer) -> None:
        """Have `resolve` return `function` with the answer; raises `LimitReached`."""
        self._put(ack_id, function)

    def forget(self, ack_id: int) -> None:
        """Nobody waits for this answer any more."""
        self._pop(ack_id)

    def resolve(self, ack_id: int | None, args: list[JSON]) -> OnAnswer | None:
        """Take an answer; unknown ids, and second answers, are ignored as in the reference.

        Returns:
            Who is to be called with it, if anybody.
        """
        waiting = self._pop(ack_id)
        if isinstance(waiting, AwaitedAnswer):
            waiting.fill(args)
            return None
        return waiting

    def close(self, reason: DisconnectReason | None) -> None:
        """The socket is gone: whoever waits gets `Disconnected`, callbacks are not called."""
        waiting, self._waiting = self._waiting, None
        self._tell_empty()
        for one in waiting.values() if waiting else ():
            if isinstance(one, AwaitedAnswer):
                one.close(reason)
