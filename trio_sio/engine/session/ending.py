"""What is known of a session's end: said by whoever brings it about, and kept for whoever asks.

An end that a limit or the client's own mistake brought about is a warning; that a client went away,
or is not heard of any more, is daily life.
"""

import logging

from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation
from trio_sio.engine.session.log import SessionLog
from trio_sio.logs.shown import short_id

logger = logging.getLogger("trio_sio.engine")


class Ending:
    """The end of one session.

    Args:
        log: the session's, where it is told.

    Attributes:
        detail: what is known; `None` until the session ends.
        failure: what the application's code raised, to be raised at the end; `None` if nothing.
    """

    __slots__ = ("_log", "_why", "detail", "failure")

    def __init__(self, log: SessionLog) -> None:
        self._log = log
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
        if self._log.events is not None:
            self._log.events.ended(detail)
        if not (detail.text or detail.stalled):
            return
        is_refused = bool(detail.text) and detail.option != "ping_timeout"
        level = logging.WARNING if is_refused else logging.INFO
        kind = str(reason), detail.option
        self._log.throttle.tell(logger, level, kind, "session %s: %s", short_id(sid), detail)
