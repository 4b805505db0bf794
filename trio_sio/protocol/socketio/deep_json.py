"""Reading JSON that is nested more deeply than the standard library reads it.

The library's parser calls itself for each level and stops at some depth that depends on Python's
version and on the stack; JavaScript's clients send several thousand levels. It also refuses whole
numbers of many digits, which are infinite in JavaScript. Here the open arrays
and objects are on a list. That takes ten times as long, so it is done for what the library has
refused only, and up to a number of values.
"""

import re
from collections.abc import Callable

from trio_sio.protocol.socketio.packet import JSON

MAX_DEPTH = 10_000
"""Levels; a client of the reference sends some 4,000 at most."""

MAX_VALUES = 100_000
"""Values in such a message, which take some 0.1 s."""

Scan = Callable[[str, int], tuple[JSON, int]]
"""Reads a string, a number or a constant, and says where it ends; raises `ValueError`."""

_skip_space = re.compile(r"[ \t\n\r]*").match


def read_deep(text: str, position: int, scan: Scan) -> JSON:
    """Return the value that `text` holds from `position` on.

    Args:
        text: JSON, perhaps behind something else.
        position: where it begins.
        scan: reads what is neither an array nor an object.

    Raises:
        ValueError: it is no JSON, or too deep, or too much.
    """
    root: list[JSON] = []
    containers: list[list[JSON] | dict[str, JSON]] = [root]
    key = ""
    for _ in range(MAX_VALUES):
        position = _skip(text, position)
        value: JSON
        opening = text[position : position + 1]
        if opening and opening in "[{":
            value, position = [] if opening == "[" else {}, _skip(text, position + 1)
        else:
            value, position = scan(text, position)
        container = containers[-1]
        if isinstance(container, list):
            container.append(value)
        else:
            container[key] = value
        if opening and opening in "[{":
            assert isinstance(value, (list, dict))
            containers.append(value)
            if len(containers) > MAX_DEPTH + 1:
                raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
        position = _close(text, position, containers)
        if len(containers) == 1:
            if position != len(text):
                raise ValueError(f"extra data at {position}")
            return root[0]
        if containers[-1] is not value:  # it was not just opened, so something is in it
            position = _skip(text, _expect(",", text, position))
        if isinstance(containers[-1], dict):
            if text[position : position + 1] != '"':
                raise ValueError(f"a key was due at {position}")
            name, position = scan(text, position)
            assert isinstance(name, str)
            key, position = name, _expect(":", text, _skip(text, position))
    raise ValueError(f"nested deeply, or with a very long number, and of over {MAX_VALUES} values")


def _close(text: str, position: int, containers: list[list[JSON] | dict[str, JSON]]) -> int:
    """Close what ends here, and return the position behind that and behind white space."""
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
        raise ValueError(f"{char!r} was due at {position}")
    return position + 1
