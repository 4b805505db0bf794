"""Foreign values: what a function makes of them is what is sent, in each format alike."""

import array
import copy
import dataclasses
import decimal
import enum
import fractions
import gc
import itertools
import re
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.support.examples import examples
from trio_sio.protocol.cluster.broadcast import encode_broadcast
from trio_sio.protocol.cluster.request import (
    Request,
    RequestKind,
    Response,
    encode_request,
    encode_response,
)
from trio_sio.protocol.cluster.text import write_object
from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio import codec_msgpack
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.foreign import (
    MAX_CALLS,
    MAX_LEVELS,
    Default,
    _Walk,
    replace_foreign,
)
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing import strategies as sio


class Suit(enum.Enum):
    """Something with a value."""

    HEARTS = "♥"


@dataclasses.dataclass(frozen=True)
class Box:
    """Something with anything in it."""

    inner: Any


def form_of(value: object) -> object:
    """What the values of these tests become; in some of them there are more."""
    if isinstance(value, Box):
        return {"box": value.inner}
    if isinstance(value, frozenset):
        return tuple(sorted(value))
    if isinstance(value, array.array):
        return value.tobytes()
    if isinstance(value, fractions.Fraction):
        return Box(value.numerator)  # one that is foreign, too
    if isinstance(value, Suit):
        return value.value
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    raise TypeError(f"{value!r} has no form")


def replaced(value: Any) -> Any:  # noqa: ANN401
    """The same beforehand, by recursion."""
    if isinstance(value, dict):
        return {key: replaced(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [replaced(one) for one in value]
    if isinstance(value, (str, int, float, bytes, date, type(None))):
        return value
    return replaced(form_of(value))


LEAVES = st.one_of(
    st.decimals(allow_nan=False, places=2),
    st.uuids(),
    st.frozensets(st.decimals(allow_nan=False, places=1), max_size=3),
    st.fractions(),
    st.sampled_from([Suit.HEARTS, array.array("H", [1, 2])]),
    sio.json_values(binary=True, finite=False),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=3), inner, max_size=4),
        inner.map(Box),
    ),
    max_leaves=12,
)


class Counting:
    """Keeps what the function is called for."""

    def __init__(self, function: Default = form_of) -> None:
        self.values: list[object] = []
        self._function = function

    def __call__(self, value: object) -> object:
        self.values.append(value)
        return self._function(value)


