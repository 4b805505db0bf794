r"""MessagePack in the dialect of JavaScript's notepack, decoded in linear time.

The dialect uses extension type 0 for three things, which only the first byte distinguishes:
`\xd4\x00\x00` is undefined, `\xd7\x00` and 64 bits is a date in milliseconds, `\xc7`, `\xc8` or
`\xc9` with a length is an ArrayBuffer.

The library msgpack alone cannot decode it safely, for two reasons. It allocates a list as soon as
it has read the header, and lists nest: headers of five bytes, each with a length that the message
cannot hold, occupy it for seconds. And it does not distinguish a date from an ArrayBuffer of eight
bytes. So a message in which either could matter is decoded value by value.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgpack

from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.protocol.socketio.unsendable import type_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAX_HEADERS = 8
"""Bytes that may be headers of long lists or maps, up to which the library decodes a message."""

_LONG_HEADERS = (b"\xdc", b"\xdd", b"\xde", b"\xdf")
_BIN_HEADERS = (b"\xc4", b"\xc5", b"\xc6")
_AS_IN_JAVASCRIPT: Any = {"unicode_errors": "replace", "timestamp": 3}
"""Invalid UTF-8 is replaced; a timestamp in MessagePack's own format becomes a datetime."""

_FIXEXT_1, _FIXEXT_8 = 0xD4, 0xD7
_FIXED = {1: b"\xd4\x00", 8: b"\xd7\x00"}
"""The headers of undefined, which has one byte, and of a date, which has eight."""
_BUFFER = {
    size: (b"\xc7%c\x00" % size, b"\xc8\x00%c\x00" % size, b"\xc9\x00\x00\x00%c\x00" % size)
    for size in _FIXED
}
"""The headers of ArrayBuffers of these lengths."""


def pack(value: JSON) -> bytes:
    """Encode a value; a date becomes JavaScript's Date.

    Raises:
        TypeError, ValueError, OverflowError: MessagePack cannot express something in it.
    """
    packed: bytes = msgpack.packb(value, default=_replace, unicode_errors="surrogatepass")
    return packed


def _replace(value: object) -> object:
    """Return what is encoded in place of a value that MessagePack cannot express."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        milliseconds = (value - _EPOCH) // timedelta(milliseconds=1)
        return msgpack.ExtType(0, milliseconds.to_bytes(8, "big", signed=True))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        raise OverflowError("beyond 64 bits")
    raise TypeError(f"{type_name(value)} has no form in MessagePack")


class _Ambiguous(Exception):
    """An extension could mean two things."""


def unpack(message: bytes) -> JSON:
    """Decode a message.

    Dates become aware datetimes, ArrayBuffers bytes, undefined `None`, and other extensions lists
    of their type and bytes; keys that are not strings become strings, as in JavaScript.

    Raises:
        RemoteProtocolError: the message is not MessagePack.
    """
    try:
        if sum(map(message.count, _LONG_HEADERS)) <= MAX_HEADERS:
            try:
                return _unpack_at_once(message)
            except _Ambiguous:
                pass
        return _Walk(message).whole()
    except RecursionError:
        raise RemoteProtocolError("invalid format", "nested too deeply") from None
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise RemoteProtocolError("invalid format", f"not MessagePack: {error}") from None


def _unpack_at_once(message: bytes) -> JSON:
    def extension(code: int, data: bytes) -> JSON:
        if code != 0 or _FIXED.get(len(data), b"none") not in message:
            return _extension(0xC7, code, data)
        if any(head in message for head in _BUFFER[len(data)]):
            raise _Ambiguous
        return _extension(_FIXED[len(data)][0], code, data)

    def pairs(items: list[tuple[object, JSON]]) -> dict[str, JSON]:
        return {_key(key): value for key, value in items}

    # A hook for maps takes time, and hardly any message has a key that is not a string: bytes
    # need one of these headers, and the library raises for the rest.
    if not any(head in message for head in _BIN_HEADERS):
        try:
            value: JSON = msgpack.unpackb(message, ext_hook=extension, **_AS_IN_JAVASCRIPT)
        except ValueError as error:
            if "strict_map_key" not in str(error):
                raise
        else:
            return value
    value = msgpack.unpackb(
        message,
        ext_hook=extension,
        object_pairs_hook=pairs,
        strict_map_key=False,
        **_AS_IN_JAVASCRIPT,
    )
    return value  # noqa: RET504 - the library has no types


def _extension(head: int, code: int, data: bytes) -> JSON:
    """Return an extension's value; `head` is its first byte."""
    if code != 0:
        return [code, bytes(data)]
    if head == _FIXEXT_1:
        return None
    if head == _FIXEXT_8:
        moment = timedelta(milliseconds=int.from_bytes(data, "big", signed=True))
        return _EPOCH + moment  # type: ignore[return-value]  # a value that JSON does not have
    return bytes(data)


def _key(key: object) -> str:
    """Return a key as JavaScript writes it."""
    if isinstance(key, str):
        return key
    if isinstance(key, bytes):
        return key.decode("utf-8", "replace")
    if key is None or isinstance(key, bool):
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, float) and key.is_integer():
        return str(int(key))
    if isinstance(key, int | float):
        return str(key)
    raise ValueError(f"a key of type {type(key).__name__}")


class _Extension(NamedTuple):
    """An extension that has not been decoded yet."""

    code: int
    data: bytes


class _Walk:
    """Decodes lists and maps itself, and leaves all other values to the library."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._unpacker = msgpack.Unpacker(
            max_buffer_size=max(len(message), 1),
            strict_map_key=False,
            ext_hook=_Extension,
            **_AS_IN_JAVASCRIPT,
        )
        self._unpacker.feed(message)

    def whole(self) -> JSON:
        value = self._value()
        trailing = len(self._message) - self._unpacker.tell()
        if trailing:
            raise ValueError(f"{trailing} trailing bytes")
        return value

    def _value(self) -> JSON:
        start = self._unpacker.tell()
        head = self._message[start : start + 1]
        if b"\x90" <= head < b"\xa0" or b"\xdc" <= head <= b"\xdd":
            return [self._value() for _ in range(self._length(self._unpacker.read_array_header()))]
        if b"\x80" <= head < b"\x90" or b"\xde" <= head <= b"\xdf":
            length = self._length(self._unpacker.read_map_header())
            return {_key(self._value()): self._value() for _ in range(length)}
        value = self._unpacker.unpack()
        if isinstance(value, _Extension):
            return _extension(head[0], value.code, value.data)
        return value  # type: ignore[no-any-return]

    def _length(self, claimed: int) -> int:
        if claimed > len(self._message) - self._unpacker.tell():
            raise ValueError(f"{claimed} elements, more than there are bytes left")
        return claimed
