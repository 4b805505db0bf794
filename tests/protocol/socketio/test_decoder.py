"""Malformed messages, and the error for each; protocol reference, sections 6.5 and 6.6."""

import sys
from typing import NamedTuple

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.support.examples import examples
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import strategies as sio

CONNECT, DISCONNECT, EVENT, ACK, ERROR, BINARY_EVENT, BINARY_ACK = PacketType

PLACEHOLDER = '{"_placeholder":true,"num":%s}'

# What is decoded, though our own encoder writes it otherwise.
ACCEPTED: list[tuple[str, Packet]] = [
    ("0/admin", Packet(CONNECT, "/admin")),
    ("0/", Packet(CONNECT)),
    ("0/,", Packet(CONNECT)),
    ("0null", Packet(CONNECT)),
    ("0{}", Packet(CONNECT, data={})),
    ("0[1]", Packet(CONNECT, data=[1])),
    ("0/admin,null", Packet(CONNECT, "/admin")),
    ("07", Packet(CONNECT, id=7)),
    ("1/admin", Packet(DISCONNECT, "/admin")),
    ("2", Packet(EVENT)),
    ('2/,["x"]', Packet(EVENT, data=["x"])),
    ('2/admin["x"]', Packet(EVENT, '/admin["x"]')),  # a missing comma swallows the JSON
    ('2[1,"z"]', Packet(EVENT, data=[1, "z"])),
    ('2[1.5,"z"]', Packet(EVENT, data=[1.5, "z"])),
    ('2007["x"]', Packet(EVENT, data=["x"], id=7)),
    ('29223372036854775807["x"]', Packet(EVENT, data=["x"], id=2**63 - 1)),
    ('2["x"] \t\r\n', Packet(EVENT, data=["x"])),
    ('2[ "x" , 1 ]', Packet(EVENT, data=["x", 1])),
    (r'2["\u00e9\/\ud83d\ude00"]', Packet(EVENT, data=["é/\U0001f600"])),
    ('2["x",1e400,-1e400]', Packet(EVENT, data=["x", float("inf"), float("-inf")])),
    ('2["x",{"a":1,"a":2}]', Packet(EVENT, data=["x", {"a": 2}])),
    ("3", Packet(ACK)),
    ('3["z"]', Packet(ACK, data=["z"])),
    ("30[]", Packet(ACK, data=[], id=0)),
    ("4", Packet(ERROR)),
    ("4null", Packet(ERROR)),
    ("4[]", Packet(ERROR, data=[])),
    ("45", Packet(ERROR, id=5)),  # a number as data cannot be told from an id
]


@pytest.mark.parametrize(("text", "packet"), ACCEPTED)
def test_accepted(text: str, packet: Packet) -> None:
    assert repr(Decoder().feed(text)) == repr(packet)


@pytest.mark.parametrize(
    "text", ['7["x"]', "x", "9", "-1", "\u0662", "\u00b2", '"', "é", " 2", "\x02"]
)
def test_unknown_type_is_ignored(text: str) -> None:
    decoder = Decoder()
    assert decoder.feed(text) is None
    assert decoder.feed('2["x"]') == Packet(EVENT, data=["x"])


REFUSED: list[tuple[str, str]] = [
    *((text, "invalid payload") for text in ("", "2{}", '2"x"', "2[]", "2[null]", "2[true]")),
    *((text, "invalid payload") for text in ('2["x"', '2["x"]z', "2null", "2[[]]", "2[{}]")),
    *((text, "invalid payload") for text in ("1{}", "1null", '1/admin,["x"]', '1"x"')),
    *((text, "invalid payload") for text in ("0admin", '0/admin,"s"', "0true", '0"x"')),
    *((text, "invalid payload") for text in ('30"z"', "3{}", "3null", "3/a,1true", "3[")),
    *((text, "invalid payload") for text in ("4true", "4x", "4-1", "4/a,false")),
    *((text, "invalid payload") for text in ('2["x",NaN]', '2["x",Infinity]', "2[-Infinity]")),
    *((text, "invalid payload") for text in ('2["x",01]', "2['x']", '2["x",]', '2["\x00"]')),
    *((text, "invalid payload") for text in ('2["\\x"]', '2["\\ud80"]', '2\ufeff["x"]', "2[+1]")),
    *((text, "invalid payload") for text in ("2" + "[" * 100_000, '2["x",' + "1" * 5000)),
    *(
        (text, "invalid payload")
        for text in ("2" + "1" * 20, '2/admin["x",1]', '2/a,1 2["x"]', '2\u0661["x"]')
    ),
    *((text, "invalid payload") for text in ('2"' + "x" * 500 + '"', "4" + "1" * 500 + "{}")),
    *((text, "Illegal attachments") for text in ('5["x"]', '5-["x"]', '50-["x"]', "5a-", "51.5-")),
    *(
        (text, "Illegal attachments")
        for text in ("5", "51", '5/a,["x"]', '6["x"]', "60-[]", "5--1")
    ),
    *((text, "Illegal attachments") for text in ('5 1-["x"]', "5+1-", "5\u0661-", "5" + "0" * 20)),
    *((text, "too many attachments") for text in ('511-["x"]', '6999999999-["x"]', "5100-")),
    *((text, "invalid payload") for text in ("51-{}", "51-[]", "51-[null]", "61-{}", "51-x")),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=lambda text: repr(text[:24]))
