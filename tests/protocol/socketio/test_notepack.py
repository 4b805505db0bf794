"""MessagePack as notepack speaks it: the meanings of extension 0, odd keys, and hostile input."""

import struct
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.notepack import (
    MAX_HEADERS,
    pack,
    pack_data,
    unpack,
    unpack_data,
)
from trio_sio.protocol.socketio.packet import JSON

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG = b"\xdc\x00\x01" * (MAX_HEADERS + 1)  # so many lists of one that the message is walked
UNWRAPPED = MAX_HEADERS + 1


def both_ways(message: bytes) -> JSON:
    """Return what the library alone reads and what the walk reads, which is the same."""
    value = unpack(message)
    walked = unpack(LONG + message)
    for _ in range(UNWRAPPED):
        assert isinstance(walked, list)
        (walked,) = walked
    assert walked == value
    return value


@pytest.mark.parametrize(
    ("message", "value"),
    [
        (b"\xc0", None),
        (b"\x7f", 127),
        (b"\xcb" + struct.pack(">d", 0.5), 0.5),
        (b"\xca" + struct.pack(">f", 0.5), 0.5),
        (b"\xa2\xc3\xa9", "é"),
        (b"\xa1\xff", "\N{REPLACEMENT CHARACTER}"),
        (b"\xc4\x01\xff", b"\xff"),
        (b"\xd4\x00\x00", None),
        (b"\xd4\x00\x07", None),  # whatever it carries
        (b"\xc7\x01\x00\x07", b"\x07"),
        (b"\xc8\x00\x01\x00\x07", b"\x07"),
        (b"\xd7\x00" + (1500).to_bytes(8, "big"), EPOCH + timedelta(seconds=1.5)),
        (b"\xd7\x00" + (-1).to_bytes(8, "big", signed=True), EPOCH - timedelta(milliseconds=1)),
        (b"\xc7\x08\x00ABCDEFGH", b"ABCDEFGH"),
        (b"\xc9\x00\x00\x00\x08\x00ABCDEFGH", b"ABCDEFGH"),
        (b"\xc7\x00\x00", b""),
        (b"\xd5\x00AB", b"AB"),
        (b"\xd6\x05ABCD", [5, b"ABCD"]),
        (b"\xc7\x02\x05AB", [5, b"AB"]),
        (b"\xd4\xfeA", [-2, b"A"]),
        (b"\xd4\x05A", [5, b"A"]),
        (b"\xd8\x00" + b"A" * 16, b"A" * 16),
        (b"\x92\xd6\x00ABCD\xa4none", [b"ABCD", "none"]),  # whatever else it says
        (b"\xd6\xff\xff\xff\xff\xff", EPOCH + timedelta(seconds=2**32 - 1)),
        (b"\xd6\xff\x00\x00\x00\x01", EPOCH + timedelta(seconds=1)),
    ],
)
def test_what_javascript_reads(message: bytes, value: JSON) -> None:
    assert both_ways(message) == value


def test_a_date_beside_a_buffer_of_the_same_length() -> None:
    moment = b"\xd7\x00" + (1500).to_bytes(8, "big")
    buffer = b"\xc7\x08\x00" + (1500).to_bytes(8, "big")
    read = [EPOCH + timedelta(seconds=1.5), (1500).to_bytes(8, "big")]
    assert unpack(b"\x92" + moment + buffer) == read
    assert unpack(b"\x92" + buffer + moment) == read[::-1]


def test_undefined_beside_a_buffer_of_the_same_length() -> None:
    assert unpack(b"\x92\xd4\x00\x00\xc7\x01\x00\x00") == [None, b"\x00"]


