"""The line for room in one client's outbox: first come, first served.

A sender leaves its item in the line, and the outbox takes it from there. So no task is woken for
room that another one gets, and an item can wait without a task.
"""

import trio

from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import Disconnected
from trio_sio.protocol.encoded import Encoded
from trio_sio.sync import Parked


class WaitingItem(Parked):
    """An item in the line, and the task that waits with it, if one does.

    Args:
        item: the item.
        line: where it waits.
    """

    __slots__ = ("_is_over", "_line", "_reason", "item")

    def __init__(self, item: Encoded, line: "WaitingLine") -> None:
        super().__init__()
        self.item = item
        self._line: WaitingLine | None = line
        self._is_over = False
        self._reason: DisconnectReason | None = None

    async def wait(self) -> None:
        """Return when the item is in the outbox; if cancelled, take it out of the line.

        Raises:
            Disconnected: the session has ended first.
        """
        if self._line is None:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            await self.park()
        if self._is_over:
            raise Disconnected(self._reason)

    def withdraw(self) -> None:
        """Take the item out of the line, if it is still there and no task waits with it."""
        if self._line is not None:
            self._line.remove(self)
            self._line = None

    def _abort(self, error: object) -> trio.lowlevel.Abort:
        self.withdraw()
        return super()._abort(error)

    def admit(self) -> None:
        """Note that the item is in the outbox."""
        self._line = None
        self.wake()

    def end(self, reason: DisconnectReason | None) -> None:
        """Note that the session has ended."""
        self._is_over = True
        self._reason = reason
        self._line = None
        self.wake()


class WaitingLine:
    """The line of one outbox; its length is bounded by the tasks and handlers that wait in it."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: dict[WaitingItem, None] = {}

    def __bool__(self) -> bool:
        return bool(self._items)

    @property
    def first(self) -> Encoded:
        """The item that has waited longest."""
        return next(iter(self._items)).item

    def append(self, item: Encoded) -> WaitingItem:
        """Let an item wait."""
        waiting = WaitingItem(item, self)
        self._items[waiting] = None
        return waiting

    def pop(self) -> Encoded:
        """Take the first item, and wake the task that waits with it."""
        waiting = next(iter(self._items))
        del self._items[waiting]
        waiting.admit()
        return waiting.item

    def remove(self, waiting: WaitingItem) -> None:
        """Take an item out."""
        del self._items[waiting]

    def end(self, reason: DisconnectReason | None) -> None:
        """Forget all items: the session has ended."""
        items, self._items = self._items, {}
        for waiting in items:
            waiting.end(reason)
