"""Those who wait for room in one client's outbox: first come, first served.

Whoever waits leaves its item in the line, and the outbox takes it from there. So nobody is woken
for room that somebody else gets, and an item can wait without a task.
"""

import trio

from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import Disconnected
from trio_sio.protocol.encoded import Encoded


class WaitingItem:
    """An item in the line.

    Args:
        item: the item.
        line: where it waits.
    """

    __slots__ = ("_is_over", "_line", "_reason", "_task", "item")

    def __init__(self, item: Encoded, line: "WaitingLine") -> None:
        self.item = item
        self._line: WaitingLine | None = line
        self._is_over = False
        self._reason: DisconnectReason | None = None
        self._task: trio.lowlevel.Task | None = None

    async def wait(self) -> None:
        """Return when the item is in the outbox; whoever is cancelled takes it out of the line.

        Raises:
            Disconnected: the session has ended first.
        """
        if self._line is None:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._give_up)
        if self._is_over:
            raise Disconnected(self._reason)

    def withdraw(self) -> None:
        """Take the item out of the line, if it is still there; nobody waits for it."""
        if self._line is not None:
            self._line.remove(self)
            self._line = None

    def _give_up(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        self.withdraw()
        return trio.lowlevel.Abort.SUCCEEDED

    def admit(self) -> None:
        """It is in the outbox."""
        self._leave()

    def end(self, reason: DisconnectReason | None) -> None:
        """The session has ended."""
        self._is_over = True
        self._reason = reason
        self._leave()

    def _leave(self) -> None:
        self._line = None
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self._task = None


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
        """Take the first item; whoever waits with it is told."""
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
