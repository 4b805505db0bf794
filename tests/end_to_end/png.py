"""PNG images, as far as the tests need them: 8 bits a channel, with or without transparency."""

import struct
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

Colour: TypeAlias = tuple[int, int, int]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}  # by colour type


class Picture(NamedTuple):
    """A decoded image: its size, and its rows of bytes."""

    width: int
    height: int
    channels: int
    rows: list[bytes]

    def colours(self) -> set[bytes]:
        """All colours that occur."""
        step = self.channels
        return {row[at : at + step] for row in self.rows for at in range(0, len(row), step)}


def encode(width: int, height: int, colour_at: Callable[[int, int], Colour]) -> bytes:
    """Return an image whose pixels are asked for one by one."""
    rows = (
        b"\x00" + bytes(value for x in range(width) for value in colour_at(x, y))
        for y in range(height)
    )
    return _file(width, height, rows)


def shrink(path: Path) -> Picture:
    """Make a file smaller, if it can be, and return the picture."""
    data = path.read_bytes()
    path.write_bytes(min(data, compact(data), key=len))
    return decode(data)


def compact(data: bytes) -> bytes:
    """Return the same picture in fewer bytes: those of a page are smallest without filters."""
    picture = decode(data)
    step = picture.channels
    opaque = (
        b"".join(row[at : at + 3] for at in range(0, len(row), step)) if step == 4 else row
        for row in picture.rows
    )
    return _file(picture.width, picture.height, (b"\x00" + row for row in opaque))


def decode(data: bytes) -> Picture:
    """Return the picture in a PNG file."""
    assert data.startswith(_SIGNATURE)
    at, pixels = len(_SIGNATURE), b""
    width = height = channels = 0
    while at < len(data):
        (size,) = struct.unpack_from(">I", data, at)
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        if name == b"IHDR":
            width, height, depth, kind, *_rest = struct.unpack(">IIBBBBB", content)
            assert depth == 8
            channels = _CHANNELS[kind]
        elif name == b"IDAT":
            pixels += content
        at += size + 12
    return Picture(width, height, channels, _rows(zlib.decompress(pixels), width, channels))


def _file(width: int, height: int, rows: Iterable[bytes]) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(name, data) for name, data in parts)


def _chunk(name: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def _rows(data: bytes, width: int, channels: int) -> list[bytes]:
    stride = width * channels
    above = bytes(stride)
    rows = []
    for at in range(0, len(data), stride + 1):
        above = _unfiltered(data[at], data[at + 1 : at + 1 + stride], above, channels)
        rows.append(above)
    return rows


def _unfiltered(kind: int, row: bytes, above: bytes, channels: int) -> bytes:
    """Undo the filter of one row; what is left of the image counts as zeros."""
    if kind == 0:
        return row
    if kind == 2:
        return bytes((value + up) & 255 for value, up in zip(row, above, strict=True))
    done = bytearray(channels)  # the pixel to the left of the first one
    corners = bytes(channels) + above
    for at, value in enumerate(row):
        left, up, corner = done[at], above[at], corners[at]
        done.append((value + _prediction(kind, left, up, corner)) & 255)
    return bytes(done[channels:])


def _prediction(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 1:
        return left
    if kind == 3:
        return (left + up) // 2
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
