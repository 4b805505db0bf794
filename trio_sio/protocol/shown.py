"""How packets look in `repr`: their wire form, cut to a length that a person reads.

Whoever looks at a packet may look at one that cannot be sent, so nothing here raises.
"""

import json
import reprlib
from collections.abc import Callable
from typing import Final

WIRE_LENGTH: Final = 200
"""Characters of a packet's text that are shown."""

DATA_LENGTH: Final = 24
"""Bytes of one binary value that are shown."""

VALUES: Final = 3
"""Binary values of one packet that are shown."""


def shown_text(text: str) -> str:
    """Return the beginning of `text`, and escapes for what cannot be printed."""
    rest = len(text) - WIRE_LENGTH
    if rest > 0:
        text = f"{text[:WIRE_LENGTH]}... ({rest} more)"
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(character: str) -> str:
    return character if character.isprintable() else ascii(character)[1:-1]


def shown_bytes(data: bytes) -> str:
    """Return the beginning of `data` as Python writes bytes."""
    rest = len(data) - DATA_LENGTH
    return repr(data) if rest <= 0 else f"{data[:DATA_LENGTH]!r}... ({rest} more)"


def shown_json(data: object) -> tuple[str, list[bytes]]:
    """Return JSON with placeholders, and the binary values that they stand for.

    What has no form in JSON looks as it does in Python.
    """
    found: list[bytes] = []

    def take_out(value: object) -> object:
        if isinstance(value, (bytes, bytearray, memoryview)):
            found.append(bytes(value))
            return {"_placeholder": True, "num": len(found) - 1}
        return _or_its_type(reprlib.repr, value)

    def write(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=take_out)

    try:
        return write(data), found
    except (TypeError, ValueError, RecursionError):  # such as a key that is no text, or a circle
        return _or_its_type(reprlib.repr, data), []


def shown_attachments(values: list[bytes]) -> str:
    """Return what stands behind the text of a packet with binary values."""
    text = "".join(f" + {shown_bytes(value)}" for value in values[:VALUES])
    rest = len(values) - VALUES
    return text if rest <= 0 else f"{text} + {rest} more"


def _or_its_type(represent: Callable[[object], str], value: object) -> str:
    try:
        return represent(value)
    except Exception:  # the `__repr__` of an application's class, or an endless integer
        return f"<{type(value).__name__}>"
