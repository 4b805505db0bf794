"""The machine of disconnects: with our server, and with what tells twice or leaves something."""

import pytest
import trio
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.examples import FIND, examples
from trio_sio.router.socket import Socket
from trio_sio.testing.machines import DisconnectsMachine

TestDisconnects = DisconnectsMachine.TestCase
TestDisconnects.settings = examples(20, stateful_step_count=12)


def test_a_second_disconnect_is_found() -> None:
    class Twice(DisconnectsMachine):
        async def _serve(self) -> None:
            await super()._serve()
            self.io.on("disconnect", self._disconnected)

    with pytest.raises(AssertionError, match="not"):
        run_state_machine_as_test(Twice, settings=settings(FIND, max_examples=50))


def test_what_remains_is_found() -> None:
    class Leaking(DisconnectsMachine):
        async def _connected(self, socket: Socket) -> None:
            await super()._connected(socket)
            self.nursery.start_soon(trio.sleep_forever)

    with pytest.raises(AssertionError, match=r"what remains: task trio\.sleep_forever"):
        run_state_machine_as_test(Leaking, settings=settings(FIND, max_examples=50))
