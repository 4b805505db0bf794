"""What nobody should send: where engine.io-parser and we accept, refuse and read alike, or not."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from hypothesis import given, strategies as st

from tests.protocol.oracle import Answer, Oracle, engine_view
from tests.support.examples import examples
from trio_sio.protocol.engineio.codec_v3 import (
    decode_binary_payload,
    decode_jsonp_payload,
    decode_text_payload,
)
from trio_sio.protocol.engineio.packet import IGNORED, EnginePacket, EnginePacketType
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing import strategies as sio

pytestmark = pytest.mark.node

DECODERS: dict[str, Callable[[bytes], Iterator[EnginePacket]]] = {
    "text": decode_text_payload,
    "binary": decode_binary_payload,
    "jsonp": decode_jsonp_payload,
}


ERROR = ["error"]


def ours(form: str, body: bytes) -> tuple[list[Answer], str]:
    """What the engine sees of a body, up to the first error, and that error's hint."""
    seen: list[Answer] = []
    try:
        for packet in DECODERS[form](body):
            seen.append(engine_view(packet))
            if form == "jsonp" and packet.type is EnginePacketType.CLOSE:
                break  # JSONP is decoded by the transport in JavaScript, which stops here
    except RemoteProtocolError as error:
        return [*seen, ERROR], error.hint
    return seen, ""


def theirs(oracle: Oracle, form: str, body: bytes) -> list[Answer]:
    """The same in JavaScript; what it ignores is our noop."""
    if form == "jsonp":
        seen = oracle.ask("decodeJsonpForm", body.decode("utf-8", "replace"))
    else:
        seen = oracle.ask("decodeTextBody" if form == "text" else "decodeBinaryPayload", body)
    special = {"ignored": engine_view(IGNORED), "error": ERROR}
    return [special.get(answer[0], answer) for answer in seen]


class Disagreement(NamedTuple):
    body: bytes
    ours: list[Answer]
    hint: str
    theirs: list[Answer]


def we_refuse(hint: str, body: bytes = b"") -> Callable[[Disagreement], bool]:
    """We raise an error with this hint where they go on, up to there all is equal."""

    def explains(seen: Disagreement) -> bool:
        good = seen.ours[:-1]
        return (
            seen.ours[-1:] == [ERROR]
            and seen.theirs[: len(good)] == good
            and re.search(hint, seen.hint) is not None
            and re.search(body, seen.body) is not None
        )

    return explains


def we_read_otherwise(body: str) -> Callable[[Disagreement], bool]:
    """A body that matches means something else to them."""
    return lambda seen: re.search(body, seen.body.decode("utf-8", "replace")) is not None


def they_give_out_nothing(seen: Disagreement) -> bool:
    """Both raise an error; before it we give out what was good."""
    return seen.theirs == [ERROR] and seen.ours[-1] == ERROR


class Difference(NamedTuple):
    """A way in which we mean to differ: what they do, why we do not, and bodies that show it."""

    reason: str
    forms: tuple[str, ...]
    explains: Callable[[Disagreement], bool]
    examples: tuple[bytes, ...]


NO_LENGTH = r"colon were due, not ['\"](?![0-9]{1,10}:)"

