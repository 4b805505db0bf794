"""Packets: what is drawn, and what it becomes when it is made simple."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests.support.drawn import Condition, is_drawn, is_placeholder, parts, simplest
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.socketio.decoder import Decoder5
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import MAX_ATTACHMENTS, Packet, PacketType
from trio_sio.testing import strategies as sio


def of_type(kind: PacketType) -> Callable[[Packet], bool]:
    return lambda packet: packet.type is kind


DRAWN: dict[str, tuple[st.SearchStrategy[Any], Condition]] = {
    "an event named by a number": (
        sio.socketio_packets(),
        lambda p: p.type is PacketType.EVENT and isinstance(p.data[0], int),
    ),
    "many attachments": (
        sio.socketio_packets(),
        lambda p: sum(isinstance(v, bytes) for v in parts(p.data)) >= 4,
    ),
    "a large id": (sio.socketio_packets(), lambda p: p.id is not None and p.id > 2**53),
    "id 0": (sio.socketio_packets(), lambda p: p.id == 0),
    "empty bytes": (sio.engineio_packets(), lambda p: p.data == b""),
    "0x1E in text": (sio.engineio_packets(), lambda p: "\x1e" in str(p.data)),
    "a word with CONNECT": (
        sio.socketio_packets(protocol=5),
        lambda p: p.type is PacketType.CONNECT and p.data,
    ),
    "CONNECT without a word": (
        sio.socketio_packets(protocol=5),
        lambda p: p.type is PacketType.CONNECT and p.data is None,
    ),
    "bytes of protocol 5": (sio.socketio_packets(protocol=5), of_type(PacketType.BINARY_ACK)),
}
DRAWN |= {kind.name: (sio.socketio_packets(), of_type(kind)) for kind in PacketType}


@pytest.mark.slow
@pytest.mark.parametrize("name", DRAWN)
def test_drawn(name: str) -> None:
    assert is_drawn(*DRAWN[name])


SIMPLEST: dict[str, tuple[st.SearchStrategy[Any], Condition, str]] = {
    "an event": (sio.socketio_packets(), of_type(PacketType.EVENT), '<Packet 2["a"]>'),
    "an event with an id": (
        sio.socketio_packets(),
        lambda p: p.type is PacketType.EVENT and p.id is not None,
        '<Packet 20["a"]>',
    ),
    "an event of another namespace": (
        sio.socketio_packets(),
        lambda p: p.type is PacketType.EVENT and p.namespace != "/",
        '<Packet 2/chat,["a"]>',
    ),
    "an event with an argument": (
        sio.socketio_packets(),
        lambda p: p.type is PacketType.EVENT and p.args,
        '<Packet 2["a",null]>',
    ),
    "bytes": (
        sio.socketio_packets(),
        of_type(PacketType.BINARY_EVENT),
        """<Packet 51-["a",{"_placeholder":true,"num":0}] + b''>""",
    ),
    "an error": (sio.socketio_packets(), of_type(PacketType.ERROR), "<Packet 4>"),
    "a message": (
        sio.engineio_packets(),
        lambda p: p.type is EnginePacketType.MESSAGE,
        "<EnginePacket 4>",
    ),
    "a message with text": (
        sio.engineio_packets(),
        lambda p: p.type is EnginePacketType.MESSAGE and p.data,
        "<EnginePacket 40>",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMPLEST)
def test_simplest(name: str) -> None:
    strategy, condition, expected = SIMPLEST[name]
    assert repr(simplest(strategy, condition)) == expected


@given(packet=sio.socketio_packets())
def test_socketio_packets(packet: Packet) -> None:
    found = list(parts(packet.data))
    attachments = sum(isinstance(part, bytes) for part in found)
    assert (packet.type >= PacketType.BINARY_EVENT) == (attachments > 0)
    assert attachments <= MAX_ATTACHMENTS
    assert not (attachments and any(map(is_placeholder, found)))
    if packet.type is PacketType.ERROR:
        assert packet.data is None or isinstance(packet.data, str | list | dict)


@given(packet=sio.engineio_packets(binary=False))
def test_without_binary(packet: EnginePacket) -> None:
    assert isinstance(packet.type, EnginePacketType)
    assert isinstance(packet.data, str)
    packet.data.encode()  # no lone surrogates


@given(packet=sio.socketio_packets(protocol=5))
def test_what_clients_of_protocol_5_send(packet: Packet) -> None:
    decoder = Decoder5()
    *heads, whole = [decoder.feed(message) for message in encode(packet)]
    assert not any(heads)
    assert whole == packet
    assert packet.type is not PacketType.ERROR
    if packet.type is PacketType.CONNECT:
        assert packet.data is None or isinstance(packet.data, dict)


@given(packet=sio.engineio_packets(version=4))
def test_bytes_of_engine_io_4_are_messages(packet: EnginePacket) -> None:
    assert isinstance(packet.data, str) or packet.type is EnginePacketType.MESSAGE


@pytest.mark.parametrize(
    ("packet", "shown"),
    [
        (Packet(PacketType.CONNECT, "/adm", {"sid": "S"}), '<Packet 0/adm,{"sid":"S"}>'),
        (
            Packet(PacketType.ERROR, "/mid", {"message": "no", "data": 0}),
            '<Packet 4/mid,{"message":"no","data":0}>',
        ),
        (Packet(PacketType.CONNECT, "/", {"token": "1"}), '<Packet 0{"token":"1"}>'),
    ],
)
def test_packets_of_protocol_5_look_as_on_the_wire(packet: Packet, shown: str) -> None:
    assert repr(packet) == shown
    assert encode(packet) == [shown.removeprefix("<Packet ").removesuffix(">")]
