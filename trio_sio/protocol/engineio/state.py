"""The states of an Engine.IO session. Everything about states is in this file.

    OPEN ──PROBE──▶ UPGRADING ──UPGRADED──▶ OPEN        (PROBE_LOST leads back to OPEN too)
    OPEN, UPGRADING ──LEAVE_ASKED──▶ LEAVING
    OPEN, UPGRADING, LEAVING ──CLOSE_ASKED──▶ CLOSING ──FLUSHED──▶ CLOSED
    any but CLOSED ──CLOSE packet, OVERLAP, MALFORMED, WRONG_PING, TRANSPORT_LOST, TIMEOUT──▶ CLOSED

Packets from the client and ticks of a clock go in, replies come out, and there is one deadline. A
transition that is not in the table raises and changes nothing. Entering LEAVING, CLOSING or CLOSED
sets `reason`, and the first reason stays.
"""

import math
from enum import Enum, auto

from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.version import EIO3, EngineVersion
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "EnginePacket",
    "EnginePacketType",
    "RemoteProtocolError",
    "SessionState",
    "Signal",
    "State",
]


class State(Enum):
    """Where a session stands."""

    OPEN = auto()
    UPGRADING = auto()
    """A WebSocket has sent its probe; polling goes on until the client's UPGRADE packet."""
    LEAVING = auto()
    """The server lets the client go: nothing new goes out, and what comes in is still taken, since
    the client sent it before it heard of the end."""
    CLOSING = auto()
    """The server ends the session: what is queued still goes out, what comes in is ignored."""
    CLOSED = auto()


class Signal(Enum):
    """What happens to a session besides packets on its current transport."""

    PROBE = auto()
    PROBE_LOST = auto()
    UPGRADED = auto()
    OVERLAP = auto()
    """A second GET or POST while one was under way."""
    MALFORMED = auto()
    """A packet or payload that cannot be decoded."""
    WRONG_PING = auto()
    """A ping of a client that has to answer them."""
    TRANSPORT_LOST = auto()
    TIMEOUT = auto()
    LEAVE_ASKED = auto()
    CLOSE_ASKED = auto()
    FLUSHED = auto()


_PACKETS = {kind: None for kind in EnginePacketType if kind is not EnginePacketType.CLOSE}
"""The packets that leave the state as it is. A client's OPEN, PONG, UPGRADE and NOOP mean nothing
on a session's own transport, and the reference server ignores them."""

_ENDS: dict[EnginePacketType | Signal, State] = {
    EnginePacketType.CLOSE: State.CLOSED,
    Signal.OVERLAP: State.CLOSED,
    Signal.MALFORMED: State.CLOSED,
    Signal.WRONG_PING: State.CLOSED,
    Signal.TRANSPORT_LOST: State.CLOSED,
    Signal.TIMEOUT: State.CLOSED,
}

TRANSITIONS: dict[State, dict[EnginePacketType | Signal, State]] = {
    State.OPEN: {
        **dict.fromkeys(_PACKETS, State.OPEN),
        **_ENDS,
        Signal.PROBE: State.UPGRADING,
        Signal.UPGRADED: State.OPEN,  # the reference takes a `5` without a probe before it
        Signal.LEAVE_ASKED: State.LEAVING,
        Signal.CLOSE_ASKED: State.CLOSING,
    },
    State.UPGRADING: {
        **dict.fromkeys(_PACKETS, State.UPGRADING),
        **_ENDS,
        Signal.UPGRADED: State.OPEN,
        Signal.PROBE_LOST: State.OPEN,
        Signal.LEAVE_ASKED: State.LEAVING,
        Signal.CLOSE_ASKED: State.CLOSING,
    },
    State.LEAVING: {
        **dict.fromkeys(_PACKETS, State.LEAVING),
        **_ENDS,
        Signal.UPGRADED: State.LEAVING,
        Signal.PROBE_LOST: State.LEAVING,
        Signal.CLOSE_ASKED: State.CLOSING,
    },
    State.CLOSING: {
        **dict.fromkeys(_PACKETS, State.CLOSING),
        **_ENDS,
        Signal.UPGRADED: State.CLOSING,  # the queue then goes out on the WebSocket
        Signal.PROBE_LOST: State.CLOSING,
        Signal.CLOSE_ASKED: State.CLOSING,
        Signal.FLUSHED: State.CLOSED,
    },
    State.CLOSED: {},
}

_REASONS = {
    EnginePacketType.CLOSE: DisconnectReason.TRANSPORT_CLOSE,
    Signal.OVERLAP: DisconnectReason.TRANSPORT_ERROR,
    Signal.MALFORMED: DisconnectReason.PARSE_ERROR,
    Signal.WRONG_PING: DisconnectReason.TRANSPORT_ERROR,
    Signal.TRANSPORT_LOST: DisconnectReason.TRANSPORT_CLOSE,
    Signal.TIMEOUT: DisconnectReason.PING_TIMEOUT,
    Signal.LEAVE_ASKED: DisconnectReason.SERVER_SHUTTING_DOWN,
    Signal.CLOSE_ASKED: DisconnectReason.FORCED_CLOSE,
}

_EARLY, _EARLIEST = 0.05, 10.0
"""A ping may leave a twentieth of the interval early, but no more than so many seconds: so the
pings of many clients leave together, and those that came together do not stay together."""

_PONG = EnginePacket(EnginePacketType.PONG)


