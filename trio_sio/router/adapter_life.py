"""Runs what a factory of adapters has to do while a server serves.

A factory whose adapters ask other servers has connections and tasks of its own
(`trio_sio.abc.AdapterService`). They begin before the first client comes, and end when the last one
has left, so that a "disconnect" handler can still broadcast to the other servers. If they fail, the
server goes on, and they are started again.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import trio

from trio_sio.abc import AdapterService
from trio_sio.failures import Never, failures, sort
from trio_sio.logs.throttle import LogThrottle
from trio_sio.statistics import AdapterStatistics

logger = logging.getLogger("trio_sio.router")

GOODBYE = 0.25
"""Seconds that a factory gets at the end to send what is queued."""

FIRST_DELAY, MAX_DELAY = 1.0, 30.0
"""Seconds before a factory that has failed is run again: at first, and at most."""

_NOT_RUN = "the server has not been entered: use `async with io`, or one of its serve methods"


class AdapterLife:
    """Runs the factory of one server, if that has tasks; the factory's host.

    Args:
        factory: what makes the server's adapters.
        log: the server's log.

    Attributes:
        log: the same.
        failures: how often the factory's tasks have failed.
    """

    def __init__(self, factory: object, log: LogThrottle) -> None:
        self.log = log
        self.failures = 0
        self._raise_errors = False
        self._is_running = False
        self._service: AdapterService | None = None
        self.change(factory)

    def change(self, factory: object) -> None:
        """Run another factory from the next time on."""
        self._service = factory if isinstance(factory, AdapterService) else None

    def statistics(self) -> AdapterStatistics:
        """Return the state of the adapters."""
        service = self._service
        if service is None:
            return AdapterStatistics()
        now = replace(service.statistics(), failures=self.failures)
        return now if self._is_running else replace(now, healthy=False, problem=_NOT_RUN)

    @property
    def is_missing(self) -> bool:
        """Whether the factory has tasks, and they do not run."""
        return self._service is not None and not self._is_running

    def tell_missing(self) -> None:
        """Log that clients come while the factory's tasks do not run."""
        line = "clients come, but the adapter reaches no other server: %s"
        self.log.tell(logger, logging.WARNING, "adapter", line, _NOT_RUN)

    @asynccontextmanager
    async def running(self, *, raise_errors: bool) -> AsyncIterator[None]:
        """Run the factory's tasks while the context lasts, unless somebody does already.

        Args:
            raise_errors: their failures are raised, and not only logged.
        """
        service = self._service
        if service is None or self._is_running:
            yield
            return
        self._raise_errors = raise_errors
        async with trio.open_nursery() as nursery:
            scope = trio.CancelScope()
            await nursery.start(self._run, service, scope)
            self._is_running = True
            # The last clients leave when everything around has been cancelled already.
            scope.shield = True
            try:
                yield
            finally:
                self._is_running = False
                with trio.move_on_after(GOODBYE, shield=True):
                    await self._end(service)
                scope.cancel()

    async def _end(self, service: AdapterService) -> None:
        try:
            await service.aclose()
        except failures() as error:
            self.report(error, "the adapter could not be closed")

    async def _run(
        self,
        service: AdapterService,
        scope: trio.CancelScope,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run the factory, and after a failure again."""
        status, delay = _StartedOnce(task_status), FIRST_DELAY
        with scope:
            while True:
                begun = trio.current_time()
                try:
                    await service.run(self, task_status=status)
                except failures() as error:
                    self.failures += 1
                    self.report(error, "the adapter's tasks failed; they are started again")
                else:
                    status.started()
                    return  # it has nothing to do
                status.started()
                if trio.current_time() - begun > MAX_DELAY:
                    delay = FIRST_DELAY
                await trio.sleep(delay)
                delay = min(2 * delay, MAX_DELAY)

    def report(self, error: BaseException, line: str, *args: object) -> None:
        """Log a failure; with `raise_errors`, raise it."""
        if self._raise_errors:
            raise error
        found = sort(error, Never)
        if found.failure is not None:
            self.log.fail(logger, found.failure, line, *args)
        if found.exits is not None:
            raise found.exits


class _StartedOnce(trio.TaskStatus[None]):
    """Passes on that a factory has started, which it says once for each time that it is run."""

    def __init__(self, status: trio.TaskStatus[None]) -> None:
        self._status = status
        self._is_started = False

    def started(self, value: None = None) -> None:
        if not self._is_started:
            self._is_started = True
            self._status.started(value)
