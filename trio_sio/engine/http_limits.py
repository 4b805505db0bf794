"""What one HTTP connection may take: of time, and in the heads of its requests."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from trio_sio.counters import Counters
from trio_sio.engine.request_clock import Phase
from trio_sio.logs.throttle import LogThrottle


def _nobody(option: str) -> None:
    """In place of `count_limit`."""


class HTTPLimits(NamedTuple):
    """The limits of all connections of an engine.

    Attributes:
        seconds: that each phase of a request may last.
        max_headers: header fields that a request may have.
        max_header_size: bytes of a request's head.
        count_limit: is told of each limit that was reached, by the option's name.
        log: where refused requests are told.
        counters: where they are counted, and bytes.
    """

    seconds: Mapping[Phase, float] = MappingProxyType({})
    max_headers: int = 100
    max_header_size: int = 16 * 1024
    count_limit: Callable[[str], None] = _nobody
    log: LogThrottle = LogThrottle()
    counters: Counters = Counters()

    def count_refusal(self, option: str) -> None:
        """Note that a client was refused, or cut off, by an option; `""` for no HTTP."""
        if option != Phase.ANSWER.value:  # that is no refusal: it was answered
            self.counters.refused["no_http"] += 1
        if option:
            self.count_limit(option)


NO_LIMITS = HTTPLimits()
"""Of a connection that has no engine: its requests are limited, but their time is not."""
