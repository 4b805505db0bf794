"""A held GET is answered at once where that can be, and else by its task."""

import pytest

from trio_sio.engine.http.holding import HeldResponse
from trio_sio.protocol.encoded import Encoded

ITEMS = [Encoded(("4a",)), Encoded(("4b",))]


@pytest.mark.parametrize("responds", [True, False, None])
def test_an_answer_goes_at_once_or_by_the_task(responds: bool | None) -> None:
    answered: list[list[Encoded]] = []
    woken: list[bool] = []

    def respond(items: list[Encoded]) -> bool:
        answered.append(items)
        return bool(responds)

    hold = HeldResponse(lambda: woken.append(True), None if responds is None else respond)
    assert not hold.is_over
    hold.end(ITEMS)
    assert hold.is_over
    assert not hold.is_refused
    assert answered == ([] if responds is None else [ITEMS])
    assert hold.items == ([] if responds else ITEMS)
    assert woken == ([] if responds else [True])


def test_a_refusal_is_the_tasks() -> None:
    woken: list[bool] = []
    hold = HeldResponse(
        lambda: woken.append(True), lambda _: pytest.fail("there is nothing to send")
    )
    hold.refuse()
    assert (hold.is_over, hold.is_refused, hold.items, woken) == (True, True, [], [True])
