"""What a client says because of a failure, held back until it is clear whether there is one."""

import pytest

from trio_sio.exceptions import Disconnected
from trio_sio.testing.clients.symptom import Symptom


async def test_a_symptom_is_shown_unless_its_cause_comes_out() -> None:
    symptom, error = Symptom(Disconnected), Disconnected(None)
    with symptom:
        raise error
    assert symptom.is_there
    with pytest.raises(Disconnected) as caught:
        symptom.show()
    assert caught.value is error
    symptom.show()  # once


@pytest.mark.parametrize(
    "error", [ValueError(), ExceptionGroup("", [ValueError(), Disconnected(None)])]
)
async def test_what_is_no_symptom_is_not_held_back(error: Exception) -> None:
    symptom = Symptom(Disconnected)
    with pytest.raises(type(error)), symptom:
        raise error
    assert not symptom.is_there


async def test_a_group_of_one_is_shown_as_the_one() -> None:
    symptom, error = Symptom(Disconnected), Disconnected(None)
    with symptom:
        raise ExceptionGroup("", [ExceptionGroup("", [error])])
    with pytest.raises(Disconnected) as caught:
        symptom.show()
    assert caught.value is error