def test_refused(text: str, message: str) -> None:
    with pytest.raises(RemoteProtocolError) as error:
        Decoder().feed(text)
    assert error.value.args == (message,)
    assert error.value.hint
    assert len(error.value.hint) < 200


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("5a", "in '5a'"),
        ("50-[1234567", "in '50-[123456'"),  # no more than the beginning
        ("511-", "11, but max_attachments is 10"),
        ('2["x",NaN]', "NaN is not JSON"),
        ('2["x",-Infinity]', "-Infinity is not JSON"),
        ("2[7e999]", "EVENT with a list that begins with inf"),
        ('4/a,{"a":1}]', "Extra data: line 1 column 8 (char 7)"),  # counted from the JSON's start
    ],
)
def test_what_is_wrong(text: str, hint: str) -> None:
    with pytest.raises(RemoteProtocolError) as error:
        Decoder().feed(text)
    assert error.value.hint == hint


@pytest.mark.parametrize("kind", [BINARY_EVENT, BINARY_ACK])
def test_ten_attachments_are_accepted(kind: PacketType) -> None:
    """As many as a JavaScript client sends without an option."""
    decoder = Decoder()
    marks = ",".join(PLACEHOLDER % number for number in range(10))
    assert decoder.feed(f'{kind:d}10-["x",{marks}]') is None
    values = [bytes((number,)) for number in range(10)]
    *incomplete, packet = [decoder.feed(value) for value in values]
    assert not any(incomplete)
    assert packet == Packet(kind, data=["x", *values])


def test_what_nobody_wants_takes_no_memory() -> None:
    """Neither what has arrived before is kept, nor what arrives later."""
    decoder = Decoder()
    decoder.feed(f'53-["x",{PLACEHOLDER % 0}]')
    early, late = (bytes((1, number)) for number in range(2))
    references = sys.getrefcount(early), sys.getrefcount(late)
    decoder.feed(early)
    assert sys.getrefcount(early) > references[0]
    decoder.discard()
    decoder.feed(late)
    assert (sys.getrefcount(early), sys.getrefcount(late)) == references
    assert decoder.feed(b"last") is None
    assert decoder.feed(f'51-["y",{PLACEHOLDER % 0}]') is None  # the next one is wanted
    assert decoder.feed(b"new") == Packet(BINARY_EVENT, data=["y", b"new"])


class Case(NamedTuple):
    number: str
    expected: JSON = "illegal attachments"


# `num` in a packet with two attachments.
NUMBERS = [
    *(Case("0", b"a"), Case("1", b"b"), Case("-0", b"a"), Case("1.0", b"b"), Case("1e0", b"b")),
    *(Case("2"), Case("-1"), Case('"0"'), Case("null"), Case("true"), Case("[0]"), Case("0.5")),
    *(Case("1e400"), Case("-1e400"), Case("99999999999999999999")),
]


@pytest.mark.parametrize(("number", "expected"), NUMBERS)
def test_placeholder(number: str, expected: JSON) -> None:
    decoder = Decoder()
    assert decoder.feed('52-["x",%s]' % (PLACEHOLDER % number)) is None
    assert decoder.feed(b"a") is None
    if isinstance(expected, bytes):
        assert decoder.feed(b"b") == Packet(BINARY_EVENT, data=["x", expected])
        return
    with pytest.raises(RemoteProtocolError) as error:
        decoder.feed(b"b")
    assert error.value.args == (expected,)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"_placeholder":true}', None),
        ('{"num":1,"_placeholder":true,"more":[]}', [b"b"]),
        ('{"_placeholder":1,"num":9}', [{"_placeholder": 1, "num": 9}]),
        ('{"_placeholder":false}', [{"_placeholder": False}]),
        ('"_placeholder"', ["_placeholder"]),
        (f"{PLACEHOLDER % 1},{PLACEHOLDER % 1}", [b"b", b"b"]),  # used twice, and the other not
        (f'{{"a":{PLACEHOLDER % 0},"b":[{PLACEHOLDER % 1}]}}', [{"a": b"a", "b": [b"b"]}]),
        ("1", [1]),
    ],
)
def test_placeholders(data: str, expected: list[JSON] | None) -> None:
    decoder = Decoder()
    assert not decoder.feed(f"62-7[{data}]")
    assert not decoder.feed(b"a")
    if expected is None:
        with pytest.raises(RemoteProtocolError, match="illegal attachments"):
            decoder.feed(b"b")
    else:
        assert decoder.feed(b"b") == Packet(BINARY_ACK, data=expected, id=7)


