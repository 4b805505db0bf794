"""The machine of a session's states: with ours, and with tables that are wrong."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.examples import FIND, examples
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import SessionState, Signal, State
from trio_sio.protocol.engineio.version import EIO4
from trio_sio.testing.machines import Session4Machine, SessionMachine
from trio_sio.testing.machines.session import INTERVAL, TIMEOUT

TestSession = SessionMachine.TestCase
TestSession.settings = examples(100, stateful_step_count=30)
TestSession4 = Session4Machine.TestCase
TestSession4.settings = examples(100, stateful_step_count=30)


class Deaf(SessionState):
    """Packets are no sign of life."""

    def receive(self, packet: EnginePacket, now: float) -> list[EnginePacket]:
        return super().receive(packet, 0)


class Reopening(SessionState):
    """An upgrade opens what has been left."""

    def signal(self, signal: Signal, reason: DisconnectReason | None = None) -> None:
        super().signal(signal, reason)
        if signal is Signal.UPGRADED:
            self.state = State.OPEN


class LastReason(SessionState):
    """The last reason stays."""

    def signal(self, signal: Signal, reason: DisconnectReason | None = None) -> None:
        before = self.reason
        super().signal(signal, reason)
        if before is not None and reason is not None:
            self.reason = reason


class Forgiving(SessionState):
    """A second probe is none."""

    def signal(self, signal: Signal, reason: DisconnectReason | None = None) -> None:
        if not (signal is Signal.PROBE and self.state is State.UPGRADING):
            super().signal(signal, reason)


class Impatient(SessionState):
    """The deadline is met only when it is past."""

    def tick(self, now: float) -> None:
        if now > self.deadline:
            super().tick(now)


@pytest.mark.parametrize("table", [Deaf, Reopening, LastReason, Forgiving, Impatient])
def test_a_wrong_table_is_found(table: Callable[..., SessionState]) -> None:
    class Wrong(SessionMachine):
        def make(self) -> SessionState:
            return table(INTERVAL, TIMEOUT, self.now)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Wrong, settings=settings(FIND, max_examples=1000))


class Postponing(SessionState):
    """Each PONG postpones the next PING, as in JavaScript."""

    def receive(self, packet: EnginePacket, now: float) -> list[EnginePacket]:
        if packet.type is EnginePacketType.PONG and self.is_ping_due_next:
            self.ping(now)
        return super().receive(packet, now)


class Immortal(SessionState):
    """A client need not answer."""

    def tick(self, now: float) -> None:
        """Time passes."""


class Polite(SessionState):
    """A client that pings is answered."""

    def receive(self, packet: EnginePacket, now: float) -> list[EnginePacket]:
        if packet.type is EnginePacketType.PING and not self.is_closed:
            return [EnginePacket(EnginePacketType.PONG)]
        return super().receive(packet, now)


@pytest.mark.parametrize("table", [Deaf, Postponing, Immortal, Polite, Impatient])
def test_a_wrong_table_of_engine_io_4_is_found(table: Callable[..., SessionState]) -> None:
    class Wrong(Session4Machine):
        def make(self) -> SessionState:
            return table(INTERVAL, TIMEOUT, self.now, EIO4)

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Wrong, settings=settings(FIND, max_examples=1000))
