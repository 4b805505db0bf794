"""What is written to the log about Redis, at a limited rate, and what is counted."""

import logging

from trio_sio.logs.throttle import LogThrottle

logger = logging.getLogger("trio_sio.adapters")


class Journal:
    """Writes and counts for one `RedisAdapter`.

    Attributes:
        published: messages that Redis has taken.
        dropped: messages that were not sent, or that Redis has not confirmed.
        invalid: messages whose handling has failed.
        gaps: times in which events of other servers may not have come.
    """

    def __init__(self) -> None:
        self.published = 0
        self.dropped = 0
        self.invalid = 0
        self.gaps = 0
        self._throttle = LogThrottle()

    def begin(self, throttle: LogThrottle) -> None:
        """Write to a server's log from now on."""
        self._throttle = throttle

    def info(self, kind: str, text: str, *args: object) -> None:
        """Write that all is well again."""
        self._throttle.tell(logger, logging.INFO, kind, text, *args)

    def warn(self, kind: str, text: str, *args: object) -> None:
        """Write what operators have to look at."""
        self._throttle.tell(logger, logging.WARNING, kind, text, *args)

    def fail(self, error: BaseException, text: str, *args: object) -> None:
        """Write that something of ours has failed."""
        self._throttle.fail(logger, error, text, *args)

    # -- counts --------------------------------------------------------------------------------

    def count_published(self) -> None:
        """Redis has taken a message."""
        self.published += 1

    def count_invalid(self, error: BaseException) -> None:
        """A message could not be handled."""
        self.invalid += 1
        self.fail(error, "a message from Redis could not be handled")

    def count_dropped(self, count: int, why: str) -> None:
        """Messages have not been sent, or perhaps not."""
        if count:
            self.dropped += count
            self.warn(f"dropped {why}", "messages for other servers %s: %s", why, f"{count:,}")

    def count_gap(self, seconds: float, cause: str) -> None:
        """Events of other servers may not have come."""
        self.gaps += 1
        text = "events of other servers may be missing: Redis was not heard for %.1f s (%s)"
        self.warn("gap", text, seconds, cause)
