"""Payloads of Engine.IO 3; protocol reference, sections 2.2 and 2.3 and appendix E."""

import json
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.engineio.codec_v3 import (
    binary_piece,
    code_units,
    decode_binary_payload,
    decode_text_payload,
    encode_binary_payload,
    encode_jsonp,
    encode_text_payload,
    text_piece,
)
from trio_sio.protocol.engineio.packet import IGNORED, EnginePacket, EnginePacketType, utf8
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing import strategies as sio

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = EnginePacketType

Encode = Callable[[Iterable[EnginePacket]], bytes]
Decode = Callable[[bytes], Iterator[EnginePacket]]


def message(data: str | bytes) -> EnginePacket:
    return EnginePacket(MESSAGE, data)


# Both ways. "E n" is a row of the reference's appendix E.
TEXT_PAYLOADS: list[tuple[list[EnginePacket], bytes]] = [
    ([message('2["x","😀"]')], bytes.fromhex("31323a34325b2278222c22f09f9880225d")),  # E 1
    ([EnginePacket(CLOSE)], b"1:1"),  # E 2
    ([EnginePacket(NOOP)], b"1:6"),
    ([EnginePacket(PONG)], b"1:3"),
    ([EnginePacket(NOOP), EnginePacket(CLOSE)], b"1:61:1"),  # E 3
    ([message("hello"), message("€")], "6:4hello2:4€".encode()),
    (
        [message('2["x","é"]'), message('2["x","😀"]'), message('2["x","€"]')],
        '11:42["x","é"]12:42["x","😀"]11:42["x","€"]'.encode(),
    ),
    (
        [message('51-["b",{"_placeholder":true,"num":0},"é"]'), message(b"\x01\x02\x03\xff")],
        '43:451-["b",{"_placeholder":true,"num":0},"é"]10:b4AQID/w=='.encode(),
    ),
    ([message("hello"), message(b"\x01\x02\x03\x04")], b"6:4hello10:b4AQIDBA=="),  # E 5
    ([message(""), message(b"")], b"1:42:b4"),
    ([message("2:40"), message(":")], b"5:42:402:4:"),
    ([message("😀" * 5)], b"11:4" + "😀".encode() * 5),
]
BINARY_PAYLOADS: list[tuple[list[EnginePacket], str]] = [
    (
        [message('51-["b",{"_placeholder":true,"num":0},"é😀"]'), message(b"\x01\x02\x03\xff")],
        (
            "000408ff 3435312d5b2262222c7b225f706c616365686f6c646572223a747275652c226e756d223a307d"
            "2c22c3a9f09f9880225d 0105ff 04010203ff"  # E 4
        ),
    ),
    ([message("€"), message(b"\x07")], "0004ff 34e282ac 0102ff 0407"),  # E 8
    ([message("€"), message(b"\x01\x02\x03\x04")], "0004ff 34e282ac 0105ff 0401020304"),
    (
        [message('2["only","text"]'), message('51-["b"]'), message(b"")],
        "000107ff 34325b226f6e6c79222c2274657874225d 0009ff 3435312d5b2262225d 0101ff 04",
    ),
    ([EnginePacket(NOOP), EnginePacket(PING, b"probe")], "0001ff 36 0106ff 0270726f6265"),
    ([], ""),
]


@pytest.mark.parametrize(("packets", "body"), TEXT_PAYLOADS)
def test_text_payload(packets: list[EnginePacket], body: bytes) -> None:
    assert encode_text_payload(packets) == body
    assert list(decode_text_payload(body)) == packets


@pytest.mark.parametrize(("packets", "body"), BINARY_PAYLOADS)
def test_binary_payload(packets: list[EnginePacket], body: str) -> None:
    assert encode_binary_payload(packets) == bytes.fromhex(body)
    assert list(decode_binary_payload(bytes.fromhex(body))) == packets


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        (b"0:0:1:2", [EnginePacket(PING)]),  # E 6
        (b"0:", []),
        (b"04:4abc", [message("abc")]),
        (b"0000000004:4abc", [message("abc")]),
        ("0:0000000002:4€0:".encode(), [message("€")]),
        (b"5:b4AQI3:bx12:b41:2", [message(b"\x01\x02"), IGNORED, message(b""), EnginePacket(PING)]),
        # Invalid UTF-8 becomes U+FFFD, which is counted as one.
        (b"3:4\xff\xff2:4\xc3", [message("\ufffd\ufffd"), message("\ufffd")]),
    ],
)
def test_other_text_payloads(body: bytes, packets: list[EnginePacket]) -> None:
    assert list(decode_text_payload(body)) == packets


