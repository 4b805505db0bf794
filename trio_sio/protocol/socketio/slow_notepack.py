"""Encodes as MessagePack, value by value, what the library msgpack refuses or encodes otherwise.

That is data nested more than 500 levels deep, and the keys of dicts that are not strings: JSON has
names for them, and so have JavaScript's objects. It takes ten times as long as the library.
"""

import math
import struct
from collections.abc import Callable, Iterator
from typing import Final

MAX_DEPTH = 10_000
"""Levels; data that contains itself is refused there."""

_END: Final = object()


def pack_each(value: object, pack_one: Callable[[object], bytes]) -> bytes:
    """Encode a value, with the keys of dicts as JSON writes them.

    Args:
        value: what to encode.
        pack_one: encodes a value that is neither a list, a tuple nor a dict.

    Raises:
        TypeError: a dict has a key that JSON has no name for.
        ValueError: the value is nested too deeply.
    """
    packed = bytearray()
    waiting: list[Iterator[object]] = [iter((value,))]
    while waiting:
        one = next(waiting[-1], _END)
        if one is _END:
            waiting.pop()
        elif isinstance(one, dict):
            packed += _header(len(one), 0x80, b"\xde", b"\xdf")
            waiting.append(_flat(one))
        elif isinstance(one, (list, tuple)):
            packed += _header(len(one), 0x90, b"\xdc", b"\xdd")
            waiting.append(iter(one))
        else:
            packed += pack_one(one)
        if len(waiting) > MAX_DEPTH + 1:
            raise ValueError(f"nested more than {MAX_DEPTH} levels deep, or it contains itself")
    return bytes(packed)


def _header(length: int, short: int, middle: bytes, long: bytes) -> bytes:
    if length < 16:
        return bytes((short | length,))
    if length < 1 << 16:
        return middle + struct.pack(">H", length)
    return long + struct.pack(">I", length)


def _flat(members: dict[object, object]) -> Iterator[object]:
    for key, value in members.items():
        yield name_of(key)
        yield value


def name_of(key: object) -> str:
    """Return a key as JSON writes it.

    Raises:
        TypeError: JSON has no name for it.
    """
    if isinstance(key, str):
        return key
    if isinstance(key, float):
        if math.isfinite(key):
            return float.__repr__(key)
        return "NaN" if key != key else "Infinity" if key > 0 else "-Infinity"
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, int):
        return int.__repr__(key)
    raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")


def has_odd_key(value: object) -> bool:
    """Whether a dict has a key that the library encodes otherwise than JSON: floats, mostly."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if any(type(key) is not str and _is_odd(key) for key in one):
                return True
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
    return False


def _is_odd(key: object) -> bool:
    if isinstance(key, int):
        return key.bit_length() >= 64
    return key is not None and not isinstance(key, str)


def has_binary(value: object) -> bool:
    """Whether there are bytes in a value."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (bytes, bytearray, memoryview)):
            return True
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
    return False
