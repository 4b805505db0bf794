"""A state machine of Hypothesis whose rules may be async.

    class Counting(TrioMachine):
        async def set_up(self):
            self.io = application()
            self.client = await self.hold(connect(self.io))

        @rule(number=st.integers())
        @in_trio
        async def add(self, number):
            await self.client.emit("add", number)

    TestCounting = Counting.TestCase

All examples are replayable: between two rules nothing moves, time stands still unless a rule lets
it pass, and the order in which Trio runs tasks is drawn by Hypothesis.
"""

import functools
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import ClassVar, Concatenate, ParamSpec, TypeVar, cast

import trio
import trio.testing
from hypothesis.stateful import RuleBasedStateMachine

from trio_sio.testing.machines.trio_thread import TrioThread

P = ParamSpec("P")
T = TypeVar("T")
Machine = TypeVar("Machine", bound="TrioMachine")


class TrioMachine(RuleBasedStateMachine):
    """A state machine with a Trio run of its own, which ends with the example.

    An error of a task in that run fails the rule during which it happens.

    Attributes:
        stops_time: time passes only in `pass_time` and `passing_time`. `False` is for what needs
            the real clock: sockets, threads, other processes.
        settles: at its end each rule waits until nothing moves; `False` has what has begun go on
            during the next rule.
    """

    stops_time: ClassVar[bool] = True
    settles: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._thread = TrioThread(stops_time=self.stops_time)
        is_ready = False
        try:
            self.run(self.set_up)
            is_ready = True
        finally:
            if not is_ready:
                self._end()

    # -- to be overridden ------------------------------------------------------------------------

    async def set_up(self) -> None:
        """Make what the rules work with, at the beginning of each example."""

    async def settle(self) -> None:
        """Wait until nothing moves."""
        await trio.testing.wait_all_tasks_blocked()

    async def check_end(self) -> None:
        """Check what has to be true at the end of each example that did not fail."""

    # -- for rules -------------------------------------------------------------------------------

    @property
    def nursery(self) -> trio.Nursery:
        """For tasks that go on between rules; cancelled at the end."""
        return self._thread.nursery

    async def hold(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter an async context manager, and return its value.

        At the end of the example all of them are left, the last one first.
        """
        return await self._thread.hold(manager)

    async def release(self, value: object) -> None:
        """Leave the context manager that gave a value."""
        await self._thread.release(value)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, from one deadline to the next.

        Args:
            seconds: how much.
        """
        with self.passing_time():
            await trio.sleep(seconds)

    def passing_time(self) -> AbstractContextManager[None]:
        """Let time pass in a `with` block, whenever nothing else moves, for what has to wait."""
        return self._thread.passing_time()

    def run(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an async function in the Trio run; for rules without `in_trio`.

        Raises:
            trio.TooSlowError: it waits for what does not come, while time stands still.
            Exception: what it raised, or a task of the run.
        """

        __tracebackhide__ = True

        async def step() -> T:
            __tracebackhide__ = True
            result = await function(*args, **kwargs)
            if self.settles:
                await self.settle()
            return result

        return cast("T", self._thread.run(step))

    def teardown(self) -> None:
        """End the Trio run, whatever has happened."""
        has_failed = sys.exception() is not None
        try:
            if not has_failed:
                self.run(self.check_end)
        finally:
            self._end()

    def _end(self) -> None:
        """End the run; its errors are told if there is none under way."""
        failed = sys.exception()
        try:
            self._thread.end()
        except Exception as error:
            if failed is None:
                raise
            failed.add_note(f"at the end: {error!r}")


def in_trio(
    function: Callable[Concatenate[Machine, P], Awaitable[T]],
) -> Callable[Concatenate[Machine, P], T]:
    """Let a rule or an invariant of a `TrioMachine` be async; stands below `@rule`."""

    @functools.wraps(function)
    def run(self: Machine, *args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True
        return self.run(function, self, *args, **kwargs)

    return cast("Callable[Concatenate[Machine, P], T]", run)
