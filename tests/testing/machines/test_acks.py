"""The machine of acknowledgements: with our server, and with handlers that answer wrong."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.examples import FIND, examples
from trio_sio.testing.machines import AcksMachine

TestAcks = AcksMachine.TestCase
TestAcks.settings = examples(25, stateful_step_count=30)


def test_an_answer_to_nobody_is_found() -> None:
    class Talkative(AcksMachine):
        async def set_up(self) -> None:
            await super().set_up()
            self.io.on("none", self.answer_too)

        async def answer_too(self, socket: Any, *args: object) -> None:  # noqa: ANN401
            await socket.emit("question", 0)

    with pytest.raises((AssertionError, IndexError)):
        run_state_machine_as_test(Talkative, settings=settings(FIND, max_examples=300))


def test_a_wrong_answer_is_found() -> None:
    class Wrong(AcksMachine):
        async def set_up(self) -> None:
            await super().set_up()
            self.io.on("none", lambda socket, *args: "something")

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Wrong, settings=settings(FIND, max_examples=300))