@pytest.mark.parametrize(
    ("body", "packets"),
    [
        ("0001ff330001ff36", [EnginePacket(PONG), EnginePacket(NOOP)]),
        ("000001ff33", [EnginePacket(PONG)]),  # a zero in front, and nine
        ("00" + "00" * 9 + "01ff33", [EnginePacket(PONG)]),
        ("0202ff0407" + "ff02ff0407", [message(b"\x07"), message(b"\x07")]),  # kinds above 1
        ("0100ff" + "0102ff0707", [IGNORED, IGNORED]),  # no type, and an unknown one
        ("0006ff623441514944", [message(b"\x01\x02\x03")]),  # base64 all the same
        ("0004ff34eda080", [message("\ufffd")]),  # a lone surrogate
        ("0007ff34eda0bdedb880", [message("\ufffd\ufffd")]),  # a pair in CESU-8
    ],
)
def test_other_binary_payloads(body: str, packets: list[EnginePacket]) -> None:
    assert list(decode_binary_payload(bytes.fromhex(body))) == packets


BROKEN_TEXT: list[tuple[bytes, list[EnginePacket], str]] = [
    (b"1:2x", [EnginePacket(PING)], "colon were due, not 'x'"),  # E 7
    (b"5:4abc", [], "lacks 1 of its length"),
    (b":4", [], "colon were due, not ':4'"),
    (b"", [], "empty"),
    (b"1:21", [EnginePacket(PING)], "colon were due, not '1'"),
    (b"1:2-1:2", [EnginePacket(PING)], "not '-1:2'"),
    (b"a:4", [], "not 'a:4'"),
    (b"1a2", [], "not '1a2'"),
    (b"1.0:2", [], "not '1.0:2'"),
    (b" 1:2", [], "not ' 1:2'"),
    ("\u0661:2".encode(), [], "not '\u0661:2'"),
    (b"00000000001:2", [], "not '0000000000'"),
    (b"9" * 5000 + b":2", [], "not '9999999999'"),
    (b"9999999999:2", [], "lacks 9999999998"),
    (b"2:4a1:72:4b", [message("a")], "begins with 0 to 6 or b, this one with '7'"),
    (b"3:x4a", [], "this one with 'x'"),
    ("2:4\u20ac9:4\u20ac".encode(), [message("\u20ac")], "lacks 7 of its length"),
    ("2:4\u20ac:".encode(), [message("\u20ac")], "not ':'"),
    # A length that cuts a pair: the rest begins with half a character.
    ("2:4\U0001f600".encode(), [message("\ud83d")], "colon were due"),
]
BROKEN_BINARY: list[tuple[str, list[EnginePacket], str]] = [
    ("0001ff32" + "00", [EnginePacket(PING)], "not ''"),
    ("00ff32", [], "not 'ff 32'"),
    ("0005", [], "not '05'"),
    ("000505", [], "not '05 05'"),
    ("0035ff3432", [], "not '35 ff 34 32'"),
    ("000aff" + "34" * 10, [], "not '0a ff"),
    ("00" * 12 + "01ff32", [], "not '00 00 00 00 00 00 00 00 00 00 00'"),
    ("00" + "09" * 11 + "ff", [], "ff were due"),
    ("0005ff34", [], "lacks 4 of its length"),
    ("0101ff04" + "0102ff04", [message(b"")], "lacks 1 of its length"),
    ("0000ff", [], "this one with ''"),
    ("0001ff37", [], "this one with '7'"),
    ("0002ff34ff", [], "invalid UTF-8"),
    ("0001ff36" + "0003ff34e282", [EnginePacket(NOOP)], "invalid UTF-8"),
    ("0005ff34eda0ff34", [], "invalid UTF-8"),
]
BROKEN: list[tuple[Decode, bytes, list[EnginePacket], str]] = [
    *((decode_text_payload, body, good, hint) for body, good, hint in BROKEN_TEXT),
    *((decode_binary_payload, bytes.fromhex(b), good, hint) for b, good, hint in BROKEN_BINARY),
]


@pytest.mark.parametrize(("decode", "body", "good", "hint"), BROKEN)
def test_good_packets_come_before_the_error(
    decode: Decode, body: bytes, good: list[EnginePacket], hint: str
) -> None:
    packets = decode(body)
    assert [next(packets) for _ in good] == good
    with pytest.raises(RemoteProtocolError) as error:
        next(packets)
    assert error.value.args == ("parse error",)
    assert hint in error.value.hint


@given(one=sio.payloads(), two=sio.payloads())
def test_payloads_join_and_come_back(one: list[EnginePacket], two: list[EnginePacket]) -> None:
    text = encode_text_payload(one) + encode_text_payload(two)
    assert text == encode_text_payload([*one, *two])
    assert list(decode_text_payload(text)) == [*one, *two]
    binary = encode_binary_payload(one) + encode_binary_payload(two)
    assert binary == encode_binary_payload([*one, *two])
    assert list(decode_binary_payload(binary)) == [*one, *two]


@given(data=st.text() | st.binary())
def test_a_piece_is_the_payload_of_one_message(data: str | bytes) -> None:
    part = f"4{data}" if isinstance(data, str) else data
    assert text_piece(part) == encode_text_payload([message(data)])
    assert binary_piece(part) == encode_binary_payload([message(data)])


