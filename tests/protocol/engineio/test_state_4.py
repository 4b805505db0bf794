"""The heartbeat of Engine.IO 4: the server pings. The rest is as in `test_state`."""

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import TRANSITIONS, SessionState, Signal, State
from trio_sio.protocol.engineio.version import EIO4
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError

INTERVAL, TIMEOUT = 25.0, 20.0

PING, PONG, MESSAGE = EnginePacketType.PING, EnginePacketType.PONG, EnginePacketType.MESSAGE
HARMLESS = [kind for kind in EnginePacketType if kind not in (PING, EnginePacketType.CLOSE)]


def make() -> SessionState:
    return SessionState(INTERVAL, TIMEOUT, 0, EIO4)


def test_a_ping_is_due_behind_the_interval() -> None:
    session = make()
    assert (session.deadline, session.is_ping_due_next) == (25, True)
    session.tick(1000)  # nobody was asked anything
    assert session.state is State.OPEN
    session.ping(25)
    assert (session.deadline, session.is_ping_due_next) == (45, False)


def test_the_next_ping_follows_the_answer() -> None:
    session = make()
    session.ping(25)
    assert session.receive(EnginePacket(PONG), 31) == []
    assert (session.deadline, session.is_ping_due_next) == (56, True)


def test_no_answer_is_the_end() -> None:
    session = make()
    session.ping(25)
    session.tick(44.9)
    assert session.is_open
    session.tick(45)
    assert session.reason is DisconnectReason.PING_TIMEOUT


@pytest.mark.parametrize("kind", [kind for kind in HARMLESS if kind is not PONG])
def test_whatever_comes_while_an_answer_is_due_is_a_sign_of_life(kind: EnginePacketType) -> None:
    session = make()
    session.ping(25)
    for now in (40, 55, 70):  # each time, not once
        assert session.receive(EnginePacket(kind, "x"), now) == []
        assert (session.deadline, session.is_ping_due_next) == (now + 20, False)
    session.receive_message(85)
    assert session.deadline == 105


@given(st.lists(st.tuples(st.sampled_from(HARMLESS), st.floats(0, 24)), max_size=10))
def test_nothing_postpones_a_ping(packets: list[tuple[EnginePacketType, float]]) -> None:
    """A client that answers what nobody asked would never be asked, and never time out."""
    session = make()
    for kind, now in packets:
        session.receive(EnginePacket(kind), now)
        session.receive_message(now)
        session.touch(now)
    assert (session.deadline, session.is_ping_due_next) == (25, True)


def test_an_upgrade_gives_time_but_still_wants_the_answer() -> None:
    session = make()
    session.ping(25)
    session.signal(Signal.PROBE)
    session.signal(Signal.UPGRADED)
    session.touch(40)
    assert (session.deadline, session.is_ping_due_next) == (60, False)


@pytest.mark.parametrize("road", [[], [Signal.PROBE], [Signal.LEAVE_ASKED], [Signal.CLOSE_ASKED]])
@pytest.mark.parametrize("data", ["", "probe"])
def test_a_ping_of_the_client_ends_the_session(road: list[Signal], data: str) -> None:
    session = make()
    for signal in road:
        session.signal(signal)
    reason = session.reason
    assert session.receive(EnginePacket(PING, data), 1) == []
    assert session.is_closed
    assert session.reason is (reason or DisconnectReason.TRANSPORT_ERROR)


STEPS = st.sampled_from([*EnginePacketType, *Signal, "ping", "tick", "message", "touch"])


@given(st.lists(st.tuples(STEPS, st.floats(0, 40)), max_size=12))
@example([("ping", 25.0), ("tick", 20.0)])
@example([("ping", 25.0), (PONG, 5.0), (PONG, 5.0), ("tick", 99.0)])
@example([(Signal.PROBE, 0.0), (PING, 5.0), (PING, 5.0)])
def test_any_history_of_a_client_that_has_to_answer(
    steps: list[tuple[EnginePacketType | Signal | str, float]],
) -> None:
    session, now, heard = make(), 0.0, 0.0
    due: float | None = INTERVAL  # when the server pings, `None` while it waits for an answer
    for step, seconds in steps:
        now += seconds
        state, hears = session.state, session.hears
        then = state
        if isinstance(step, Signal):
            attempt(LocalProtocolError, session.signal, step)
            then = TRANSITIONS[state].get(step, state)
        elif isinstance(step, EnginePacketType):
            found = attempt(RemoteProtocolError, session.receive, EnginePacket(step), now)
            assert isinstance(found, RemoteProtocolError) or not found
            if state is not State.CLOSED:
                heard = now
                then = State.CLOSED if step is PING else TRANSITIONS[state][step]
            if state is not State.CLOSED and step is PONG and due is None:
                due = now + INTERVAL
        elif step == "ping":
            session.ping(now)
            heard, due = now, None
        elif step == "tick":
            session.tick(now)
            then = State.CLOSED if due is None and now >= heard + TIMEOUT else state
        elif step == "touch":
            session.touch(now)
            heard = now
        else:
            assert session.receive_message(now) is hears
            heard = now if hears else heard
        assert session.state is then
        assert session.last_seen == heard
        assert session.is_ping_due_next == (due is not None)
        assert session.deadline == (heard + TIMEOUT if due is None else due)
        assert session.is_open == (session.reason is None)
