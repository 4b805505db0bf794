r"""The form in which a JSONP client posts a text payload (`application/x-www-form-urlencoded`).

    form  = field *( "&" field )            one field is named "d"; others are ignored
    field = name "=" *( "+" | "%" 2hexdigit | byte )

A form cannot carry a bare LF, so the client spells LF as `\n` and `\n` as `\\n`, which is undone
here. A body may be as large as `max_http_buffer_size` and consist of nothing but escapes, so all
work on it is done by C, in blocks: `urllib.parse` would take half a second and 8 MB for each
megabyte.
"""

import binascii
import re
from urllib.parse import quote_plus

from trio_sio.protocol.errors import RemoteProtocolError

MAX_FORM_FIELDS = 100
"""A JSONP body has one field, `d`."""

BLOCK = 256 * 1024
"""Bytes whose escapes are undone at a time, so that the copies this takes stay small."""

MAX_LONE_PERCENTS = 1000
"""In a block. They stand for themselves, as in the reference, but no client sends any, and they
would take ten times as long as escapes."""

_NAMES = (b"d", b"%64")
_LONE_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_QUOTED_PRINTABLE = bytes.maketrans(b"%", b"=")
_MARK = "\udc00"
"""Stands for an escaped `\\n` for a moment. Text that was decoded has no lone surrogates."""


def encode_jsonp_form(payload: bytes) -> bytes:
    """Return the form that a client posts for a text payload."""
    text = payload.decode().replace(r"\n", r"\\n").replace("\n", r"\n")
    return b"d=" + quote_plus(text).encode()


def decode_jsonp_form(body: bytes) -> str | None:
    """Return the text payload of a form, `None` unless there is exactly one field `d`.

    Raises:
        RemoteProtocolError: more fields than `MAX_FORM_FIELDS`, or what looks like escapes and is
            none.
    """
    if body.count(b"&") >= MAX_FORM_FIELDS:
        raise RemoteProtocolError(
            "parse error", f"a JSONP form has one field, this one over {MAX_FORM_FIELDS}"
        )
    values = list(_values(body))
    if len(values) != 1:
        return None
    text = unquote_plus(body, *values[0]).decode("utf-8", "replace")
    return text.replace(r"\\n", _MARK).replace(r"\n", "\n").replace(_MARK, r"\n")


def _values(body: bytes) -> list[tuple[int, int]]:
    """Return where the values of all fields `d` begin and end."""
    values = []
    start = 0
    while start <= len(body):
        end = body.find(b"&", start)
        end = len(body) if end < 0 else end
        equals = body.find(b"=", start, min(end, start + len("%64=")))
        name_end = end if equals < 0 else equals
        if name_end - start <= len("%64") and body[start:name_end] in _NAMES:
            values.append((min(name_end + 1, end), end))
        start = end + 1
    return values


def unquote_plus(body: bytes, start: int, end: int) -> bytes:
    """Return part of a form with its escapes undone; "%" without two digits stands for itself."""
    pieces = []
    while start < end:
        stop = min(start + BLOCK, end)
        if stop < end and (percent := body.rfind(b"%", stop - 2, stop)) >= 0:
            stop = percent  # no escape is divided
        piece = body[start:stop].replace(b"+", b" ")
        pieces.append(_unquote(piece) if b"%" in piece else piece)
        start = stop
    return b"".join(pieces)


def _unquote(piece: bytes) -> bytes:
    """Undo escapes by the decoder of quoted-printable: the same with "=" in place of "%"."""
    whole, count = _LONE_PERCENT.subn(b"%25", piece, MAX_LONE_PERCENTS + 1)
    if count > MAX_LONE_PERCENTS:
        raise RemoteProtocolError(
            "parse error", f'over {MAX_LONE_PERCENTS} times "%" without two digits in a JSONP form'
        )
    whole = whole.replace(b"=", b"%3D")
    return binascii.a2b_qp(whole.translate(_QUOTED_PRINTABLE))
