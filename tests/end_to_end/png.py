"""PNG images, as far as the tests need them: 8 bits a channel, with or without transparency."""

import struct
import zlib
from collections.abc import Callable, Iterable
from itertools import accumulate
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
    picture = decode(data)
    path.write_bytes(min(data, compact(picture), key=len))
    return picture


def compact(picture: Picture) -> bytes:
    """Return a picture in few bytes: those of a page are smallest without filters."""
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
    if kind == 1:
        return _summed(row, channels)
    done = bytearray(channels)  # the pixel to the left of the first one
    corners = bytes(channels) + above
    if kind == 3:
        for left_at, (value, up) in enumerate(zip(row, above, strict=True)):
            done.append((value + (done[left_at] + up) // 2) & 255)
        return bytes(done[channels:])
    for at, (value, up, corner) in enumerate(zip(row, above, corners, strict=False)):
        left = done[at]
        from_left, from_up = abs(up - corner), abs(left - corner)
        from_corner = abs(left + up - corner - corner)
        if from_left <= from_up and from_left <= from_corner:
            done.append((value + left) & 255)
        else:
            done.append((value + (up if from_up <= from_corner else corner)) & 255)
    return bytes(done[channels:])


def _summed(row: bytes, channels: int) -> bytes:
    """Undo the filter that leaves what a pixel differs by from the one to its left."""
    done = bytearray(len(row))
    for channel in range(channels):
        sums = accumulate(row[channel::channels])
        done[channel::channels] = bytes([value & 255 for value in sums])
    return bytes(done)
