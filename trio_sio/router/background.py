"""What runs beside a socket's own task: its nursery, concurrent handlers, callbacks of acks."""

from collections.abc import Awaitable, Callable

import trio

from trio_sio.router.handlers import Handler
from trio_sio.sync import Notifier

Function = Callable[..., Awaitable[object]]


class BackgroundTasks:
    """The nursery of one socket, and the handlers and callbacks that run in it.

    Args:
        limit: handlers that may run at a time. Callbacks of acknowledgements do not count: they
            share the limit of the answers that the client owes (`max_pending_acks`).

    Attributes:
        running: how many handlers and callbacks run.
    """

    __slots__ = ("_done", "_handlers", "_limit", "_nursery", "_room", "running")

    def __init__(self, limit: int) -> None:
        self.running = 0
        self._nursery: trio.Nursery | None = None
        self._limit = limit
        self._handlers = 0
        self._room: Notifier | None = None  # for the socket's task, once it has had to wait
        self._done: Notifier | None = None  # for whoever waits until nothing runs

    # -- the nursery -----------------------------------------------------------------------

    def open(self, nursery: trio.Nursery) -> None:
        """Run tasks in a nursery from now on."""
        self._nursery = nursery

    def close(self) -> None:
        """Forget the nursery, which is about to close or has closed."""
        self._nursery = None

    @property
    def nursery(self) -> trio.Nursery:
        """The nursery; raises `RuntimeError` while there is none."""
        if self._nursery is None:
            raise RuntimeError("the socket's nursery is open from its middleware to its end")
        return self._nursery

    @property
    def is_open(self) -> bool:
        """Whether there is a nursery."""
        return self._nursery is not None

    @property
    def is_serving(self) -> bool:
        """Whether there is a nursery that is not being cancelled."""
        return self._nursery is not None and not self._nursery.cancel_scope.cancel_called

    def end_within(self, seconds: float) -> None:
        """Cancel everything in the nursery, if there is one, after some time."""
        if self._nursery is not None:
            self._nursery.cancel_scope.deadline = trio.current_time() + seconds

    def cancel(self) -> None:
        """Cancel everything in the nursery, if there is one."""
        if self._nursery is not None:
            self._nursery.cancel_scope.cancel()

    # -- what runs in it -------------------------------------------------------------------

    @property
    def is_full(self) -> bool:
        """Whether as many handlers run as may."""
        return self._handlers >= self._limit

    @property
    def callbacks(self) -> int:
        """How many callbacks run."""
        return self.running - self._handlers

    async def wait_room(self) -> None:
        """Wait until another handler may run; for the socket's task alone."""
        if self._room is None:
            self._room = Notifier()
        while self.is_full:
            await self._room.wait()

    async def begin_handler(self, function: Function, *args: object, name: Handler) -> None:
        """Run a handler, for which there is room; return once it has begun."""
        self._handlers += 1
        await self._begin(self._run_handler, function, args, name)

    def begin_report(self, function: Function, *args: object, name: Handler) -> bool:
        """Run what reports a failure, as a handler; return whether there was room for it."""
        if not self.is_serving or self.is_full:
            return False
        self._handlers += 1
        self.running += 1
        self.nursery.start_soon(self._run_handler, trio.Event(), function, args, name=name)
        return True

    async def begin_callback(self, function: Function, *args: object, name: Handler) -> None:
        """Run a callback; return once it has begun."""
        await self._begin(self._run, function, args, name)

    async def _begin(
        self, run: Function, function: Function, args: tuple[object, ...], name: Handler
    ) -> None:
        # Tasks that are started together begin in any order.
        begun = trio.Event()
        self.running += 1
        self.nursery.start_soon(run, begun, function, args, name=name)
        await begun.wait()

    async def _run_handler(
        self, begun: trio.Event, function: Function, args: tuple[object, ...]
    ) -> None:
        try:
            await self._run(begun, function, args)
        finally:
            self._handlers -= 1
            if self._room is not None:
                self._room.notify_all()

    async def _run(self, begun: trio.Event, function: Function, args: tuple[object, ...]) -> None:
        begun.set()
        try:
            await function(*args)
        finally:
            self.running -= 1
            if not self.running and self._done is not None:
                self._done.notify_all()

    async def wait_done(self) -> None:
        """Wait until nothing runs. (By the time this returns, something may run again.)"""
        if not self.running:
            await trio.lowlevel.checkpoint()
            return
        if self._done is None:
            self._done = Notifier()
        await self._done.wait()
