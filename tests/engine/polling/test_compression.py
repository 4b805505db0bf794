"""What `Accept-Encoding` asks for, and what it gets."""

import gzip
import zlib

import pytest

from trio_sio.engine.polling.compression import choose, compressor


@pytest.mark.parametrize(
    ("field", "chosen"),
    [
        ("", None),
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("gzip, deflate, br", "gzip"),
        ("deflate, gzip", "gzip"),
        ("deflate;q=0.9, gzip;q=0.8", "deflate"),
        ("gzip;q=0", None),
        ("gzip;q=0, deflate", "deflate"),
        ("br", None),
        ("*", "gzip"),
        ("*;q=0", None),
        ("gzip;q=nonsense", None),
        ("gzip;q=nan", None),
        ("gzip;q=-1, deflate;q=2", None),
        ("GZIP ; q=0.5", "gzip"),
        ("identity", None),
    ],
)
def test_choose(field: str, chosen: str | None) -> None:
    assert choose(field) == chosen


def compress(body: bytes, encoding: str, level: int) -> bytes:
    """In two pieces."""
    engine = compressor(encoding, level)
    first = engine.compress(body[:1000])
    return first + engine.compress(body[1000:]) + engine.flush(zlib.Z_FINISH)


def test_compress() -> None:
    body = b"42[1,2,3]" * 500
    assert gzip.decompress(compress(body, "gzip", 6)) == body
    assert zlib.decompress(compress(body, "deflate", 6)) == body
    assert compress(body, "gzip", 6) == compress(body, "gzip", 6)  # no time of day in it


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_levels(encoding: str) -> None:
    body = bytes(range(256)) * 100 + b"42[1,2,3]" * 500
    stored, fast, small = (len(compress(body, encoding, level)) for level in (0, 1, 9))
    assert stored > len(body) > fast > small
