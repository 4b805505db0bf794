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
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

try:
    import msgpack
except ImportError as error:  # pragma: no cover - a test imports it in a process of its own
    raise ImportError("MessagePack needs a library: pip install 'trio-sio[msgpack]'") from error

from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.protocol.socketio.slow_notepack import (
    UNDEFINED,
    Undefined,
    has_odd_key,
    pack_each,
    unpack_each,
)
from trio_sio.protocol.socketio.unsendable import type_name

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAX_HEADERS = 8
"""Bytes that may be headers of long lists or maps, up to which the library decodes a message."""

_LONG_HEADERS = (b"\xdc", b"\xdd", b"\xde", b"\xdf")
_FLOAT_64 = b"\xcb"
_FIXEXT_OF_0 = b"\xd4\x00"

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
        try:
            packed: bytes = msgpack.packb(value)  # the options would double its time
        except (TypeError, ValueError, OverflowError):  # dates; surrogates; long integers
            packed = _pack_replaced(value)
        if _FLOAT_64 not in packed or not has_odd_key(value):
            return packed
    except (ValueError, OverflowError, BufferError):  # deep; an odd key; an odd view
        pass
    return pack_each(value, _pack_one)


def _pack_replaced(value: object) -> bytes:
    packed: bytes = msgpack.packb(value, default=_replace_data, unicode_errors="surrogatepass")
    return packed


def _pack_one(value: object) -> bytes:
    return _pack_replaced(bytes(value) if isinstance(value, memoryview) else value)


def _replace_data(value: object) -> object:
    if not isinstance(value, int):
        return _replace(value)
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


class _Ambiguous(Exception):
    """An extension could mean two things."""


class _Reading(NamedTuple):
    """How a message is read.

    Attributes:
        unicode_errors: what is done about invalid UTF-8.
        drops_undefined: leave out the members of objects that are undefined, as JSON does.
        max_places: in lists that the library may allocate, whatever `MAX_HEADERS` says: numbers
            are full of bytes that could be headers.
    """

    unicode_errors: str
    drops_undefined: bool
    max_places: int


def _keep_surrogates(error: UnicodeError) -> tuple[str | bytes, int]:
    """Decode a surrogate that was encoded by `pack_data`, and replace other invalid UTF-8."""
    try:
        return codecs.lookup_error("surrogatepass")(error)
    except UnicodeError:
        return codecs.lookup_error("replace")(error)


codecs.register_error("trio_sio.keep_surrogates", _keep_surrogates)

_OF_A_CLIENT = _Reading("replace", drops_undefined=False, max_places=0)
_OF_A_SERVER = _Reading("trio_sio.keep_surrogates", drops_undefined=True, max_places=2**22)

_AS_DATETIME = 3
"""A timestamp in MessagePack's own format becomes a datetime."""


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
        if _is_safe(message, reading):
            try:
                return _unpack_at_once(message, reading)
            except (_Ambiguous, msgpack.StackError):
                pass
        return _unpack_each(message, reading)
    except (ValueError, TypeError, OverflowError, msgpack.UnpackException) as error:
        raise RemoteProtocolError("invalid format", f"not MessagePack: {error}") from None


def _is_safe(message: bytes, reading: _Reading) -> bool:
    """Whether the library may decode a message: it allocates few long lists or maps."""
    if b"\xdc" in message or b"\xdd" in message or b"\xde" in message or b"\xdf" in message:
        headers = sum(map(message.count, _LONG_HEADERS))
        return headers <= MAX_HEADERS or headers * len(message) <= reading.max_places
    return True


def _unpack_at_once(message: bytes, reading: _Reading) -> JSON:
    # Hardly any message has extensions, or a key that is not a string. Bytes as keys need one of
    # these headers; the library raises for other keys.
    has_bytes = b"\xc4" in message or b"\xc5" in message or b"\xc6" in message
    try:
        value: JSON = msgpack.unpackb(
            message,
            ext_hook=_refuse_extension,
            object_hook=_refuse_odd_keys if has_bytes else None,
            unicode_errors=reading.unicode_errors,
            timestamp=_AS_DATETIME,
        )
    except _Unusual:
        return _unpack_with_hooks(message, reading)
    except ValueError as error:
        if "not allowed for map key" not in str(error):  # of both parts of the library
            raise
        return _unpack_with_hooks(message, reading)
    return value


class _Unusual(Exception):
    """There is an extension, or bytes as a key."""


def _refuse_extension(code: int, data: bytes) -> JSON:
    raise _Unusual


def _refuse_odd_keys(members: dict[object, JSON]) -> dict[object, JSON]:
    for key in members:
        if type(key) is not str:
            raise _Unusual
    return members


def _unpack_with_hooks(message: bytes, reading: _Reading) -> JSON:
    if reading.drops_undefined and _FIXEXT_OF_0 in message:
        raise _Ambiguous

    def extension(code: int, data: bytes) -> JSON:
        fixed = _FIXED.get(len(data))
        if fixed is None or fixed not in message:
            return _extension(0xC7, code, data)
        if any(head in message for head in _BUFFER[len(data)]):
            raise _Ambiguous
        return _extension(fixed[0], code, data)

    def pairs(items: list[tuple[object, JSON]]) -> dict[str, JSON]:
        return {_key(key): value for key, value in items}

    value: JSON = msgpack.unpackb(
        message,
        ext_hook=extension,
        object_pairs_hook=pairs,
        strict_map_key=False,
        unicode_errors=reading.unicode_errors,
        timestamp=_AS_DATETIME,
    )
    return value


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


def _unpack_each(message: bytes, reading: _Reading) -> JSON:
    unpacker = msgpack.Unpacker(
        max_buffer_size=len(message),
        ext_hook=_Extension,
        unicode_errors=reading.unicode_errors,
        timestamp=_AS_DATETIME,
    )
    unpacker.feed(message)
    return unpack_each(message, unpacker, _finish, _key, reading.drops_undefined)


def _finish(head: int, value: object) -> JSON | Undefined:
    """Return what the library has read, an extension as its first byte says."""
    if not isinstance(value, _Extension):
        return value  # type: ignore[return-value]  # the library has no types
    if head == _FIXEXT_1 and value.code == 0:
        return UNDEFINED
    return _extension(head, value.code, value.data)
