"""What an encoder refuses: which value it is, where it is, and that nothing stays behind."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio import codec_msgpack, encoder as own
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.foreign import MAX_CALLS, MAX_LEVELS, replace_foreign
from trio_sio.protocol.socketio.packet import BINARY_OF, JSON, Packet, PacketType
from trio_sio.protocol.socketio.unsendable import explain, shown_place, type_name
from trio_sio.testing import strategies as sio

CONNECT, DISCONNECT, EVENT, ACK, ERROR, BINARY_EVENT, BINARY_ACK = PacketType

KEYS = st.text("abcé", max_size=3) | st.integers(-9, 9)
PATHS = st.lists(KEYS | st.none(), max_size=5)
"""Ways through dicts, and lists where `None` stands."""


class Foreign:
    """What no format has.

    Args:
        calls: of a function until something else than this comes out.
    """

    def __init__(self, calls: int = 1) -> None:
        self.calls = calls


def nested(path: list[object], value: object, beside: object = 0) -> object:
    """Return containers in which a path leads to a value."""
    for key in reversed(path):
        value = [beside, value] if key is None else {"beside": beside, key: value}
    return value


def shown(path: list[object]) -> str:
    steps = [1 if key is None else f'"{key}"' if isinstance(key, str) else key for key in path]
    return "".join(f"[{step}]" for step in steps)


@given(st.sampled_from(PacketType), PATHS, st.booleans())
def test_its_place_is_named(kind: PacketType, path: list[object], is_msgpack: bool) -> None:
    data: Any = [0, nested(path, Foreign())]
    packet = Packet(kind, "/", data)
    encoder = codec_msgpack.Encoder() if is_msgpack else Encoder()
    if is_msgpack and kind in (CONNECT, DISCONNECT):
        assert encoder.encode(packet)  # which have no data there
        return
    error = attempt(LocalProtocolError, encoder.encode, packet)
    assert isinstance(error, LocalProtocolError)
    assert str(error).startswith(("cannot be sent as JSON: ", "cannot be sent as MessagePack: "))
    start = {EVENT: "args[0]", ACK: "args[1]"}
    start |= {BINARY_OF[plain]: text for plain, text in start.items()}
    assert str(error).endswith(f".Foreign at {start.get(kind, 'data[1]')}{shown(path)}")
    assert encoder.encode(Packet(EVENT, "/", ["a", 1])) == type(encoder)().encode(
        Packet(EVENT, "/", ["a", 1])
    )


@given(PATHS, st.sampled_from([EVENT, ACK, ERROR]), st.booleans())
def test_what_contains_itself(path: list[object], kind: PacketType, has_default: bool) -> None:
    inner: list[object] = []
    inner.append(nested(path, inner))
    data: Any = [0, inner]
    start = {EVENT: "args[0]", ACK: "args[1]"}.get(kind, "data[1]")
    for encoder in (Encoder(default=str if has_default else None), codec_msgpack.Encoder()):
        error = attempt(LocalProtocolError, encoder.encode, Packet(kind, "/", data))
        assert f"{start}[0]{shown(path)} contains itself: it is {start}" in str(error)


Problem = tuple[Callable[[object], object], str]


def _raises(value: object) -> object:
    raise KeyError("balance")


PROBLEMS: list[Problem] = [
    (_raises, "json_default raised KeyError: 'balance'"),
    (lambda value: value, "json_default returned it as it is"),
    (lambda value: Foreign(), f"json_default was called {MAX_CALLS} times for what it"),
]


@given(st.sampled_from(PROBLEMS), PATHS, st.sampled_from([EVENT, ACK, ERROR]))
def test_what_a_function_makes_nothing_of(
    problem: Problem, path: list[object], kind: PacketType
) -> None:
    data: Any = [0, nested(path, Foreign(), beside="x")]
    start = {EVENT: "args[0]", ACK: "args[1]"}.get(kind, "data[1]")
    packet = Packet(kind, "/", data)
    error = attempt(LocalProtocolError, replace_foreign, packet, problem[0], "form")
    assert isinstance(error, LocalProtocolError)
    assert str(error).startswith("cannot be sent as form: ")
    assert f"Foreign at {start}{shown(path)} ({problem[1]}" in str(error)
    assert isinstance(error.__cause__, KeyError if problem[0] is _raises else type(None))


@given(st.integers(1, MAX_CALLS + 1), PATHS)
@example(MAX_CALLS, [])
@example(MAX_CALLS + 1, [])
def test_a_function_is_called_for_what_it_returned(calls: int, path: list[object]) -> None:
    def default(value: object) -> object:
        assert isinstance(value, Foreign)
        return Foreign(value.calls - 1) if value.calls > 1 else ["done"]

    data: Any = ["a", nested(path, Foreign(calls))]
    found = attempt(LocalProtocolError, replace_foreign, Packet(EVENT, "/", data), default)
    if calls > MAX_CALLS:
        assert isinstance(found, LocalProtocolError)
    else:
        assert found == Packet(EVENT, "/", ["a", nested(path, ["done"])])  # type: ignore[list-item]


@given(st.integers(MAX_LEVELS - 2, MAX_LEVELS + 2), st.sampled_from(["list", "dict", "foreign"]))
def test_levels_are_counted(levels: int, kind: str) -> None:
    value: Any = Foreign()
    for _ in range(levels - 1):
        value = {"a": value} if kind == "dict" else [value]
    default: Any = (lambda one: "leaf") if kind != "foreign" else (lambda one: [[0]])
    found = attempt(LocalProtocolError, replace_foreign, Packet(EVENT, "/", value), default)
    deeper = kind == "foreign"
    if levels - 1 + deeper > MAX_LEVELS:
        assert str(found) == "cannot be sent as JSON: it is nested too deeply"
    else:
        assert isinstance(found, Packet)


@given(st.sampled_from([True, False, 0, -1, 1.5, math.inf]), sio.namespaces())
def test_the_data_of_an_error_is_no_number(data: JSON, namespace: str) -> None:
    with pytest.raises(LocalProtocolError, match="ERROR packet must not be a number or a bool"):
        Encoder().encode(Packet(ERROR, namespace, data))


@given(st.integers(0, 12), st.integers(0, 12), st.booleans(), st.sampled_from(PacketType))
def test_attachments_are_counted(
    count: int, limit: int, has_placeholder: bool, kind: PacketType
) -> None:
    values: list[JSON] = [bytes((number,)) for number in range(count)]
    beside: list[JSON] = [{"_placeholder": True}] * has_placeholder
    packet = Packet(kind, "/", ["a", *values, *beside])
    found = attempt(LocalProtocolError, Encoder(limit).encode, packet)
    is_plain = kind in (CONNECT, DISCONNECT, ERROR)
    if count == 0 or (count <= limit and not has_placeholder and not is_plain):
        assert not isinstance(found, LocalProtocolError)
        assert found[1:] == values
    elif count > limit:
        assert str(found).startswith(f"{count} binary values in one packet; ")
        assert f"max_attachments is {limit}, " in str(found)
    elif has_placeholder:
        assert "cannot be sent together with binary values" in str(found)
    else:
        assert str(found) == f"a packet of type {kind.name} cannot carry binary"


@given(sio.json_values(finite=False), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_numbers_that_json_does_not_have(value: JSON, number: float) -> None:
    names = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    packet = Packet(ACK, "/", [number, {number: b"x"}, value, b"y"])  # type: ignore[dict-item]
    found = attempt(LocalProtocolError, Encoder().encode, packet)
    if not isinstance(found, LocalProtocolError):
        assert str(found[0]).startswith(f'62-[null,{{"{names[str(number)]}":{{"_placeholder"')
        assert found[1:] == [b"x", b"y"]
    foreign = Packet(ACK, "/", [number, Foreign()])  # type: ignore[list-item]
    with pytest.raises(LocalProtocolError, match=r"Foreign at args\[1\]"):
        Encoder().encode(foreign)


@given(sio.socketio_packets(finite=False), st.booleans())
def test_without_the_encoder_in_c(packet: Packet, binary: bool) -> None:
    expected = Encoder().encode(packet, binary=binary)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own, "c_make_encoder", None)
        assert Encoder().encode(packet, binary=binary) == expected


@given(st.dates() | st.datetimes() | st.datetimes(timezones=st.just(UTC)), st.binary(max_size=3))
def test_dates_and_views_have_forms(moment: date, data: bytes) -> None:
    values: Any = ["a", moment, bytearray(data), memoryview(data)]
    head, *attachments = Encoder().encode(Packet(EVENT, "/", values))
    assert attachments == [data, data]
    (text,) = Encoder().encode(Packet(EVENT, "/", values), binary=False)
    packet = Decoder().feed(text)
    assert packet is not None
    sent, *buffers = packet.args
    assert buffers == [{"type": "Buffer", "data": list(data)}] * 2
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        assert str(sent).endswith("Z")
        read = datetime.fromisoformat(str(sent))
        assert abs((read - moment).total_seconds()) < 0.001
    else:
        assert type(moment).fromisoformat(str(sent)) == moment
    assert str(sent) in str(head)


@given(st.lists(st.text(max_size=60) | st.integers() | st.none() | st.booleans(), max_size=20))
def test_long_places_are_shown_in_part(keys: list[object]) -> None:
    text = shown_place(Packet(ERROR, "/", None), keys)
    assert text.startswith("data")
    assert text.isprintable()
    assert ("]…[" in text) == (len(keys) > 11)
    assert len(text) <= 13 * 300


@given(sio.json_values(binary=True), st.sampled_from([RecursionError("?"), ValueError("words")]))
def test_a_packet_without_fault_is_explained_by_its_error(value: JSON, error: Exception) -> None:
    packet = Packet(EVENT, "/", ["a", value])
    deep = isinstance(error, RecursionError)
    found = explain(packet, error, lambda one: one)
    assert found == ("it is nested too deeply" if deep else "words")


@given(st.sampled_from([1, "a", Foreign(), date(2026, 1, 1), [], None, {1: 2}]))
def test_a_type_is_named_with_its_module(value: object) -> None:
    kind = type(value)
    assert type_name(value).removeprefix(f"{kind.__module__}.") == kind.__qualname__
    assert ("." in type_name(value)) == (kind.__module__ != "builtins")
