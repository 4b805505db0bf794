"""Messages that are put together from their parts: read as what they say, or refused."""

import json

from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import strategies as sio

CONNECT, DISCONNECT, EVENT, ACK, ERROR, BINARY_EVENT, BINARY_ACK = PacketType

DATA = st.sampled_from(
    [
        *("", "null", "true", "-7", '"a"', "[]", '["a"]', "[1]", "[true]", "[[]]", "{}", "{"),
        *('["a",NaN]', '["a"]]', "[1e999]", "nonsense", '[ "a" ] ', '["a",{"b":[1]}]'),
    ]
)
NAMESPACES = st.sampled_from(["", "/,", "/chat,", "/chat?a=1,", "/é,"])
IDS = st.sampled_from(["", "0", "7", "007", "9" * 19, "9" * 20])


def is_good(kind: PacketType, text: str) -> bool:
    """Whether this is the data of a packet of this type."""
    data = json.loads(text)
    if kind is EVENT:
        return isinstance(data, list) and data != [] and type(data[0]) in (str, int)
    if kind is ACK:
        return isinstance(data, list)
    if kind is CONNECT:
        return data is None or isinstance(data, (dict, list))
    return kind is ERROR and (data is None or isinstance(data, (str, dict, list)))


@given(st.sampled_from([CONNECT, DISCONNECT, EVENT, ACK, ERROR]), NAMESPACES, IDS, DATA)
@example(EVENT, "", "", "[1e999]")
@example(DISCONNECT, "", "", "null")
@example(ERROR, "/,", "", "-7")
def test_parts_are_read_as_what_they_say(
    kind: PacketType, namespace: str, ident: str, text: str
) -> None:
    found = attempt(RemoteProtocolError, Decoder().feed, f"{kind:d}{namespace}{ident}{text}")
    if isinstance(found, RemoteProtocolError):
        assert str(found).startswith("invalid payload: ")
    good = not text or attempt(ValueError, is_good, kind, text) is True
    if good and len(ident) <= 19 and "NaN" not in text:
        data = json.loads(text) if text else None
        name = namespace.removesuffix(",") or "/"
        assert found == Packet(kind, name, data, int(ident) if ident else None)
    else:
        assert isinstance(found, RemoteProtocolError)


@given(st.integers(0, 9), st.text(max_size=3))
def test_the_first_character_is_a_type(digit: int, rest: str) -> None:
    found = attempt(RemoteProtocolError, Decoder().feed, f"{digit}{rest}")
    if digit > BINARY_ACK:
        assert found is None
    elif not rest and digit < BINARY_EVENT:
        assert found == Packet(PacketType(digit))
    empty = attempt(RemoteProtocolError, Decoder().feed, "")
    assert str(empty) == "invalid payload: the message is empty"


@given(st.sampled_from([BINARY_EVENT, BINARY_ACK]), st.integers(0, 12), st.integers(1, 12))
def test_as_many_attachments_as_are_announced(kind: PacketType, count: int, limit: int) -> None:
    decoder = Decoder(limit)
    data = ["a", *({"_placeholder": True, "num": number} for number in range(count))]
    found = attempt(RemoteProtocolError, decoder.feed, f"{kind:d}{count}-/a,5{json.dumps(data)}")
    if not 0 < count <= limit:
        assert isinstance(found, RemoteProtocolError)
        return
    assert found is None
    values = [bytes((number,)) for number in range(count)]
    *incomplete, packet = [decoder.feed(value) for value in values]
    assert not any(incomplete)
    assert packet == Packet(kind, "/a", ["a", *values], 5)


NUMBERS: st.SearchStrategy[object] = st.integers(-2, 3) | st.sampled_from(
    [0.0, 1.0, 0.5, True, False, None, "0", [0], {}]
)


@given(st.lists(NUMBERS, min_size=1, max_size=4), st.integers(1, 3), st.booleans())
def test_placeholders_stand_for_attachments(
    numbers: list[object], count: int, is_deep: bool
) -> None:
    decoder = Decoder()
    marks: object = [{"_placeholder": True, "num": number} for number in numbers]
    data = ["a", {"b": [[marks]]} if is_deep else marks]
    assert decoder.feed(f"5{count}-{json.dumps(data)}") is None
    values = [bytes((number,)) for number in range(count)]
    for value in values[:-1]:
        assert decoder.feed(value) is None
    found = attempt(RemoteProtocolError, decoder.feed, values[-1])
    if all(type(number) in (int, float) and number in range(count) for number in numbers):
        read: JSON = [values[int(number)] for number in numbers]  # type: ignore[call-overload]
        assert found == Packet(BINARY_EVENT, "/", ["a", {"b": [[read]]} if is_deep else read])
    else:
        assert isinstance(found, RemoteProtocolError)
        assert str(found).startswith("illegal attachments: placeholder number ")


@given(sio.socketio_packets(), st.integers(1, 3))
def test_what_nobody_wants_leaves_nothing(packet: Packet, count: int) -> None:
    decoder = Decoder()
    decoder.discard()  # when nothing is pending, nothing happens
    assert decoder.pending is None
    marks = [{"_placeholder": True, "num": number} for number in range(count)]
    assert decoder.feed(f"5{count}-{json.dumps(['a', *marks])}") is None
    assert decoder.pending is not None
    decoder.discard()
    assert [decoder.feed(b"x") for _ in range(count)] == [None] * count
    assert decoder.pending is None
    head, *attachments = encode(packet)
    assert decoder.feed(head) == (None if attachments else packet)


@given(st.integers(4000, 5000), st.booleans())
def test_long_numbers_are_those_of_javascript(digits: int, is_negative: bool) -> None:
    text = "-" * is_negative + "9" * digits
    packet = Decoder().feed(f'2["a",{text}]')
    assert packet is not None
    limit = 4300  # digits, from which on Python refuses an integer
    assert packet.data == ["a", int(text) if digits <= limit else float(text)]