def count(value: Any) -> int:  # noqa: ANN401
    """How often the function has to be called for a value."""
    if isinstance(value, dict):
        return sum(map(count, value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(count, value))
    if isinstance(value, (str, int, float, bytes, date, type(None))):
        return 0
    return 1 + count(form_of(value))


def event(*args: object) -> Packet:
    return Packet(PacketType.EVENT, "/", ["price", *args])  # type: ignore[list-item]


def outcome(encode: Callable[..., object], *args: object, **options: bool) -> object:
    try:
        return encode(*args, **options)
    except LocalProtocolError as error:
        return str(error)


@examples(300)
@given(args=st.lists(TREES, max_size=3))
def test_it_is_as_if_they_had_been_replaced_beforehand(args: list[Any]) -> None:
    before, counting = copy.deepcopy(args), Counting()
    packet = event(*args)
    result = replace_foreign(packet, counting)
    assert repr(replaced(result.data)) == repr(["price", *replaced(args)])
    assert count(result.data) == 0
    assert args == before
    assert len(counting.values) == count(args)
    assert (result is packet) == (not counting.values)


@examples(300)
@given(args=st.lists(TREES, max_size=3), kind=st.sampled_from(PacketType), binary=st.booleans())
def test_each_parser_sends_the_same_as_if(args: list[Any], kind: PacketType, binary: bool) -> None:
    data, made = (["price", *args], ["price", *replaced(args)])
    for with_default, without in (
        (Encoder(default=form_of), Encoder()),
        (codec_msgpack.Encoder(form_of), codec_msgpack.Encoder()),
    ):
        expected = outcome(without.encode, Packet(kind, "/", made), binary=binary)
        packet = Packet(kind, "/", data)
        assert outcome(with_default.encode, packet, binary=binary) == expected
        # And what the encoder kept of it does not matter to the next one.
        assert with_default.encode(event(b"x", 1)) == without.encode(event(b"x", 1))


@examples(200)
@given(args=st.lists(TREES, max_size=3), binary=st.booleans())
def test_servers_tell_each_other_the_same_as_if(args: list[Any], binary: bool) -> None:
    made = replaced(args)
    packet = replace_foreign(event(*args), form_of)
    assert outcome(encode_broadcast, "uid", packet, binary=binary) == outcome(
        encode_broadcast, "uid", event(*made), binary=binary
    )
    assert write_object({"a": args}, form_of) == write_object({"a": made})
    request = Request("id", RequestKind.CUSTOM_REQUEST, data=args)
    same = Request("id", RequestKind.CUSTOM_REQUEST, data=made)
    assert encode_request(request, form_of) == encode_request(same)
    kind = RequestKind.CUSTOM_REQUEST
    assert encode_response(Response("id", data=args), kind, form_of) == encode_response(
        Response("id", data=made), kind
    )


@given(args=st.lists(sio.json_values(binary=True, finite=False), max_size=3))
def test_it_is_not_called_for_what_has_a_form(args: list[Any]) -> None:
    counting = Counting()
    packet = event(*args, NOON, NOON.date(), (1, 2), bytearray(b"x"), memoryview(b"y"))
    assert replace_foreign(packet, counting) is packet
    for encoder in (Encoder(default=counting), codec_msgpack.Encoder(counting)):
        outcome(encoder.encode, packet)
    assert counting.values == []


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        enum.IntEnum("Number", "ONE").ONE,  # type: ignore[attr-defined]
        enum.StrEnum("Word", "ONE").ONE,  # type: ignore[attr-defined]
        type("Price", (float,), {})(1.5),
        type("Row", (tuple,), {})((1, 2)),
        type("Moment", (datetime,), {})(2026, 3, 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nor_for_what_is_a_kind_of_that(value: object) -> None:
    counting = Counting()
    # The other value has it look at this one, too.
    assert Encoder(default=counting).encode(event(value, Suit.HEARTS)) == Encoder().encode(
        event(value, "♥")
    )
    assert counting.values == [Suit.HEARTS]


def calls(encode: Callable[..., object], packet: Packet) -> int:
    """How many functions it takes to encode a packet."""
    count = itertools.count()
    gc.disable()  # whose callbacks would be counted, too
    sys.setprofile(lambda _frame, event, _arg: next(count) if "call" in event else None)
    try:
        encode(packet)
    finally:
        sys.setprofile(None)
        gc.enable()
    return next(count)


@pytest.mark.parametrize("value", [1.5, {"a": [1, "b"]}, [b"x"], float("inf"), NOON])
def test_what_has_a_form_costs_no_further_call(value: object) -> None:
    packet = event(value)
    if value != float("inf"):  # which is found by failing; then the data is looked through
        assert calls(Encoder(default=form_of).encode, packet) == calls(Encoder().encode, packet)
    with_default, without = codec_msgpack.Encoder(form_of), codec_msgpack.Encoder()
    assert calls(with_default.encode, packet) == calls(without.encode, packet)


def test_long_lists_of_what_has_a_form_are_not_copied() -> None:
    numbers, names = [*range(1000)], {"a": "b"}
    result: Any = replace_foreign(event(numbers, [names, Suit.HEARTS]), form_of).data
    assert result == ["price", numbers, [names, "♥"]]
    assert result[1] is numbers
    assert result[2][0] is names


# -- what goes wrong ---------------------------------------------------------------------------


def fails(_value: object) -> object:
    raise ValueError("no rate for it")


cycle = Box(None)
object.__setattr__(cycle, "inner", [cycle])
plain_cycle: dict[str, Any] = {"first": Suit.HEARTS}
plain_cycle["self"] = [plain_cycle]
half = decimal.Decimal("0.5")

WRONG: list[tuple[Default, object, str]] = [
    (
        fails,
        {"balance": [1, half]},
        'decimal.Decimal at args[0]["balance"][1] (json_default raised ValueError: no rate for it)',
    ),
    (
        form_of,
        [Box({"a": object()})],
        (
            'object at args[0][0]["box"]["a"] (json_default raised TypeError: <object object at *>'
            " has no form)"
        ),
    ),
    (
        lambda value: value,
        {"a": half},
        'decimal.Decimal at args[0]["a"] (json_default returned it as it is)',
    ),
    (
        lambda value: [value],
        half,
        "args[0][0] contains itself: it is args[0]",
    ),
    (
        lambda value: value + 1,  # type: ignore[operator]
        [half],
        (
            "decimal.Decimal at args[0][0] (json_default was called 256 times for what it returned"
            " itself)"
        ),
    ),
    (
        lambda value: {"next": [value + 1]},  # type: ignore[operator]
        half,
        (
            'decimal.Decimal at args[0]["next"][0]["next"][0]…["next"][0]["next"][0]["next"][0]'
            " (json_default was called 256 times for what it returned itself)"
        ),
    ),
    (form_of, cycle, 'args[0]["box"][0] contains itself: it is args[0]'),
    (form_of, plain_cycle, 'args[0]["self"][0] contains itself: it is args[0]'),
    (
        lambda _value: plain_cycle,
        half,
        'args[0]["first"]["first"] contains itself: it is args[0]["first"]',
    ),
    (form_of, {(1, 2): Suit.HEARTS}, "a key of type tuple at args[0]"),
    (lambda _value: {(1, 2): 3}, [half], "a key of type tuple at args[0][0]"),
]


@pytest.mark.parametrize(("default", "value", "what"), WRONG)
def test_what_and_where(default: Default, value: object, what: str) -> None:
    encoders: list[tuple[Any, str]] = [(Encoder(default=default), "JSON")]
    if "a key" not in what:  # MessagePack has such keys
        encoders.append((codec_msgpack.Encoder(default), "MessagePack"))
    for encoder, form in encoders:
        with pytest.raises(LocalProtocolError) as error:
            encoder.encode(event(value))
        text = re.sub("0x[0-9a-f]+", "*", str(error.value))
        assert text == f"cannot be sent as {form}: {what}"
        with pytest.raises(LocalProtocolError):
            encoder.encode(event(None, b"binary", value))
        assert encoder.encode(event(b"x")) == type(encoder)().encode(event(b"x"))


def test_what_the_function_raised_is_the_cause() -> None:
    for encoder in (Encoder(default=fails), codec_msgpack.Encoder(fails)):
        for packet in (event(half), Packet(PacketType.ERROR, "/", half)):  # type: ignore[arg-type]
            with pytest.raises(LocalProtocolError, match="no rate") as error:
                encoder.encode(packet)
            assert isinstance(error.value.__cause__, ValueError)


def test_the_data_of_an_error() -> None:
    packet = Packet(PacketType.ERROR, "/chat", {"left": half})  # type: ignore[dict-item]
    assert Encoder(default=str).encode(packet) == ['4/chat,{"left":"0.5"}']
    (text,) = codec_msgpack.Encoder(str).encode(packet)
    assert text == r'{"type":4,"nsp":"/chat","data":"{\"left\":\"0.5\"}"}'
    bare = Packet(PacketType.ERROR, "/", half)  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match="must not be a number"):
        Encoder(default=float).encode(bare)  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match=r"decimal\.Decimal at data "):
        Encoder(default=fails).encode(bare)


