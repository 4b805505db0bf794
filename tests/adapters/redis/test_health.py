"""Health: what is wrong, and how the application hears of it."""

import pytest
import trio
import trio.testing

from tests.support.adapter_host import Host
from trio_sio.adapters.redis.health import Gap, Health, Notices, Part


def test_all_parts_have_to_be_well() -> None:
    changes: list[bool] = []
    health = Health(changes.append)
    assert not health.healthy
    assert health.problem == "Redis is not connected to"
    health.find(Part.PUBLISHER, "")
    health.find(Part.SUBSCRIBER, "")
    assert not health.healthy
    health.find(Part.PROBE, "")
    assert health.healthy
    assert health.problem == ""
    health.find(Part.PROBE, "")
    assert changes == [True]
    health.find(Part.SUBSCRIBER, "deaf")
    assert health.problem == "deaf"
    health.find(Part.PUBLISHER, "mute")
    assert health.problem == "mute"
    assert changes == [True, False]


@pytest.mark.parametrize("part", [Part.PUBLISHER, Part.SUBSCRIBER])
def test_after_a_problem_a_probe_has_to_come_back(part: Part) -> None:
    health = Health(lambda healthy: None)
    for each in Part:
        health.find(each, "")
    health.find(part, "lost")
    health.find(part, "")
    assert not health.healthy
    assert health.problem == "no probe has come back yet"
    health.find(Part.PROBE, "")
    assert health.healthy


async def test_the_first_attempt_settles_it(autojump_clock: trio.testing.MockClock) -> None:
    well, unwell = Health(lambda healthy: None), Health(lambda healthy: None)
    with trio.move_on_after(1) as scope:
        await well.wait_settled()
    assert scope.cancelled_caught
    async with trio.open_nursery() as nursery:
        nursery.start_soon(well.wait_settled)
        nursery.start_soon(unwell.wait_settled)
        await trio.testing.wait_all_tasks_blocked()
        for part in Part:
            well.find(part, "")
        unwell.find(Part.SUBSCRIBER, "deaf")
        assert unwell.problem == "Redis is not connected to"  # the publisher has yet to try
        unwell.find(Part.PUBLISHER, "mute")
    await well.wait_settled()
    well.begin()
    assert not well.healthy
    with trio.move_on_after(1) as scope:
        await well.wait_settled()
    assert scope.cancelled_caught


def test_two_gaps_are_one_from_the_first_to_the_last() -> None:
    gap = Gap(1.0, 2.5, "one").merged(Gap(4.0, 5.0, "other"))
    assert gap == Gap(1.0, 5.0, "one")
    assert gap.seconds == 4.0


# -- notices ---------------------------------------------------------------------------------------


def latest(_earlier: int, later: int) -> int:
    return later


async def test_functions_are_called_in_order_async_or_not(
    autojump_clock: trio.testing.MockClock,
) -> None:
    notices = Notices[int]("on_number", latest)
    called: list[tuple[str, int]] = []

    @notices.add
    def first(number: int) -> None:
        called.append(("first", number))

    @notices.add
    async def second(number: int) -> None:
        await trio.sleep(1)
        called.append(("second", number))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(notices.run, Host())
        notices.tell(1)
        await trio.sleep(2)
        nursery.cancel_scope.cancel()
    assert called == [("first", 1), ("second", 1)]


async def test_what_happens_while_a_function_takes_its_time_is_merged(
    autojump_clock: trio.testing.MockClock,
) -> None:
    notices = Notices[int]("on_number", latest)
    called: list[int] = []

    @notices.add
    async def slow(number: int) -> None:
        called.append(number)
        await trio.sleep(10)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(notices.run, Host())
        for number in range(5):
            notices.tell(number)
            await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(30)
        nursery.cancel_scope.cancel()
    assert called == [0, 4]


async def test_a_function_that_fails_is_reported_and_the_others_are_called(
    autojump_clock: trio.testing.MockClock,
) -> None:
    notices = Notices[int]("on_number", latest)
    called: list[int] = []

    @notices.add
    def fails(number: int) -> None:
        raise ValueError(number)

    notices.add(called.append)
    host = Host()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(notices.run, host)
        notices.tell(1)
        await trio.testing.wait_all_tasks_blocked()
        notices.tell(2)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert called == [1, 2]
    assert len(host.reported) == 2
    error, line = host.reported[0]
    assert isinstance(error, ValueError)
    assert line.startswith("a function of on_number failed: ")
    assert line.endswith("fails")


def test_only_a_function_can_be_registered() -> None:
    with pytest.raises(TypeError, match="on_number takes a function, not 1"):
        Notices[int]("on_number", latest).add(1)  # type: ignore[type-var]  # it is what is tested
