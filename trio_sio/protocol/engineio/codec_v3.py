r"""Payloads of Engine.IO 3: several packets in one HTTP body.

    text payload    = 1*( length ":" packet )           length in UTF-16 code units
    binary payload  = 1*( kind 1*digit %xFF packet )    length in bytes, one raw byte per digit
    kind            = %x00 text packet | %x01 binary packet
    JSONP response  = "___eio[" index "](" JSON string of a text payload ");"
    JSONP request   = "d=" urlencoded text payload, see `jsonp_form`

The two lengths count differently because the first is JavaScript's `string.length`: "€" is 1,
"😀" is 2.
"""

import binascii
import json
import re
from collections.abc import Iterable, Iterator

from trio_sio.protocol.engineio.jsonp_form import decode_jsonp_form
from trio_sio.protocol.engineio.packet import (
    EnginePacket,
    decode_binary,
    decode_text,
    encode_binary,
    encode_text,
    utf8 as utf8,
)
from trio_sio.protocol.errors import RemoteProtocolError

MAX_LENGTH_DIGITS = 10
"""No payload may be as long as 10**10; a longer number is refused before it is looked at."""

_EMPTY = re.compile(f"(?:0{{1,{MAX_LENGTH_DIGITS}}}:)+")
_EMPTY_WIDE = re.compile(rb"(?:(?:0\0){1,%d}:\0)+" % MAX_LENGTH_DIGITS)
"""Packets of no length are skipped, any number at a time: no limit counts what is skipped."""

_DIGITS = re.compile(f"[0-9]{{1,{MAX_LENGTH_DIGITS}}}")


def code_units(text: str) -> int:
    """Return JavaScript's `text.length`."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def text_piece(part: str | bytes) -> bytes:
    """Return one packet of a text payload; `part` is as in `trio_sio.protocol.encoded`."""
    if isinstance(part, str):
        data = utf8(part)
        return b"%d:%b" % (code_units(part), data)
    encoded = binascii.b2a_base64(part, newline=False)
    return b"%d:b4%b" % (len(encoded) + 2, encoded)


def binary_piece(part: str | bytes) -> bytes:
    """Return one packet of a binary payload; `part` is as in `trio_sio.protocol.encoded`."""
    if isinstance(part, str):
        data = utf8(part)
        return b"\x00" + _length_bytes(len(data)) + data
    return b"\x01" + _length_bytes(len(part) + 1) + b"\x04" + part


def _length_bytes(length: int) -> bytes:
    return bytes(map(int, str(length))) + b"\xff"


def encode_text_payload(packets: Iterable[EnginePacket]) -> bytes:
    """Return the text payload of `packets`; binary data goes as base64."""
    return b"".join([text_piece(encode_text(packet)) for packet in packets])


def encode_binary_payload(packets: Iterable[EnginePacket]) -> bytes:
    """Return the binary payload of `packets`."""
    return b"".join([_binary_packet(packet) for packet in packets])


def _binary_packet(packet: EnginePacket) -> bytes:
    if isinstance(packet.data, str):
        return binary_piece(encode_text(packet))
    data = encode_binary(packet)
    return b"\x01" + _length_bytes(len(data)) + data


def decode_text_payload(body: bytes) -> Iterator[EnginePacket]:
    """Yield the packets of a text payload, and raise where it stops making sense.

    The packets before the error are good, and the reference server delivers them. Invalid
    UTF-8 is replaced before lengths are counted.

    Raises:
        RemoteProtocolError: no length, a length that is no number, or a body cut short.
    """
    return _split_text(body.decode("utf-8", "replace"))


def _split_text(text: str) -> Iterator[EnginePacket]:
    if not text:
        raise RemoteProtocolError("parse error", "the payload is empty")
    if text.isascii():
        yield from _split_units(text)
    else:
        yield from _split_wide(text)


def _split_units(text: str) -> Iterator[EnginePacket]:
    position = 0
    while position < len(text):
        start = _length_end(text, position)
        end = start + int(text[position : start - 1])
        if end > len(text):
            raise _cut_short(end - len(text))
        if end > start:
            yield decode_text(text[start:end])
        elif found := _EMPTY.match(text, start):
            end = found.end()
        position = end


def _split_wide(text: str) -> Iterator[EnginePacket]:
    """Split text that is not ASCII: slices are taken in UTF-16, where units have one size."""
    units = text.encode("utf-16-le", "surrogatepass")
    position = 0
    while position < len(units):
        head = units[position : position + 2 * (MAX_LENGTH_DIGITS + 1)]
        digits = head.decode("utf-16-le", "replace")
        start = position + 2 * _length_end(digits, 0)
        end = start + 2 * int(digits[: (start - position) // 2 - 1])
        if end > len(units):
            raise _cut_short((end - len(units)) // 2)
        if end > start:
            yield decode_text(units[start:end].decode("utf-16-le", "surrogatepass"))
        elif found := _EMPTY_WIDE.match(units, start):
            end = found.end()
        position = end


def _length_end(text: str, position: int) -> int:
    """Return the index just behind the colon of the length at `position`."""
    found = _DIGITS.match(text, position)
    end = position if found is None else found.end()
    if found is None or text[end : end + 1] != ":":
        seen = text[position : position + MAX_LENGTH_DIGITS]
        raise RemoteProtocolError(
            "parse error", f"a packet's length and a colon were due, not {seen!r}"
        )
    return end + 1


def _cut_short(missing: int) -> RemoteProtocolError:
    return RemoteProtocolError("parse error", f"the last packet lacks {missing} of its length")


def decode_binary_payload(body: bytes) -> Iterator[EnginePacket]:
    """Yield the packets of a binary payload, and raise where it stops making sense.

    An empty body has no packets.

    Raises:
        RemoteProtocolError: no length, a digit above 9, invalid UTF-8, or a body cut short.
    """
    position = 0
    while position < len(body):
        mark = body.find(b"\xff", position + 1, position + MAX_LENGTH_DIGITS + 2)
        digits = body[position + 1 : mark]
        if mark < 0 or not digits or max(digits) > 9:
            seen = body[position + 1 : position + MAX_LENGTH_DIGITS + 2].hex(" ")
            raise RemoteProtocolError(
                "parse error", f"a packet's length in raw digits and ff were due, not {seen!r}"
            )
        start = mark + 1
        end = start + int("".join(map(str, digits)))
        if end > len(body):
            raise _cut_short(end - len(body))
        data = body[start:end]
        yield decode_text(_strict_utf8(data)) if body[position] == 0 else decode_binary(data)
        position = end


def _strict_utf8(data: bytes) -> str:
    """Decode UTF-8; encoded lone surrogates become U+FFFD as in the reference decoder."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    try:
        wide = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise RemoteProtocolError("parse error", f"invalid UTF-8: {error.reason}") from None
    return re.sub("[\ud800-\udfff]", "\ufffd", wide)


def encode_jsonp(index: str, payload: bytes) -> bytes:
    """Return the script that hands a text payload to the client's callback `index`."""
    text = json.dumps(payload.decode(), ensure_ascii=False)
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return f"___eio[{index}]({text});".encode()


def decode_jsonp_payload(body: bytes) -> Iterator[EnginePacket]:
    """Yield the packets of a JSONP form; without a single field `d` there are none.

    Raises:
        RemoteProtocolError: as `decode_text_payload`, or more fields than `MAX_FORM_FIELDS`.
    """
    text = decode_jsonp_form(body)
    return iter(()) if text is None else _split_text(text)
