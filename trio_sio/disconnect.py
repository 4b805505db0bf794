"""Why sockets and sessions end: JavaScript's reason, and the details that explain it."""

from dataclasses import dataclass
from enum import StrEnum


class DisconnectReason(StrEnum):
    """The argument of "disconnecting" and "disconnect" handlers; equal to JavaScript's string.

    `SERVER_SHUTTING_DOWN` is from socket.io 4, where socket.io 2.x gives no reason at all.
    `SLOW_CONSUMER` is this server's own. All others are those of socket.io 2.5.
    """

    TRANSPORT_CLOSE = "transport close"
    """The client closed its connection, or the connection was lost."""
    TRANSPORT_ERROR = "transport error"
    """The client misused the transport: overlapping polls, a broken frame, too large a message."""
    PING_TIMEOUT = "ping timeout"
    """The client sent nothing for `ping_interval + ping_timeout` seconds."""
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
    """Why a session is being closed.

    Attributes:
        text: a sentence.
        option: the option whose limit was reached, `""` if there is none.
        limit: the option's value.
        size: what was seen, in the option's unit; `None` if that is not known.
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
    """Why a session ended, for "disconnect" handlers and logs.

    Attributes:
        reason: JavaScript's reason.
        text: a sentence, `""` if the reason says it all.
        option: the option whose limit was reached, `""` if there is none.
        limit: the option's value.
        size: what was seen, in the option's unit; `None` if that is not known.
        last_seen: when the client last sent something (`trio.current_time()`).
        stalled: seconds for which the server's event loop was held or stood still since then, or up
            to `ping_timeout` before. A client that gets no answer for that long may give up.
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
        """Make it of a reason and what is known besides."""
        why = explanation or Explanation("")
        return cls(reason, why.text, why.option, why.limit, why.size, last_seen, stalled)

    def __str__(self) -> str:
        parts = [str(self.reason)]
        if self.text:
            parts.append(str(Explanation(self.text, self.option)))
        if self.stalled:
            parts.append(f"our own event loop was held for {self.stalled:.2f} s meanwhile")
        return ": ".join(parts)
