"""Messages that are right but for one place: anything stands there, or nothing does."""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from typing import Any, NamedTuple

from hypothesis import strategies as st

from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing import strategies as sio

Place = tuple[str | int, ...]
"""The way to a value: `(4, "rooms", 0)`; `()` is that to the whole."""

_TELLING: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 5, -1, 6, 7, 2.0, 5.0, 0.5, -1.5, math.nan, math.inf, 10**30),
    *("", "a", "x" * 256, "x" * 257, b"", b"a", "\ud800"),
    *([], [[]], [None], ["a", 5], [True], {}, {"a": 1}, {"id": "a"}),
)

JUNK: st.SearchStrategy[JSON] = st.sampled_from(_TELLING).map(deepcopy) | sio.json_values(
    binary=True, finite=False
)
"""Whatever another server may say: what means something somewhere, and anything else."""


class Spoiled(NamedTuple):
    """A message of which one place is spoiled.

    Attributes:
        message: what it is now.
        place: what has been replaced or taken out.
        is_missing: it has been taken out.
    """

    message: JSON
    place: Place
    is_missing: bool


@st.composite
def spoiled(draw: st.DrawFn, message: JSON) -> Spoiled:
    """Draw a place of a message, and what becomes of it; the message itself stays as it is."""
    place = draw(st.sampled_from([*_places(message)]))
    is_missing = bool(place) and draw(st.booleans())
    root: list[Any] = [deepcopy(message)]
    inner: Any = root
    *way, last = (0, *place)
    for step in way:
        inner = inner[step]
    if is_missing:
        del inner[last]
    else:
        inner[last] = draw(JUNK)
    return Spoiled(root[0], place, is_missing)


def _places(value: JSON) -> Iterator[Place]:
    yield ()
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from ((index, *place) for place in _places(inner))
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from ((key, *place) for place in _places(inner))


def differences(one: object, other: object) -> set[str]:
    """Return the names of the attributes in which two objects of a dataclass differ."""
    assert type(one) is type(other)
    names = [field.name for field in fields(one)]  # type: ignore[arg-type]  # of a dataclass
    return {name for name in names if getattr(one, name) != getattr(other, name)}
