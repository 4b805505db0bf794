"""Checks get their names and sentences from functions."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.target import Target

TARGET = Target("localhost", 3000)


def test_a_check_is_named_after_its_function() -> None:
    area = Area("doors")

    @area.check
    async def a_door_opens(target: Target) -> None:
        """A door opens,
        and stays open.
        """

    (check,) = area
    assert check.name == "doors/a-door-opens"
    assert check.sentence == "A door opens, and stays open."


async def test_a_check_for_each_value_gets_the_value() -> None:
    area = Area("doors")
    given: list[tuple[Target, str]] = []

    @area.check_with(("left", "right"), "side")
    async def opens(target: Target, side: str) -> None:
        """It opens."""
        given.append((target, side))

    assert [check.name for check in area] == ["doors/opens[left]", "doors/opens[right]"]
    assert {check.sentence for check in area} == {"It opens."}
    for check in area:
        await check.run(TARGET)
    assert given == [(TARGET, "left"), (TARGET, "right")]


def test_checks_are_in_the_order_of_their_definition() -> None:
    area = Area("doors")

    @area.check
    async def second(target: Target) -> None:
        """It is named second."""

    @area.check
    async def first(target: Target) -> None:
        """It is named first."""

    assert [check.name for check in area] == ["doors/second", "doors/first"]
