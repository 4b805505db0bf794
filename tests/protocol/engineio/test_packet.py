"""One Engine.IO packet in its three spellings; protocol reference, section 2.1."""

import base64

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.engineio.packet import (
    IGNORED,
    TYPES,
    EnginePacket,
    EnginePacketType,
    decode_base64,
    decode_binary,
    decode_text,
    encode_binary,
    encode_text,
    utf8,
)
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing import strategies as sio

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = EnginePacketType

# Both ways.
TEXTS = [
    (EnginePacket(OPEN, '{"sid":"a"}'), '0{"sid":"a"}'),
    (EnginePacket(CLOSE), "1"),
    (EnginePacket(PING), "2"),
    (EnginePacket(PING, "probe"), "2probe"),
    (EnginePacket(PONG, "probe"), "3probe"),
    (EnginePacket(MESSAGE, "hello"), "4hello"),
    (EnginePacket(MESSAGE, "€😀\x00\n"), "4€😀\x00\n"),
    (EnginePacket(MESSAGE), "4"),
    (EnginePacket(UPGRADE), "5"),
    (EnginePacket(NOOP), "6"),
    (EnginePacket(MESSAGE, "b4AQID"), "4b4AQID"),
    (EnginePacket(MESSAGE, b"\x01\x02\x03\xff"), "b4AQID/w=="),
    (EnginePacket(MESSAGE, b"\xfb\xff"), "b4+/8="),
    (EnginePacket(MESSAGE, b""), "b4"),
    (EnginePacket(PING, b"probe"), "b2cHJvYmU="),
]
BINARIES = [
    (EnginePacket(MESSAGE, b"\x01\x02\x03\xff"), "04010203ff"),
    (EnginePacket(MESSAGE, b""), "04"),
    (EnginePacket(PING, b""), "02"),
    (EnginePacket(PING, b"probe"), "0270726f6265"),
    (EnginePacket(NOOP, b"\x00"), "0600"),
]


@pytest.mark.parametrize(("packet", "text"), TEXTS)
def test_text(packet: EnginePacket, text: str) -> None:
    assert encode_text(packet) == text
    assert decode_text(text) == packet


@pytest.mark.parametrize(("packet", "data"), BINARIES)
def test_binary(packet: EnginePacket, data: str) -> None:
    assert encode_binary(packet).hex() == data
    assert decode_binary(bytes.fromhex(data)) == packet


@pytest.mark.parametrize(
    ("packet", "shown"),
    [(EnginePacket(MESSAGE, "hi"), "4hi"), (EnginePacket(MESSAGE, b"\xff"), r"4 + b'\xff'")],
)
def test_repr_shows_the_wire_form(packet: EnginePacket, shown: str) -> None:
    assert repr(packet) == f"<EnginePacket {shown}>"


@given(packet=sio.engineio_packets())
def test_round_trip(packet: EnginePacket) -> None:
    assert decode_text(encode_text(packet)) == packet
    if isinstance(packet.data, bytes):
        assert decode_binary(encode_binary(packet)) == packet


def test_text_in_the_binary_spelling() -> None:
    assert encode_binary(EnginePacket(MESSAGE, "€")) == b"\x04\xe2\x82\xac"
    assert encode_binary(EnginePacket(MESSAGE, "\ud800")) == b"\x04\xef\xbf\xbd"


@pytest.mark.parametrize(
    "text", ["", "7", "8hello", "x", "é", "😀", " 4hi", "-1", "\x04", "\u0664", "B4"]
)
def test_no_packet(text: str) -> None:
    with pytest.raises(RemoteProtocolError) as error:
        decode_text(text)
    assert error.value.args == ("parse error",)
    assert repr(text[:1]) in error.value.hint


@pytest.mark.parametrize("text", ["b", "b7AQID", "bx", "bb4", "b 4AQID", "b\u0664"])
def test_base64_of_unknown_type_is_ignored(text: str) -> None:
    assert decode_text(text) is IGNORED


@pytest.mark.parametrize("data", [b"", b"\x07", b"\x34hello", b"\xff", b"\x80\x01"])
def test_binary_of_unknown_type_is_ignored(data: bytes) -> None:
    assert decode_binary(data) is IGNORED


