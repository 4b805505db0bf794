"""A GET that is held until there is something to answer it with."""

from collections.abc import Callable

from trio_sio.failures import failures
from trio_sio.protocol.encoded import Encoded


class HeldResponse:
    """A GET that is held until there is something to answer it with.

    Args:
        wake: wakes the task that holds it.
        respond: answers at once and returns whether it could; `None` leaves it to the task.

    Attributes:
        is_over: whether there is an answer.
        is_refused: whether that is a refusal: the session has gone on by WebSocket.
        items: what the task has to answer with; nothing if that has been done.
    """

    __slots__ = ("_respond", "_wake", "is_over", "is_refused", "items")

    def __init__(
        self,
        wake: Callable[[], None],
        respond: Callable[[list[Encoded]], bool] | None = None,
    ) -> None:
        self.is_over = self.is_refused = False
        self.items: list[Encoded] = []
        self._wake = wake
        self._respond = respond

    def end(self, items: list[Encoded]) -> None:
        """Answer."""
        self.is_over = True
        if not self._has_answered(items):
            self.items = items
            self._wake()

    def _has_answered(self, items: list[Encoded]) -> bool:
        try:
            return self._respond is not None and self._respond(items)
        except failures():  # it fails again in the task that holds the GET, and costs nobody else
            return False

    def refuse(self) -> None:
        """Have it refused."""
        self.is_over = self.is_refused = True
        self._wake()
