"""The machine of a whole server: with ours, and with an application that loses something."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.examples import FIND, examples
from trio_sio.router.socket import Socket
from trio_sio.testing.machines import ServerMachine

TestServer = ServerMachine.TestCase
TestServer.settings = examples(8, stateful_step_count=12)


def test_what_is_lost_is_found() -> None:
    class Losing(ServerMachine):
        async def _say(
            self, socket: Socket, number: int, room: str | None, data: object
        ) -> int | None:
            result = await super()._say(socket, number, room, data)
            return None if number % 2 else result

    with pytest.raises(AssertionError, match=r"the answer to \d+ is \[\]"):
        run_state_machine_as_test(Losing, settings=settings(FIND, max_examples=100))
