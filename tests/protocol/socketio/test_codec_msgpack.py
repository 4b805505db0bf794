"""Packets as socket.io-msgpack-parser writes and reads them, byte by byte."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.checks import MAX_ID
from trio_sio.protocol.socketio.codec_msgpack import Decoder, Encoder
from trio_sio.protocol.socketio.notepack import pack
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType

CONNECT, DISCONNECT, EVENT, ACK, ERROR, BINARY_EVENT, BINARY_ACK = PacketType

WIRE = [  # as observed on the real server
    (Packet(CONNECT), '{"type":0,"nsp":"/"}'),
    (Packet(DISCONNECT, "/admin"), '{"type":1,"nsp":"/admin"}'),
    (
        Packet(ERROR, "/nope", "Invalid namespace"),
        '{"type":4,"nsp":"/nope","data":"Invalid namespace"}',
    ),
    (
        Packet(BINARY_EVENT, "/", ["hello", 1, "é", b"\x01\x02\x03"]),
        b"\x83\xa4type\x05\xa4data\x94\xa5hello\x01\xa2\xc3\xa9\xc4\x03\x01\x02\x03\xa3nsp\xa1/",
    ),
    (
        Packet(EVENT, "/", ["ev", 1], 7),
        b"\x84\xa4type\x02\xa4data\x92\xa2ev\x01\xa2id\x07\xa3nsp\xa1/",
    ),
    (
        Packet(ACK, "/", [None, True], 0),
        b"\x84\xa2id\x00\xa4type\x03\xa4data\x92\xc0\xc3\xa3nsp\xa1/",
    ),
    (
        Packet(BINARY_ACK, "/a", [b""], 300),
        b"\x84\xa2id\xcd\x01\x2c\xa4type\x06\xa4data\x91\xc4\x00\xa3nsp\xa2/a",
    ),
]


@pytest.mark.parametrize(("packet", "message"), WIRE)
def test_both_ways(packet: Packet, message: str | bytes) -> None:
    assert Encoder().encode(packet) == [message]
    assert Decoder().feed(message) == packet


@pytest.mark.parametrize(
    ("message", "packet"),
    [
        (
            '{"type":0,"query":"t=1","nsp":"/adm?t=1","options":{}}',
            Packet(CONNECT, "/adm?t=1"),
        ),
        (
            b"\x85\xa4type\x02\xa4data\x92\xa2ev\x81\xa1a\x01%s\xa2id\x00\xa3nsp\xa1/"
            % b"\xa7options\x81\xa8compress\xc3",
            Packet(EVENT, "/", ["ev", {"a": 1}], 0),
        ),
        ('{"type":2,"nsp":"/","data":["a"],"id":3}', Packet(EVENT, "/", ["a"], 3)),
        (pack({"type": 1, "nsp": "/"}), Packet(DISCONNECT)),
        (pack({"type": 2.0, "nsp": "/", "data": [7.0], "id": 3.0}), Packet(EVENT, "/", [7.0], 3)),
        (b"\x83\xa4type\x00\xa3nsp\xa1/\xa4data\xd4\x00\x00", Packet(CONNECT)),
        (
            b"\x84\xa4type\x02\xa3nsp\xa1/\xa4data\x91\xa1a\xa2id\xd4\x00\x00",
            Packet(EVENT, "/", ["a"]),
        ),
    ],
)
def test_what_clients_send(message: str | bytes, packet: Packet) -> None:
    assert Decoder().feed(message) == packet


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ([], "invalid format"),
        (None, "invalid format"),
        ({"nsp": "/"}, "invalid packet type"),
        ({"type": 7, "nsp": "/"}, "invalid packet type"),
        ({"type": -1, "nsp": "/"}, "invalid packet type"),
        ({"type": "2", "nsp": "/", "data": []}, "invalid packet type"),
        ({"type": True, "nsp": "/"}, "invalid packet type"),
        ({"type": 2.5, "nsp": "/", "data": []}, "invalid packet type"),
        ({"type": 0}, "invalid namespace"),
        ({"type": 0, "nsp": 1}, "invalid namespace"),
        ({"type": 0, "nsp": "/", "data": None}, "invalid payload"),
        ({"type": 1, "nsp": "/", "data": "x"}, "invalid payload"),
        ({"type": 2, "nsp": "/"}, "invalid payload"),
        ({"type": 2, "nsp": "/", "data": {}}, "invalid payload"),
        ({"type": 3, "nsp": "/", "data": "x", "id": 1}, "invalid payload"),
        ({"type": 4, "nsp": "/", "data": {"a": 1}}, "invalid payload"),
        ({"type": 5, "nsp": "/", "data": None}, "invalid payload"),
        ({"type": 2, "nsp": "/", "data": []}, "invalid payload"),
        ({"type": 0, "nsp": "chat"}, "invalid namespace"),
        ({"type": 3, "nsp": "/", "data": [], "id": -1}, "invalid packet id"),
        ({"type": 3, "nsp": "/", "data": [], "id": None}, "invalid packet id"),
        ({"type": 3, "nsp": "/", "data": [], "id": "1"}, "invalid packet id"),
        ({"type": 3, "nsp": "/", "data": [], "id": 0.5}, "invalid packet id"),
        ({"type": 3, "nsp": "/", "data": [], "id": MAX_ID + 1}, "invalid packet id"),
        ({"type": 2, "nsp": "/", "data": [], "id": None}, "invalid packet id"),
        ({"type": 2, "nsp": "/", "data": None, "id": None}, "invalid payload"),
    ],
)
def test_what_breaks_the_protocol(fields: JSON, error: str) -> None:
    with pytest.raises(RemoteProtocolError, match=error):
        Decoder().feed(pack(fields))


@pytest.mark.parametrize("message", ["", "{", "[" * 100_000, "2[]", "NaN"])
def test_texts_that_are_no_packet(message: str) -> None:
    with pytest.raises(RemoteProtocolError, match="invalid format"):
        Decoder().feed(message)


@given(st.one_of(st.binary(), st.text()))
def test_anything_is_a_packet_or_an_error(message: str | bytes) -> None:
    try:
        packet = Decoder().feed(message)
    except RemoteProtocolError:
        return
    assert packet is not None
    assert packet.namespace == str(packet.namespace)


def test_binary_false_calls_it_plain() -> None:
    (message,) = Encoder().encode(Packet(EVENT, "/", ["a", {"b": [b"\x00"]}]), binary=False)
    assert isinstance(message, bytes)
    assert message.startswith(b"\x83\xa4type\x02")
    assert Decoder().feed(message) == Packet(EVENT, "/", ["a", {"b": [b"\x00"]}])


@pytest.mark.parametrize(
    ("data", "text"), [(None, ""), ({"code": 1}, '{"code":1}'), ([1], "[1]"), ("é", "é")]
)
def test_the_data_of_an_error_is_a_text(data: JSON, text: str) -> None:
    """The JavaScript client throws at anything else."""
    (message,) = Encoder().encode(Packet(ERROR, "/", data))
    assert Decoder().feed(message) == Packet(ERROR, "/", text)


def test_dates_and_large_integers() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    data: list[JSON] = ["a", now, 2**64 - 1, -(2**63), float("inf")]  # type: ignore[list-item]
    (message,) = Encoder().encode(Packet(EVENT, "/", data))
    assert Decoder().feed(message) == Packet(EVENT, "/", data)


@pytest.mark.parametrize("value", [2**64, {1, 2}, object()])
def test_what_cannot_be_sent(value: JSON) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be sent as MessagePack"):
        Encoder().encode(Packet(EVENT, "/", ["a", value]))


@pytest.mark.parametrize("binary", [True, False])
def test_what_contains_itself_cannot_be_sent(binary: bool) -> None:
    loop: list[JSON] = []
    loop.append(loop)
    with pytest.raises(LocalProtocolError):
        Encoder().encode(Packet(EVENT, "/", ["a", loop]), binary=binary)


def nested(levels: int) -> JSON:
    value: JSON = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("data", [{"a": b""}, [float("nan")], nested(100_000)], ids=type)
def test_an_error_that_json_cannot_say(data: JSON) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be sent as JSON"):
        Encoder().encode(Packet(ERROR, "/", data))
    with pytest.raises(LocalProtocolError, match="cannot be sent as JSON"):
        Encoder(lambda value: value).encode(Packet(ERROR, "/", data))  # which makes nothing of it
