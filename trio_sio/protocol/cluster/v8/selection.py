"""Which sockets a message is about, and how they are sent an event: `opts` of JavaScript.

    {"rooms": [...], "except": [...], "flags": {"volatile": true, "timeout": 5000}}

`except` has rooms, unlike in the format of socket.io-redis 5; a socket is excepted by its own room.
Servers of this library also write `"binary": false` into the flags.
"""

from dataclasses import dataclass

from trio_sio.protocol.cluster.text import read_rooms
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.checks import excerpt
from trio_sio.protocol.socketio.packet import JSON

MAX_TIMEOUT = 24 * 60 * 60.0
"""Seconds for which answers of clients are waited for, whatever a message says."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Sockets of a namespace, on all servers.

    Attributes:
        rooms: those in any of these rooms; all sockets, if there are none.
        excepted: but none that is in any of these rooms.
    """

    rooms: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()

    def members(self) -> dict[str, object]:
        """Return it as the members of an object."""
        return {"rooms": list(self.rooms), "except": list(self.excepted)}


@dataclass(frozen=True, slots=True)
class Manner:
    """How an event is sent.

    Attributes:
        volatile: skip clients that cannot take it at this moment.
        compress: transports may compress it.
        binary: send bytes as such; `False` writes them as JavaScript's Buffer in JSON.
        timeout: seconds for which answers are waited for; `None` if nothing is said.
    """

    volatile: bool = False
    compress: bool = True
    binary: bool = True
    timeout: float | None = None

    def members(self) -> dict[str, object]:
        """Return what differs from the usual, as the members of an object."""
        said: dict[str, object] = {}
        if self.volatile:
            said["volatile"] = True
        if not self.compress:
            said["compress"] = False
        if not self.binary:
            said["binary"] = False
        if self.timeout is not None:
            # None in JavaScript is 0, which would mean that nothing is said.
            said["timeout"] = max(round(min(self.timeout, MAX_TIMEOUT) * 1000), 1)
        return said


USUAL = Manner()
ALL = Selection()


def read_options(value: JSON, what: str) -> dict[str, JSON]:
    """Return options as they came; nothing and null are none.

    Raises:
        RemoteProtocolError: it is something else than an object.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RemoteProtocolError(f"invalid {what}", f"the options are {excerpt(value)}")
    return value


def read_selection(options: dict[str, JSON], what: str) -> Selection:
    """Return which sockets options name.

    Raises:
        RemoteProtocolError: they are not rooms.
    """
    rooms = read_rooms(options.get("rooms"), "rooms", what)
    excepted = read_rooms(options.get("except"), "except", what)
    return Selection(rooms, excepted) if rooms or excepted else ALL


def read_manner(options: dict[str, JSON], what: str) -> Manner:
    """Return the flags of options; unknown ones are ignored.

    Raises:
        RemoteProtocolError: they are no object.
    """
    flags = options.get("flags")
    if not flags:
        return USUAL
    if not isinstance(flags, dict):
        raise RemoteProtocolError(f"invalid {what}", f"the flags are {excerpt(flags)}")
    return Manner(
        bool(flags.get("volatile")),
        flags.get("compress") is not False,
        flags.get("binary") is not False,
        _read_timeout(flags.get("timeout")),
    )


def _read_timeout(milliseconds: JSON) -> float | None:
    """Return a time in seconds; `None` for what is none."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not milliseconds > 0:
        return None
    return min(milliseconds, MAX_TIMEOUT * 1000) / 1000
