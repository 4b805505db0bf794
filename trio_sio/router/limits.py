"""How many rooms a socket may be in (option `max_rooms`)."""

from collections.abc import Collection

from trio_sio.abc import Room
from trio_sio.exceptions import LimitReached


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
