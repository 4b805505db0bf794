"""A Trio run that goes on only while somebody waits for one of its steps.

It has a thread of its own. Between two steps that thread is blocked, on purpose: no task runs, no
time passes, so what happens depends on the steps alone and never on how fast the other thread is.
While a step runs, time stands still as well; `passing_time` alone lets it pass, from deadline to
deadline.
"""

import math
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from typing import Generic, TypeVar

import trio
import trio.testing

from trio_sio.failures import leaves
from trio_sio.testing.tracebacks import end_at_user

T = TypeVar("T")
Step = Callable[[], Awaitable[object]]

STILL = 0.05
"""Real seconds without a task that could run: none ever will, since nothing comes from outside."""

LEAVING = 3600.0
"""Seconds, by the run's clock, that leaving everything may take."""


class Held(Generic[T]):
    """An async context manager that has been entered, in a task of its own.

    Args:
        manager: the context manager.
    """

    def __init__(self, manager: AbstractAsyncContextManager[T]) -> None:
        self._manager = manager
        self._stop = trio.Event()
        self._left = trio.Event()
        self._value: T | None = None

    def is_of(self, value: object) -> bool:
        """Whether entering gave this value."""
        return self._value is value

    async def run(self, *, task_status: trio.TaskStatus[T]) -> None:
        """Enter, wait for `leave`, and leave."""
        async with self._manager as value:
            self._value = value
            task_status.started(value)
            await self._stop.wait()
        self._left.set()

    async def leave(self) -> None:
        """Leave, and wait until that is done."""
        self._stop.set()
        await self._left.wait()


class TrioThread:
    """A Trio run in a thread of its own.

    Args:
        stops_time: the clock is a `MockClock` that stands still but in `passing_time`; otherwise it
            is the real one.

    Attributes:
        nursery: for tasks that go on between steps; cancelled at the end, before all is left.
        failure: what ended the run, `None` as long as nothing has.
    """

    def __init__(self, *, stops_time: bool = True) -> None:
        self.nursery: trio.Nursery
        self._holding: trio.Nursery  # of what is held
        self.failure: BaseException | None = None
        self._is_over = False
        self._clock = trio.testing.MockClock() if stops_time else None
        self._held: list[Held[object]] = []
        self._limit = trio.CancelScope()  # of the step
        self._watch: trio.CancelScope | None = None
        self._steps: queue.SimpleQueue[Step | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="a state machine", daemon=True)
        self._thread.start()

    # -- in the other thread ---------------------------------------------------------------------

    def run(self, step: Step) -> object:
        """Run a step and return its result; everything else moves meanwhile.

        Raises:
            trio.TooSlowError: it waits for what will not come: no task can run any more.
            RuntimeError: the run has ended.
            Exception: what the step raised, or a task of the run: that ends the run.
        """
        __tracebackhide__ = True
        if self._is_over:
            return self._raise_end()
        self._steps.put(step)
        return self._replies.get()()

    def end(self) -> None:
        """Leave everything, and end the run; does nothing if it has ended.

        Raises:
            Exception: a task of the run failed meanwhile.
        """
        if self._is_over:
            return
        self._steps.put(None)
        self._replies.get()
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _raise_end(self) -> object:
        if self.failure is None:
            raise RuntimeError("the Trio run has ended")
        raise self.failure

    # -- in the run ------------------------------------------------------------------------------

    async def hold(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter a context manager and return its value; `release` leaves it, or the end."""
        held = Held(manager)
        value: T = await self._holding.start(held.run)
        self._held.append(held)  # type: ignore[arg-type]  # what it holds does not matter here
        return value

    async def release(self, value: object) -> None:
        """Leave the context manager that gave a value."""
        held = next(one for one in reversed(self._held) if one.is_of(value))
        self._held.remove(held)
        await held.leave()

    @contextmanager
    def passing_time(self) -> Iterator[None]:
        """Let time pass meanwhile, from one deadline to the next, whenever nothing else moves."""
        if self._clock is None or self._clock.autojump_threshold == 0:
            yield
            return
        self._stop_watching()  # it would keep the clock from jumping
        self._clock.autojump_threshold = 0
        try:
            yield
        finally:
            self._clock.autojump_threshold = math.inf
            self._start_watching()

    def _run(self) -> None:
        try:
            trio.run(self._serve, clock=self._clock)
        except Exception as error:
            self.failure = _single(error)
        finally:
            self._is_over = True
            self._replies.put(self._raise_end)

    async def _serve(self) -> None:
        async with trio.open_nursery() as self._holding:
            async with trio.open_nursery() as self.nursery:
                try:
                    while (step := self._steps.get()) is not None:
                        self._replies.put(await self._reply(step))
                finally:  # what is cancelled may still have to wait for a time
                    if self._clock is not None:
                        self._clock.autojump_threshold = 0
                self.nursery.cancel_scope.cancel()
            with trio.fail_after(LEAVING):
                for held in reversed(self._held):
                    await held.leave()
            self._holding.cancel_scope.cancel()

    async def _reply(self, step: Step) -> Callable[[], object]:
        """Take a step; return what returns its result or raises its error."""
        __tracebackhide__ = True
        stuck: trio.Cancelled | None = None
        with trio.CancelScope() as limit:
            self._limit = limit
            self._start_watching()
            try:
                return partial(_return, await step())
            except trio.Cancelled as cancelled:
                stuck = cancelled
                raise
            except Exception as error:
                # It may be due to a task that fails: then that ends the run, and tells more.
                await trio.testing.wait_all_tasks_blocked()
                return partial(_throw, _single(error))
            finally:
                self._stop_watching()
        return partial(_throw, _too_slow(stuck))

    def _start_watching(self) -> None:
        if self._clock is not None:
            self._watch = trio.CancelScope()
            self.nursery.start_soon(self._cancel_when_still, self._watch, self._limit)

    async def _cancel_when_still(self, watch: trio.CancelScope, limit: trio.CancelScope) -> None:
        with watch:
            await trio.testing.wait_all_tasks_blocked(STILL)
            limit.cancel()

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()


def _return(value: T) -> T:
    return value


def _throw(error: BaseException) -> object:
    __tracebackhide__ = True
    raise error


def _too_slow(stuck: trio.Cancelled | None) -> trio.TooSlowError:
    """Return the error of a step that waits for ever; it shows where, and for what."""
    text = "this waits for what does not come"
    if stuck is None:  # several tasks of the step do
        return trio.TooSlowError(text)
    error = trio.TooSlowError(": ".join([text, *getattr(stuck, "__notes__", [])]))
    return error.with_traceback(end_at_user(stuck.__traceback__))


def _single(error: Exception) -> BaseException:
    """Return the exception in a group of one, and in groups of that."""
    first, *others = leaves(error)
    return error if others else first
