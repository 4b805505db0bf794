"""Why a socket left: the strings that the JavaScript API gives to `disconnect` handlers."""

from dataclasses import dataclass
from enum import StrEnum


class DisconnectReason(StrEnum):
    """The argument of `disconnecting` and `disconnect`; equal to JavaScript's string.

    `SERVER_SHUTTING_DOWN` (socket.io 4) stands where socket.io 2.x gives no reason at all;
    `SLOW_CONSUMER` is ours. All others are those of socket.io 2.5.
    """

    TRANSPORT_CLOSE = "transport close"
    """The client closed its connection, or the connection went away."""
    TRANSPORT_ERROR = "transport error"
    """The transport was misused: overlapping polls, a broken frame, a message over the limit."""
    PING_TIMEOUT = "ping timeout"
    """Nothing was heard for `ping_interval + ping_timeout` seconds."""
    PARSE_ERROR = "parse error"
    """An Engine.IO packet or payload could not be decoded."""
    FORCED_CLOSE = "forced close"
    """A Socket.IO packet could not be decoded, or the server closed the session."""
    CLIENT_NAMESPACE_DISCONNECT = "client namespace disconnect"
    """The client left the namespace."""
    SERVER_NAMESPACE_DISCONNECT = "server namespace disconnect"
    """`socket.disconnect()` was called."""
    SERVER_SHUTTING_DOWN = "server shutting down"
    """The server was closed."""
    SLOW_CONSUMER = "slow consumer"
    """A broadcast met a full outbox and `on_overflow` is "disconnect"."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What somebody has to say about an end, while he brings it about.

    Attributes:
        text: a sentence.
        option: the option whose limit was reached, `""` if it was none.
        limit: its value, in the option's unit.
        size: what was seen, in the same unit, as far as that is known.
    """

    text: str
    option: str = ""
    limit: float | None = None
    size: float | None = None

    def __str__(self) -> str:
        named = self.option in self.text  # `""` is everywhere
        return self.text if named else f"{self.text} ({self.option})"


@dataclass(frozen=True, slots=True)
class DisconnectDetail:
    """What is known about the end of a client, for `disconnect` handlers and logs.

    Attributes:
        reason: JavaScript's word.
        text: a sentence, `""` where the reason says all there is.
        option: the option whose limit was reached, `""` if it was none.
        limit: its value, in the option's unit.
        size: what was seen, in the same unit, as far as that is known.
        last_seen: when something was last heard of the client (`trio.current_time()`).
        stalled: seconds for which our own event loop has been held, or stood still, since then, or
            not more than `ping_timeout` before; a client that gets no answer meanwhile may give up,
            and that is our doing.
    """

    reason: DisconnectReason
    text: str
    option: str
    limit: float | None
    size: float | None
    last_seen: float
    stalled: float = 0.0

    @classmethod
    def of(
        cls,
        reason: DisconnectReason,
        explanation: Explanation | None,
        last_seen: float,
        stalled: float = 0.0,
    ) -> "DisconnectDetail":
        """Put together a reason and what was said about it."""
        why = explanation or Explanation("")
        return cls(reason, why.text, why.option, why.limit, why.size, last_seen, stalled)

    def __str__(self) -> str:
        parts = [str(self.reason)]
        if self.text:
            parts.append(str(Explanation(self.text, self.option)))
        if self.stalled:
            parts.append(f"our own event loop was held for {self.stalled:.2f} s meanwhile")
        return ": ".join(parts)
