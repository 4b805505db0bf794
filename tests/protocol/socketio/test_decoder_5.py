"""Messages of clients of Socket.IO 3 and 4: what is stricter, and that the rest is the same."""

import json
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder, Decoder5
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing import strategies as sio

CONNECTS: list[tuple[str, Packet]] = [
    ("0", Packet(PacketType.CONNECT)),
    ("0/", Packet(PacketType.CONNECT)),
    ("0/,", Packet(PacketType.CONNECT)),
    ("01", Packet(PacketType.CONNECT)),  # an id means nothing
    ("0{}", Packet(PacketType.CONNECT, data={})),
    ('0{"token":"é"}', Packet(PacketType.CONNECT, data={"token": "é"})),
    ("0/adm", Packet(PacketType.CONNECT, "/adm")),
    ('0/adm,{"a":{"b":[null]}}', Packet(PacketType.CONNECT, "/adm", {"a": {"b": [None]}})),
    ("0/adm?q=1,", Packet(PacketType.CONNECT, "/adm?q=1")),
    ('0/adm?t=1,{"a":1}', Packet(PacketType.CONNECT, "/adm?t=1", {"a": 1})),
]


@pytest.mark.parametrize(("text", "packet"), CONNECTS)
def test_connect(text: str, packet: Packet) -> None:
    assert Decoder5().feed(text) == packet


REFUSED = [
    *("0[1]", '0"s"', "0null", "0true", '0{"a":', '0{"a":1}x', "0adm", "0/a,[]", '0{"a":NaN}'),
    *("4", '4{"message":"no"}', "4/adm,", "7", "x", "9", "-1", "\u0662", " 2", '"', "é"),
    *("", "2{}", "2[]", "2[null]", '2["x"', "1{}", "30{}", "50-", '511-["x"]', '5["x"]'),
]


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Decoder5().feed(text)


def test_what_is_in_the_way_of_attachments() -> None:
    decoder = Decoder5()
    assert decoder.feed('51-["x",{"_placeholder":true,"num":0}]') is None
    with pytest.raises(RemoteProtocolError):
        decoder.feed('2["y"]')


OTHERS = sio.socketio_packets().filter(
    lambda packet: packet.type not in (PacketType.CONNECT, PacketType.ERROR)
)


@given(OTHERS)
def test_the_other_types_are_spelled_as_ever(packet: Packet) -> None:
    messages = encode(packet)
    old, new = Decoder(), Decoder5()
    assert [new.feed(one) for one in messages] == [old.feed(one) for one in messages]
    assert new.pending is None


@given(sio.namespaces(), st.none() | st.dictionaries(st.text(max_size=3), sio.json_values()))
def test_any_connect(name: str, data: dict[str, object] | None) -> None:
    packet = Packet(PacketType.CONNECT, name, data)  # type: ignore[arg-type]  # JSON
    (message,) = encode(packet)
    assert Decoder5().feed(message) == packet


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("4", "unknown packet type: a str"),
        ("0[1]", "invalid payload: CONNECT with a list that begins with 1"),
        ("0/adm,null", "invalid payload: CONNECT with None"),
        ("51-", ""),
    ],
)
def test_what_is_wrong(text: str, error: str) -> None:
    found = attempt(RemoteProtocolError, Decoder5().feed, text)
    assert str(found or "") == error


PARTS = st.tuples(
    st.sampled_from(["0", "4", "7", "x", "é"]),
    st.sampled_from(["", "/", "/,", "/adm", "/adm?q=1,"]),
    st.sampled_from(["", "7", "9" * 19, "9" * 20]),
    st.sampled_from(["", "{}", '{"a":{"b":1}}', "null", "[]", '"s"', "{", '{"a":NaN}', "{} "]),
)


@given(PARTS)
@example(("0", "", "", ""))
@example(("0", "/adm?q=1,", "7", '{"a":{"b":1}}'))
@example(("0", "", "", "[]"))
@example(("4", "", "", ""))
def test_a_connect_is_read_as_what_its_parts_say(parts: tuple[str, str, str, str]) -> None:
    """It has an object or nothing; no other type means more than in Socket.IO 2."""
    kind, name, ident, text = parts
    found = attempt(RemoteProtocolError, Decoder5().feed, "".join(parts))
    if name and not name.endswith(","):  # all of the rest belongs to it
        name, ident, text = name + ident + text, "", ""
    data = attempt(ValueError, json.loads, text) if text and "NaN" not in text else None
    if kind == "0" and len(ident) < 20 and (not text or isinstance(data, dict)):
        expected: Any = data
        assert found == Packet(PacketType.CONNECT, name.removesuffix(",") or "/", expected)
    else:
        assert isinstance(found, RemoteProtocolError)
