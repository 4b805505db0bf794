"""Why a client that asks for its former session gets a new one."""

from enum import StrEnum


class RecoveryFailure(StrEnum):
    """Why a session was not recovered (`socket.recovery_failure`)."""

    UNKNOWN = "unknown session"
    """Nothing is known of it: another server's, one from before a restart, or one that was ended
    by `disconnect` or by the client."""
    EXPIRED = "away for too long"
    """The client was away for more than `max_disconnection_duration` seconds."""
    EVICTED = "too many sessions away"
    """More than `max_sessions` were away, and it was the first to leave."""
    MISSED = "missed events are gone"
    """Events that it may have missed were dropped: of `max_packets`, `max_bytes` or their age."""
    OFFSET = "unknown offset"
    """It says that it has had an event that was never sent."""
