"""What most tests of the engine start with."""

from dataclasses import dataclass, field

import pytest

import trio_sio
from tests.support.held_loop import counter as counter


@dataclass
class Recorder:
    """A handler that echoes, and keeps what it saw."""

    messages: list[str | bytes] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    async def __call__(self, session: trio_sio.Session) -> None:
        try:
            while True:
                message = await session.receive()
                self.messages.append(message)
                await session.send(message)
        finally:
            self.reasons.append(str(session.reason))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()