@given(payload=sio.payloads(), data=st.data())
def test_a_payload_cut_short_gives_the_packets_before_the_cut(
    payload: list[EnginePacket], data: st.DataObject
) -> None:
    # Text is cut between characters: half of one decodes to U+FFFD, which may fill the length.
    text = encode_text_payload(payload).decode()
    cut_text = text[: data.draw(st.integers(0, len(text) - 1))].encode()
    check_cut(payload, cut_text, encode_text_payload, decode_text_payload)
    binary = encode_binary_payload(payload)
    cut_binary = binary[: data.draw(st.integers(0, len(binary) - 1))]
    check_cut(payload, cut_binary, encode_binary_payload, decode_binary_payload)


def check_cut(payload: list[EnginePacket], cut: bytes, encode: Encode, decode: Decode) -> None:
    fitting = [n for n in range(len(payload)) if len(encode(payload[:n])) <= len(cut)]
    good, is_broken = outcome(decode, cut)
    assert good == payload[: fitting[-1]]
    # Only an empty text payload is an error without being cut inside of a packet.
    assert is_broken == (cut != encode(good) or (not cut and decode is decode_text_payload))


@given(body=sio.garbage())
def test_garbage_is_decoded_or_refused(body: bytes) -> None:
    for encode, decode in (
        (encode_text_payload, decode_text_payload),
        (encode_binary_payload, decode_binary_payload),
    ):
        good, _ = outcome(decode, body)
        # A length that cuts a pair leaves a lone surrogate, which cannot be sent again.
        sent = [
            EnginePacket(p.type, utf8(p.data).decode() if isinstance(p.data, str) else p.data)
            for p in good
        ]
        assert outcome(decode, encode(good))[0] == sent


def outcome(decode: Decode, body: bytes) -> tuple[list[EnginePacket], bool]:
    """The packets up to the error, and whether there was one."""
    packets: list[EnginePacket] = []
    try:
        packets.extend(decode(body))  # which keeps what came before an error
    except RemoteProtocolError:
        return packets, True
    return packets, False


@given(text=st.text(st.characters()))
def test_code_units(text: str) -> None:
    assert code_units(text) == len(text) + sum(character > "\uffff" for character in text)


EMPTY = st.lists(st.sampled_from(["0:", "00:", "0000000000:"]), max_size=3).map("".join)


@given(st.lists(st.tuples(EMPTY, sio.engineio_packets(binary=False)), min_size=1), EMPTY)
def test_packets_of_no_length_are_skipped(
    packets: list[tuple[str, EnginePacket]], last: str
) -> None:
    body = b"".join(empty.encode() + encode_text_payload([packet]) for empty, packet in packets)
    assert list(decode_text_payload(body + last.encode())) == [packet for _, packet in packets]


LENGTHS = st.sampled_from(["", "0", "1", "4", "12345678901", "x", "-1", " 1"])


@given(LENGTHS, st.text(max_size=4), st.booleans())
@example("", "", False)
@example("3", "4€", False)
def test_any_length_is_right_or_an_error(length: str, text: str, has_colon: bool) -> None:
    body = f"{length}{':' * has_colon}{text}".encode("utf-8", "replace")
    found = attempt(RemoteProtocolError, lambda: list(decode_text_payload(body)))
    if isinstance(found, RemoteProtocolError):
        assert str(found).startswith("parse error: ")
    else:
        assert body


@given(st.binary(max_size=12) | st.lists(st.integers(0, 1), max_size=2).map(bytes))
@example(b"\x00\x01\xff\xff")
@example(b"\x00\x03\xff\xed\xa0\x80")
@example(b"\x00\x04\xff4\xed\xa0\x80")
@example(b"\x00" + b"\x01" * 11 + b"\xff")
@example(b"\x00\x0a\xff")
@example(b"\x00\x02\xff4")
@example(b"\x01\x00\xff")
def test_any_bytes_are_a_binary_payload_or_an_error(body: bytes) -> None:
    found = attempt(RemoteProtocolError, lambda: list(decode_binary_payload(body)))
    if isinstance(found, RemoteProtocolError):
        assert str(found).startswith("parse error: ")
    else:
        assert len(found) <= len(body)
        assert list(decode_binary_payload(body + body)) == found * 2


@given(st.text(st.characters(), max_size=5), st.integers(0, 99))
def test_a_script_calls_back_with_the_payload(text: str, index: int) -> None:
    payload = text_piece(text)
    script = encode_jsonp(str(index), payload).decode()
    start, end = f"___eio[{index}](", ");"
    assert script.startswith(start)
    assert script.endswith(end)
    assert json.loads(script.removeprefix(start).removesuffix(end)) == payload.decode()
    assert not {"\u2028", "\u2029"} & set(script)
    assert code_units(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2
