"""Limits the connections of a server, altogether and from one address."""

import logging
from collections import Counter
from collections.abc import Callable

from trio_sio.engine import proxy_faults
from trio_sio.logs.throttle import LogThrottle
from trio_sio.statistics import Counters

logger = logging.getLogger("trio_sio.engine")


class Admission:
    """Counts connections, and refuses those beyond the limits.

    Args:
        limit: how many there may be (option `max_connections`).
        limit_each: how many from one address (option `max_connections_per_address`); streams
            without an address are not counted.
        count: is told of each refusal, by the option's name.
        log: where refusals are told.
        counters: where they are counted.

    Attributes:
        count: how many there are.
        refused: how many were refused so far; clients without a connection are not counted.
    """

    def __init__(
        self,
        limit: int | None,
        limit_each: int | None,
        count: Callable[[str], None],
        log: LogThrottle,
        counters: Counters,
    ) -> None:
        self.count = 0
        self.refused = 0
        self._limit = limit
        self._limit_each = limit_each
        self._count_limit = count
        self._by_address: Counter[str] = Counter()
        self._log = log
        self._counters = counters

    def enter(self, address: str) -> str:
        """Count a connection; return why it is refused, `""` if it is not."""
        if self._limit is not None and self.count >= self._limit:
            self.refused += 1
            return self._refuse("max_connections", f"there are {self._limit}", address)
        if address and self._limit_each is not None:
            if self._by_address[address] >= self._limit_each:
                self.refused += 1
                text = f"there are {self._limit_each} from {address}"
                text += proxy_faults.of_address(address)
                return self._refuse("max_connections_per_address", text, address)
            self._by_address[address] += 1
        self.count += 1
        return ""

    def leave(self, address: str) -> None:
        """Count a connection no more that `enter` has counted."""
        self.count -= 1
        if address and self._limit_each is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _refuse(self, option: str, text: str, address: str) -> str:
        text = f"{option}: {text}"
        self._count_limit(option)
        self._counters.refused["full"] += 1
        where = address or "somewhere"
        self._log.tell(logger, logging.WARNING, option, "refused a client at %s: %s", where, text)
        return text
