"""MessagePack as socket.io-msgpack-parser 2.2.1 speaks it: either side decodes the other's."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, strategies as st

from tests.protocol.oracle import (
    ArrayBuffer,
    Oracle,
    Undefined,
    number_view,
    socket_question,
    socket_view,
)
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.codec_msgpack import Decoder, Encoder
from trio_sio.protocol.socketio.notepack import pack
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import strategies as sio

pytestmark = pytest.mark.node


def is_sayable(value: JSON) -> bool:
    """Whether JavaScript has the value: integers of 53 bits, no surrogate without the other."""
    if isinstance(value, int):
        return abs(value) <= 2**53
    if isinstance(value, float):
        return not value.is_integer() or abs(value) <= 2**53
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, list):
        return all(map(is_sayable, value))
    if isinstance(value, dict):
        return all(key != "__proto__" and is_sayable(key) for key in value) and all(
            map(is_sayable, value.values())
        )
    return True


PACKETS = sio.socketio_packets().filter(
    lambda packet: (
        packet.type is not PacketType.ERROR and is_sayable(packet.data) and is_sayable(packet.id)
    )
)
WITH_DATA = PACKETS.filter(
    lambda packet: (
        isinstance(packet.data, list) or packet.type in (PacketType.CONNECT, PacketType.DISCONNECT)
    )
)


@given(packets=st.lists(WITH_DATA, min_size=1, max_size=5))
def test_javascript_decodes_what_we_encode(oracle: Oracle, packets: list[Packet]) -> None:
    calls = [(Encoder().encode(packet),) for packet in packets]
    answers = oracle.ask_all("decodeMsgpackMessages", calls)
    for packet, (whole,) in zip(packets, answers, strict=True):
        if packet.type in (PacketType.CONNECT, PacketType.DISCONNECT):
            assert whole[:3] == ["packet", int(packet.type), packet.namespace]
        else:
            assert number_view(whole) == socket_view(packet)


@given(packets=st.lists(WITH_DATA, min_size=1, max_size=5))
def test_we_decode_what_javascript_encodes(oracle: Oracle, packets: list[Packet]) -> None:
    calls = [(socket_question(packet),) for packet in packets]
    answers = oracle.ask_all("encodeMsgpackPacket", calls)
    for packet, (message,) in zip(packets, answers, strict=True):
        assume(not (packet.type <= PacketType.DISCONNECT and packet.data is not None))
        whole = Decoder().feed(message)
        assert whole is not None
        assert socket_view(whole) == socket_view(packet)


def test_the_dialects_own_values(oracle: Oracle) -> None:
    when = datetime(2026, 3, 1, 12, 0, 1, 500_000, UTC)
    data = ["a", when, Undefined(), ArrayBuffer(b"8 bytes!"), ArrayBuffer(b"1"), b"buffer"]
    (message,) = oracle.ask("encodeMsgpackPacket", {"type": 2, "data": data, "nsp": "/"})
    read = ["a", when, None, b"8 bytes!", b"1", b"buffer"]
    whole = Decoder().feed(message)
    assert whole is not None
    assert whole.data == read
    (ours,) = Encoder().encode(Packet(PacketType.EVENT, "/", read))  # type: ignore[arg-type]
    ((_, _, _, seen, _),) = oracle.ask("decodeMsgpackMessages", [ours])
    assert seen == read


FIELDS: st.SearchStrategy[dict[str, JSON]] = st.fixed_dictionaries(
    {
        "type": st.one_of(st.integers(-1, 8), st.sampled_from([None, "2", 2.5, True])),
        "nsp": st.sampled_from(["/", "/a", "", None, 1]),
    },
    optional={
        "data": st.sampled_from([None, "x", [], ["a"], {}, 1]),
        "id": st.sampled_from([None, 0, 7, -1, 0.5, "1", True]),
    },
)


@given(st.lists(FIELDS, min_size=1, max_size=20))
def test_both_refuse_the_same(oracle: Oracle, several: list[dict[str, JSON]]) -> None:
    messages = [pack(fields) for fields in several]
    answers = oracle.ask_all("decodeMsgpackMessages", [([message],) for message in messages])
    for message, (answer,) in zip(messages, answers, strict=True):
        if answer[0] == "error":
            with pytest.raises(RemoteProtocolError) as refused:
                Decoder().feed(message)
            assert refused.value.args[0] in (answer[1], STRICTER.get(b"nsp\xa0" in message))
        elif is_stricter_here(answer):
            with pytest.raises(RemoteProtocolError):
                Decoder().feed(message)
        else:
            whole = Decoder().feed(message)
            assert whole is not None
            assert socket_view(whole) == number_view(answer)


STRICTER = {True: "invalid namespace"}
"""What we say first of a packet without a namespace, whatever else is wrong with it."""


def is_stricter_here(answer: list[JSON]) -> bool:
    """Whether JavaScript lets in what its own default parser would not."""
    _, kind, namespace, data, ack_id = answer
    assert isinstance(namespace, str)
    is_nameless = kind in (PacketType.EVENT, PacketType.BINARY_EVENT) and not data
    is_negative = isinstance(ack_id, (int, float)) and ack_id < 0
    return is_nameless or is_negative or not namespace.startswith("/")
