"""How much other servers are told of what clients and applications say.

A client chooses what is in its `auth`, and in its answers. What other servers could not read is
left out, and what is so large that all of them would connect to the broker anew: nothing of anybody
else is lost by it.
"""

from collections.abc import Iterator
from typing import Any, Final

MAX_STATEMENT = 2**20
"""Bytes of one answer, and of what one message tells of sockets where there may be several.
At a message that is too large for them, all servers connect to Redis anew."""

MAX_SOCKETS = 2**24
"""Bytes of what a message tells of sockets where there is only one. Of those for which there is no
room, it tells their ids and rooms."""

MAX_LEVELS = 500
"""Levels of lists and objects, one in the other. Python reads as many as its stack has room for: of
1,000, those that the server which reads them has not taken already."""

_END: Final = object()


def is_deep(value: object) -> bool:
    """Whether a value is nested in more levels than each server can be sure to read."""
    waiting = [iter((value,))]
    while waiting:
        one = next(waiting[-1], _END)
        if one is _END:
            waiting.pop()
        elif isinstance(one, dict | list | tuple):
            waiting.append(_containers(one))
            if len(waiting) > MAX_LEVELS + 1:
                return True
    return False


def _containers(value: dict[Any, object] | list[object] | tuple[object, ...]) -> Iterator[object]:
    values = value.values() if isinstance(value, dict) else value
    return (one for one in values if isinstance(one, dict | list | tuple))
