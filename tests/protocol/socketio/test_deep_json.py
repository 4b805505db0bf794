"""JSON of any shape is read as the standard library reads it, and of any depth up to a limit."""

import json
import math
import sys

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from tests.support.examples import examples
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio import codec_msgpack
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.deep_json import MAX_DEPTH, MAX_VALUES, read_deep
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType

read_shallow = json.JSONDecoder().raw_decode

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values, st.sampled_from([None, 0, 2]))
def test_it_reads_as_the_library(value: JSON, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert read_deep("42" + text + " \n", 2, read_shallow) == value


@given(st.text('[]{},:"1a \n') | st.text('[]{},:"'))
@example('{"a":1,"a":[2]}')
@example("[1,]")
@example('{"a":1,}')
@example("[")
@example("")
@example("[}")
@example('[1]"a"')
@example("[[1] 2]")
@example("{1:2}")
def test_it_refuses_what_the_library_refuses(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - the library's words are its own
            read_deep(text, 0, read_shallow)
    else:
        assert read_deep(text, 0, read_shallow) == expected


def nested(depth: int, shape: str) -> str:
    opening, closing = ("[", "]") if shape == "array" else ('{"a":', "}")
    return opening * depth + "1" + closing * depth


def depth_of(value: object) -> int:
    depth = 0
    while isinstance(value, (list, dict)):
        value = value[0] if isinstance(value, list) else value["a"]
        depth += 1
    return depth


LIBRARY = sys.getrecursionlimit()


@pytest.mark.parametrize("shape", ["array", "object"])
@pytest.mark.parametrize("depth", [1, 300, LIBRARY - 1, LIBRARY, LIBRARY + 1, 4000, MAX_DEPTH - 1])
def test_an_event_may_be_as_deep_as_a_client_of_the_reference_sends(depth: int, shape: str) -> None:
    packet = Decoder().feed('2["e",' + nested(depth, shape) + "]")
    assert packet is not None
    assert isinstance(packet.data, list)
    assert depth_of(packet.data[1]) == depth


@pytest.mark.parametrize("depth", [300, LIBRARY, 4000])
def test_so_may_one_with_attachments(depth: int) -> None:
    inner = "[" * depth + '{"_placeholder":true,"num":0}' + "]" * depth
    decoder = Decoder()
    assert decoder.feed(f'51-["e",{inner}]') is None
    packet = decoder.feed(b"here")
    assert packet is not None
    assert isinstance(packet.data, list)
    value = packet.data[1]
    while isinstance(value, list):
        value = value[0]
    assert value == b"here"


@pytest.mark.parametrize("shape", ["array", "object"])
@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 1_000_000])
def test_what_is_deeper_is_refused(depth: int, shape: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        Decoder().feed('2["e",' + nested(depth, shape) + "]")
    assert refused.value.hint == f"nested more than {MAX_DEPTH} levels deep"


def test_levels_and_values_are_limited_as_documented() -> None:
    """docs/options.md names the levels; both are what clients of the reference never reach."""
    assert read_deep("[" * 10_000 + "]" * 10_000, 0, read_shallow)
    with pytest.raises(ValueError, match="nested more than 10000 levels deep"):
        read_deep("[" * 10_001 + "]" * 10_001, 0, read_shallow)
    assert read_deep("[" + "1," * 99_998 + "1]", 0, read_shallow)
    with pytest.raises(ValueError, match="more than 100000 values"):
        read_deep("[" + "1," * 99_999 + "1]", 0, read_shallow)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1] 2", "extra data at 4"),
        ("[1]]", "extra data at 3"),
        ("[1 2]", "expected ',' at 3"),
        ("[1", "expected ',' at 2"),
        ('{"a" 1}', "expected ':' at 5"),
        ('{"a"', "expected ':' at 4"),
        ("{1:2}", "expected a key at 1"),
        ('{"a":1,}', "expected a key at 7"),
        ("{", "expected a key at 1"),
    ],
)
def test_it_says_what_it_expected_and_where(text: str, words: str) -> None:
    for before in ("", "2/chat,"):  # a position is one of the whole text
        with pytest.raises(ValueError, match="at ") as error:
            read_deep(before + text, len(before), read_shallow)
        what, _, place = words.rpartition(" ")
        assert str(error.value) == f"{what} {int(place) + len(before)}"


def test_a_deep_and_long_value_is_refused() -> None:
    text = '2["e",' + nested(LIBRARY, "array") + ",1" * MAX_VALUES + "]"
    with pytest.raises(RemoteProtocolError) as refused:
        Decoder().feed(text)
    assert f"more than {MAX_VALUES} values" in refused.value.hint


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize("digits", [1, 309, 4299, 4300, 4301, 100_000])
def test_whole_numbers(digits: int, sign: str) -> None:
    packet = Decoder().feed(f'2["e",{sign}{"9" * digits}]')
    assert packet is not None
    assert isinstance(packet.data, list)
    number = packet.data[1]
    if digits <= 4300:
        assert number == int(sign + "9" * digits)
    else:
        assert number == float(sign + "inf")
        assert encode(packet) == ['2["e",null]']  # as JSON.stringify writes it


def test_not_a_number_is_still_refused() -> None:
    for word in ("NaN", "Infinity", "-Infinity"):
        with pytest.raises(RemoteProtocolError):
            Decoder().feed(f'2["e",{"9" * 5000},{word}]')


@pytest.mark.slow
@pytest.mark.parametrize("encode", [encode, codec_msgpack.Encoder().encode])
@pytest.mark.parametrize("depth", [10, 300, LIBRARY, 100_000])
def test_what_cannot_be_sent_is_the_applications_error(encode: object, depth: int) -> None:
    assert callable(encode)
    value: JSON = math.pi
    for _ in range(depth):
        value = [value]
    try:
        encode(Packet(PacketType.EVENT, "/", ["e", value]))
    except LocalProtocolError:
        assert depth >= LIBRARY / 2
    else:
        assert depth < LIBRARY * 2


@given(st.integers(MAX_DEPTH - 2, MAX_DEPTH + 2), st.sampled_from(["[]", '{"a":1}', "7"]))
def test_the_number_of_levels(levels: int, inner: str) -> None:
    text = "[" * levels + inner + "]" * levels
    found = attempt(ValueError, read_deep, text, 0, read_shallow)
    if levels + (inner != "7") > MAX_DEPTH:
        assert str(found) == f"nested more than {MAX_DEPTH} levels deep"
    else:
        for _ in range(levels):
            assert isinstance(found, list)
            (found,) = found
        assert found == json.loads(inner)


@examples(5)
@given(st.integers(-1, 1))
def test_the_number_of_values(surplus: int) -> None:
    text = f"[{'1,' * (MAX_VALUES - 2 + surplus)}1]"
    found = attempt(ValueError, read_deep, text, 0, read_shallow)
    if surplus > 0:
        assert f"more than {MAX_VALUES} values" in str(found)
    else:
        assert found == json.loads(text)
