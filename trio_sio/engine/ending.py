"""What is known of a session's end: said by whoever brings it about, and kept for whoever asks."""

import logging

from trio_sio.detail import DisconnectDetail, Explanation
from trio_sio.reasons import DisconnectReason

logger = logging.getLogger("trio_sio.engine")


class Ending:
    """The end of one session.

    Attributes:
        detail: what is known; `None` until the session ends.
        failure: what the application's code raised, to be raised at the end; `None` if nothing.
    """

    __slots__ = ("_why", "detail", "failure")

    def __init__(self) -> None:
        self.detail: DisconnectDetail | None = None
        self.failure: BaseException | None = None
        self._why: Explanation | None = None

    def explain(self, why: Explanation) -> None:
        """Say why the session is about to end; the first word counts."""
        if self._why is None:
            self._why = why

    def fail(self, error: BaseException) -> None:
        """Keep what the application's code raised, beside what it has raised before."""
        if self.failure is not None:
            error = BaseExceptionGroup("one session's failures", [self.failure, error])
        self.failure = error

    def come(self, sid: str, reason: DisconnectReason, last_seen: float, stalled: float) -> None:
        """Take note of the end, once; it is logged if there is more to say than the reason.

        Args:
            sid: the session's id.
            reason: JavaScript's word.
            last_seen: when something was last heard of the client.
            stalled: seconds that our own event loop was held around then.
        """
        if self.detail is not None:
            return
        self.detail = detail = DisconnectDetail.of(reason, self._why, last_seen, stalled)
        if detail.text or detail.stalled:
            logger.info("session %s: %s", sid, detail)
