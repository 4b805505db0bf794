"""Why a socket left: the strings that the JavaScript API gives to `disconnect` handlers."""

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
