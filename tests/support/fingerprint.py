"""The state of an object and of all that hangs on it, to see that something has changed nothing."""

from collections import deque
from collections.abc import Iterator, Mapping, Set as AbstractSet
from enum import Enum

from trio_sio.engine.runtime.stalls import StallMonitor
from trio_sio.engine.runtime.tick import TickFlusher

OF_EACH_TURN = ".counters.turn"
PLAIN = (str, bytes, int, float, bool, type(None), Enum)
BY_THEMSELVES = (StallMonitor, TickFlusher)
"""They change with each turn of the event loop."""


def fingerprint(root: object) -> dict[str, object]:
    """Return each value of the package's objects that can be reached, by the way to it."""
    found = dict(_walk("", root, set()))
    return {path: value for path, value in found.items() if not path.endswith(OF_EACH_TURN)}


def _walk(path: str, one: object, seen: set[int]) -> Iterator[tuple[str, object]]:
    if isinstance(one, PLAIN):
        yield path, one
    elif isinstance(one, BY_THEMSELVES) or id(one) in seen:
        return
    else:
        seen.add(id(one))
        parts = list(_parts(one))
        yield path, (type(one).__qualname__, len(parts))
        for name, part in parts:
            yield from _walk(f"{path}.{name}", part, seen)


def _parts(one: object) -> Iterator[tuple[str, object]]:
    if isinstance(one, Mapping):
        yield from ((str(key), value) for key, value in one.items())
    elif isinstance(one, list | tuple | deque):
        yield from ((str(index), value) for index, value in enumerate(one))
    elif isinstance(one, AbstractSet):
        yield from ((str(index), value) for index, value in enumerate(sorted(one, key=repr)))
    elif type(one).__module__.startswith("trio_sio"):
        yield from vars(one).items() if hasattr(one, "__dict__") else ()
        for kind in type(one).__mro__:
            for name in _slots(kind):
                if hasattr(one, name):
                    yield name, getattr(one, name)


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)
