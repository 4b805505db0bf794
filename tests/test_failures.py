"""What application code raises, sorted: failures, refusals, and what goes on out."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import wait_all_tasks_blocked

from trio_sio.exceptions import Disconnected, PacketRefused, Refused
from trio_sio.failures import (
    KeptFailures,
    await_each,
    failed_leaves,
    failures,
    leaves,
    raised,
    sort,
    take_each,
    ungroup,
    ungrouped,
)


class Odd(BaseException):
    """Of an application that does not know when to use it."""


EXITS: tuple[type[BaseException], ...] = (KeyboardInterrupt, SystemExit)
FAILURES: tuple[type[BaseException], ...] = (
    *(ValueError, StopIteration, asyncio.CancelledError, GeneratorExit, Odd),
    *(trio.TooSlowError, trio.ClosedResourceError),
)
LEAVES = st.sampled_from([*EXITS, *FAILURES, PacketRefused, Disconnected]).map(lambda kind: kind())
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=1, max_size=4).map(
        lambda errors: BaseExceptionGroup("a nursery", errors)
    ),
    max_leaves=12,
)


def in_trio(function: Callable[[], None]) -> None:
    """Run a step in a task, as the application's code runs."""

    async def step() -> None:
        await trio.lowlevel.checkpoint()
        function()

    trio.run(step)


@given(error=TREES, is_over=st.booleans())
def test_each_leaf_is_in_its_part_whatever_tree_it_hangs_in(
    error: BaseException, is_over: bool
) -> None:
    def check() -> None:
        caught = False
        try:
            try:
                raise error
            except failures() as failed:
                caught = True
                found = sort(failed, Refused, is_over=is_over)
        except (KeyboardInterrupt, SystemExit, BaseExceptionGroup):
            pass
        all_leaves = list(leaves(error))
        exits = [leaf for leaf in all_leaves if isinstance(leaf, EXITS)]
        assert caught is (len(exits) < len(all_leaves))
        if not caught:
            return
        rest = [leaf for leaf in all_leaves if leaf not in exits]
        refused = [leaf for leaf in rest if isinstance(leaf, Refused)]
        gone = [leaf for leaf in rest if isinstance(leaf, Disconnected) and is_over]
        failed_ones = [leaf for leaf in rest if leaf not in refused and leaf not in gone]
        assert found.refusal is (refused[0] if refused else None)
        assert (list(leaves(found.exits)) if found.exits is not None else []) == exits
        assert (list(leaves(found.failure)) if found.failure is not None else []) == failed_ones

    in_trio(check)


@given(error=TREES)
def test_except_star_takes_the_failures_of_a_group_and_leaves_the_exits(
    error: BaseException,
) -> None:
    def check() -> None:
        taken: list[BaseException] = []
        gone_on: list[BaseException] = []
        try:
            try:
                raise error
            except* failed_leaves() as errors:
                taken.extend(leaves(errors))
        except EXITS as exits:
            gone_on.append(exits)
        except BaseExceptionGroup as exits:
            gone_on.extend(leaves(exits))
        assert [*map(id, gone_on)] == [id(one) for one in leaves(error) if isinstance(one, EXITS)]
        assert len(taken) + len(gone_on) == len(list(leaves(error)))

    in_trio(check)


async def test_our_cancellation_goes_on_out() -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.sleep_forever()
        except failures():
            pytest.fail("a cancellation was taken for a failure")
    assert scope.cancelled_caught


async def test_our_cancellation_goes_on_out_of_a_group_and_the_failure_beside_it_is_found() -> None:
    found = None
    with trio.CancelScope() as scope:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_fail_when_cancelled)
                await wait_all_tasks_blocked()
                scope.cancel()
                await trio.sleep_forever()
        except failures() as error:
            found = sort(error, Refused)
            assert found.exits is not None
            raise found.exits from None
    assert scope.cancelled_caught
    assert found is not None
    assert found.failure is not None
    assert [type(leaf) for leaf in leaves(found.failure)] == [Odd]


async def _fail_when_cancelled() -> None:
    try:
        await trio.sleep_forever()
    finally:
        raise Odd


async def test_a_cancellation_of_no_scope_is_a_failure() -> None:
    kept: list[trio.Cancelled] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.lowlevel.checkpoint()
        except trio.Cancelled as cancelled:
            kept.append(cancelled)
            raise
    failed: BaseException | None = None
    try:
        raise kept[0]
    except failures() as error:
        failed = sort(error, Refused).failure
    assert failed is kept[0]


async def test_the_first_refusal_counts() -> None:
    first, second = PacketRefused("first"), PacketRefused("second")
    error = ExceptionGroup("", [ValueError(), ExceptionGroup("", [first]), second])
    assert sort(error, Refused).refusal is first


async def test_a_refusal_of_another_kind_is_a_failure() -> None:
    error = PacketRefused("here?")
    assert sort(error, trio.TooSlowError).failure is error


def test_a_coroutine_that_is_thrown_away_takes_no_further_step() -> None:
    async def handler() -> None:
        try:
            await trio.lowlevel.wait_task_rescheduled(lambda _: trio.lowlevel.Abort.SUCCEEDED)
        except failures():
            await trio.lowlevel.checkpoint()  # which Python does not forgive

    coroutine = handler()
    coroutine.send(None)
    coroutine.close()


