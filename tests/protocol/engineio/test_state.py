"""The states of a session, against a table of their own, and in any order; design, section 7.2."""

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.examples import examples
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import TRANSITIONS, SessionState, Signal, State
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError

OPEN, UPGRADING, LEAVING, CLOSING, CLOSED = State
INTERVAL, TIMEOUT = 25.0, 5.0

# How to get there from OPEN, and the reason that is then fixed.
ROADS: dict[State, list[Signal]] = {
    OPEN: [],
    UPGRADING: [Signal.PROBE],
    LEAVING: [Signal.LEAVE_ASKED],
    CLOSING: [Signal.CLOSE_ASKED],
    CLOSED: [Signal.OVERLAP],
}

Row = tuple[State | None, ...]
# One column for each of OPEN, UPGRADING, LEAVING, CLOSING and CLOSED; `None` is no step.
SIGNALS: dict[Signal, Row] = {
    Signal.PROBE: (UPGRADING, None, None, None, None),
    Signal.PROBE_LOST: (None, OPEN, LEAVING, CLOSING, None),
    Signal.UPGRADED: (OPEN, OPEN, LEAVING, CLOSING, None),
    Signal.OVERLAP: (CLOSED, CLOSED, CLOSED, CLOSED, None),
    Signal.MALFORMED: (CLOSED, CLOSED, CLOSED, CLOSED, None),
    Signal.TRANSPORT_LOST: (CLOSED, CLOSED, CLOSED, CLOSED, None),
    Signal.TIMEOUT: (CLOSED, CLOSED, CLOSED, CLOSED, None),
    Signal.LEAVE_ASKED: (LEAVING, LEAVING, None, None, None),
    Signal.CLOSE_ASKED: (CLOSING, CLOSING, CLOSING, CLOSING, None),
    Signal.FLUSHED: (None, None, None, CLOSED, None),
}
STAYS: Row = (OPEN, UPGRADING, LEAVING, CLOSING, None)
PACKETS: dict[EnginePacketType, Row] = {
    **dict.fromkeys(EnginePacketType, STAYS),
    EnginePacketType.CLOSE: (CLOSED, CLOSED, CLOSED, CLOSED, None),
}

REASONS = {
    EnginePacketType.CLOSE: "transport close",
    Signal.OVERLAP: "transport error",
    Signal.MALFORMED: "parse error",
    Signal.TRANSPORT_LOST: "transport close",
    Signal.TIMEOUT: "ping timeout",
    Signal.LEAVE_ASKED: "server shutting down",
    Signal.CLOSE_ASKED: "forced close",
}

FIRST_REASONS = {LEAVING: "server shutting down", CLOSING: "forced close"}
"""In the states in which the end has a reason already, and is still to come."""


def session_in(state: State) -> SessionState:
    session = SessionState(INTERVAL, TIMEOUT, 0)
    for signal in ROADS[state]:
        session.signal(signal)
    assert session.state is state
    return session


def everything_of(session: SessionState) -> tuple[object, ...]:
    return tuple(getattr(session, name) for name in SessionState.__slots__)


@pytest.mark.parametrize(
    ("state", "signal", "then"),
    [(s, signal, row[i]) for signal, row in SIGNALS.items() for i, s in enumerate(State)],
)
def test_signal(state: State, signal: Signal, then: State | None) -> None:
    session = session_in(state)
    before = everything_of(session)
    if then is None:
        with pytest.raises(
            LocalProtocolError, match=f"^{signal.name} is no step from {state.name}$"
        ):
            session.signal(signal)
        assert everything_of(session) == before
        return
    session.signal(signal)
    assert session.state is then
    if state in FIRST_REASONS:
        assert session.reason == FIRST_REASONS[state]  # the first reason wins
    elif then in (LEAVING, CLOSING, CLOSED):
        assert session.reason == REASONS[signal]
    else:
        assert session.reason is None


@pytest.mark.parametrize(
    ("state", "kind", "then"),
    [(s, kind, row[i]) for kind, row in PACKETS.items() for i, s in enumerate(State)],
)
@pytest.mark.parametrize("data", ["", "probe", b"", b"probe"])
def test_packet(
    state: State, kind: EnginePacketType, then: State | None, data: str | bytes
) -> None:
    session = session_in(state)
    before = everything_of(session)
    if then is None:
        with pytest.raises(RemoteProtocolError) as error:
            session.receive(EnginePacket(kind, data), 7)
        assert error.value.args == ("session closed",)
        assert kind.name in error.value.hint
        assert everything_of(session) == before
        return
    replies = session.receive(EnginePacket(kind, data), 7)
    assert session.state is then
    assert session.deadline == 7 + INTERVAL + TIMEOUT
    is_answered = kind is EnginePacketType.PING and state not in FIRST_REASONS
    assert replies == ([EnginePacket(EnginePacketType.PONG)] if is_answered else [])
    if then is CLOSED:
        assert session.reason == FIRST_REASONS.get(state, "transport close")


