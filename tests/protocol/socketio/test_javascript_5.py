"""Socket.IO 5 as socket.io-parser 4.2.7 speaks it: either side decodes what the other encodes."""

import re
from dataclasses import replace

import pytest
from hypothesis import assume, given, strategies as st

from tests.protocol.oracle import Oracle, null_view, number_view, socket_question, socket_view
from trio_sio.protocol.socketio.decoder import Decoder, Decoder5
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, PLAIN_OF, Packet, PacketType
from trio_sio.testing import strategies as sio

pytestmark = pytest.mark.node

PACKETS = st.lists(sio.socketio_packets(finite=False, protocol=5), min_size=1, max_size=5)
REFUSALS = st.builds(
    lambda name, message, data: Packet(
        PacketType.ERROR, name, {"message": message, **({} if data is None else {"data": data})}
    ),
    sio.namespaces(),
    st.text(max_size=5),
    sio.json_values(),
)
OPENINGS = st.builds(
    lambda name, sid: Packet(PacketType.CONNECT, name, {"sid": sid}),
    sio.namespaces(),
    st.text("abcXYZ019-_", min_size=20, max_size=20),
)


def as_it_arrives(packet: Packet) -> Packet:
    """Return the packet with null for NaN, and of the type that their decoder calls it."""
    kind = PLAIN_OF.get(packet.type, packet.type)
    return replace(packet, type=kind, data=null_view(packet.data))


@given(packets=PACKETS)
def test_javascript_decodes_what_we_encode(oracle: Oracle, packets: list[Packet]) -> None:
    calls = [(encode(packet),) for packet in packets]
    for packet, outcomes in zip(
        packets, oracle.ask_all("decodeSocketMessages5", calls), strict=True
    ):
        *heads, whole = outcomes
        assert heads == [["pending"]] * len(heads)
        assert number_view(whole) == socket_view(as_it_arrives(packet))


@given(packet=st.one_of(OPENINGS, REFUSALS))
def test_javascript_decodes_what_servers_answer_to_connect(oracle: Oracle, packet: Packet) -> None:
    (message,) = encode(packet)
    assert number_view(oracle.ask("decodeSocketMessages5", [message])) == [socket_view(packet)]
    theirs = oracle.ask("encodeSocketPacket5", socket_question(packet))
    whole = Decoder().feed(*theirs)
    assert whole is not None
    assert socket_view(whole) == socket_view(packet)


@given(packets=PACKETS)
def test_we_decode_what_javascript_encodes(oracle: Oracle, packets: list[Packet]) -> None:
    calls = [(socket_question(as_it_arrives(packet)),) for packet in packets]
    decoder = Decoder5()
    for packet, messages in zip(packets, oracle.ask_all("encodeSocketPacket5", calls), strict=True):
        *heads, whole = [decoder.feed(message) for message in messages]
        assert not any(heads)
        assert whole is not None
        assert socket_view(as_it_arrives(whole)) == socket_view(
            without_proto(as_it_arrives(packet), packet.type >= PacketType.BINARY_EVENT)
        )


def without_proto(packet: Packet, is_binary: bool) -> Packet:
    """What is left in JavaScript, which copies dicts around attachments key by key: assigning
    to `__proto__` makes no property."""

    def copy(value: JSON) -> JSON:
        if isinstance(value, list):
            return [copy(inner) for inner in value]
        if isinstance(value, dict):
            return {key: copy(inner) for key, inner in value.items() if key != "__proto__"}
        return value

    return replace(packet, data=copy(packet.data)) if is_binary else packet


@given(packet=sio.socketio_packets(protocol=5))
def test_attachments_come_in_the_same_order(oracle: Oracle, packet: Packet) -> None:
    text, *attachments = encode(packet)
    assume(re.search('"[0-9]+":', str(text)) is None)  # JavaScript puts integer keys first
    question = socket_question(as_it_arrives(packet))
    assert oracle.ask("encodeSocketPacket5", question)[1:] == attachments
