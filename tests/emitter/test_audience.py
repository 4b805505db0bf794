"""Whom an emitter sends to: byte for byte what JavaScript's emitter publishes for the same."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.protocol.oracle import Oracle
from trio_sio.emitter import RedisEmitter, SyncRedisEmitter
from trio_sio.emitter.audience import Audience, Choosing, check_generation
from trio_sio.protocol.cluster.broadcast import decode_broadcast
from trio_sio.protocol.cluster.v8.broadcast import decode_broadcast as decode_later
from trio_sio.protocol.cluster.v8.selection import Manner, Selection
from trio_sio.protocol.errors import LocalProtocolError

ALL = Audience()


class Recorder(Choosing["Recorder"]):
    """An emitter that keeps what it would publish."""

    def __init__(self, audience: Audience, published: list[tuple[bytes, bytes]]) -> None:
        self.audience = audience
        self.published = published

    def _chosen(self) -> Audience:
        return self.audience

    def _with(self, audience: Audience) -> "Recorder":
        return Recorder(audience, self.published)

    def emit(self, event: str, *args: object) -> "Recorder":
        self.published.append(self.audience.message(event, args))
        # JavaScript's emitter goes on with the namespace, and nothing else.
        return self._with(self.audience.of(self.audience.namespace))


NAMES = st.sampled_from(["", "a", "b", "room#1", "é", "*", "\U0001f600", "/x"])
STEPS = st.one_of(
    st.tuples(st.sampled_from(["to", "in"]), NAMES),
    st.tuples(st.just("of"), NAMES.filter(bool)),
    st.sampled_from([("json",), ("volatile",), ("broadcast",)]),
)
ARGUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), NAMES, st.just(1.5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=20), st.dictionaries(st.sampled_from("abc"), inner)
    ),
    max_leaves=30,
)
EMITS = st.builds(
    lambda event, args: ("emit", event, *args), NAMES, st.lists(ARGUMENTS, max_size=3)
)


@pytest.mark.node
@given(
    key=st.sampled_from(["socket.io", "käse"]),
    steps=st.lists(st.one_of(STEPS, STEPS, EMITS), max_size=10),
    last=EMITS,
)
def test_the_same_bytes_as_from_javascript(
    oracle: Oracle, key: str, steps: list[tuple[Any, ...]], last: tuple[Any, ...]
) -> None:
    published: list[tuple[bytes, bytes]] = []
    emitter = Recorder(Audience(key), published)
    for name, *values in (*steps, last):
        found = getattr(emitter, {"in": "in_"}.get(name, name))
        emitter = found(*values) if callable(found) else found
    theirs = oracle.ask("emitterPublishes", key, [*steps, last])
    assert published == [(channel.encode(), payload) for channel, payload in theirs]


def test_bytes_are_sent_as_such() -> None:
    """JavaScript's emitter does not do that; with `binary(False)` neither does ours."""
    _, payload = ALL.message("a", (b"\x01",))
    assert decode_broadcast(payload).binary
    assert b"\xa4type\x05" in payload


@pytest.mark.node
def test_bytes_as_from_javascript(oracle: Oracle) -> None:
    _, payload = ALL.with_flag("binary", False).message("a", (b"\x01",))
    ((_, theirs),) = oracle.ask("emitterPublishes", "socket.io", [("emit", "a", b"\x01")])
    assert b"\xa4type\x02" in payload
    flags = b"\xa5flags"
    assert payload.partition(flags)[0] == theirs.partition(flags)[0]
    assert not decode_broadcast(payload).binary


@pytest.mark.parametrize(
    ("audience", "channel"),
    [
        (ALL, b"socket.io#/#"),
        (ALL.to("a"), b"socket.io#/#a#"),
        (ALL.to("a", "a"), b"socket.io#/#a#"),
        (ALL.to("a", "b"), b"socket.io#/#"),
        (ALL.to(), b"socket.io#/#"),
        (ALL.of("chat").to("a"), b"socket.io#/chat#a#"),
        (ALL.to("a").of("/chat"), b"socket.io#/chat#"),
        (Audience("k").of("/"), b"k#/#"),
    ],
)
def test_channels(audience: Audience, channel: bytes) -> None:
    assert audience.message("a", ())[0] == channel


def test_what_is_said_in_the_message() -> None:
    audience = ALL.to("b", "a").except_("x", "y", "x").with_flag("compress", False)
    message = decode_broadcast(audience.with_flag("volatile", True).message("e", (1,))[1])
    assert message.uid == "emitter"
    assert message.rooms == ("b", "a")
    assert message.excepted_rooms == ("x", "y")
    assert (message.volatile, message.compress, message.binary) == (True, False, True)
    assert message.packet.data == ["e", 1]


