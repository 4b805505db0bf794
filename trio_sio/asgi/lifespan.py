"""The start and the end of an ASGI application (ASGI, "Lifespan Protocol")."""

import logging
import math
from typing import Any, Literal

import trio

from trio_sio.asgi.types import ASGIApplication, Message
from trio_sio.failures import failures

logger = logging.getLogger("trio_sio.asgi")

LifespanMode = Literal["auto", "on", "off"]


class StartFailed(Exception):
    """What an application says of its own failure to start."""


class Lifespan:
    """Has one application start and end.

    Args:
        app: the application.
        mode: "on" if it has to know of lifespan, "off" if it is not asked, "auto" if it may fail.
        shutdown_timeout: seconds that it has at the end.

    Attributes:
        state: what the application has put there; each scope has a copy.
    """

    def __init__(self, app: ASGIApplication, mode: LifespanMode, shutdown_timeout: float) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._mode = mode
        self._shutdown_timeout = shutdown_timeout
        self._started = trio.Event()
        self._failure: BaseException | None = None
        self._is_starting = False
        self._is_complete = False
        self._ending = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the application, and end it when this is cancelled.

        Raises:
            RuntimeError: it did not start.
        """
        if self._mode == "off":
            task_status.started()
            return
        # The application goes on after the cancellation, but no longer than it may.
        life_scope = trio.CancelScope(shield=True)
        async with trio.open_nursery() as nursery:
            try:
                nursery.start_soon(self._live, life_scope)
                await self._started.wait()
                if self._failure is not None:
                    raise RuntimeError(
                        f"the ASGI application did not start: {_shown(self._failure)}"
                    ) from self._failure
                task_status.started()
                await trio.sleep_forever()
            finally:
                self._ending.set()
                limit = self._shutdown_timeout if self._is_complete else -math.inf
                life_scope.deadline = trio.current_time() + limit

    async def _live(self, life_scope: trio.CancelScope) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        with life_scope:
            try:
                await self._app(scope, self._receive, self._send)
            except failures() as error:
                self._fail(error)
        if life_scope.cancelled_caught and self._is_complete:
            limit = self._shutdown_timeout
            logger.error("the ASGI application did not shut down within %s s", limit)
        self._started.set()

    def _fail(self, error: BaseException) -> None:
        if self._started.is_set():
            if self._failure is None:
                logger.error("the ASGI application's lifespan failed", exc_info=error)
        elif self._mode == "on":
            self._failure = error
        else:
            logger.info("the ASGI application has no lifespan: %s", type(error).__name__)

    async def _receive(self) -> Message:
        if not self._is_starting:
            self._is_starting = True
            await trio.lowlevel.checkpoint()
            return {"type": "lifespan.startup"}
        await self._ending.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        await trio.lowlevel.checkpoint()
        match message["type"]:
            case "lifespan.startup.complete":
                self._is_complete = True
                self._started.set()
            case "lifespan.startup.failed":
                self._failure = StartFailed(message.get("message") or "it gives no reason")
                self._started.set()
            case "lifespan.shutdown.failed":
                reason = message.get("message", "")
                logger.error("the ASGI application did not shut down: %s", reason)
            case "lifespan.shutdown.complete":
                pass
            case other:
                raise RuntimeError(f"the application sent {other!r} in its lifespan")


def _shown(error: BaseException) -> str:
    return str(error) if isinstance(error, StartFailed) else f"{type(error).__name__}: {error}"
