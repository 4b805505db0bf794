"""A JSON parser without recursion, for what is nested more deeply than the standard library allows.

The library's parser calls itself for each level, and stops at a depth that depends on Python's
version and on the stack; JavaScript's clients send several thousand levels. It also refuses
integers with very many digits, which are infinite in JavaScript. This one keeps the open arrays and
objects in a list. It takes ten times as long, so it parses only what the library has refused, and
only a limited number of values.
"""

import re
from collections.abc import Callable

from trio_sio.protocol.socketio.packet import JSON

MAX_DEPTH = 10_000
"""Levels; clients of the reference send about 4,000 at most."""

MAX_VALUES = 100_000
"""Values in such a message, which take about 0.1 s."""

Scan = Callable[[str, int], tuple[JSON, int]]
"""Parses a string, a number or a constant; returns it and where it ends, or raises `ValueError`."""

_skip_space = re.compile(r"[ \t\n\r]*").match


def read_deep(text: str, position: int, scan: Scan) -> JSON:
    """Return the value at a position of a text, up to its end.

    Args:
        text: JSON, perhaps after something else.
        position: where it begins.
        scan: parses what is neither an array nor an object.

    Raises:
        ValueError: it is not JSON, nested too deeply, or too long.
    """
    root: list[JSON] = []
    containers: list[list[JSON] | dict[str, JSON]] = [root]
    key = ""
    for _ in range(MAX_VALUES):
        position = _skip(text, position)
        value: JSON
        opening = text[position : position + 1]
        is_container = opening in ("[", "{")
        if is_container:
            value, position = [] if opening == "[" else {}, _skip(text, position + 1)
        else:
            value, position = scan(text, position)
        container = containers[-1]
        if isinstance(container, list):
            container.append(value)
        else:
            container[key] = value
        if is_container:
            assert isinstance(value, (list, dict))
            containers.append(value)
            if len(containers) > MAX_DEPTH + 1:
                raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
        position = _close(text, position, containers)
        if len(containers) == 1:
            if position != len(text):
                raise ValueError(f"extra data at {position}")
            return root[0]
        if containers[-1] is not value:  # it was not just opened, so it contains something
            position = _skip(text, _expect(",", text, position))
        if isinstance(containers[-1], dict):
            if text[position : position + 1] != '"':
                raise ValueError(f"expected a key at {position}")
            name, position = scan(text, position)
            assert isinstance(name, str)
            key, position = name, _expect(":", text, _skip(text, position))
    raise ValueError(f"nested deeply, or a very long number, and more than {MAX_VALUES} values")


def _close(text: str, position: int, containers: list[list[JSON] | dict[str, JSON]]) -> int:
    """Close what ends here; return the position after it and after white space."""
    position = _skip(text, position)
    while len(containers) > 1:
        closing = "]" if isinstance(containers[-1], list) else "}"
        if text[position : position + 1] != closing:
            break
        containers.pop()
        position = _skip(text, position + 1)
    return position


def _skip(text: str, position: int) -> int:
    found = _skip_space(text, position)
    assert found is not None
    return found.end()


def _expect(char: str, text: str, position: int) -> int:
    if text[position : position + 1] != char:
        raise ValueError(f"expected {char!r} at {position}")
    return position + 1