def test_an_audience_never_changes() -> None:
    room = ALL.to("a")
    assert room.to("b").rooms == ("a", "b")
    assert room.with_flag("volatile", True).flags == (("volatile", True),)
    assert room.except_("x").excepted == ("x",)
    assert (room.rooms, room.flags, room.excepted) == (("a",), (), ())
    assert Audience() == ALL


def test_a_flag_keeps_its_place_and_the_last_value_counts() -> None:
    audience = ALL.with_flag("compress", False).with_flag("json", True).with_flag("compress", True)
    assert audience.flags == (("compress", True), ("json", True))


@pytest.mark.parametrize("event", ["connect", "disconnect", "connection", "error"])
def test_reserved_names_are_refused(event: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        ALL.message(event, ())


@pytest.mark.parametrize(
    ("args", "what"),
    [
        ((object(),), r"object at args\[0\]"),
        (({"a": {1}},), r'set at args\[0\]\["a"\]'),
        (({(1, 2): 1},), "a key of type tuple"),
        ((*[b"a"] * 11,), "11 binary values"),
        (({"_placeholder": True}, b"a"), "_placeholder"),
    ],
)
def test_what_servers_would_refuse_is_refused(args: tuple[object, ...], what: str) -> None:
    with pytest.raises(LocalProtocolError, match=what):
        ALL.message("a", args)


def test_more_attachments_where_the_servers_take_them() -> None:
    audience = Audience(max_attachments=11)
    assert decode_broadcast(audience.message("a", (b"a",) * 11)[1]).packet.args == [b"a"] * 11


def test_what_is_no_name() -> None:
    number: Any = 5
    with pytest.raises(TypeError, match="a room name must be a str, not 5"):
        ALL.to("a", number)
    with pytest.raises(TypeError, match="a namespace must be a str, not 5"):
        ALL.of(number)
    with pytest.raises(TypeError, match="a room name must be a str, not 5"):
        ALL.except_(number)
    with pytest.raises(TypeError, match="an event name must be a str, not 5"):
        ALL.message(number, ())


def test_the_methods_that_choose() -> None:
    recorder = Recorder(ALL, [])
    chosen = recorder.of("chat").to("a").in_("b").except_("x").volatile.json.broadcast
    chosen = chosen.compress(False).binary(False)
    assert chosen.audience == Audience(
        namespace="/chat",
        rooms=("a", "b"),
        excepted=("x",),
        flags=(
            ("volatile", True),
            ("json", True),
            ("broadcast", True),
            ("compress", False),
            ("binary", False),
        ),
    )


@given(values=st.lists(st.one_of(ARGUMENTS, st.fractions(), st.sets(st.integers(0, 9)))))
def test_what_json_default_makes_of_values(values: list[Any]) -> None:
    def to_json(value: object) -> object:
        return sorted(value) if isinstance(value, set) else str(value)

    made = [to_json(one) if isinstance(one, (set, Fraction)) else one for one in values]
    audience = Audience(rooms=("a",), json_default=to_json)
    assert audience.message("e", tuple(values)) == ALL.to("a").message("e", tuple(made))


def test_what_json_default_refuses() -> None:
    def fails(value: object) -> object:
        raise ValueError("no rate")

    with pytest.raises(LocalProtocolError, match=r"Fraction at args\[1\]\[0\] \(json_default rais"):
        Audience(json_default=fails).message("e", (1, [Fraction(1, 2)]))


def test_the_servers_may_be_of_socket_io_4() -> None:
    """Whose messages have no type for bytes, and rooms among what is excepted."""
    audience = Audience(generation=4).of("/n").to("r").except_("e").with_flag("volatile", True)
    channel, payload = audience.message("x", (b"\x01",))
    assert channel == b"socket.io#/n#r#"
    message = decode_later(payload)
    assert message.uid == "emitter"
    assert message.packet.data == ["x", b"\x01"]
    assert message.selection == Selection(("r",), ("e",))
    assert message.manner == Manner(volatile=True)
    _, payload = audience.with_flag("binary", False).message("x", (b"\x01",))
    assert decode_later(payload).packet.data == ["x", {"type": "Buffer", "data": [1]}]


@pytest.mark.parametrize("generation", [0, 3, 5, "4", 4.0, True, None])
def test_there_are_two_generations(generation: object) -> None:
    with pytest.raises(ValueError, match="generation must be 2 or 4, not"):
        check_generation(generation)
    with pytest.raises(ValueError, match="generation must be 2 or 4, not"):
        RedisEmitter(generation=generation)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="generation must be 2 or 4, not"):
        SyncRedisEmitter(generation=generation)  # type: ignore[arg-type]
