"""The machine of an upgrade: with our server, and with one that loses what waits meanwhile."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.examples import FIND, examples
from trio_sio.router.socket import Socket
from trio_sio.testing.machines import Upgrade4Machine, UpgradeMachine

TestUpgrade = UpgradeMachine.TestCase
TestUpgrade.settings = examples(30, stateful_step_count=30)
TestUpgrade4 = Upgrade4Machine.TestCase
TestUpgrade4.settings = examples(30, stateful_step_count=30)


@pytest.mark.parametrize("machine", [UpgradeMachine, Upgrade4Machine])
def test_what_is_lost_is_found(machine: type[UpgradeMachine]) -> None:
    class Losing(machine):  # type: ignore[misc,valid-type]  # one of the two
        def _hear(self, socket: Socket, number: int, data: object) -> None:
            if self.websocket is None or self.io.statistics().sessions != 1 or number % 3:
                super()._hear(socket, number, data)

    with pytest.raises(AssertionError, match=r"hears|misses"):
        run_state_machine_as_test(Losing, settings=settings(FIND, max_examples=500))
