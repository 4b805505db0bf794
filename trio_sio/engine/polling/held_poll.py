"""The GET of a client that waits for packets."""

from collections.abc import Callable

from trio_sio.engine.http.holding import HeldResponse
from trio_sio.failures import failures
from trio_sio.http import Response
from trio_sio.protocol.encoded import Encoded


def _by_the_task(items: list[Encoded]) -> Response | None:
    """In place of `respond`."""
    return None


class HeldPoll(HeldResponse):
    """A GET that is held until there are packets for it.

    Args:
        respond: returns the response with packets, or `None` if making it takes long, which is up
            to the task that holds the GET.

    Attributes:
        items: the packets that it has been given and that have not been sent.
        is_refused: whether it is to be refused: the session has gone on by WebSocket.
    """

    __slots__ = ("_respond", "is_refused", "items")

    def __init__(self, respond: Callable[[list[Encoded]], Response | None] = _by_the_task) -> None:
        super().__init__()
        self.items: list[Encoded] = []
        self.is_refused = False
        self._respond = respond

    def end(self, items: list[Encoded]) -> None:
        """Answer it with packets."""
        self.items = items
        try:
            response = self._respond(items)
        except failures():  # it fails again in the task that holds the GET, and costs nobody else
            response = None
        if response is None:
            self.release()
            return
        self.set(response)
        if self.is_sent:
            self.items = []

    def refuse(self) -> None:
        """Have it refused."""
        self.is_refused = True
        self.release()
