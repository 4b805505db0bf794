"""MessagePack value by value, for what the library msgpack does not do as it is wanted.

It refuses data that is nested more than 500 levels deep, it encodes keys that are not strings,
where JSON and JavaScript's objects have names for them, and it allocates lists as long as a message
says. Here is what does these things right, in ten times as long.
"""

import math
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from trio_sio.protocol.socketio.packet import JSON

MAX_DEPTH = 10_000
"""Levels; clients of the reference send about 4,000 at most. Data that contains itself has more."""

_END: Final = object()
_LEAVES = frozenset((str, int, float, bool, type(None)))


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
        inner: Iterable[object] = ()
        if isinstance(one, dict):
            if any(type(key) is not str and _is_odd(key) for key in one):
                return True
            inner = one.values()
        elif isinstance(one, (list, tuple)):
            inner = one
        waiting += [each for each in inner if type(each) not in _LEAVES]
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
        inner: Iterable[object] = ()
        if isinstance(one, dict):
            inner = one.values()
        elif isinstance(one, (list, tuple)):
            inner = one
        elif isinstance(one, (bytes, bytearray, memoryview)):
            return True
        waiting += [each for each in inner if type(each) not in _LEAVES]
    return False


# -- decoding ------------------------------------------------------------------------------------


class Undefined:
    """JavaScript's undefined."""


UNDEFINED: Final = Undefined()

Finish = Callable[[int, object], JSON | Undefined]
"""`(first byte, what the library has read) -> value`, for what is neither a list nor a map."""


class Unpacks(Protocol):
    """What is used of the library's unpacker."""

    def tell(self) -> int: ...
    def unpack(self) -> object: ...
    def read_array_header(self) -> int: ...
    def read_map_header(self) -> int: ...


def unpack_each(
    message: bytes,
    unpacker: Unpacks,
    finish: Finish,
    name: Callable[[JSON], str],
    drops_undefined: bool,
) -> JSON:
    """Decode a message, whose lists and maps the library does not get to see.

    Args:
        message: all of it.
        unpacker: has been fed with it.
        finish: makes values of what the library reads.
        name: makes keys of them.
        drops_undefined: leave out the members of maps that are undefined.

    Raises:
        ValueError: it is malformed, has something behind it, or is nested too deeply.
    """
    return _Walk(message, unpacker, finish, name, drops_undefined).whole()


class _Open:
    """A list or a map of which not everything has been read."""

    __slots__ = ("_drops_undefined", "_into", "_key", "_left")

    def __init__(
        self, into: list[JSON] | dict[str, JSON], length: int, drops_undefined: bool
    ) -> None:
        self._into = into
        self._left = length
        self._key: str | None = None
        self._drops_undefined = drops_undefined

    @property
    def is_complete(self) -> bool:
        return not self._left

    @property
    def awaits_key(self) -> bool:
        return self._key is None and isinstance(self._into, dict)

    def take_key(self, key: str) -> None:
        self._key = key

    def take(self, value: JSON | Undefined) -> None:
        self._left -= 1
        key, self._key = self._key, None
        if isinstance(value, Undefined):
            if key is not None and self._drops_undefined:
                return
            value = None
        if isinstance(self._into, list):
            self._into.append(value)
        else:
            assert key is not None
            self._into[key] = value


class _Walk:
    """Keeps the open lists and maps in a list of its own, in place of recursion."""

    def __init__(
        self,
        message: bytes,
        unpacker: Unpacks,
        finish: Finish,
        name: Callable[[JSON], str],
        drops_undefined: bool,
    ) -> None:
        self._message = message
        self._unpacker = unpacker
        self._finish = finish
        self._name = name
        self._drops_undefined = drops_undefined

    def whole(self) -> JSON:
        root: list[JSON] = []
        opened = [_Open(root, 1, self._drops_undefined)]
        while opened:
            last = opened[-1]
            if last.is_complete:
                opened.pop()
            elif last.awaits_key:
                last.take_key(self._next_key())
            else:
                value, inner = self._next()
                last.take(value)
                if inner is not None:
                    opened.append(inner)
                    if len(opened) > MAX_DEPTH + 1:
                        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
        trailing = len(self._message) - self._unpacker.tell()
        if trailing:
            raise ValueError(f"{trailing} trailing bytes")
        return root[0]

    def _next(self) -> tuple[JSON | Undefined, _Open | None]:
        """Return a value, empty if it is a list or a map, and what is to be read into that."""
        head = self._head()
        if b"\x90" <= head < b"\xa0" or b"\xdc" <= head <= b"\xdd":
            items: list[JSON] = []
            length = self._length(self._unpacker.read_array_header())
            return items, _Open(items, length, self._drops_undefined)
        if b"\x80" <= head < b"\x90" or b"\xde" <= head <= b"\xdf":
            members: dict[str, JSON] = {}
            length = self._length(self._unpacker.read_map_header())
            return members, _Open(members, length, self._drops_undefined)
        return self._scalar(head), None

    def _next_key(self) -> str:
        head = self._head()
        if b"\x80" <= head < b"\xa0" or b"\xdc" <= head <= b"\xdf":
            raise ValueError("a list or a map as a key")  # which the library would allocate
        key = self._scalar(head)
        return self._name(None if isinstance(key, Undefined) else key)

    def _head(self) -> bytes:
        start = self._unpacker.tell()
        return self._message[start : start + 1]

    def _scalar(self, head: bytes) -> JSON | Undefined:
        value = self._unpacker.unpack()  # raises if there is no first byte
        return self._finish(head[0], value)

    def _length(self, claimed: int) -> int:
        if claimed > len(self._message) - self._unpacker.tell():
            raise ValueError(f"{claimed} elements, more than there are bytes left")
        return claimed