DIFFERENCES = (
    Difference(
        "They read a length with Number(): blanks, signs, fractions, exponents, other bases and"
        " any number of zeros. No client writes those.",
        ("text", "jsonp"),
        we_refuse(NO_LENGTH),
        (b" 2:4a", b"+2:4a", b"2.0:4a", b"2e0:4a", b"0x2:4a", b"-0:", b"00000000002:4a"),
    ),
    Difference(
        "In base64, Node.js looks at the low byte only of a character beyond U+00FF; we skip the"
        " character as all that is not base64.",
        ("text", "jsonp"),
        we_read_otherwise("b[^:]*[\u0100-\U0010ffff]"),
        ("6:b4QQ\u0141\u0142".encode(),),
    ),
    Difference(
        "They shorten a packet that was cut; to us it is an error, as it is in text.",
        ("binary",),
        we_refuse(r"lacks \d+ of its length"),
        (b"\x00\x05\xff4abc", b"\x01\x01\x00\xff\x04a"),
    ),
    Difference(
        "They take a byte above 9 as two or three digits, no digit as NaN, and up to 310 digits.",
        ("binary",),
        we_refuse(r"ff were due, not '(?!(0\d ){1,10}ff)"),
        (
            b"\x01\x0a\xff" + b"\x04" * 10,
            b"\xff\xff\x04a\xff\xff\x04a",
            b"\x00" * 12 + b"\x02\xff4a",
        ),
    ),
    Difference(
        "They cut the whole of a binary body before they give out any of it; to us the packets"
        " before the error are good, as they are to both in text.",
        ("binary",),
        they_give_out_nothing,
        (b"\x00\x01\xff2\x00\x01", b"\x00\x01\xff2" + b"\x01" * 400),
    ),
    Difference(
        "They do not look at the UTF-8 of a base64 packet in a binary body.",
        ("binary",),
        we_refuse("invalid UTF-8", rb"\xffb"),
        (b"\x00\x05\xffb4Q\xffQ",),
    ),
    Difference(
        "They ignore the fields behind the thousandth; we refuse a form of more than a hundred.",
        ("jsonp",),
        we_refuse("one field, this one over 100"),
        (b"a&" * 100 + b"d=2:40",),
    ),
    Difference(
        "Where something is no percent-encoding of UTF-8, Node.js reads the whole value as bytes.",
        ("jsonp",),
        we_read_otherwise("%(?![0-9A-Fa-f]{2})|%[89A-Fa-f]"),
        ("d=4:4\u20ac%%41".encode(), b"d=3:4\xc3\xa9%80"),
    ),
)


def disagreement(oracle: Oracle, form: str, body: bytes) -> Disagreement | None:
    our, hint = ours(form, body)
    their = theirs(oracle, form, body)
    return None if our == their else Disagreement(body, our, hint, their)


WRONG_LENGTHS = ["1", "2", "3", "0", "02", " 2", "2.0", "+2", "", "x", "Infinity", "1_0"]
WRONG_PACKETS = ["4a", "2", "b4QQ==", "b4Q-_", "bx", "b", "4\u20ac", "4\U0001f600", "", "7", "1:"]
WRONG_DIGITS = [b"", b"\x01", b"\x02", b"\x00\x02", b"\x01\x00", b"\x0a", b"5", b"\x04"]
WRONG_BYTES = [b"4a", b"\x04a", b"b4Q\xff", b"4\xc3\xa9", b"4\xed\xa0\x80", b"", b"\x07", b"4\xff"]

_wrong_text = st.tuples(
    st.sampled_from(WRONG_LENGTHS), st.just(":"), st.sampled_from(WRONG_PACKETS)
)
_wrong_binary = st.tuples(
    st.sampled_from([b"\x00", b"\x01", b"\x02", b"\xff"]),
    st.sampled_from(WRONG_DIGITS),
    st.sampled_from([b"\xff", b""]),
    st.sampled_from(WRONG_BYTES),
)
_FORM_PARTS = [
    "d=",
    "&",
    "2:40",
    "3:4",
    "%",
    "%zz",
    "%C3%A9",
    "\u00e9",
    "+",
    "\\",
    "n",
    "%5C",
    "1:1",
]
GARBAGE = {
    "text": st.one_of(
        sio.garbage(),
        st.lists(_wrong_text.map("".join)).map(lambda packets: "".join(packets).encode()),
    ),
    "binary": st.one_of(sio.garbage(), st.lists(_wrong_binary.map(b"".join)).map(b"".join)),
    "jsonp": st.lists(st.sampled_from(_FORM_PARTS)).map(lambda parts: "".join(parts).encode()),
}


@pytest.mark.parametrize("form", DECODERS)
@given(data=st.data())
@examples(300)
def test_garbage(oracle: Oracle, form: str, data: st.DataObject) -> None:
    seen = disagreement(oracle, form, data.draw(GARBAGE[form]))
    assert seen is None or any(d.explains(seen) for d in DIFFERENCES if form in d.forms)


@pytest.mark.parametrize(
    ("difference", "form", "body"),
    [(d, d.forms[0], body) for d in DIFFERENCES for body in d.examples],
)
def test_difference(oracle: Oracle, difference: Difference, form: str, body: bytes) -> None:
    seen = disagreement(oracle, form, body)
    assert seen is not None
    assert difference.explains(seen)
