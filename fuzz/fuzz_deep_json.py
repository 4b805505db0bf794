"""Any text is read without recursion as the standard library reads it, or neither reads it.

Of texts that are too deep for the library, it is the depth that matters: they are read if they are
not deeper than allowed. The first byte says how often the brackets of the rest are repeated.
"""

import json
from collections.abc import Hashable

from fuzz import harness
from trio_sio.protocol.socketio.deep_json import read_deep
from trio_sio.protocol.socketio.packet import JSON

NAME = "deep_json"

MAX_CHARACTERS = 21_000
"""Of a text: deeper than what is allowed, and not slow."""

_scan = json.JSONDecoder().raw_decode


def fuzz(data: bytes) -> Hashable:
    """Read a text behind another one, as packets have it."""
    text = data[1:].decode("utf-8", "replace")
    times = data[0] if data else 0
    for bracket in "[]":
        text = text.replace(bracket * 3, bracket * 3 * times)[:MAX_CHARACTERS]
    try:
        value = read_deep("42" + text, 2, _scan)
    except ValueError as error:
        assert not _is_read(text)
        return str(error).partition(":")[0].rstrip("0123456789")
    try:
        expected = json.loads(text)
    except RecursionError:
        return "deep"
    assert _shown(value) == _shown(expected)
    return (type(value).__name__, _shown(value)[:6])


def _is_read(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _shown(value: JSON) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return "deep"


if __name__ == "__main__":
    harness.main(fuzz, NAME)