def test_each_step_is_taken_in_its_order_whatever_the_others_do() -> None:
    taken: list[str] = []

    def fail() -> None:
        taken.append("fail")
        raise KeyError("a")

    with pytest.raises(KeyError):
        take_each(lambda: taken.append("first"), fail, lambda: taken.append("last"))
    assert taken == ["first", "fail", "last"]


async def test_steps_that_are_awaited_are_taken_whatever_becomes_of_the_others() -> None:
    taken: list[str] = []

    async def step(name: str, error: Exception | None = None) -> None:
        await trio.lowlevel.checkpoint()
        taken.append(name)
        if error is not None:
            raise error

    with pytest.raises(KeyError) as caught:
        await await_each(
            partial(step, "first"),
            partial(step, "second", ValueError("b")),
            partial(step, "third", KeyError("c")),
            partial(step, "last"),
        )
    assert taken == ["first", "second", "third", "last"]
    assert isinstance(caught.value.__context__, ValueError)


async def test_nurseries_that_nobody_sees_make_no_groups() -> None:
    async def fail() -> None:
        try:
            raise KeyError("its context")
        except KeyError:
            raise ValueError("mine") from LookupError("its cause")

    with pytest.raises(ValueError, match="mine") as caught:
        with ungrouped():
            async with trio.open_nursery() as outer, trio.open_nursery() as inner:
                inner.start_soon(fail)
                outer.start_soon(trio.sleep_forever)
    assert isinstance(caught.value.__cause__, LookupError)
    assert isinstance(caught.value.__context__, KeyError)
    assert caught.traceback[-1].name == "fail"


async def test_several_failures_are_one_flat_group() -> None:
    first, second = ValueError("first"), KeyError("second")

    async def fail(error: Exception) -> None:
        raise error

    with pytest.raises(ExceptionGroup) as caught:
        with ungrouped():
            async with trio.open_nursery() as outer, trio.open_nursery() as inner:
                outer.start_soon(fail, first)
                inner.start_soon(fail, second)
    assert {*caught.value.exceptions} == {first, second}
    assert caught.value.__context__ is None


async def test_what_was_raised_twice_is_told_once() -> None:
    error = ValueError("mine")
    assert ungroup(ExceptionGroup("", [ExceptionGroup("", [error]), error])) is error


async def test_groups_of_the_application_are_what_was_raised() -> None:
    mine = ExceptionGroup("both are missing", [KeyError("a"), KeyError("b")])
    assert ungroup(ExceptionGroup("", [mine])) is mine


async def test_notes_of_groups_that_are_left_out_stay() -> None:
    error = KeyError("a")
    error.add_note("its own")
    inner, outer = ExceptionGroup("", [error]), ExceptionGroup("", [ValueError()])
    inner.add_note("what the nursery has to say")
    outer.add_note("what the other has to say")
    assert ungroup(inner) is error
    assert error.__notes__ == ["its own", "what the nursery has to say"]
    both = ungroup(ExceptionGroup("", [outer, mine := LookupError("b")]))
    assert both.__notes__ == ["what the other has to say"]
    assert not hasattr(mine, "__notes__")


async def test_a_flat_group_stays_as_it_is() -> None:
    flat = ExceptionGroup("", [KeyError("a"), KeyError("b")])
    assert ungroup(flat) is flat


@pytest.mark.parametrize("kind", EXITS)
async def test_who_wants_the_program_to_end_is_not_touched(kind: type[BaseException]) -> None:
    group = BaseExceptionGroup("", [BaseExceptionGroup("", [kind()]), ValueError()])
    assert ungroup(group) is group


async def test_a_cancelled_scope_around_finds_its_cancellation() -> None:
    with trio.CancelScope() as scope:
        with pytest.RaisesGroup(trio.Cancelled, ValueError, flatten_subgroups=True) as caught:
            with ungrouped():
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(trio.sleep_forever)
                    nursery.start_soon(_fail_after_cancellation)
                    await wait_all_tasks_blocked()
                    scope.cancel()
        assert ungroup(caught.value) is caught.value
    with trio.CancelScope() as scope:
        with ungrouped():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                scope.cancel()
    assert scope.cancelled_caught


async def _fail_after_cancellation() -> None:
    try:
        await trio.sleep_forever()
    finally:
        raise ValueError


async def test_failures_that_are_kept_are_raised_at_the_end() -> None:
    first, second = ValueError(), KeyError()
    seen = []
    kept = KeptFailures(first)
    kept.add(second)
    with pytest.raises(ExceptionGroup) as caught, raised(kept):
        seen.append("the end")
    assert seen == ["the end"]
    assert caught.value.exceptions == (first, second)
    with raised(None):
        pass


async def test_failures_that_are_kept_are_raised_beside_a_cancellation() -> None:
    with pytest.raises(ExceptionGroup) as caught, trio.CancelScope() as scope:
        kept = None
        try:
            try:
                raise ValueError
            except ValueError as error:
                kept = KeptFailures(error)
            scope.cancel()
            await trio.lowlevel.checkpoint()
        finally:
            with raised(kept):
                pass
    assert scope.cancelled_caught
    assert [type(one) for one in caught.value.exceptions] == [ValueError]


async def test_failures_that_are_kept_are_raised_beside_one_of_the_way_out() -> None:
    """What comes out of the task is not raised if the way out fails, as without kept failures."""
    with pytest.raises(ExceptionGroup) as caught:
        try:
            raise OSError
        finally:
            with raised(KeptFailures(ValueError())):
                raise KeyError
    assert [type(one) for one in caught.value.exceptions] == [ValueError, KeyError]
