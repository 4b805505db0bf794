"""What happens to clients and their sockets, for whoever looks for an event that does not arrive.

    DEBUG trio_sio.events pMx0aB… connected by polling from 10.0.0.7
    DEBUG trio_sio.events pMx0aB… joined '/'
    DEBUG trio_sio.events pMx0aB… '/' 'mesage' with 1 argument: nobody listens; there are 'message'
    DEBUG trio_sio.events pMx0aB… '/' 'message' with 1 argument: chat.say

It shows names and numbers, and no arguments. The logger `trio_sio.events` is asked for its level
when a session begins; sessions that are there already do not change.
"""

import logging
from collections.abc import Collection, Sequence

from trio_sio.disconnect import DisconnectDetail
from trio_sio.logs.shown import printable, quoted, short_id

logger = logging.getLogger("trio_sio.events")

SHOWN_NAMES = 12
"""Events that are named where nobody listens for another one."""


class EventLog:
    """Writes what happens to one client.

    Args:
        sid: the session's id.
    """

    __slots__ = ("_sid",)

    def __init__(self, sid: str) -> None:
        self._sid = short_id(sid)

    def _write(self, text: str, *args: object) -> None:
        logger.debug(f"%s {text}", self._sid, *args)  # noqa: G004 - ours, with the same places

    # -- the session ---------------------------------------------------------------------------

    def connected(self, transport: str, address: str) -> None:
        """The session begins."""
        self._write("connected by %s from %s", transport, address or "somewhere")

    def upgraded(self, transport: str) -> None:
        """The client has moved to another transport."""
        self._write("upgraded to %s", transport)

    def ended(self, detail: DisconnectDetail) -> None:
        """The session ends."""
        self._write("ended: %s", detail)

    # -- a socket ------------------------------------------------------------------------------

    def joined(self, namespace: str) -> None:
        """The client has been let into a namespace."""
        self._write("joined %s", quoted(namespace))

    def recovered(self, namespace: str, missed: int) -> None:
        """The client has come back and been sent what it missed."""
        count = f"{missed} event{'' if missed == 1 else 's'}"
        self._write("%s is recovered, with %s that it missed", quoted(namespace), count)

    def not_recovered(self, namespace: str, why: object) -> None:
        """The client has come back and is a new one."""
        self._write("%s is not recovered: %s", quoted(namespace), why)

    def refused(self, namespace: str, why: object) -> None:
        """The client has not been let into a namespace."""
        self._write("was not let into %s: %s", quoted(namespace), printable(str(why)))

    def left(self, namespace: str, reason: object) -> None:
        """The client leaves a namespace."""
        self._write("leaves %s: %s", quoted(namespace), reason)

    def entered(self, namespace: str, rooms: Collection[str]) -> None:
        """The application has put the socket into rooms."""
        names = ", ".join(map(quoted, sorted(rooms)[:SHOWN_NAMES]))
        self._write("%s joins %s", quoted(namespace), names)

    # -- events and answers --------------------------------------------------------------------

    def event(
        self,
        namespace: str,
        event: str,
        arguments: int,
        handlers: Sequence[str],
        others: Collection[str],
    ) -> None:
        """An event of the client's is about to be handled.

        Args:
            namespace: where.
            event: its name.
            arguments: how many it has.
            handlers: the names of the functions that will be called.
            others: the events that somebody listens for.
        """
        count = f"{arguments} argument{'' if arguments == 1 else 's'}"
        what = ", ".join(handlers) if handlers else _nobody(others)
        self._write("%s %s with %s: %s", quoted(namespace), quoted(event), count, what)

    def ignored(self, namespace: str, what: str) -> None:
        """A packet has come that is for nobody."""
        self._write("%s %s", quoted(namespace), what)

    def acknowledged(self, namespace: str, ack_id: object, *, by_client: bool) -> None:
        """An acknowledgement has come, or is sent."""
        way = "came" if by_client else "is sent"
        self._write("%s acknowledgement %s %s", quoted(namespace), ack_id, way)


def _nobody(others: Collection[str]) -> str:
    names = [quoted(one) for one in sorted(others)]
    if len(names) > SHOWN_NAMES:
        names[SHOWN_NAMES:] = [f"{len(names) - SHOWN_NAMES} more"]
    return f"nobody listens; there are {', '.join(names) or 'no handlers at all'}"


def event_log(sid: str) -> EventLog | None:
    """Return what writes of a new session; `None` if nobody wants to know."""
    return EventLog(sid) if logger.isEnabledFor(logging.DEBUG) else None