def test_header_without_data() -> None:
    decoder = Decoder()
    assert decoder.feed("51-") is None
    assert decoder.feed(b"a") == Packet(BINARY_EVENT)


@pytest.mark.parametrize("depth", [100, 300, 700, 850, 5000, 100_000])
@pytest.mark.parametrize(
    "head", ["3", "2", "51-"], ids=["an ack", "no event", "placeholders to look for"]
)
@pytest.mark.parametrize(("opening", "closing"), ["[]", ('[{"":', "}]")])
def test_depth(head: str, opening: str, closing: str, depth: int) -> None:
    """What is too deep is an error like others."""
    inner = opening * depth + '"x"' + closing * depth
    decoder = Decoder()
    try:
        decoder.feed(f"{head}{inner}" if head != "51-" else f'51-["x",{inner}]')
        packet = decoder.feed(b"") if head == "51-" else None
    except RemoteProtocolError as error:
        message, hint = error.args[0], error.hint
        assert message == "invalid payload"
        assert len(hint) < 200
    else:
        assert head != "2"  # where an event name is due
        assert depth < 100_000
        assert packet is None or isinstance(packet, Packet)


class Feeding(RuleBasedStateMachine):
    """One session's messages in any order, where headers and attachments must alternate."""

    def __init__(self) -> None:
        super().__init__()
        self.decoder = Decoder()
        self.waiting: Packet | None = None
        self.is_unwanted = False
        self.attachments: list[str | bytes] = []

    @rule(packet=sio.socketio_packets())
    def text(self, packet: Packet) -> None:
        head, *attachments = encode(packet)
        if self.waiting is not None:
            with pytest.raises(RemoteProtocolError) as error:
                self.decoder.feed(head)
            assert error.value.args == ("got plaintext data when reconstructing a packet",)
        elif attachments:
            assert self.decoder.feed(head) is None
            self.waiting, self.attachments = packet, attachments
        else:
            assert self.decoder.feed(head) == packet

    @precondition(lambda self: self.waiting is not None)
    @rule()
    def due_attachment(self) -> None:
        packet = self.decoder.feed(self.attachments.pop(0))
        if self.attachments:
            assert packet is None
        else:
            assert packet == (None if self.is_unwanted else self.waiting)
            self.waiting, self.is_unwanted = None, False

    @rule()
    def nobody_wants_it(self) -> None:
        self.decoder.discard()
        self.is_unwanted = self.waiting is not None

    @precondition(lambda self: self.waiting is None)
    @rule(data=st.binary(max_size=3))
    def binary_that_is_not_due(self, data: bytes) -> None:
        with pytest.raises(RemoteProtocolError) as error:
            self.decoder.feed(data)
        assert error.value.args == ("got binary data when not reconstructing a packet",)

    @rule(text=st.sampled_from([text for text, _ in REFUSED if len(text) < 100]))
    def malformed(self, text: str) -> None:
        with pytest.raises(RemoteProtocolError):
            self.decoder.feed(text)

    @invariant()
    def waits_only_while_attachments_are_due(self) -> None:
        assert (self.waiting is None) == (not self.attachments)
        pending = self.decoder.pending
        assert (pending and pending.id) == (self.waiting and self.waiting.id)
        assert (pending is None) == (self.waiting is None)


TestFeeding = Feeding.TestCase
TestFeeding.settings = examples(50, stateful_step_count=20)


GARBAGE = st.one_of(sio.garbage(), sio.garbage().map(lambda data: data.decode("latin-1")))


@given(messages=st.lists(GARBAGE))
def test_garbage_is_decoded_or_refused(messages: list[str | bytes]) -> None:
    decoder = Decoder()
    try:
        packets = [decoder.feed(message) for message in messages]
    except RemoteProtocolError:
        return
    assert all(packet is None or isinstance(packet, Packet) for packet in packets)