def test_a_function_that_emits() -> None:
    """The encoder is in no state between: it is not in the middle of a packet."""
    others: list[object] = []

    def default(value: object) -> object:
        others.append(encoder.encode(event(b"other", len(others))))
        return str(value).encode()

    encoder = Encoder(default=default)
    assert encoder.encode(event(b"first", half, b"last")) == [
        (
            '53-["price",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},'
            '{"_placeholder":true,"num":2}]'
        ),
        b"first",
        b"0.5",
        b"last",
    ]
    assert others == [['51-["price",{"_placeholder":true,"num":0},0]', b"other"]]


def test_what_it_returns_counts_as_attachments() -> None:
    with pytest.raises(LocalProtocolError, match="3 binary values in one packet"):
        Encoder(2, lambda _value: [b"a", b"b"]).encode(event(b"c", half))


@examples(100)
@given(data=TREES)
def test_the_way_for_difficult_data_has_the_same_result(data: Any) -> None:  # noqa: ANN401
    packet = event(data)
    counting = Counting()
    walk = _Walk(packet, counting)
    assert replaced(walk.replaced()) == replaced(
        replace_foreign(packet, form_of).data
    ) or "nan" in (repr(data))
    assert len(counting.values) == count(data)
    assert walk.has_replaced == bool(counting.values)


@pytest.mark.parametrize("levels", [400, MAX_LEVELS])
def test_values_that_are_deep(levels: int) -> None:
    data: object = half
    for _ in range(levels - 1):
        data = [data]
    result: Any = replace_foreign(event(data), str).data
    for _ in range(levels):
        result = result[-1]
    assert result == "0.5"


def test_values_that_are_too_deep() -> None:
    data: object = half
    for _ in range(MAX_LEVELS):
        data = [data]
    with pytest.raises(LocalProtocolError, match="it is nested too deeply"):
        replace_foreign(event(data), str)


def test_a_tree_of_foreign_values_that_is_not_too_deep() -> None:
    tree: object = None
    for _ in range(MAX_CALLS):
        tree = Box(tree)
    assert Encoder(default=form_of).encode(event(tree))
    with pytest.raises(LocalProtocolError, match=f"was called {MAX_CALLS} times"):
        Encoder(default=form_of).encode(event(Box(tree)))
