"""How many connections there may be: altogether, and from one address."""

import logging
from collections import Counter

import trio

from trio_sio.engine.pipe import Pipe

logger = logging.getLogger("trio_sio.engine")

TELL_EVERY = 10.0
"""Seconds between two warnings; thousands may be refused in each."""

_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b"
)


class Admission:
    """Counts connections.

    Args:
        limit: how many there may be (option `max_connections`).
        limit_each: how many from one address (option `max_connections_per_address`); streams
            without an address are not counted.

    Attributes:
        count: how many there are.
        refused: how many were refused so far.
    """

    def __init__(self, limit: int | None, limit_each: int | None) -> None:
        self.count = 0
        self.refused = 0
        self._limit = limit
        self._limit_each = limit_each
        self._by_address: Counter[str] = Counter()
        self._told = float("-inf")

    def enter(self, address: str) -> str:
        """Count a connection; return why it may not be, `""` if it may."""
        if self._limit is not None and self.count >= self._limit:
            return self._refuse(f"max_connections: there are {self._limit}", address)
        if address and self._limit_each is not None:
            if self._by_address[address] >= self._limit_each:
                text = f"max_connections_per_address: there are {self._limit_each} from {address}"
                return self._refuse(text, address)
            self._by_address[address] += 1
        self.count += 1
        return ""

    def leave(self, address: str) -> None:
        """Count a connection that was let in no more."""
        self.count -= 1
        if address and self._limit_each is not None:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]

    def _refuse(self, text: str, address: str) -> str:
        self.refused += 1
        now = trio.current_time()
        if now - self._told >= TELL_EVERY:
            self._told = now
            logger.warning(
                "refused a connection from %s: %s; %d refused so far", address, text, self.refused
            )
        return text


async def turn_away(stream: trio.abc.Stream, text: str) -> None:
    """Answer a connection that may not be, as far as that needs no waiting, and close it."""
    body = f"too many connections ({text})\n".encode()
    pipe = Pipe(stream)
    try:
        if pipe.direct:
            pipe.write_nowait(_REFUSAL % (len(body), body))
            await pipe.send_eof()
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    finally:
        await pipe.aclose()
