"""How packets look in `repr`: their wire form, short, and never an error."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from hypothesis.vendor.pretty import pretty

from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.shown import (
    DATA_LENGTH,
    VALUES,
    WIRE_LENGTH,
    shown_attachments,
    shown_bytes,
    shown_json,
    shown_text,
)
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import strategies as sio

CONNECT, DISCONNECT, EVENT, ACK, ERROR, BINARY_EVENT, BINARY_ACK = PacketType
LONGEST = WIRE_LENGTH * len("\\U0001f600") + (VALUES + 1) * (4 * DATA_LENGTH + 50)


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("not now")


def circle() -> list[Any]:
    found: list[Any] = ["a"]
    found.append(found)
    return found


def deep() -> list[Any]:
    found: list[Any] = []
    for _ in range(100_000):
        found = [found]
    return found


SHOWN: list[tuple[PacketType, str, Any, int | None, str]] = [
    (CONNECT, "/", None, None, "0"),
    (CONNECT, "/chat?a=1", None, None, "0/chat?a=1,"),
    (EVENT, "/", ["a", 1, None], None, '2["a",1,null]'),
    (EVENT, "/chat", ["a"], 13, '2/chat,13["a"]'),
    (ACK, "/", [], 0, "30[]"),
    (ERROR, "/chat", "no", None, '4/chat,"no"'),
    (
        BINARY_EVENT,
        "/",
        ["a", b"\xff"],
        1,
        r"""51-1["a",{"_placeholder":true,"num":0}] + b'\xff'""",
    ),
    # What cannot be sent looks as it is.
    (EVENT, "/", ["a", b""], None, """2["a",{"_placeholder":true,"num":0}] + b''"""),
    (BINARY_EVENT, "/", ["a"], None, '50-["a"]'),
    (EVENT, "/", ["a", float("nan")], None, '2["a",NaN]'),
    (EVENT, "/", ["a", {1, 2}], None, '2["a","{1, 2}"]'),
    (EVENT, "/", ["a", Broken()], None, '2["a","<Broken instance at '),
    (EVENT, "/", [10**5000], None, "2<list>"),
    (EVENT, "/", {(1, 2): 1}, None, "2{(1, 2): 1}"),
    (EVENT, "/", circle(), None, "2['a', ['a', ['a', ['a', "),
    (EVENT, "/", deep(), None, "2[[[[[[[...]]]]]]]"),
    # Nothing breaks the line or the terminal.
    (EVENT, "/a\nb", ["\ud800\u2028\x1b"], None, r'2/a\nb,["\ud800\u2028\u001b"]'),
]


@pytest.mark.parametrize(("kind", "namespace", "data", "ack_id", "shown"), SHOWN)
def test_socketio(
    kind: PacketType, namespace: str, data: JSON, ack_id: int | None, shown: str
) -> None:
    text = repr(Packet(kind, namespace, data, ack_id))
    assert text.startswith(f"<Packet {shown}")
    assert text.endswith(">")
    assert text.isprintable()


def test_a_long_packet_is_cut() -> None:
    packet = Packet(BINARY_EVENT, data=["a" * 1000, *[bytes(range(100))] * 5])
    text = repr(packet)
    assert text.startswith('<Packet 55-["aaaa')
    assert "a... (" in text
    assert r"\x16\x17'... (76 more)" in text
    assert text.endswith(" + 2 more>")
    assert len(text) < LONGEST


@pytest.mark.parametrize("rest", [-WIRE_LENGTH, -1, 0, 1, 2])
def test_text_up_to_its_limit_is_whole(rest: int) -> None:
    text = "x" * (WIRE_LENGTH + rest)
    cut = f"{text[:WIRE_LENGTH]}... ({rest} more)"
    assert shown_text(text) == (text if rest <= 0 else cut)
    assert shown_text("\n" + text) == r"\n" + shown_text("x" + text)[1:]  # its escape counts once


@pytest.mark.parametrize("rest", [-DATA_LENGTH, -1, 0, 1, 2])
def test_bytes_up_to_their_limit_are_whole(rest: int) -> None:
    data = bytes(DATA_LENGTH + rest)
    cut = f"{data[:DATA_LENGTH]!r}... ({rest} more)"
    assert shown_bytes(data) == (repr(data) if rest <= 0 else cut)


@pytest.mark.parametrize("count", [0, 1, VALUES - 1, VALUES, VALUES + 1, VALUES + 2])
def test_attachments_up_to_their_limit_are_shown(count: int) -> None:
    text = shown_attachments([bytes((number,)) for number in range(count)])
    each = [rf" + b'\x{number:02x}'" for number in range(min(count, VALUES))]
    rest = [f" + {count - VALUES} more"] if count > VALUES else []
    assert text == "".join(each + rest)


@given(st.lists(st.builds(bytearray, st.binary()) | st.binary().map(lambda data: memoryview(data))))
def test_json_shows_where_its_binary_values_are(values: list[JSON]) -> None:
    placeholders = [f'{{"_placeholder":true,"num":{number}}}' for number in range(len(values))]
    text, found = shown_json(["é", *values])
    assert text == "[" + ",".join(['"é"', *placeholders]) + "]"
    assert found == [*map(bytes, values)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("packet", "shown"),
    [
        (EnginePacket(EnginePacketType.PING), "2"),
        (EnginePacket(EnginePacketType.PING, "probe"), "2probe"),
        (EnginePacket(EnginePacketType.MESSAGE, '2["é\n"]'), r'42["é\n"]'),
        (EnginePacket(EnginePacketType.MESSAGE, b"\x01\xff"), r"4 + b'\x01\xff'"),
        (EnginePacket(EnginePacketType.MESSAGE, "x" * 250), f"4{'x' * 199}... (51 more)"),
    ],
)
def test_engineio(packet: EnginePacket, shown: str) -> None:
    assert repr(packet) == f"<EnginePacket {shown}>"


@given(packet=sio.socketio_packets())
def test_what_can_be_sent_shows_its_text(packet: Packet) -> None:
    text = encode(packet)[0]
    assert isinstance(text, str)
    shown = repr(packet)
    assert shown.isprintable()
    assert len(shown) < LONGEST
    if text.isprintable() and len(text) <= WIRE_LENGTH:
        assert shown.startswith(f"<Packet {text}")


@given(packet=sio.engineio_packets())
def test_all_of_engineio_is_shown_short(packet: EnginePacket) -> None:
    assert repr(packet).isprintable()
    assert len(repr(packet)) < LONGEST


@given(data=st.one_of(st.binary(), st.text(), st.dictionaries(st.integers(), st.binary())))
def test_any_data_is_shown(data: JSON) -> None:
    assert repr(Packet(EVENT, data=data)).startswith("<Packet 2")


class _Rude:
    """Something that cannot be looked at."""

    def __repr__(self) -> str:
        raise ValueError("no")


UNSENDABLE = st.sampled_from(
    [object(), _Rude(), {(1,): 2}, {1, 2}, [_Rude()], {(1,): _Rude()}, 10**5000]
)


@given(st.lists(st.binary(max_size=DATA_LENGTH + 1) | st.text(max_size=9)), UNSENDABLE)
def test_what_cannot_be_sent_is_shown(values: list[JSON], unsendable: object) -> None:
    packet = Packet(EVENT, data=[*values, unsendable])  # type: ignore[list-item]
    assert repr(packet).startswith("<Packet 2")
    assert repr(packet).isprintable()
    assert len(repr(packet)) < LONGEST
    assert pretty(packet) == repr(packet)  # in Hypothesis's reports
    has_key = isinstance(unsendable, dict)
    assert repr(packet).count(" + b") <= (0 if has_key else VALUES)
