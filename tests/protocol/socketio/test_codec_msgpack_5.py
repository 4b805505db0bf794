"""MessagePack of Socket.IO 3 and 4, against bytes of socket.io-msgpack-parser 3.0."""

import pytest
from hypothesis import assume, given, reject, strategies as st

from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.codec_msgpack import Decoder, Decoder5, Encoder, Encoder5, as_5
from trio_sio.protocol.socketio.notepack import pack
from trio_sio.protocol.socketio.packet import JSON, PLAIN_OF, Packet, PacketType
from trio_sio.testing import strategies as sio

CONNECT, DISCONNECT, EVENT, ACK, ERROR, BINARY_EVENT, BINARY_ACK = PacketType


def key(text: str) -> bytes:
    return bytes((0xA0 | len(text),)) + text.encode()


SENT: list[tuple[Packet, bytes]] = [
    (
        Packet(EVENT, data=["hello", 1, "é", b"\x01\x02\x03"]),
        b"\x83" + key("type") + b"\x02" + key("data") + b"\x94" + key("hello") + b"\x01\xa2\xc3\xa9"
        b"\xc4\x03\x01\x02\x03" + key("nsp") + key("/"),
    ),
    (
        Packet(ACK, data=[b"\x09"], id=0),
        b"\x84" + key("id") + b"\x00" + key("type") + b"\x03" + key("data") + b"\x91\xc4\x01\x09"
        + key("nsp") + key("/"),
    ),
    (Packet(DISCONNECT, "/adm"), b"\x82" + key("type") + b"\x01" + key("nsp") + key("/adm")),
    (
        Packet(CONNECT, data={"sid": "a"}),
        b"\x83" + key("type") + b"\x00" + key("data") + b"\x81" + key("sid") + key("a")
        + key("nsp") + key("/"),
    ),
    (
        Packet(ERROR, "/n", {"message": "no"}),
        b"\x83" + key("type") + b"\x04" + key("data") + b"\x81" + key("message") + key("no")
        + key("nsp") + key("/n"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("packet", "message"), SENT)
def test_sent(packet: Packet, message: bytes) -> None:
    assert Encoder5().encode(packet) == [message]


def test_what_contains_itself_cannot_be_sent() -> None:
    loop: list[JSON] = []
    loop.append(loop)
    with pytest.raises(LocalProtocolError):
        Encoder5().encode(Packet(EVENT, data=["a", loop]))


RECEIVED: list[tuple[bytes, Packet]] = [
    (pack({"type": 0, "data": {"t": 1}, "nsp": "/"}), Packet(CONNECT, data={"t": 1})),
    (pack({"type": 0, "nsp": "/adm"}), Packet(CONNECT, "/adm")),
    (
        b"\x83" + key("type") + b"\x00" + key("data") + b"\xd4\x00\x00" + key("nsp") + key("/"),
        Packet(CONNECT),  # undefined, as a client without `auth` writes it
    ),
    (
        pack(
            {"type": 2, "data": ["e", b"\x09"], "options": {"compress": True}, "id": 0, "nsp": "/"}
        ),
        Packet(EVENT, data=["e", b"\x09"], id=0),
    ),
    (pack({"type": 1, "nsp": "/adm"}), Packet(DISCONNECT, "/adm")),
    (pack({"id": 7, "type": 3, "data": [], "nsp": "/"}), Packet(ACK, data=[], id=7)),
]


@pytest.mark.parametrize(("message", "packet"), RECEIVED)
def test_received(message: bytes, packet: Packet) -> None:
    assert Decoder5().feed(message) == packet


WRONG: list[JSON] = [
    {"type": 0, "data": ["a"], "nsp": "/"},
    {"type": 0, "data": "a", "nsp": "/"},
    {"type": 0, "data": None, "nsp": "/"},
    {"type": 0},
    {"type": 1, "data": [], "nsp": "/"},
    {"type": 2, "data": [], "nsp": "/"},
    {"type": 2, "data": {"0": "a"}, "nsp": "/"},
    {"type": 2, "nsp": "/"},
    {"type": 2, "data": ["a"], "nsp": "x"},
    {"type": 2, "data": ["a"], "nsp": "/", "id": None},
    {"type": 2, "data": ["a"], "nsp": "/", "id": -1},
    {"type": 3, "data": "a", "nsp": "/"},
    {"type": 4, "data": "a", "nsp": "/"},
    {"type": 5, "data": ["a"], "nsp": "/"},
    {"type": 7, "nsp": "/"},
    {"type": "2", "data": ["a"], "nsp": "/"},
    [],
    None,
]


@pytest.mark.parametrize("fields", WRONG)
def test_refused(fields: JSON) -> None:
    with pytest.raises(RemoteProtocolError):
        Decoder5().feed(pack(fields))


@pytest.mark.parametrize("message", ["0", '{"type":0,"nsp":"/"}', b"", b"\x82", b"\xc1"])
def test_what_is_no_message(message: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        Decoder5().feed(message)


def test_trailing_bytes() -> None:
    with pytest.raises(RemoteProtocolError):
        Decoder5().feed(pack({"type": 0, "nsp": "/"}) + b"\xc0")


def _is_of_a_client(packet: Packet) -> bool:
    if packet.type is CONNECT:
        return packet.data is None or isinstance(packet.data, dict)
    return packet.type is not ERROR


packets = sio.socketio_packets().filter(_is_of_a_client)


def encoded(encoder: Encoder, packet: Packet) -> list[str | bytes]:
    """The messages, of a packet that MessagePack can carry: integers of 64 bits."""
    try:
        return encoder.encode(packet)
    except LocalProtocolError:
        reject()


@given(packets)
def test_what_is_encoded_is_decoded(packet: Packet) -> None:
    assume(packet.type is not CONNECT or packet.data is not None)  # a server always says the id
    (message,) = encoded(Encoder5(), packet)
    plain = PLAIN_OF.get(packet.type, packet.type)
    as_of_2 = Packet(EVENT, "/", ["x", packet.data])
    (value,) = Decoder().feed(*Encoder().encode(as_of_2)).args  # type: ignore[union-attr]
    assert Decoder5().feed(message) == Packet(plain, packet.namespace, value, packet.id)


@given(packets.filter(lambda packet: packet.type not in (CONNECT, DISCONNECT)))
def test_one_is_made_of_the_other(packet: Packet) -> None:
    (made,) = as_5(encoded(Encoder(), packet))
    (message,) = Encoder5().encode(packet)
    assert Decoder5().feed(made) == Decoder5().feed(message)


@given(st.binary(max_size=60) | st.text(max_size=9))
def test_garbage_is_a_packet_or_refused(message: str | bytes) -> None:
    try:
        packet = Decoder5().feed(message)
    except RemoteProtocolError:
        return
    assert packet is not None
    assert packet.type in (CONNECT, DISCONNECT, EVENT, ACK)


FIELDS = st.fixed_dictionaries(
    {"type": st.integers(-1, 7), "nsp": st.sampled_from(["/", "/a", "x"])},
    optional={"id": st.integers(-1, 9) | st.none()},
)
DATA = st.none() | st.text(max_size=3) | st.lists(st.text(max_size=3)) | st.just({"token": "x"})
WRONG_PARTS = ("packet type", "namespace", "payload", "packet id")


def fed(message: bytes) -> Packet | str | None:
    """The packet, or what the error calls it."""
    try:
        return Decoder5().feed(message)
    except RemoteProtocolError as error:
        return str(error.args[0])


@given(FIELDS, DATA)
def test_a_client_may_send_this_and_nothing_else(fields: dict[str, JSON], data: JSON) -> None:
    packet = fed(pack({**fields, "data": data}))
    if isinstance(packet, Packet):
        assert (int(packet.type), packet.data) == (fields["type"], data)
        assert isinstance(data, {CONNECT: dict, EVENT: list, ACK: list}[packet.type])
        assert fields["nsp"] != "x"
        assert fields.get("id", 0) in range(10)
    else:
        assert packet in {f"invalid {what}" for what in WRONG_PARTS}


@given(FIELDS)
def test_undefined_data_is_no_data(fields: dict[str, JSON]) -> None:
    packed = pack(fields)
    undefined = bytes((packed[0] + 1,)) + packed[1:] + key("data") + b"\xd4\x00\x00"
    assert fed(undefined) == fed(packed)


def test_an_answer_to_connect_and_what_asks_for_it() -> None:
    answer = bytes.fromhex("83a47479706500a46461746181a3736964a153a36e7370a12f")
    assert Encoder5().encode(Packet(CONNECT, data={"sid": "S"})) == [answer]
    assert fed(answer) == Packet(CONNECT, data={"sid": "S"})
    (asking,) = Encoder5().encode(Packet(CONNECT))
    assert asking == bytes.fromhex("82a47479706500a36e7370a12f")  # null would be refused
    assert fed(asking) == Packet(CONNECT)
