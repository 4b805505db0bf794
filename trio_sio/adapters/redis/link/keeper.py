"""`Keeper`: a connection that is opened again whenever it is lost."""

from collections.abc import Awaitable, Callable

import trio

from trio_sio.adapters.redis.link.backoff import Backoff
from trio_sio.adapters.redis.link.connection import ConnectionLost


class Keeper:
    """Keeps one connection.

    Args:
        use: opens the connection and uses it, until it raises `ConnectionLost`.
        lost: is called whenever that has ended, with the time at which it began.
        backoff: says how long to wait between attempts.

    Attributes:
        cause: why the connection was lost, or is about to be; `""` while nothing is wrong.
    """

    def __init__(
        self,
        use: Callable[[], Awaitable[None]],
        lost: Callable[[float], object],
        backoff: Backoff,
    ) -> None:
        self.cause = ""
        self._use = use
        self._lost = lost
        self._backoff = backoff
        self._scope = trio.CancelScope()

    def restart(self, cause: str) -> None:
        """Open another connection: this one does not do what it should."""
        if not self.cause:
            self.cause = cause
            self._scope.cancel()

    async def run(self) -> None:
        """Keep a connection; a task."""
        while True:
            delay = await self._use_once()
            await trio.sleep(delay)

    async def _use_once(self) -> float:
        """Use a connection until it is lost; return the seconds to wait before the next one."""
        began, is_refusal = trio.current_time(), False
        self.cause = ""
        with trio.CancelScope() as self._scope:
            try:
                await self._use()
            except ConnectionLost as error:
                self.cause = self.cause or str(error)
                is_refusal = error.is_refusal
        self._lost(began)
        self._backoff.lasted(trio.current_time() - began)
        return self._backoff.next(is_refusal=is_refusal)