class SessionState:
    """One session's state and deadline.

    Where the client pings (Engine.IO 3), it may be silent for `interval + timeout` seconds. Where
    the server does (Engine.IO 4), `ping` is called each `interval` seconds behind the last answer,
    and only then has the client `timeout` seconds for its answer, or for anything else that it
    sends: a long upload is life.

    Args:
        interval: option `ping_interval`, in seconds.
        timeout: option `ping_timeout`, in seconds.
        now: the time, in seconds of any clock; the same one everywhere below.
        version: what the client speaks.

    Attributes:
        state: where the session stands.
        reason: why it ends, `None` until it is LEAVING, CLOSING or CLOSED.
        timeout: seconds that the client has for an answer, or for a ping that is late.
        last_seen: when silence began: with the client's last packet, or the last `touch`.
        version: what the client speaks.
    """

    __slots__ = (
        "_interval",
        "_ping_due",
        "last_seen",
        "reason",
        "state",
        "timeout",
        "version",
    )

    def __init__(
        self, interval: float, timeout: float, now: float, version: EngineVersion = EIO3
    ) -> None:
        self.state = State.OPEN
        self.reason: DisconnectReason | None = None
        self.timeout = timeout
        self._interval = interval
        self.become(version, now)

    @property
    def silence_limit(self) -> float:
        """Seconds for which nothing may be heard of the client when it has to be."""
        return self._interval + self.timeout if self.version.client_pings else self.timeout

    def become(self, version: EngineVersion, now: float) -> None:
        """Take the client for one that speaks another revision, whose time begins now.

        Args:
            version: what it speaks.
            now: the time, in seconds.
        """
        self.version = version
        self.last_seen = now
        # When the server has to ping; `None` while an answer is due, or if the client pings.
        self._ping_due = None if version.client_pings else now + self._interval

    @property
    def deadline(self) -> float:
        """When there is something to do: a ping is due, or the client has been silent too long."""
        return self.last_seen + self.silence_limit if self._ping_due is None else self._ping_due

    @property
    def is_ping_due_next(self) -> bool:
        """Whether the server has to ping at the `deadline`; otherwise the session ends then."""
        return self._ping_due is not None

    @property
    def early(self) -> float:
        """Seconds before the `deadline` at which what is due may be done already."""
        return 0.0 if self._ping_due is None else min(self._interval * _EARLY, _EARLIEST)

    def soonest_ping(self, now: float) -> float:
        """Return when a ping is due at the soonest, if it hangs on an answer that is still due."""
        awaits = self._ping_due is None and not self.version.client_pings
        return now + self._interval if awaits else math.inf

    def ping(self, now: float) -> None:
        """Note that the server pings: an answer is due from now on."""
        self._ping_due = None
        self.last_seen = now

    def receive(self, packet: EnginePacket, now: float) -> list[EnginePacket]:
        """Take a packet from the current transport; return what it is answered with.

        Any packet is a sign of life. A ping is answered with a pong without data, whatever the
        ping carried, unless the session is closing; where the server pings, one of the client ends
        the session, and a pong that was not asked for means nothing.

        Raises:
            RemoteProtocolError: the session is closed.
        """
        kind, version = packet.type, self.version
        state = TRANSITIONS[self.state].get(kind)
        if state is None:
            raise RemoteProtocolError("session closed", f"{kind.name} after the end")
        self.last_seen = now
        if state is State.CLOSED:
            self._end(State.CLOSED, _REASONS[kind])
        if kind is EnginePacketType.PING:
            if version.client_pings:
                return [_PONG] if self.is_open else []
            self.signal(Signal.WRONG_PING)
        elif kind is EnginePacketType.PONG and self._ping_due is None and not version.client_pings:
            self._ping_due = now + self._interval
        return []

    def receive_message(self, now: float) -> bool:
        """Take a MESSAGE, as `receive` would; return whether the session hears it."""
        if self.state is not State.OPEN and not self.hears:
            return False
        self.last_seen = now
        return True

    def signal(self, signal: Signal, reason: DisconnectReason | None = None) -> None:
        """Make a transition that is not due to a packet.

        Args:
            signal: what happened.
            reason: why, where the signal alone does not say it.

        Raises:
            LocalProtocolError: the table has no such transition from the present state.
        """
        state = TRANSITIONS[self.state].get(signal)
        if state is None:
            raise LocalProtocolError(f"{signal.name} is no step from {self.state.name}")
        if state in (State.LEAVING, State.CLOSING, State.CLOSED):
            self._end(state, reason or _REASONS.get(signal))
        self.state = state

    def tick(self, now: float) -> None:
        """Close the session with "ping timeout" if the client has been silent for too long."""
        is_too_late = self._ping_due is None and now >= self.deadline
        if is_too_late and self.state is not State.CLOSED:
            self.signal(Signal.TIMEOUT)

    def touch(self, now: float) -> None:
        """Count silence from now on, as after a packet."""
        self.last_seen = now

    @property
    def is_closed(self) -> bool:
        """Whether the session has ended for good."""
        return self.state is State.CLOSED

    @property
    def is_open(self) -> bool:
        """Whether messages go in and out: neither leaving nor closing nor closed."""
        return self.state is State.OPEN or self.state is State.UPGRADING

    @property
    def hears(self) -> bool:
        """Whether messages of the client are taken: neither closing nor closed."""
        return self.is_open or self.state is State.LEAVING

    def _end(self, state: State, reason: DisconnectReason | None) -> None:
        self.state = state
        if self.reason is None:
            self.reason = reason
