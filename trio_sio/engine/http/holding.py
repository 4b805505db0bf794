"""A response that is not known yet, for a request that is held until it is."""

from collections.abc import Callable

from trio_sio.failures import failures
from trio_sio.http import Response


def _no_task() -> None:
    """In place of `wake`, before `begin`."""


class HeldResponse:
    """The response to a request that is held; `Responder.hold` waits for it.

    Attributes:
        is_over: whether the request is held no more.
        is_sent: whether the response has been sent, all of it.
        response: what the task that holds the request has to send, or to send the rest of; `None`
            if there is nothing, or the task makes the response itself.
    """

    __slots__ = ("_send", "_wake", "is_over", "is_sent", "response")

    def __init__(self) -> None:
        self.is_over = self.is_sent = False
        self.response: Response | None = None
        self._wake: Callable[[], None] = _no_task
        self._send: Callable[[Response], bool] | None = None

    def begin(
        self, wake: Callable[[], None], send: Callable[[Response], bool] | None = None
    ) -> None:
        """Be held from now on.

        Args:
            wake: wakes the task that holds the request.
            send: sends a response at once and returns whether all of it left; `None` leaves it to
                the task.
        """
        self._wake = wake
        self._send = send

    def set(self, response: Response) -> None:
        """Answer with a response: at once where the connection can, or by waking the task."""
        self.is_over = True
        try:
            self.is_sent = self._send is not None and self._send(response)
        except failures():  # it fails again in the task, and costs nobody else
            self.is_sent = False
        if not self.is_sent:
            self.response = response
            self._wake()

    def release(self) -> None:
        """Wake the task without a response: it finds one itself."""
        self.is_over = True
        self._wake()
