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


def test_checks_hold_in_both_protocols_unless_they_say_another_one() -> None:
    area, new = Area("doors"), Area("gates", protocols=(5,))

    @area.check
    async def both(target: Target) -> None:
        """It holds in both."""

    @area.only(4).check
    async def old(target: Target) -> None:
        """It holds in 4."""

    @area.check_with(("polling", "polling-jsonp", "left"))
    async def how(target: Target, how: str) -> None:
        """It holds where there is this way."""

    @new.check_with((1, 2))
    async def numbers(target: Target, how: int) -> None:
        """It holds in 5."""

    spoken = {check.name: check.protocols for check in (*area, *new)}
    assert spoken == {
        "doors/both": (4, 5),
        "doors/old": (4,),
        "doors/how[polling]": (4, 5),
        "doors/how[polling-jsonp]": (4,),
        "doors/how[left]": (4, 5),
        "gates/numbers[1]": (5,),
        "gates/numbers[2]": (5,),
    }
