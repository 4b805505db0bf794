"""Messages of the MessagePack parser, put together from their fields: read, or refused."""

import json
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.codec_msgpack import Decoder, Encoder
from trio_sio.protocol.socketio.notepack import pack
from trio_sio.protocol.socketio.packet import BINARY_OF, JSON, PLAIN_OF, Packet, PacketType
from trio_sio.testing import strategies as sio

CONNECT, DISCONNECT, EVENT, ACK, ERROR, BINARY_EVENT, BINARY_ACK = PacketType
CONTROL = (CONNECT, DISCONNECT, ERROR)


@given(sio.socketio_packets(), st.booleans())
def test_packets_come_back(packet: Packet, binary: bool) -> None:
    encoded = attempt(LocalProtocolError, Encoder().encode, packet, binary=binary)
    if isinstance(encoded, LocalProtocolError):
        assert "beyond 64 bits" in str(encoded) or "surrogate" in str(encoded)
        return
    (message,) = encoded
    received = Decoder().feed(message)
    assert received is not None
    assert received.namespace == packet.namespace
    if packet.type in CONTROL:
        assert isinstance(message, str)
        assert received.type is packet.type
        if packet.type is ERROR:
            text = "" if packet.data is None else packet.data
            assert received.data == text or json.loads(str(received.data)) == packet.data
        return
    assert isinstance(message, bytes)
    assert received.id == packet.id
    plain = PLAIN_OF.get(packet.type, packet.type)
    assert received.type is (packet.type if binary else plain)
    keys = [key for key in (b"\xa4type", b"\xa2id") if key in message]
    first = b"\xa2id" if plain is ACK and packet.id is not None else b"\xa4type"
    assert message[1:].startswith(first)
    assert len(keys) == 1 + (packet.id is not None)
    assert BINARY_OF[plain] in (BINARY_EVENT, BINARY_ACK)


VALUES: st.SearchStrategy[JSON] = st.sampled_from(
    [
        None,
        True,
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        -1,
        2.0,
        2.5,
        "",
        "a",
        "/",
        "/a",
        [],
        ["a"],
        [1],
        [None],
        {},
    ]
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.integers(0, 6) | VALUES,
        "nsp": st.just("/a") | VALUES,
        "data": st.just(["a"]) | VALUES,
        "id": st.integers(0, 9) | VALUES,
    },
)


def meant(fields: dict[str, Any]) -> Packet | None:
    """Return the packet that the fields make, `None` if they make none."""
    kind, data, ident = fields.get("type"), fields.get("data"), fields.get("id", 0)
    namespace = fields.get("nsp")
    is_number = type(kind) in (int, float) and kind in range(7)
    is_id = type(ident) in (int, float) and ident >= 0 and ident == int(ident)
    if not is_number or namespace not in ("/", "/a") or not is_id:
        return None
    assert kind is not None
    kind = PacketType(int(kind))
    if kind in (CONNECT, DISCONNECT):
        good = "data" not in fields
    elif kind is ERROR:
        good = isinstance(data, str)
    else:
        good = isinstance(data, list)
        if kind in (EVENT, BINARY_EVENT):
            good = data in (["a"], [1])
    return Packet(kind, namespace, data, int(ident) if "id" in fields else None) if good else None


@given(FIELDS)
@example({"type": 2, "nsp": "/", "data": [None]})
@example({"type": 4, "nsp": "/", "data": ["a"]})
@example({"type": 3, "nsp": "/", "data": {}})
def test_fields_make_a_packet_or_an_error(fields: dict[str, JSON]) -> None:
    for message in (json.dumps(fields), pack(fields)):
        found = attempt(RemoteProtocolError, Decoder().feed, message)
        expected = meant(fields)
        if expected is None:
            assert isinstance(found, RemoteProtocolError)
            assert str(found).startswith("invalid ")
        else:
            assert found == expected
            assert found.type is expected.type


@given(st.sampled_from(["data", "id"]), st.sampled_from([0, 1, 3]))
def test_what_is_undefined_is_not_there(key: str, kind: int) -> None:
    """JavaScript leaves it out of an object that it writes as JSON."""
    fields: dict[str, JSON] = {"type": kind, "nsp": "/", "data": ["a"], "id": 7}
    if kind < ACK:
        del fields["data"]
    whole = pack({**fields, key: "undefined"})
    message = whole.replace(pack("undefined"), b"\xd4\x00\x00")
    found = attempt(RemoteProtocolError, Decoder().feed, message)
    fields.pop(key, None)
    assert type(found) is type(expected := meant(fields)) or expected is None
    assert found == expected or isinstance(found, RemoteProtocolError)


@given(st.text() | st.sampled_from(["[]", "7", "null", '{"type":NaN}']) | st.binary(max_size=9))
@example("[" * 100_000)
@example("")
def test_what_is_no_map(message: str | bytes) -> None:
    found = attempt(RemoteProtocolError, Decoder().feed, message)
    assert isinstance(found, RemoteProtocolError)
    assert str(found).startswith("invalid ")


@given(st.none() | st.text() | sio.json_values() | st.sampled_from([float("nan"), b"x", {1}]))
@example(None)
@example(b"x")
def test_the_data_of_an_error_is_text(data: Any) -> None:  # noqa: ANN401
    for default in (None, str):
        found = attempt(LocalProtocolError, Encoder(default).encode, Packet(ERROR, "/", data))
        if isinstance(found, LocalProtocolError):
            assert str(found).startswith("cannot be sent as JSON: ")
            assert isinstance(data, bytes) or data != data or (data == {1} and default is None)
        else:
            fields = json.loads(found[0])
            assert fields == {"type": 4, "nsp": "/", "data": fields["data"]}
            if isinstance(data, str) or data is None:
                assert fields["data"] == (data or "")
            else:
                assert isinstance(fields["data"], str)


@given(st.sampled_from([EVENT, ACK]), st.integers(2**64, 2**70))
def test_what_cannot_be_sent_is_named(kind: PacketType, number: int) -> None:
    with pytest.raises(LocalProtocolError, match=r"as MessagePack: int \(beyond 64 bits\) at args"):
        Encoder().encode(Packet(kind, "/", ["a", number]))
