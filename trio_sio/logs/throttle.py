"""Keeps the log short: the first line of a kind at once, and then how many there were.

Nearly everything that a server has to say can be set off by a client, and as often as it likes. A
kind is what the operator would call the same thing again: a refusal for the same reason, a limit,
a mistake in one place of the application. Kinds are chosen by us and never by a client; there is a
bound nevertheless, above which all others together are one kind.

    refused GET /socket.io/?EIO=5&… from 10.0.0.7: Unsupported protocol version (…)
    refused GET /socket.io/?EIO=5&… from 10.0.0.7: … and 1,204 more like it in the last 10 s
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import trio

from trio_sio.logs.place import place_of

INTERVAL = 10.0
"""Seconds for which further lines of a kind are only counted."""

MAX_KINDS = 128
"""Kinds that are told apart at a time."""

_EXCERPT = 300
"""Characters of a line that are kept, to be said again with the count."""

Kind = str | tuple[str | int, ...]
"""What is the same thing again; made of constants of ours and names of the application's."""

_OTHER_KINDS: Kind = "other kinds"


class Timer(Protocol):
    """A call that can be cancelled, as `call_at` returns it."""

    def cancel(self) -> None:
        """Do not call."""


@dataclass(slots=True)
class _Line:
    """The last line of one kind, and what has been kept back since."""

    logger: logging.Logger
    level: int
    text: str
    since: float
    kept_back: int = 0


class LogThrottle:
    """Writes lines for one server.

    Args:
        call_at: has a function called at a time, as `Timers.call_at`; without it, a count is told
            with the next line of its kind or by `flush`.
        interval: seconds for which further lines of a kind are only counted.
        max_kinds: kinds that are told apart at a time.
    """

    def __init__(
        self,
        call_at: Callable[[float, Callable[[], object]], Timer] | None = None,
        interval: float = INTERVAL,
        max_kinds: int = MAX_KINDS,
    ) -> None:
        self._call_at = call_at
        self._interval = interval
        self._max_kinds = max_kinds
        self._lines: dict[tuple[str, int, Kind], _Line] = {}  # in the order of their times
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._lines)

    def tell(
        self,
        logger: logging.Logger,
        level: int,
        kind: Kind,
        text: str,
        *args: object,
        error: BaseException | None = None,
    ) -> None:
        """Write a line, or count it if one of its kind was written a moment ago.

        Args:
            logger: whose line it is.
            level: its level.
            kind: what it is another example of.
            text: as for `logger.log`.
            *args: as for `logger.log`; what a client said only as `logs.shown` returns it.
            error: an exception whose traceback is written, too.
        """
        if not logger.isEnabledFor(level):
            return
        now = trio.current_time()
        key = logger.name, level, kind
        line = self._present(key, now)
        if line is None and len(self._lines) >= self._max_kinds:
            key = logger.name, level, _OTHER_KINDS
            line = self._present(key, now)
        if line is not None:
            line.kept_back += 1
            return
        message = text % args if args else text
        self._lines[key] = _Line(logger, level, message[:_EXCERPT], now)
        self._wait_until(now + self._interval)
        logger.log(level, "%s", message, exc_info=error, stacklevel=2)

    def fail(self, logger: logging.Logger, error: BaseException, text: str, *args: object) -> None:
        """Write a line and the traceback of a failure, once for each place; otherwise as `tell`."""
        if logger.isEnabledFor(logging.ERROR):
            self.tell(logger, logging.ERROR, (text, *place_of(error)), text, *args, error=error)

    def _present(self, key: tuple[str, int, Kind], now: float) -> _Line | None:
        """Return the line that a further one counts for; `None` if it is to be written."""
        line = self._lines.get(key)
        if line is None or 0 <= now - line.since < self._interval:  # or Trio's clock began anew
            return line
        del self._lines[key]
        self._tell_count(line, now)
        return None

    def _wait_until(self, deadline: float) -> None:
        if self._call_at is not None and self._timer is None:
            self._timer = self._call_at(deadline, self._look)

    def _look(self) -> None:
        """Tell of the kinds whose time is over."""
        self._timer = None
        now = trio.current_time()
        for key, line in tuple(self._lines.items()):
            if now < line.since + self._interval:
                self._wait_until(line.since + self._interval)
                return
            del self._lines[key]
            self._tell_count(line, now)

    def flush(self) -> None:
        """Tell all that has been kept back, and begin anew; when the server ends, at the latest."""
        now = trio.current_time()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, {}
        for line in lines.values():
            self._tell_count(line, now)

    def _tell_count(self, line: _Line, now: float) -> None:
        if line.kept_back:
            line.logger.log(
                line.level,
                "%s … and %s more like it in the last %.0f s",
                line.text,
                f"{line.kept_back:,}",
                max(now - line.since, 1),
            )
