"""The states of a session, against a table of their own. In any order: `SessionMachine`."""

import math

import pytest
from hypothesis import given, strategies as st

from tests.support.attempt import attempt
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import TRANSITIONS, SessionState, Signal, State
from trio_sio.protocol.engineio.version import EIO3, EIO4, EngineVersion
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
    Signal.WRONG_PING: (CLOSED, CLOSED, CLOSED, CLOSED, None),
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
    Signal.WRONG_PING: "transport error",
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


@given(st.lists(st.tuples(st.sampled_from([*EnginePacketType, *Signal, None]), st.floats(0, 40))))
def test_any_history_is_a_way_through_the_table(
    steps: list[tuple[EnginePacketType | Signal | None, float]],
) -> None:
    session, now, heard = SessionState(INTERVAL, TIMEOUT, 0), 0.0, 0.0
    for step, seconds in steps:
        then = session.state if step is None else TRANSITIONS[session.state].get(step)
        if step is None:
            now += seconds
            session.tick(now)
            then = CLOSED if now >= heard + (INTERVAL + TIMEOUT) else then
        elif isinstance(step, Signal):
            attempt(LocalProtocolError, session.signal, step)
        elif step is EnginePacketType.MESSAGE and seconds > 20:
            hears = session.hears
            assert session.receive_message(now) == hears
            heard = now if hears else heard
        else:
            replies = attempt(RemoteProtocolError, session.receive, EnginePacket(step), now)
            assert isinstance(replies, RemoteProtocolError) == (then is None)
            heard = heard if then is None else now
        assert session.state is (then or session.state)
        assert session.last_seen == pytest.approx(heard)
        assert session.is_closed == (session.state is CLOSED)
        assert session.hears == (session.state in (OPEN, UPGRADING, LEAVING))
        assert session.is_open == (session.reason is None)
    session.touch(now)
    assert session.deadline == now + (INTERVAL + TIMEOUT)


@given(
    interval=st.floats(0.001, 1_000_000),
    timeout=st.floats(0.001, 1_000_000),
    version=st.sampled_from([EIO3, EIO4]),
)
def test_only_pings_may_leave_early(
    interval: float, timeout: float, version: EngineVersion
) -> None:
    state = SessionState(interval, timeout, 0.0, version)
    is_ours = version is EIO4
    assert (state.early > 0) is is_ours
    assert state.early <= interval * 0.05 + 1e-9
    assert state.early <= 10
    if is_ours:
        state.ping(interval)
        assert state.early == 0  # the client's time for its answer is all its own


@given(
    interval=st.floats(0.001, 1e6),
    now=st.floats(0, 1e6),
    version=st.sampled_from([EIO3, EIO4]),
    answered=st.booleans(),
)
def test_a_ping_may_hang_on_an_answer(
    interval: float, now: float, version: EngineVersion, answered: bool
) -> None:
    """Then one is due behind that, whenever it comes; otherwise the deadline says all."""
    state = SessionState(interval, TIMEOUT, 0.0, version)
    assert state.soonest_ping(now) == math.inf
    if version is EIO3:
        return
    state.ping(now)
    soonest = state.soonest_ping(now)
    if answered:
        state.receive(EnginePacket(EnginePacketType.PONG), now)
        assert (state.deadline, state.soonest_ping(now)) == (soonest, math.inf)
    else:
        assert soonest == now + interval
