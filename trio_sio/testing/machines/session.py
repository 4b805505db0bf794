"""The states of a session, `SessionState`, under packets, signals and time in any order.

The model has three facts: how far the session has come, whether a WebSocket probes, and when the
client was heard of last. Where the server pings it has a fourth one: when it has to.
"""

from enum import IntEnum
from typing import NoReturn

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import SessionState, Signal, State
from trio_sio.protocol.engineio.version import EIO4
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError

INTERVAL, TIMEOUT = 25.0, 5.0
"""Seconds; the options `ping_interval` and `ping_timeout`."""


class Stage(IntEnum):
    """How far a session has come; it never goes back."""

    OPEN = 0
    LEAVING = 1
    CLOSING = 2
    CLOSED = 3


STAGES = {
    State.OPEN: Stage.OPEN,
    State.UPGRADING: Stage.OPEN,
    State.LEAVING: Stage.LEAVING,
    State.CLOSING: Stage.CLOSING,
    State.CLOSED: Stage.CLOSED,
}

ENDS = {
    Signal.OVERLAP: DisconnectReason.TRANSPORT_ERROR,
    Signal.MALFORMED: DisconnectReason.PARSE_ERROR,
    Signal.WRONG_PING: DisconnectReason.TRANSPORT_ERROR,
    Signal.TRANSPORT_LOST: DisconnectReason.TRANSPORT_CLOSE,
    Signal.TIMEOUT: DisconnectReason.PING_TIMEOUT,
}
"""The signals that end a session at once, and the reason."""

_data = st.one_of(st.text(max_size=3), st.binary(max_size=3), st.just("probe"))
_reasons = st.none() | st.sampled_from(DisconnectReason)
_moments = [INTERVAL, INTERVAL + TIMEOUT, 31.0, TIMEOUT]
_seconds = st.one_of(st.floats(0, 10), st.sampled_from(_moments))


