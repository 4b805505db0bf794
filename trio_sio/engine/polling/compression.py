"""gzip and deflate for polling answers (JS: option `httpCompression`)."""

import zlib
from typing import Protocol

_GZIP = zlib.MAX_WBITS | 16
"""A gzip header without a time, and its checksum."""


def choose(accept_encoding: str) -> str | None:
    """Return "gzip" or "deflate" as an `Accept-Encoding` field asks for it; gzip on a tie."""
    qualities = _qualities(accept_encoding)
    rest = qualities.get("*", 0.0)
    gzip_quality = qualities.get("gzip", rest)
    deflate_quality = qualities.get("deflate", 0.0)
    if max(gzip_quality, deflate_quality) <= 0:
        return None
    return "gzip" if gzip_quality >= deflate_quality else "deflate"


def _qualities(field: str) -> dict[str, float]:
    qualities: dict[str, float] = {}
    for entry in field.lower().split(","):
        name, _, parameters = entry.strip().partition(";")
        quality = 1.0
        key, _, value = parameters.strip().partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
        if name.strip():
            qualities[name.strip()] = quality if 0.0 <= quality <= 1.0 else 0.0  # nor NaN
    return qualities


class Compressor(Protocol):
    """Takes bytes piece by piece; as the objects of `zlib.compressobj`."""

    def compress(self, data: bytes, /) -> bytes:
        """Take a piece, and return what is ready."""

    def flush(self, mode: int, /) -> bytes:
        """Return the rest."""


def compressor(encoding: str, level: int) -> Compressor:
    """Begin to compress, at a level of 0 to 9.

    Args:
        encoding: "gzip", or "deflate", which means the zlib format, as on all the web.
        level: of compression.
    """
    return zlib.compressobj(level, wbits=_GZIP if encoding == "gzip" else zlib.MAX_WBITS)