def test_bytes_that_only_look_like_the_other_thing() -> None:
    moment = b"\xd7\x00" + (1500).to_bytes(8, "big")
    text_like_a_buffer = b"\xc4\x03\xc7\x08\x00"
    assert unpack(b"\x92" + moment + text_like_a_buffer) == [
        EPOCH + timedelta(seconds=1.5),
        b"\xc7\x08\x00",
    ]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (b"\x01", "1"),
        (b"\xcb" + struct.pack(">d", 2.0), "2"),
        (b"\xcb" + struct.pack(">d", 0.5), "0.5"),
        (b"\xc0", "null"),
        (b"\xc3", "true"),
        (b"\xc2", "false"),
        (b"\xc4\x01a", "a"),
        (b"\xc5\x00\x01a", "a"),
        (b"\xc6\x00\x00\x00\x01a", "a"),
        (b"\xc4\x01\xff", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_keys_become_strings(key: bytes, name: str) -> None:
    assert both_ways(b"\x81" + key + b"\x07") == {name: 7}


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xc1",
        b"\x92\x01",
        b"\x01\x02",
        b"\xc4\x05ab",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\x81\x90\x01",
        b"\xd7\x00\x7f" + bytes(7),
        b"\x91" * 100_000,
        b"\x91" * 1500 + LONG,
        LONG,
        LONG + b"\x01\x02",
        LONG + b"\xdd\x00\x00\x00\x05\x01",
        LONG + b"\xdf\x00\x00\x00\x05\x01",
        LONG + b"\x81\x90\x01",
    ],
)
def test_malformed_messagepack(message: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="invalid format"):
        unpack(message)


def test_headers_that_promise_more_than_there_is_cost_nothing() -> None:
    """Each of these lists would be allocated, and freed item by item, by the library: 10**9 steps
    for 300 kB, which a test would not survive if the work were done."""
    size = 300_000
    promises = b"\xdd" + (size - 5).to_bytes(4, "big")
    with pytest.raises(RemoteProtocolError):
        unpack((promises * 60_000)[:size])


def test_a_long_list_may_be_long() -> None:
    numbers: list[JSON] = list(range(100_000))
    value: JSON = [numbers, {"a": numbers}]
    assert unpack(pack(value)) == value