class SessionMachine(RuleBasedStateMachine):
    """Packets, signals and time in any order; override `make` to try a table of your own."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._begin()

    def _begin(self) -> None:
        self.heard = self.now
        self.stage = Stage.OPEN
        self.is_probing = False
        self.reason: DisconnectReason | None = None
        self.session = self.make()

    def make(self) -> SessionState:
        """Return a new session, which waits `INTERVAL + TIMEOUT` seconds for the client."""
        return SessionState(INTERVAL, TIMEOUT, self.now)

    @precondition(lambda self: self.stage is Stage.CLOSED)
    @rule()
    def another_client_comes(self) -> None:
        """A session that has ended stays so; another one begins."""
        self._begin()

    # -- the client ------------------------------------------------------------------------------

    @rule(kind=st.sampled_from(EnginePacketType), data=_data)
    def client_sends(self, kind: EnginePacketType, data: str | bytes) -> None:
        """A packet comes: a sign of life, unless the session is closed."""
        self.sends(EnginePacket(kind, data))

    def sends(self, packet: EnginePacket) -> None:
        """Give the session a packet."""
        before, kind = self.facts(), packet.type
        if self.stage is Stage.CLOSED:
            try:
                self.session.receive(packet, self.now)
            except RemoteProtocolError:
                assert self.facts() == before, "a packet that was refused has changed something"
                return
            self.not_refused(packet)
        replies = self.session.receive(packet, self.now)
        assert replies == self.replies_to(kind)
        self.heard = self.now
        if kind is EnginePacketType.CLOSE:
            self.moves_to(Stage.CLOSED, DisconnectReason.TRANSPORT_CLOSE)
        else:
            self.is_sent(kind)

    def replies_to(self, kind: EnginePacketType) -> list[EnginePacket]:
        """Return what a packet is answered with."""
        is_answered = kind is EnginePacketType.PING and self.stage is Stage.OPEN
        return [EnginePacket(EnginePacketType.PONG)] if is_answered else []

    def is_sent(self, kind: EnginePacketType) -> None:
        """A packet of this type, which is no CLOSE, has more effects than to be heard."""

    @rule()
    def client_sends_a_message(self) -> None:
        """A message comes: it is heard until the server closes."""
        is_heard = self.stage <= Stage.LEAVING
        assert self.session.receive_message(self.now) is is_heard
        if is_heard:
            self.heard = self.now

    @precondition(lambda self: self.stage is Stage.OPEN)
    @rule()
    def upgrade_touches(self) -> None:
        """An upgrade is over: silence counts from now."""
        self.session.touch(self.now)
        self.heard = self.now

    # -- signals ---------------------------------------------------------------------------------

    @rule()
    def probe(self) -> None:
        """A WebSocket probes; one at a time."""
        if self.happens(Signal.PROBE, self.stage is Stage.OPEN and not self.is_probing):
            self.is_probing = True

    @rule()
    def probe_is_lost(self) -> None:
        """It probes no more; also while the session leaves or closes."""
        is_possible = self.is_probing or self.stage in (Stage.LEAVING, Stage.CLOSING)
        if self.happens(Signal.PROBE_LOST, is_possible):
            self.is_probing = False

    @rule()
    def upgraded(self) -> None:
        """The session has moved to the WebSocket; with a probe before, or without."""
        if self.happens(Signal.UPGRADED, self.stage is not Stage.CLOSED):
            self.is_probing = False

    @rule(signal=st.sampled_from(list(ENDS)), reason=_reasons)
    def it_ends(self, signal: Signal, reason: DisconnectReason | None) -> None:
        """The client, the transport or the clock ends the session."""
        if self.happens(signal, self.stage is not Stage.CLOSED, reason):
            self.moves_to(Stage.CLOSED, reason or ENDS[signal])

    @rule(reason=_reasons)
    def server_lets_go(self, reason: DisconnectReason | None) -> None:
        """The server shuts down: it still listens."""
        if self.happens(Signal.LEAVE_ASKED, self.stage is Stage.OPEN, reason):
            self.moves_to(Stage.LEAVING, reason or DisconnectReason.SERVER_SHUTTING_DOWN)

    @rule(reason=_reasons)
    def server_closes(self, reason: DisconnectReason | None) -> None:
        """The server closes: what is queued still goes out."""
        if self.happens(Signal.CLOSE_ASKED, self.stage is not Stage.CLOSED, reason):
            self.moves_to(Stage.CLOSING, reason or DisconnectReason.FORCED_CLOSE)

    @rule()
    def all_has_left(self) -> None:
        """What was queued has gone out, and nothing else was waited for."""
        if self.happens(Signal.FLUSHED, self.stage is Stage.CLOSING):
            self.moves_to(Stage.CLOSED, None)

    # -- time ------------------------------------------------------------------------------------

    @rule(seconds=_seconds)
    def time_passes(self, seconds: float) -> None:
        """Time passes; a client that is silent for too long is dropped."""
        self.now += seconds
        self.session.tick(self.now)
        if self.now >= self.deadline and self.stage is not Stage.CLOSED:
            self.is_late()

    @property
    def deadline(self) -> float:
        """When something has to happen, or to have happened."""
        return self.heard + (INTERVAL + TIMEOUT)

    def is_late(self) -> None:
        """The deadline has passed."""
        self.moves_to(Stage.CLOSED, DisconnectReason.PING_TIMEOUT)

    # -- the model -------------------------------------------------------------------------------

    def facts(self) -> tuple[object, ...]:
        """Return all that a session tells of itself."""
        session = self.session
        return (session.state, session.reason, session.deadline, session.last_seen)

    def happens(
        self, signal: Signal, is_possible: bool, reason: DisconnectReason | None = None
    ) -> bool:
        """Give a signal; return whether it may be given now. If not, it has to be refused."""
        if is_possible:
            self.session.signal(signal, reason)
            return True
        before = self.facts()
        try:
            self.session.signal(signal, reason)
        except LocalProtocolError:
            assert self.facts() == before, "a signal that was refused has changed something"
        else:
            self.not_refused(signal)
        return False

    def not_refused(self, what: object) -> NoReturn:
        """Fail."""
        raise AssertionError(f"{what!r} is no step from {self.stage.name}, but was taken")

    def moves_to(self, stage: Stage, reason: DisconnectReason | None) -> None:
        """Note how far the session has come; the first reason stays."""
        self.stage = stage
        if self.reason is None:
            self.reason = reason
        if stage is not Stage.OPEN:
            self.is_probing = False

    @invariant()
    def all_is_as_in_the_model(self) -> None:
        """The session is where it has to be, for the reason that it has to have."""
        session = self.session
        assert STAGES[session.state] is self.stage
        assert (session.state is State.UPGRADING) is self.is_probing
        assert session.reason == self.reason
        assert session.is_closed is (self.stage is Stage.CLOSED)
        assert session.is_open is (self.stage is Stage.OPEN)
        assert session.hears is (self.stage <= Stage.LEAVING)

    @invariant()
    def silence_has_an_end(self) -> None:
        """A session that is not closed has a deadline; silence counts from the last sign."""
        if self.stage is not Stage.CLOSED:
            assert self.session.deadline == self.deadline
            assert self.session.deadline > self.now
            assert abs(self.session.last_seen - self.heard) < 1e-6


class Session4Machine(SessionMachine):
    """The same in Engine.IO 4: the server pings, and the client has to answer."""

    def _begin(self) -> None:
        self.ping_due: float | None = self.now + INTERVAL
        super()._begin()

    def make(self) -> SessionState:
        """Return a new session, which pings after `INTERVAL` and then waits for `TIMEOUT`."""
        return SessionState(INTERVAL, TIMEOUT, self.now, EIO4)

    def replies_to(self, kind: EnginePacketType) -> list[EnginePacket]:
        """Return nothing: no packet is answered."""
        return []

    def is_sent(self, kind: EnginePacketType) -> None:
        """A PING ends the session; a PONG that is due is followed by the next PING."""
        if kind is EnginePacketType.PING:
            self.moves_to(Stage.CLOSED, DisconnectReason.TRANSPORT_ERROR)
        elif kind is EnginePacketType.PONG and self.ping_due is None:
            self.ping_due = self.now + INTERVAL

    @precondition(lambda self: self.stage is not Stage.CLOSED)
    @rule()
    def client_pongs(self) -> None:
        """The client answers a PING, or says so unasked."""
        self.sends(EnginePacket(EnginePacketType.PONG))

    @precondition(lambda self: self.stage is not Stage.CLOSED)
    @rule(seconds=st.floats(0.5, 4))
    def a_moment_passes(self, seconds: float) -> None:
        """So little time passes that nobody is given up before there was a PING."""
        self.time_passes(seconds)

    @precondition(lambda self: self.ping_due is not None and self.stage is not Stage.CLOSED)
    @rule()
    def server_pings_early(self) -> None:
        """The server may ping a little early, together with others."""
        self._ping()

    def _ping(self) -> None:
        self.session.ping(self.now)
        self.ping_due = None
        self.heard = self.now

    @property
    def deadline(self) -> float:
        """When the server has to ping, or the client to have answered."""
        return self.heard + TIMEOUT if self.ping_due is None else self.ping_due

    def is_late(self) -> None:
        """The server pings, or gives up a client that has not answered."""
        if self.ping_due is None:
            super().is_late()
        else:
            self._ping()

    @invariant()
    def it_is_known_who_is_waited_for(self) -> None:
        """The next step is the server's while no answer is due."""
        if self.stage is not Stage.CLOSED:
            assert self.session.is_ping_due_next is (self.ping_due is not None)
