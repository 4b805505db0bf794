"""What a network can be told to do; its `repr` is what is needed to replay it."""

from typing import Any

import pytest
from hypothesis.vendor.pretty import pretty

from trio_sio.testing import Cut, Faults, Freeze


@pytest.mark.parametrize(
    "faults",
    [
        Faults(),
        Faults(delay=(0.01, 0.2), chunk=1, rate=1000, buffer=100),
        Faults(cut=Cut(100, "to_client", "end")),
        Faults(freeze=Freeze(100)),
        Faults(freeze=Freeze(seconds=2.5)),
    ],
)
def test_repr_makes_the_same(faults: Faults) -> None:
    assert eval(repr(faults), {"Faults": Faults, "Cut": Cut, "Freeze": Freeze}) == faults


def test_repr_has_what_was_said_and_no_more() -> None:
    faults = Faults(delay=(0.1, 2), chunk=1, cut=Cut(100), freeze=Freeze(seconds=2.5))
    told = "Faults(delay=(0.1, 2), chunk=1, cut=Cut(after=100), freeze=Freeze(seconds=2.5))"
    assert repr(faults) == pretty(faults) == told
    assert repr(Faults()) == "Faults()"


@pytest.mark.parametrize(
    ("kind", "arguments", "told"),
    [
        (Faults, {"delay": (2, 1)}, "'delay' must be two numbers"),
        (Faults, {"delay": (-1, 1)}, "'delay'"),
        (Faults, {"chunk": 0}, "'chunk' must be at least 1, not 0"),
        (Faults, {"rate": 0}, "'rate' must be more than 0"),
        (Faults, {"buffer": 0}, "'buffer'"),
        (Cut, {"after": -1}, "'after' must be at least 0"),
        (Cut, {"after": 1, "direction": "up"}, "'direction' must be one of"),
        (Cut, {"after": 1, "how": "softly"}, "'how' must be one of"),
        (Freeze, {}, "'after' must be given unless 'seconds' is"),
        (Freeze, {"after": -1}, "'after'"),
        (Freeze, {"seconds": -1}, "'seconds'"),
        (Freeze, {"after": 1, "direction": "up"}, "'direction'"),
    ],
)
def test_what_cannot_be(kind: type[object], arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        kind(**arguments)