def test_a_binary_probe_is_none() -> None:
    """The text `2probe` is; the difference is visible in the packet."""
    assert decode_binary(b"\x02probe").data != decode_text("2probe").data


# What Node.js makes of each; the oracle in test_javascript_garbage.py agrees.
LENIENT = [
    ("AQID", b"\x01\x02\x03"),
    ("AQI=", b"\x01\x02"),
    ("AQI", b"\x01\x02"),
    ("AQ==", b"\x01"),
    ("AQ=", b"\x01"),
    ("AQ", b"\x01"),
    ("A", b""),
    ("AQIDB", b"\x01\x02\x03"),
    ("", b""),
    ("====", b""),
    ("-_-_", b"\xfb\xff\xbf"),
    ("+/+/", b"\xfb\xff\xbf"),
    ("-/+_", b"\xfb\xff\xbf"),
    (" A Q\nI\tD ", b"\x01\x02\x03"),
    ("A.Q%I\x00D", b"\x01\x02\x03"),
    ("AQé", b"\x01"),
    ("AQ==AQID", b"\x01"),
    ("AR==", b"\x01"),
]


@pytest.mark.parametrize(("text", "data"), LENIENT)
def test_lenient_base64(text: str, data: bytes) -> None:
    assert decode_base64(text) == data


@given(data=st.binary(max_size=50), junk=st.sampled_from(["", " ", "\n", "\xa0", "!", "\u2028"]))
def test_base64_of_any_spelling(data: bytes, junk: str) -> None:
    for encoded in (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()):
        assert decode_base64(encoded) == data
        assert decode_base64(encoded.rstrip("=")) == data
        assert decode_base64(junk.join(encoded)) == data


@given(st.text("AZaz09+/-_=!", max_size=9))
@example("AAAAA")
def test_base64_is_decoded_up_to_its_padding(text: str) -> None:
    digits = sum(one != "!" for one in text.split("=", 1)[0])
    assert len(decode_base64(text)) == digits * 6 // 8


@given(text=st.text(st.characters()))
def test_utf8(text: str) -> None:
    """As `Buffer.from(text)` in Node.js, which never fails."""
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert utf8(text).decode() == paired
    assert len(paired) == len(paired.replace("\ufffd", "?"))


def test_types_are_looked_up_by_their_number() -> None:
    assert [int(kind) for kind in TYPES] == list(range(7))
    assert {kind.name for kind in TYPES} == {
        *("OPEN", "CLOSE", "PING", "PONG", "MESSAGE", "UPGRADE", "NOOP")
    }


@given(
    st.sampled_from("0123456789bBx") | st.just(""),
    st.sampled_from("045789b") | st.just(""),
    st.text(st.characters(), max_size=5),
)
def test_the_first_character_is_a_type_or_b(first: str, second: str, rest: str) -> None:
    text = first + second + rest if first else ""
    found = attempt(RemoteProtocolError, decode_text, text)
    if text[:1] in ("", "7", "8", "9", "B", "x"):
        assert isinstance(found, RemoteProtocolError)
        assert (
            str(found) == f"parse error: a packet begins with 0 to 6 or b, this one with {first!r}"
        )
    elif text[0] != "b":
        assert found == EnginePacket(TYPES[int(text[0])], text[1:])
    elif text[1:2] in tuple("0123456"):
        assert found == EnginePacket(TYPES[int(text[1])], decode_base64(text[2:]))
    else:
        assert found == IGNORED


@given(st.binary(max_size=3) | st.integers(0, 9).map(lambda kind: bytes((kind, 1))))
def test_the_first_byte_is_a_type(data: bytes) -> None:
    is_known = data[:1] in [bytes((kind,)) for kind in TYPES]
    assert decode_binary(data) == (EnginePacket(TYPES[data[0]], data[1:]) if is_known else IGNORED)


@given(st.text(st.characters(categories=["Cs", "Ll"])))
def test_lone_surrogates_leave_as_one_character_each(text: str) -> None:
    sent = encode_binary(EnginePacket(MESSAGE, text))
    assert sent[:1] == b"\x04"
    paired = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert sent[1:].decode() == paired
