"""What strategies draw: finds it, makes it small, and looks into it."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, TypeVar

from hypothesis import Phase, find, settings, strategies as st

from trio_sio.protocol.socketio.packet import JSON

Drawn = TypeVar("Drawn")
Condition = Callable[[Any], bool]

SEARCH = settings(max_examples=5000, phases=[Phase.generate], database=None)
"""What is found is not made small: that would take most of the time."""


def is_drawn(strategy: st.SearchStrategy[Any], condition: Condition) -> bool:
    """Return whether something like this is drawn; raises if not."""
    return condition(find(strategy, condition, settings=SEARCH, random=Random(0)))


def simplest(strategy: st.SearchStrategy[Drawn], condition: Callable[[Drawn], bool]) -> Drawn:
    """Return what a failing test would show, if all that meet the condition failed."""
    whole = settings(max_examples=5000, database=None)
    return find(strategy, condition, settings=whole, random=Random(0))


def parts(value: JSON) -> Iterator[JSON]:
    """Yield a value, what it holds, and the keys of dicts."""
    yield value
    if isinstance(value, list):
        for inner in value:
            yield from parts(inner)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from parts(inner)


def some(condition: Condition) -> Callable[[JSON], bool]:
    """Return a condition: some part of a value meets this one."""
    return lambda value: any(condition(part) for part in parts(value))


def text_with(condition: Callable[[str], bool]) -> Callable[[JSON], bool]:
    """Return a condition: some text in a value has such a character."""
    return some(lambda part: isinstance(part, str) and any(map(condition, part)))


def is_placeholder(value: JSON) -> bool:
    """Return whether a decoder may take this for an attachment."""
    return isinstance(value, dict) and value.get("_placeholder") is True
