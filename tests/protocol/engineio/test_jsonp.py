r"""JSONP, the fallback of old browsers; protocol reference, section 2.4.

A response is a script, a request an HTML form. In the form `\n` stands for LF and `\\n` for `\n`.
"""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given

from trio_sio.protocol.engineio.codec_v3 import (
    decode_jsonp_payload,
    encode_jsonp,
    encode_text_payload,
)
from trio_sio.protocol.engineio.jsonp_form import MAX_FORM_FIELDS
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing import strategies as sio

OPEN, CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP = EnginePacketType

SCRIPTS = [
    ("0", '13:0{"sid":"a-_"}2:40', r'___eio[0]("13:0{\"sid\":\"a-_\"}2:40");'),
    ("17", "1:6", '___eio[17]("1:6");'),
    ("", "1:6", '___eio[]("1:6");'),
    # Line ends in JavaScript, though not in JSON.
    ("1", "3:4\u2028\u2029", r'___eio[1]("3:4\u2028\u2029");'),
    ("1", "5:4é€\U0001f600", '___eio[1]("5:4é€\U0001f600");'),
    ("1", '4:4\\"\n', r'___eio[1]("4:4\\\"\n");'),
    ("1", "3:4\x00\x1f", r'___eio[1]("3:4\u0000\u001f");'),
]


@pytest.mark.parametrize(("index", "payload", "script"), SCRIPTS)
def test_script(index: str, payload: str, script: str) -> None:
    assert encode_jsonp(index, payload.encode()).decode() == script


@given(payload=sio.payloads())
def test_script_holds_the_payload(payload: list[EnginePacket]) -> None:
    body = encode_text_payload(payload)
    script = encode_jsonp("3", body).decode()
    assert script.startswith("___eio[3](")
    assert script.endswith(");")
    assert json.loads(script[len("___eio[3](") : -2]) == body.decode()
    assert not {"\n", "\r", "\u2028", "\u2029"} & set(script)


FORMS = [
    # What the real client sends, and E 14: l1, LF, l2, and a backslash with an n.
    (
        b"d=25%3A42%5B%22echo%22%2C%22l1%5C%5Cnl2%20%5C%5C%5Cn%20x%22%5D",
        [EnginePacket(MESSAGE, r'2["echo","l1\nl2 \\n x"]')],
    ),
    (b"d=1%3A2", [EnginePacket(PING)]),
    (b"d=1:21:3", [EnginePacket(PING), EnginePacket(PONG)]),
    (b"d=4:4%2Ba+", [EnginePacket(MESSAGE, "+a ")]),
    (b"d=4:4a=b", [EnginePacket(MESSAGE, "a=b")]),
    (b"%64=1:2", [EnginePacket(PING)]),
    (b"d=2:4%E2%82%AC", [EnginePacket(MESSAGE, "€")]),
    (b"d=3:4%F0%9F%98%80", [EnginePacket(MESSAGE, "\U0001f600")]),
    ("d=2:4€".encode(), [EnginePacket(MESSAGE, "€")]),
    (b"d=3:4\xff%ff", [EnginePacket(MESSAGE, "\ufffd\ufffd")]),
    (rb"d=4:4a\nb", [EnginePacket(MESSAGE, "a\nb")]),
    (rb"d=5:4a\\nb", [EnginePacket(MESSAGE, r"a\nb")]),
    (b"d=6:b4AQI%3D", [EnginePacket(MESSAGE, b"\x01\x02")]),
    (b"x=1&d=1:2&y=", [EnginePacket(PING)]),
    (b"a&" * (MAX_FORM_FIELDS - 1) + b"d=1:2", [EnginePacket(PING)]),
    # No field `d`, or several: ignored, as by the reference server.
    (b"", []),
    (b"x=1:2", []),
    (b"D=1:2", []),
    (b"d=1:2&d=1:3", []),
    (b"1:2", []),
]


@pytest.mark.parametrize(("body", "packets"), FORMS)
def test_form(body: bytes, packets: list[EnginePacket]) -> None:
    assert list(decode_jsonp_payload(body)) == packets


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (b"d=", "the payload is empty"),
        (b"d", "the payload is empty"),
        (b"d=5:4abc", "lacks 1 of its length"),
        (b"d=+1:2", "colon were due, not ' 1:2'"),
        (b"a&" * MAX_FORM_FIELDS + b"d=1:2", "one field, this one over 100"),
        (b"&" * 1_000_000, "one field, this one over 100"),
    ],
)
def test_broken_form(body: bytes, hint: str) -> None:
    with pytest.raises(RemoteProtocolError) as error:
        list(decode_jsonp_payload(body))
    assert error.value.args == ("parse error",)
    assert hint in error.value.hint


def posted(payload: bytes) -> bytes:
    r"""What engine.io-client makes of a payload: `\n` becomes `\` LF, then LF becomes `\n`."""
    text = payload.decode().replace("\\n", "\\\n").replace("\n", "\\n")
    return urlencode({"d": text}).encode()


@given(payload=sio.payloads())
def test_form_round_trip(payload: list[EnginePacket]) -> None:
    # A backslash in front of an LF is the one thing that does not survive the client's escaping;
    # JSON has no LF in it.
    body = encode_text_payload(payload).replace(b"\\\n", b"\\ ")
    packets = list(decode_jsonp_payload(posted(body)))
    assert encode_text_payload(packets) == body
