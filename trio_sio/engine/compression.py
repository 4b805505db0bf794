"""gzip and deflate for polling answers (JS: option `httpCompression`)."""

import gzip
import zlib


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


def compress(body: bytes, encoding: str, level: int) -> bytes:
    """Compress, at a level of 0 to 9; "deflate" means the zlib format, as on all the web."""
    if encoding == "gzip":
        return gzip.compress(body, level, mtime=0)
    return zlib.compress(body, level)
