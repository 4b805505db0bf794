"""A value that cannot be sent is named, with its path in the packet."""

import array
import copy
import datetime
import decimal
import enum
import fractions
import uuid
from typing import Any

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio import codec_msgpack
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.protocol.socketio.unsendable import MAX_VALUES, explain, shown_place, type_name


class Colour(enum.Enum):
    """Something that has no form."""

    RED = 1


def encoders() -> list[Any]:
    return [Encoder(), codec_msgpack.Encoder()]


def refused(encoder: Any, packet: Packet) -> str:  # noqa: ANN401
    with pytest.raises(LocalProtocolError) as error:
        encoder.encode(packet)
    return str(error.value)


def event(*args: object) -> Packet:
    return Packet(PacketType.EVENT, "/", ["price", *args])  # type: ignore[list-item]


cycle: dict[str, Any] = {"price": 1}
cycle["self"] = [cycle]
deep: list[Any] = []
for _ in range(100_000):
    deep = [deep]

CASES = [
    ({"balance": decimal.Decimal(1)}, 'decimal.Decimal at args[0]["balance"]'),
    ([1, [2, uuid.UUID(int=1)]], "uuid.UUID at args[0][1][1]"),
    ((0, {1: {2}}), "set at args[0][1][1]"),
    (Colour.RED, f"{__name__}.Colour at args[0]"),
    ({"a": Colour}, 'enum.EnumType at args[0]["a"]'),
    ({(1, 2): 3}, "a key of type tuple at args[0]"),
    ({"a": {b"b": 3}}, 'a key of type bytes at args[0]["a"]'),
    (1j, "complex at args[0]"),
    ({"a\n": object()}, "object at args[0]['a\\n']"),
    ({"x" * 50: object()}, f'object at args[0]["{"x" * 40}…"]'),
    ({'a"\\ü': object()}, r'object at args[0]["a\"\\ü"]'),
    (cycle, 'args[0]["self"][0] contains itself: it is args[0]'),
    pytest.param(deep, "it is nested too deeply", marks=pytest.mark.slow),
    ([b"binary", fractions.Fraction(1, 2), b"more"], "fractions.Fraction at args[0][1]"),
]


@pytest.mark.parametrize("encoder", encoders())
@pytest.mark.parametrize(("value", "what"), CASES)
def test_what_and_where(encoder: Any, value: object, what: str) -> None:  # noqa: ANN401
    if "a key" in what and isinstance(encoder, codec_msgpack.Encoder):
        return  # MessagePack has such keys
    assert refused(encoder, event(value)).split(": ", 1)[1] == what
    later = refused(encoder, event(None, value))
    assert what.replace("args[0]", "args[1]") in later


@pytest.mark.parametrize("encoder", encoders())
def test_an_acknowledgement_has_no_name_in_front(encoder: Any) -> None:  # noqa: ANN401
    packet = Packet(PacketType.ACK, "/", [decimal.Decimal(1)], 3)  # type: ignore[list-item]
    assert refused(encoder, packet).endswith(": decimal.Decimal at args[0]")


@pytest.mark.parametrize("encoder", encoders())
def test_the_data_of_an_error(encoder: Any) -> None:  # noqa: ANN401
    packet = Packet(PacketType.ERROR, "/", {"left": decimal.Decimal(1)})  # type: ignore[dict-item]
    assert refused(encoder, packet) == 'cannot be sent as JSON: decimal.Decimal at data["left"]'


def test_a_number_that_is_too_large() -> None:
    text = refused(codec_msgpack.Encoder(), event({"a": 2**64}))
    assert text == 'cannot be sent as MessagePack: int (beyond 64 bits) at args[0]["a"]'


def test_not_a_number_in_an_error_of_messagepack() -> None:
    packet = Packet(PacketType.ERROR, "/", {"a": float("nan")})
    text = refused(codec_msgpack.Encoder(), packet)
    assert text.startswith("cannot be sent as JSON: float (")
    assert text.endswith(') at data["a"]')


def test_what_a_look_at_takes_has_a_bound() -> None:
    wide = [*range(MAX_VALUES + 1), object()]
    assert refused(Encoder(), event(wide)) == ("cannot be sent as JSON: object has no form in JSON")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "int"),
        (decimal.Decimal(1), "decimal.Decimal"),
        (array.array("b"), "array.array"),
        (None, "NoneType"),
    ],
)
def test_type_names(value: object, name: str) -> None:
    assert type_name(value) == name


def test_a_key_that_one_codec_has_is_not_blamed() -> None:
    data = {(1, 2): {"a": decimal.Decimal(1)}}
    assert "args[0][(1, 2)]" in refused(codec_msgpack.Encoder(), event(data))
    assert "a key of type tuple at args[0]" in refused(Encoder(), event(data))


def test_an_encoder_works_again_after_it() -> None:
    for encoder in encoders():
        refused(encoder, event([b"a", decimal.Decimal(1)]))
        again = encoder.encode(event([b"a", datetime.date(2020, 1, 2)]))
        assert again == type(encoder)().encode(event([b"a", datetime.date(2020, 1, 2)]))


GOOD = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text() | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


