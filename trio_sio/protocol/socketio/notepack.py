r"""MessagePack in the dialect of JavaScript's notepack, decoded in linear time.

The dialect uses extension type 0 for three things, which only the first byte distinguishes:
`\xd4\x00\x00` is undefined, `\xd7\x00` and 64 bits is a date in milliseconds, `\xc7`, `\xc8` or
`\xc9` with a length is an ArrayBuffer.

The library msgpack alone cannot decode it safely, for two reasons. It allocates a list as soon as
it has read the header, and lists nest: headers of five bytes, each with a length that the message
cannot hold, occupy it for seconds. And it does not distinguish a date from an ArrayBuffer of eight
bytes. So a message in which either could matter is decoded value by value.

Clients that speak MessagePack are given what it can express; servers of a cluster tell each other
what JSON can, since that is what nearly all clients get in the end: `pack_data`, `unpack_data`.
"""

import codecs
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

try:
    import msgpack
except ImportError as error:
    raise ImportError("MessagePack needs a library: pip install 'trio-sio[msgpack]'") from error

from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.protocol.socketio.slow_notepack import has_odd_key, pack_each
from trio_sio.protocol.socketio.unsendable import type_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAX_HEADERS = 8
"""Bytes that may be headers of long lists or maps, up to which the library decodes a message."""

_LONG_HEADERS = (b"\xdc", b"\xdd", b"\xde", b"\xdf")
_BIN_HEADERS = (b"\xc4", b"\xc5", b"\xc6")
_FLOAT_64 = b"\xcb"
_FIXEXT_OF_0 = b"\xd4\x00"

MAX_DEPTH = 10_000
"""Levels of a message; clients of the reference send about 4,000 at most."""

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


def pack_data(value: object) -> bytes:
    """Encode the data of an event so that `unpack_data` returns what is the same in JSON.

    So dates have milliseconds, integers beyond 64 bits become floats as they do in JavaScript, and
    a lone surrogate is sent as UTF-8 would, if it had it.

    Raises:
        TypeError, ValueError: JSON cannot express something in it, either. (Of the keys that JSON
            does not have, some are not refused here: encode it as JSON as well.)
    """
    try:
        packed = _pack_data(value)
        if _FLOAT_64 not in packed or not has_odd_key(value):
            return packed
    except (ValueError, OverflowError, BufferError):  # deep; an odd key; an odd view
        pass
    return pack_each(value, _pack_one)


def _pack_data(value: object) -> bytes:
    packed: bytes = msgpack.packb(value, default=_replace_data, unicode_errors="surrogatepass")
    return packed


def _pack_one(value: object) -> bytes:
    return _pack_data(bytes(value) if isinstance(value, memoryview) else value)


def _replace_data(value: object) -> object:
    if not isinstance(value, int):
        return _replace(value)
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


class _Ambiguous(Exception):
    """An extension could mean two things."""


class _Undefined:
    """JavaScript's undefined."""


_UNDEFINED = _Undefined()


@dataclass(frozen=True, slots=True)
class _Reading:
    """How a message is read.

    Attributes:
        options: for the library.
        drops_undefined: leave out the members of objects that are undefined, as JSON does.
    """

    options: dict[str, Any]
    drops_undefined: bool


def _keep_surrogates(error: UnicodeError) -> tuple[str | bytes, int]:
    """Decode a surrogate that was encoded by `pack_data`, and replace other invalid UTF-8."""
    try:
        return codecs.lookup_error("surrogatepass")(error)
    except UnicodeError:
        return codecs.lookup_error("replace")(error)


codecs.register_error("trio_sio.keep_surrogates", _keep_surrogates)

_OF_A_CLIENT = _Reading({"unicode_errors": "replace", "timestamp": 3}, drops_undefined=False)
"""Invalid UTF-8 is replaced; a timestamp in MessagePack's own format becomes a datetime."""

_OF_A_SERVER = _Reading(
    {"unicode_errors": "trio_sio.keep_surrogates", "timestamp": 3}, drops_undefined=True
)


def unpack(message: bytes) -> JSON:
    """Decode a message.

    Dates become aware datetimes, ArrayBuffers bytes, undefined `None`, and other extensions lists
    of their type and bytes; keys that are not strings become strings, as in JavaScript.

    Raises:
        RemoteProtocolError: the message is not MessagePack.
    """
    return _unpack(message, _OF_A_CLIENT)


def unpack_data(message: bytes) -> JSON:
    """Decode a message of a server; as `unpack`, but for what JSON would make of it.

    Members of objects that are undefined are left out, and lone surrogates are kept.

    Raises:
        RemoteProtocolError: the message is not MessagePack.
    """
    return _unpack(message, _OF_A_SERVER)


def _unpack(message: bytes, reading: _Reading) -> JSON:
    try:
        if sum(map(message.count, _LONG_HEADERS)) <= MAX_HEADERS and not (
            reading.drops_undefined and _FIXEXT_OF_0 in message
        ):
            try:
                return _unpack_at_once(message, reading)
            except (_Ambiguous, msgpack.StackError):
                pass
        return _Walk(message, reading).whole()
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise RemoteProtocolError("invalid format", f"not MessagePack: {error}") from None


def _unpack_at_once(message: bytes, reading: _Reading) -> JSON:
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
            value: JSON = msgpack.unpackb(message, ext_hook=extension, **reading.options)
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
        **reading.options,
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

    def take(self, value: "JSON | _Undefined") -> None:
        self._left -= 1
        key, self._key = self._key, None
        if isinstance(value, _Undefined):
            if key is not None and self._drops_undefined:
                return
            value = None
        if isinstance(self._into, list):
            self._into.append(value)
        elif key is not None:
            self._into[key] = value


class _Walk:
    """Decodes lists and maps itself, without recursion, and leaves other values to the library."""

    def __init__(self, message: bytes, reading: _Reading) -> None:
        self._message = message
        self._drops_undefined = reading.drops_undefined
        self._unpacker = msgpack.Unpacker(
            max_buffer_size=max(len(message), 1),
            strict_map_key=False,
            ext_hook=_Extension,
            **reading.options,
        )
        self._unpacker.feed(message)

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

    def _next(self) -> tuple[JSON | _Undefined, _Open | None]:
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
        return _key(None if isinstance(key, _Undefined) else key)

    def _head(self) -> bytes:
        start = self._unpacker.tell()
        return self._message[start : start + 1]

    def _scalar(self, head: bytes) -> JSON | _Undefined:
        value = self._unpacker.unpack()
        if not isinstance(value, _Extension):
            return value  # type: ignore[no-any-return]
        if head[0] == _FIXEXT_1 and value.code == 0:
            return _UNDEFINED
        return _extension(head[0], value.code, value.data)

    def _length(self, claimed: int) -> int:
        if claimed > len(self._message) - self._unpacker.tell():
            raise ValueError(f"{claimed} elements, more than there are bytes left")
        return claimed
