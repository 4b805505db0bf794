"""Limits of what one client may have, and may make the server keep for it."""

from collections.abc import Collection
from typing import NamedTuple

from trio_sio.abc import Room
from trio_sio.exceptions import LimitReached


class Limits(NamedTuple):
    """The options of the same names; `ServerOptions` describes them."""

    handshake_packets: int | None
    max_namespaces: int
    max_pending_namespaces: int
    max_packet_bytes: int
    attachments_timeout: float
    max_rooms: int
    max_pending_acks: int
    max_events_per_second: float | None = None
    event_burst: int | None = None
    on_flood: str = "disconnect"


def check_rooms(rooms: Collection[Room], present: Collection[Room], limit: int) -> None:
    """Check the rooms that a socket is about to join.

    Args:
        rooms: what it is about to join.
        present: the rooms it is in; its own does not count.
        limit: option `max_rooms`.

    Raises:
        TypeError: a room's name is not a `str`.
        LimitReached: the socket would be in too many rooms.
    """
    for room in rooms:
        if not isinstance(room, str):
            raise TypeError(f"a room name must be a str, not {room!r}")
    if len(present) + len(rooms) <= limit:
        return
    count = len({*present, *rooms}) - 1
    if count > limit:
        raise LimitReached(f"a socket would be in {count} rooms", "max_rooms", limit)