def place(data: Any, steps: list[int], bad: object) -> Any:  # noqa: ANN401
    """Put a value somewhere into data; return the way there."""
    here, way = data, [0]
    for step in steps:
        inner = list(here.items() if isinstance(here, dict) else enumerate(here))
        containers = [(key, one) for key, one in inner if isinstance(one, (dict, list))]
        if not containers:
            break
        key, here = containers[step % len(containers)]
        way.append(key)
    if isinstance(here, dict):
        here["bad"] = bad
        return [*way, "bad"]
    here.append(bad)
    return [*way, len(here) - 1]


@given(
    data=st.lists(GOOD, max_size=4),
    steps=st.lists(st.integers(0, 5), max_size=5),
    bad=st.sampled_from([decimal.Decimal(2), {1}, object(), Colour.RED]),
)
def test_the_place_leads_to_it(data: list[Any], steps: list[int], bad: object) -> None:
    way = place(data, steps, bad)
    for explained in (
        explain(event(data), ValueError("?"), Encoder()._to_json),
        *(refused(encoder, event(data)) for encoder in encoders()),
    ):
        if "…" in explained or "'" in explained:
            continue  # a long key, or one that does not print
        path = explained.partition(f"{type_name(bad)} at args")[2]
        found: Any = eval("args" + path, {"args": [data]})
        assert found is bad
        assert path.count("[") >= len(way)


@given(GOOD)
def test_nothing_is_said_of_what_can_be_sent(data: object) -> None:
    error = ValueError("the encoder's own words")
    encode = Encoder().encode
    assert explain(event(data), error, lambda one: encode(event(one))) == str(error)


# --- how much is looked at, and how much is shown ------------------------------------------------


def only_numbers(value: object) -> object:
    if not isinstance(value, int):
        raise TypeError("no number")
    return value


@pytest.mark.parametrize(("before", "is_found"), [(99_998, True), (99_999, False)])
def test_so_many_values_are_looked_at(before: int, is_found: bool) -> None:
    """The list is one of the 100,000."""
    text = explain(event([*range(before), object()]), ValueError("?"), only_numbers)
    assert text == (f"object at args[0][{before}]" if is_found else "?")


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("x" * 40, '["' + "x" * 40 + '"]'),
        ("x" * 41, '["' + "x" * 40 + '…"]'),
        ("é", '["é"]'),
        ("a\n", r"['a\n']"),
        ("", '[""]'),
        (None, "[None]"),
        (-1.5, "[-1.5]"),
    ],
)
def test_a_key_is_shown_in_short(key: object, shown: str) -> None:
    data: Any = {key: object()}
    packet = Packet(PacketType.ERROR, "/", data)
    assert shown_place(packet, [key]) == f"data{shown}"
    assert explain(packet, ValueError("?"), Encoder()._to_json) == f"object at data{shown}"


def test_the_middle_of_a_long_path_is_left_out() -> None:
    packet = Packet(PacketType.ERROR, "/", None)
    assert shown_place(packet, range(11)) == "data" + "".join(f"[{key}]" for key in range(11))
    cut = "data[0][1][2][3][4]…[6][7][8][9][10][11]"
    assert shown_place(packet, range(12)) == cut
    assert shown_place(packet, range(13)) == "data[0][1][2][3][4]…[7][8][9][10][11][12]"


# What the application has passed: `emit(event, *args)`, or what a handler returns.
PLACES: list[tuple[PacketType, Any, list[object], str]] = [
    (PacketType.EVENT, ["price", 1], [1], "args[0]"),
    (PacketType.EVENT, ["price", 1, [2]], [2, 0], "args[1][0]"),
    (PacketType.BINARY_EVENT, ["price", 1], [1], "args[0]"),
    (PacketType.ACK, [1, 2], [0], "args[0]"),
    (PacketType.BINARY_ACK, [1, 2], [1], "args[1]"),
    (PacketType.ERROR, [1], [0], "data[0]"),
    (PacketType.CONNECT, {"a": [1]}, ["a", 0], 'data["a"][0]'),
    (PacketType.EVENT, {"a": 1}, ["a"], 'data["a"]'),
    (PacketType.ACK, {"a": 1}, ["a"], 'data["a"]'),
    (PacketType.EVENT, ["price"], [], "data"),
]


@pytest.mark.parametrize(("kind", "data", "keys", "place"), PLACES)
def test_a_place_is_named_as_the_application_knows_it(
    kind: PacketType,
    data: Any,  # noqa: ANN401
    keys: list[object],
    place: str,
) -> None:
    data = copy.deepcopy(data)
    assert shown_place(Packet(kind, "/", data), keys) == place
    if keys:
        *way, last = keys
        inner = data
        for key in way:
            inner = inner[key]
        inner[last] = object()
        assert explain(Packet(kind, "/", data), ValueError("?"), Encoder()._to_json) == (
            f"object at {place}"
        )


def test_what_stands_in_two_places_does_not_contain_itself() -> None:
    twice = [1]
    text = explain(event(twice, [twice], {"a": twice}, 1j), ValueError("?"), Encoder()._to_json)
    assert text == "complex at args[3]"


def test_of_several_faults_the_first_is_named() -> None:
    data = [[{1}], {2}, {"a": 1j}]
    assert explain(event(*data), ValueError("?"), Encoder()._to_json) == "set at args[0][0]"
    keys = {"a": 1, None: 2, 1.5: 3, b"b": 4, (): 5}
    assert explain(event(keys), ValueError("?"), Encoder()._to_json) == (
        "a key of type bytes at args[0]"
    )
