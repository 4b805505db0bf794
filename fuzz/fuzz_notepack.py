"""Any message is decoded value by value as it is at once, and so by the library without its C part.

Clients choose which of the ways is taken: a message with many headers of long lists goes value by
value, and on some machines the library is in Python alone.
"""

from collections.abc import Callable, Hashable

import msgpack
import msgpack.fallback

from fuzz import harness
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio import notepack
from trio_sio.protocol.socketio.packet import JSON

NAME = "notepack"

_LONG_HEADERS = b"\xc4\x10" + b"\xdd" * 16
"""A value that has so many bytes that could be headers that a message is read value by value."""

Unpack = Callable[[bytes], JSON]


def fuzz(data: bytes) -> Hashable:
    """Decode `data` in each way, as a message of a client and as one of a server."""
    return tuple(_decode(data, unpack) for unpack in (notepack.unpack, notepack.unpack_data))


def _decode(data: bytes, unpack: Unpack) -> Hashable:
    first = _outcome(data, unpack)
    assert _outcome(data, lambda data: _behind(data, unpack)) == first
    assert _outcome(data, lambda data: _in_python(data, unpack)) == first
    return first if first is None else first[:40]


def _outcome(data: bytes, unpack: Unpack) -> str | None:
    try:
        value = unpack(data)
    except RemoteProtocolError:
        return None
    return _shown(value)


def _behind(data: bytes, unpack: Unpack) -> JSON:
    """Decode `data` in a list, which is read value by value."""
    both = unpack(b"\x92" + _LONG_HEADERS + data)
    assert isinstance(both, list)
    return both[1]


def _in_python(data: bytes, unpack: Unpack) -> JSON:
    """Decode `data` by the part of the library that is written in Python."""
    library = vars(notepack)["msgpack"]
    before = library.Unpacker, library.unpackb
    library.Unpacker, library.unpackb = msgpack.fallback.Unpacker, _unpackb
    try:
        return unpack(data)
    finally:
        library.Unpacker, library.unpackb = before


def _unpackb(packed: bytes, **options: object) -> object:
    """Do what the library's function of this name does, which takes the C part if it is there."""
    unpacker = msgpack.fallback.Unpacker(None, max_buffer_size=len(packed), **options)
    unpacker.feed(packed)
    try:
        value = unpacker._unpack()
    except msgpack.OutOfData:
        raise ValueError("Unpack failed: incomplete input") from None
    except RecursionError:
        raise msgpack.StackError from None
    if unpacker._got_extradata():
        raise msgpack.ExtraData(value, unpacker._get_extradata())
    return value


def _shown(root: object) -> str:
    """Return a text that is the same for equal values, NaN among them, however deep they are."""
    pieces: list[str] = []
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            pieces.append(f"list of {len(value)}")
            waiting += value[::-1]
        elif isinstance(value, dict):
            pieces.append(f"dict of {list(value)}")
            waiting += [*value.values()][::-1]
        else:
            pieces.append(repr(value))
    return " ".join(pieces)


if __name__ == "__main__":
    harness.main(fuzz, NAME)