def test_the_table_holds_nothing_else() -> None:
    rows = [*SIGNALS.items(), *PACKETS.items()]
    for index, state in enumerate(State):
        steps = {step: row[index] for step, row in rows if row[index] is not None}
        assert TRANSITIONS[state] == steps


@pytest.mark.parametrize("signal", [Signal.TRANSPORT_LOST, Signal.CLOSE_ASKED])
def test_a_signal_may_bring_its_reason(signal: Signal) -> None:
    session = session_in(UPGRADING)
    session.signal(signal, DisconnectReason.SLOW_CONSUMER)
    assert session.reason == "slow consumer"


@pytest.mark.parametrize(
    ("state", "is_open", "hears"),
    [
        (OPEN, True, True),
        (UPGRADING, True, True),
        (LEAVING, False, True),
        (CLOSING, False, False),
        (CLOSED, False, False),
    ],
)
def test_is_open(state: State, is_open: bool, hears: bool) -> None:
    session = session_in(state)
    assert session.is_open is is_open
    assert session.hears is hears
    assert session.receive_message(7) is hears
    assert session.deadline == (7 if hears else 0) + INTERVAL + TIMEOUT


@pytest.mark.parametrize("state", [OPEN, UPGRADING, LEAVING, CLOSING])
def test_patience_ends_at_the_deadline(state: State) -> None:
    session = session_in(state)
    session.tick(29.999)
    assert session.state is state
    session.tick(30)
    assert session.state is CLOSED
    assert session.reason == FIRST_REASONS.get(state, "ping timeout")
    session.tick(31)  # nothing more happens


def test_touch_starts_patience_anew() -> None:
    session = session_in(OPEN)
    session.touch(20)
    assert session.deadline == 50
    session.tick(49)
    assert session.state is OPEN


@given(interval=st.floats(0.001, 1e6), timeout=st.floats(0.001, 1e6), now=st.floats(0, 1e9))
def test_deadline(interval: float, timeout: float, now: float) -> None:
    session = SessionState(interval, timeout, now)
    assert session.deadline == now + (interval + timeout)
    session.tick(now)
    assert session.state is OPEN


class Session(RuleBasedStateMachine):
    """Packets, signals and time in any order; design, section 8.9."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.heard = 0.0
        self.reason: str | None = None
        self.session = SessionState(INTERVAL, TIMEOUT, self.now)

    @rule(kind=st.sampled_from(EnginePacketType), data=st.text(max_size=3))
    def client_sends(self, kind: EnginePacketType, data: str) -> None:
        column = list(State).index(self.session.state)
        was_open = self.session.is_open
        then = PACKETS[kind][column]
        if then is None:
            with pytest.raises(RemoteProtocolError):
                self.session.receive(EnginePacket(kind, data), self.now)
            return
        replies = self.session.receive(EnginePacket(kind, data), self.now)
        assert len(replies) == (kind is EnginePacketType.PING and was_open)
        self.heard = self.now
        self.arrives_at(then, REASONS.get(kind))

    @rule(signal=st.sampled_from(Signal))
    def something_happens(self, signal: Signal) -> None:
        then = SIGNALS[signal][list(State).index(self.session.state)]
        if then is None:
            with pytest.raises(LocalProtocolError):
                self.session.signal(signal)
            return
        self.session.signal(signal)
        self.arrives_at(then, REASONS.get(signal))

    @rule(seconds=st.floats(0, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.session.tick(self.now)
        if self.now >= self.heard + INTERVAL + TIMEOUT:
            self.arrives_at(CLOSED, "ping timeout")

    @precondition(lambda self: self.session.is_open)
    @rule()
    def upgrade_touches(self) -> None:
        self.session.touch(self.now)
        self.heard = self.now

    def arrives_at(self, state: State, reason: str | None) -> None:
        assert self.session.state is state
        if state in (LEAVING, CLOSING, CLOSED) and self.reason is None:
            self.reason = reason

    @invariant()
    def the_end_has_a_reason_and_patience_an_end(self) -> None:
        assert self.session.reason == self.reason
        assert self.session.is_open == (self.reason is None)
        assert self.session.state is CLOSED or self.session.deadline > self.now


TestSession = Session.TestCase
TestSession.settings = examples(200, stateful_step_count=30)