VALUES: st.SearchStrategy[JSON] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False),
        st.text(st.characters(exclude_categories=["Cs"])),
        st.binary(max_size=300),
        st.datetimes(timezones=st.just(UTC)).map(
            lambda when: when.replace(microsecond=when.microsecond // 1000 * 1000)
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
)


@given(VALUES)
def test_what_is_packed_is_unpacked(value: JSON) -> None:
    assert both_ways(pack(value)) == value


@given(st.binary())
def test_any_bytes_are_a_value_or_an_error(message: bytes) -> None:
    try:
        value = unpack(message)
    except RemoteProtocolError:
        with pytest.raises(RemoteProtocolError):
            unpack(LONG + message)
    else:
        assert repr(both_ways(message)) == repr(value)  # NaN is no equal of itself


def test_dates_without_a_time_zone_are_strings() -> None:
    assert unpack(pack(date(2026, 2, 1))) == "2026-02-01"  # type: ignore[arg-type]
    assert unpack(pack(datetime(2026, 2, 1, 12, 30))) == "2026-02-01T12:30:00"  # type: ignore[arg-type]
    berlin = datetime(2026, 2, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    assert unpack(pack(berlin)) == datetime(2026, 2, 1, 12, tzinfo=UTC)  # type: ignore[arg-type]


def test_what_cannot_be_packed() -> None:
    with pytest.raises(TypeError, match="set has no form in MessagePack"):
        pack({1})  # type: ignore[arg-type]
    with pytest.raises(OverflowError, match="beyond 64 bits"):
        pack(2**64)


# -- what servers tell each other ----------------------------------------------------------------


def test_a_list_or_a_map_is_no_key() -> None:
    """Nor is it read: the library would allocate it."""
    for key in (b"\x91\x01", b"\x81\x01\x01", b"\xdd\x00\x00\x00\x01\x01"):
        for wrap in (b"", LONG):
            with pytest.raises(RemoteProtocolError):
                unpack(wrap + b"\x81" + key + b"\x07")


@pytest.mark.parametrize("levels", [500, 1500, 9000])
def test_deep_messages_are_read(levels: int) -> None:
    for wrap, more in ((b"", 0), (LONG, UNWRAPPED)):
        value = unpack(wrap + b"\x91" * levels + b"\x90")
        depth = 0
        while isinstance(value, list) and value:
            (value,) = value
            depth += 1
        assert depth == levels + more


def test_too_deep_messages_are_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="nested more than 10000 levels"):
        unpack(b"\x91" * 10_001 + b"\x90")


@given(VALUES)
def test_data_comes_back(value: JSON) -> None:
    assert unpack_data(pack_data(value)) == value
    assert pack_data(value) == pack(value)


@given(st.text(st.characters(categories=["Cs", "Ll"])))
def test_surrogates_come_back(text: str) -> None:
    for value in (text, [text], {text: text}):
        assert unpack_data(pack_data(value)) == value
    walked = unpack_data(b"\x92\xd4\x00\x00" + pack_data(text))
    assert walked == [None, text]


@pytest.mark.parametrize("innermost", [0, 0.5, 2**64, EPOCH, "\ud800"])
def test_deep_data_comes_back(innermost: object) -> None:
    value = innermost
    for _ in range(2000):
        value = [value]
    read = unpack_data(pack_data(value))
    for _ in range(2000):
        assert isinstance(read, list)
        (read,) = read
    assert read == innermost


@pytest.mark.parametrize("count", [10, 1000, 10_000])
def test_numbers_that_look_like_headers(count: int) -> None:
    numbers: list[JSON] = [struct.unpack(">d", b"\x40" + b"\xdd" * 7)[0]] * count
    assert unpack_data(pack_data(numbers)) == numbers


def test_invalid_utf8_is_replaced() -> None:
    assert unpack_data(b"\xa3a\xffb") == "a\N{REPLACEMENT CHARACTER}b"
    mixed = unpack_data(b"\xa5\xed\xa0\x80\xffb")
    assert mixed == "\ud800\N{REPLACEMENT CHARACTER}b"


def test_undefined_is_left_out_of_objects() -> None:
    message = b"\x93\xd4\x00\x00\x82\xa1a\xd4\x00\x00\xa1b\x01\x81\xa1c\xd4\x00\x07"
    assert unpack_data(message) == [None, {"b": 1}, {}]
    assert unpack(message) == [None, {"a": None, "b": 1}, {"c": None}]
    assert unpack(LONG[:-3] + b"\x91" + b"\x81\xa1c\xd4\x00\x00") is not None


@pytest.mark.parametrize(
    ("value", "packed"),
    [
        (2**64, b"\xcb" + struct.pack(">d", 2.0**64)),
        (-(2**63) - 1, b"\xcb" + struct.pack(">d", -(2.0**63))),
        (10**400, b"\xcb" + struct.pack(">d", float("inf"))),
        (-(10**400), b"\xcb" + struct.pack(">d", -float("inf"))),
        ({1.0: 2}, b"\x81\xa31.0\x02"),
        ({2**70: 2}, b"\x81\xb61180591620717411303424\x02"),
        (memoryview(b"abcdef")[::2], b"\xc4\x03ace"),
        ((1, 2), b"\x92\x01\x02"),
    ],
)
def test_what_json_expresses(value: object, packed: bytes) -> None:
    assert pack_data(value) == packed
    assert pack_data([value]) == b"\x91" + packed


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, {"a": object()}, {0.5: object()}])
def test_what_json_does_not_express(value: object) -> None:
    with pytest.raises(TypeError):
        pack_data(value)


@pytest.mark.parametrize("module", ["trio_sio.adapters.redis", "trio_sio.emitter"])
def test_who_needs_the_library_is_told_how_to_get_it(module: str) -> None:
    program = f"import sys; sys.modules['msgpack'] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert b"pip install 'trio-sio[msgpack]'" in done.stderr
