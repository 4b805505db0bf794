"""The states of an Engine.IO 3 session. Everything about states is in this file.

    OPEN ──PROBE──▶ UPGRADING ──UPGRADED──▶ OPEN        (PROBE_LOST leads back to OPEN too)
    OPEN, UPGRADING ──LEAVE_ASKED──▶ LEAVING
    OPEN, UPGRADING, LEAVING ──CLOSE_ASKED──▶ CLOSING ──FLUSHED──▶ CLOSED
    any but CLOSED ──CLOSE packet, OVERLAP, MALFORMED, TRANSPORT_LOST, TIMEOUT──▶ CLOSED

Packets from the client and ticks of a clock go in, replies come out, and there is one deadline:
in protocol 3 the client pings, so all that the server does is wait `interval + timeout` seconds
for anything at all. A transition that is not in the table raises and changes nothing. Entering
LEAVING, CLOSING or CLOSED sets `reason`, and the first reason stays.
"""

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
    Signal.TRANSPORT_LOST: DisconnectReason.TRANSPORT_CLOSE,
    Signal.TIMEOUT: DisconnectReason.PING_TIMEOUT,
    Signal.LEAVE_ASKED: DisconnectReason.SERVER_SHUTTING_DOWN,
    Signal.CLOSE_ASKED: DisconnectReason.FORCED_CLOSE,
}

_PONG = EnginePacket(EnginePacketType.PONG)


class SessionState:
    """One session's state and deadline.

    Args:
        interval: option `ping_interval`, in seconds.
        timeout: option `ping_timeout`, in seconds.
        now: the time, in seconds of any clock; the same one everywhere below.
        version: what the client speaks.

    Attributes:
        state: where the session stands.
        reason: why it ends, `None` until it is LEAVING, CLOSING or CLOSED.
        silence_limit: seconds for which nothing may be heard of the client.
        deadline: when it will have been silent for that long.
        version: what the client speaks.
    """

    __slots__ = ("deadline", "reason", "silence_limit", "state", "version")

    def __init__(
        self, interval: float, timeout: float, now: float, version: EngineVersion = EIO3
    ) -> None:
        self.version = version
        self.silence_limit = interval + timeout
        self.deadline = now + self.silence_limit
        self.state = State.OPEN
        self.reason: DisconnectReason | None = None

    def receive(self, packet: EnginePacket, now: float) -> list[EnginePacket]:
        """Take a packet from the current transport; return what it is answered with.

        Any packet is a sign of life. A ping is answered with a pong without data, whatever the
        ping carried, unless the session is closing.

        Raises:
            RemoteProtocolError: the session is closed.
        """
        state = TRANSITIONS[self.state].get(packet.type)
        if state is None:
            raise RemoteProtocolError("session closed", f"{packet.type.name} after the end")
        self.deadline = now + self.silence_limit
        if state is State.CLOSED:
            self._end(State.CLOSED, _REASONS[packet.type])
        is_ping = packet.type is EnginePacketType.PING and self.version.client_pings
        return [_PONG] if is_ping and self.is_open else []

    def receive_message(self, now: float) -> bool:
        """Take a MESSAGE, as `receive` would; return whether the session hears it."""
        if self.state is not State.OPEN and not self.hears:
            return False
        self.deadline = now + self.silence_limit
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
        """Close the session with "ping timeout" if it is past its deadline."""
        if self.state is not State.CLOSED and now >= self.deadline:
            self.signal(Signal.TIMEOUT)

    def touch(self, now: float) -> None:
        """Count silence from now on, as after a packet."""
        self.deadline = now + self.silence_limit

    @property
    def last_seen(self) -> float:
        """When silence began: with the client's last packet, or the last `touch`."""
        return self.deadline - self.silence_limit

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
