"""The option `connection_state_recovery`: what is kept for clients that lose their connection."""

from collections.abc import Mapping

from trio_sio.options import checks
from trio_sio.options.declaration import Group, Options, frozen, option
from trio_sio.options.hints import warn_of_milliseconds

_count = checks.count()


@frozen(kw_only=True)
class Recovery(Options):
    """Lets clients of Socket.IO 4 come back to their sockets (JS: `connectionStateRecovery`).

    A client that loses its connection gets its id, its rooms, `socket.data` and the events that it
    missed, if it is back in time. All is kept in memory, for each namespace; what a dynamic one
    makes counts together.

    Attributes:
        max_disconnection_duration: seconds that it may be away (JS: `maxDisconnectionDuration`).
        skip_middlewares: whether a client that is back does not pass the namespace's middleware
            (JS: `skipMiddlewares`). A user whose rights have been taken away gets back in, then.
        max_packets: events that are kept.
        max_bytes: their size in bytes.
        max_sessions: clients that may be away; the first to leave is forgotten for one more.

    Raises:
        TypeError: a value of a wrong type.
        ValueError: a value that is not allowed.
    """

    max_disconnection_duration: float = option(
        120.0, checks.number(above=0), Group.OPERATION, unit="seconds"
    )
    skip_middlewares: bool = option(False, checks.flag, Group.OPERATION)
    max_packets: int = option(10_000, _count, Group.OPERATION, unit="events")
    max_bytes: int = option(16 * 2**20, _count, Group.OPERATION, unit="bytes")
    max_sessions: int = option(10_000, _count, Group.OPERATION, unit="clients")

    def __attrs_post_init__(self) -> None:
        warn_of_milliseconds("max_disconnection_duration", self.max_disconnection_duration)


RecoveryOption = Recovery | Mapping[str, object] | None
"""`None` for no recovery; or a `Recovery`, or a mapping of what it can be called with."""


def recovery_of(value: RecoveryOption) -> Recovery | None:
    """Return what the option says; raises as `Recovery`."""
    if value is None or isinstance(value, Recovery):
        return value
    return Recovery.of(value)


def check_recovery(name: str, value: object) -> None:
    """Check the option's value.

    Raises:
        TypeError: it is no mapping, or one with other names, or with a value of a wrong type.
        ValueError: a value in it is not allowed.
    """
    if value is not None and not isinstance(value, (Recovery, Mapping)):
        raise TypeError(checks.wrong(name, "a Recovery, a mapping or None", value))
    recovery_of(value)
