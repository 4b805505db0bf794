"""Socket.IO 4 as socket.io-parser 3.4.5 speaks it: either side decodes what the other encodes."""

import re

import pytest
from hypothesis import assume, given, strategies as st

from tests.protocol.oracle import Oracle, null_view, number_view, socket_question, socket_view
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import strategies as sio

pytestmark = pytest.mark.node

PACKETS = st.lists(sio.socketio_packets(finite=False), min_size=1, max_size=5)


def as_it_arrives(packet: Packet) -> Packet:
    return Packet(packet.type, packet.namespace, null_view(packet.data), packet.id)


@given(packets=PACKETS)
def test_javascript_decodes_what_we_encode(oracle: Oracle, packets: list[Packet]) -> None:
    calls = [(encode(packet),) for packet in packets]
    for packet, outcomes in zip(
        packets, oracle.ask_all("decodeSocketMessages", calls), strict=True
    ):
        *heads, whole = outcomes
        assert heads == [["pending"]] * len(heads)
        assert number_view(whole) == socket_view(as_it_arrives(packet))


@given(packets=PACKETS)
def test_we_decode_what_javascript_encodes(oracle: Oracle, packets: list[Packet]) -> None:
    calls = [(socket_question(packet),) for packet in packets]
    decoder = Decoder()
    for packet, messages in zip(packets, oracle.ask_all("encodeSocketPacket", calls), strict=True):
        *heads, whole = [decoder.feed(message) for message in messages]
        assert not any(heads)
        assert whole is not None
        assert socket_view(whole) == socket_view(without_proto(as_it_arrives(packet)))


def without_proto(packet: Packet) -> Packet:
    """What is left in JavaScript, which copies dicts around attachments key by key: assigning
    to `__proto__` makes no property."""
    if packet.type < PacketType.BINARY_EVENT:
        return packet

    def copy(value: JSON) -> JSON:
        if isinstance(value, list):
            return [copy(inner) for inner in value]
        if isinstance(value, dict):
            return {key: copy(inner) for key, inner in value.items() if key != "__proto__"}
        return value

    return Packet(packet.type, packet.namespace, copy(packet.data), packet.id)


@given(packet=sio.socketio_packets())
def test_attachments_come_in_the_same_order(oracle: Oracle, packet: Packet) -> None:
    text, *attachments = encode(packet)
    assume(re.search('"[0-9]+":', str(text)) is None)  # JavaScript puts integer keys first
    assert oracle.ask("encodeSocketPacket", socket_question(packet))[1:] == attachments


@given(st.one_of(st.integers(-(2**53), 2**53), st.floats(-(2**53), 2**53).map(round)))
def test_event_named_by_a_number(oracle: Oracle, number: int) -> None:
    for name in (number, float(number)):
        assert Packet(PacketType.EVENT, data=[name]).event == oracle.ask("numberName", name)
