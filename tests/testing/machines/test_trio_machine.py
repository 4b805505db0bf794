"""`TrioMachine`: async rules, the end of an example, and failures that can be replayed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
import trio
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

import trio_sio
from tests.support.examples import examples
from trio_sio.testing import connect
from trio_sio.testing.machines import TrioMachine, in_trio

FEW = settings(
    max_examples=30, stateful_step_count=10, suppress_health_check=list(HealthCheck), database=None
)


class Counter(TrioMachine):
    """Adds up on a server."""

    def __init__(self) -> None:
        self.sum = 0
        super().__init__()

    async def set_up(self) -> None:
        io = trio_sio.Server()
        io.on("add", self.add_up)
        self.client = await self.hold(connect(io))
        self.sum_there = 0

    def add_up(self, socket: trio_sio.Socket, number: int) -> int:
        self.sum_there += number
        return self.sum_there

    @rule(number=st.integers(0, 10))
    @in_trio
    async def adds(self, number: int) -> None:
        self.sum += number
        assert await self.client.call("add", number) == [self.sum]

    @rule(number=st.integers(0, 10))
    def adds_without_waiting(self, number: int) -> None:
        self.sum += number
        self.run(self.client.emit, "add", number)

    @rule()
    @in_trio
    async def waits(self) -> None:
        await self.pass_time(100)

    @invariant()
    def is_settled(self) -> None:
        assert self.sum == self.sum_there


TestCounter = Counter.TestCase
TestCounter.settings = examples(10, stateful_step_count=10)


def failing(machine: type[RuleBasedStateMachine]) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the machine's own
        run_state_machine_as_test(machine, settings=FEW)
    return caught.value


def steps(error: BaseException) -> list[str]:
    """The program that Hypothesis shows."""
    lines = "\n".join(error.__notes__).splitlines()
    return [line for line in lines if line.startswith("state.")]


def test_a_handler_that_fails_fails_the_rule_that_it_is_called_in() -> None:
    class Failing(Counter):
        def add_up(self, socket: trio_sio.Socket, number: int) -> int:
            if number > 3:
                raise ZeroDivisionError("too much")
            return super().add_up(socket, number)

    error = failing(Failing)
    assert isinstance(error, ZeroDivisionError)
    last = steps(error)[-2:]
    assert last[0] in ("state.adds(number=4)", "state.adds_without_waiting(number=4)")
    assert last[1] == "state.teardown()"


def test_the_program_that_is_shown_is_a_test() -> None:
    class Doubling(TrioMachine):
        async def set_up(self) -> None:
            io = trio_sio.Server()
            io.on("echo", lambda socket, number: 2 * number)
            self.client = await self.hold(connect(io))

        @rule(number=st.integers(0, 10))
        @in_trio
        async def asks(self, number: int) -> None:
            assert await self.client.call("echo", number) == [number]

    program = steps(failing(Doubling))
    assert program[-1] == "state.teardown()"
    state = Doubling()
    *before, last = program[:-1]
    for step in before:
        exec(step, {"state": state})
    with pytest.raises(AssertionError):
        exec(last, {"state": state})
    state.teardown()


def test_what_depends_on_the_order_of_tasks_is_replayed() -> None:
    """A fault that only some orders of Trio's tasks show is found, made short, shown again."""

    class Racing(TrioMachine):
        async def set_up(self) -> None:
            self.order: list[int] = []

        async def arrive(self, number: int) -> None:
            await trio.lowlevel.checkpoint()
            self.order.append(number)

        @rule()
        @in_trio
        async def race(self) -> None:
            self.order.clear()
            for number in range(3):
                self.nursery.start_soon(self.arrive, number)
            await self.settle()
            assert self.order != [1, 0, 2]

    error = failing(Racing)
    assert isinstance(error, AssertionError)  # and not `Flaky`
    assert set(steps(error)) == {"state.race()", "state.teardown()"}


class Ending(TrioMachine):
    """Notes how it ends."""

    ends: ClassVar[list[str]] = []

    async def set_up(self) -> None:
        self.ends.clear()
        await self.hold(self.something())

    @asynccontextmanager
    async def something(self) -> AsyncIterator[None]:
        yield
        self.ends.append("left")

    async def check_end(self) -> None:
        self.ends.append("checked")

    @rule()
    def nothing(self) -> None:
        pass


def test_the_end_is_checked() -> None:
    run_state_machine_as_test(Ending, settings=FEW)
    assert Ending.ends == ["checked", "left"]


def test_the_run_ends_when_a_rule_fails() -> None:
    class Failing(Ending):
        @rule()
        def fails(self) -> None:
            raise ZeroDivisionError

    assert isinstance(failing(Failing), ZeroDivisionError)
    assert Failing.ends == ["left"]


def test_the_run_ends_when_it_cannot_be_set_up() -> None:
    class Failing(Ending):
        async def set_up(self) -> None:
            await super().set_up()
            raise ZeroDivisionError

    assert isinstance(failing(Failing), ZeroDivisionError)
    assert Failing.ends == ["left"]


def test_an_error_at_the_end_is_told() -> None:
    class Failing(Ending):
        @asynccontextmanager
        async def something(self) -> AsyncIterator[None]:
            yield
            raise ZeroDivisionError

    assert isinstance(failing(Failing), ZeroDivisionError)


def test_an_error_at_the_end_does_not_hide_another_one() -> None:
    class Failing(Ending):
        @initialize()
        def fails(self) -> None:
            raise KeyError

        @asynccontextmanager
        async def something(self) -> AsyncIterator[None]:
            yield
            raise ZeroDivisionError

    error = failing(Failing)
    assert isinstance(error, KeyError)
    assert any("at the end: ZeroDivisionError" in note for note in error.__notes__)


def test_what_does_not_settle_goes_on_with_the_next_rule() -> None:
    class Unsettled(TrioMachine):
        settles = False

        async def set_up(self) -> None:
            self.begun = self.done = 0

        async def do(self) -> None:
            await trio.lowlevel.checkpoint()
            self.done += 1

        @rule()
        @in_trio
        async def begin(self) -> None:
            self.begun += 1
            done = self.done
            self.nursery.start_soon(self.do)
            assert self.done == done

        async def check_end(self) -> None:
            await self.settle()
            assert self.done == self.begun

    run_state_machine_as_test(Unsettled, settings=FEW)
