"""Broadcasts: byte for byte as @socket.io/redis-adapter 8.3 publishes them, and what is refused."""

import msgpack
import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.cluster.text import MAX_NAME
from trio_sio.protocol.cluster.v8.broadcast import (
    Broadcast,
    decode_broadcast,
    encode_broadcast,
)
from trio_sio.protocol.cluster.v8.selection import Manner, Selection
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing import strategies as sio

SID = "wGsOe8bspRc6f9P5AAAA"


def event(*data: object, namespace: str = "/") -> Packet:
    return Packet(PacketType.EVENT, namespace, list(data))  # type: ignore[arg-type]


# Captured from @socket.io/redis-adapter 8.3.0 with socket.io 4.8.1.
CAPTURED = [
    (
        Broadcast("n7Xnno", event("hi", 1, "é")),
        (
            "93a66e37586e6e6f83a47479706502a46461746193a2686901a2c3a9a36e7370a12f"
            "83a5726f6f6d7390a665786365707490a5666c61677380"
        ),
    ),
    (
        Broadcast("n7Xnno", event("bin", b"\x01\x02\x03")),
        (
            "93a66e37586e6e6f83a47479706502a46461746192a362696ec403010203a36e7370a12f"
            "83a5726f6f6d7390a665786365707490a5666c61677380"
        ),
    ),
    (
        Broadcast("n7Xnno", event("one"), Selection(("r2",), ("r3",)), Manner(True, False)),
        (
            "93a66e37586e6e6f83a47479706502a46461746191a36f6e65a36e7370a12f83a5726f6f6d7391a27232"
            "a665786365707491a27233a5666c61677382a8766f6c6174696c65c3a8636f6d7072657373c2"
        ),
    ),
    (
        Broadcast("n7Xnno", event("two"), Selection(("r1", "r2"))),
        (
            "93a66e37586e6e6f83a47479706502a46461746191a374776fa36e7370a12f"
            "83a5726f6f6d7392a27231a27232a665786365707490a5666c61677380"
        ),
    ),
    (
        Broadcast("Mmr8g5", event("bc"), Selection((), (SID,))),
        (
            "93a64d6d7238673583a47479706502a46461746191a26263a36e7370a12f"
            "83a5726f6f6d7390a665786365707491b47747734f65386273705263366639503541414141a5666c61677380"
        ),
    ),
]


def encoded(message: Broadcast) -> bytes:
    selection = message.selection
    return encode_broadcast(
        message.uid, message.packet, selection.rooms, selection.excepted, message.manner
    )


@pytest.mark.parametrize(("message", "captured"), CAPTURED)
def test_captured(message: Broadcast, captured: str) -> None:
    assert encoded(message).hex() == captured
    assert decode_broadcast(bytes.fromhex(captured)) == message


def test_a_flag_that_means_nothing_here() -> None:
    """`io.timeout(1000).emit("t")`, captured."""
    captured = (
        "93a66e37586e6e6f83a47479706502a46461746191a174a36e7370a12f"
        "83a5726f6f6d7390a665786365707490a5666c61677381a774696d656f7574cd03e8"
    )
    assert decode_broadcast(bytes.fromhex(captured)) == Broadcast(
        "n7Xnno", event("t"), manner=Manner(timeout=1.0)
    )


ROOMS = st.lists(st.text(max_size=4), max_size=3).map(tuple)
MANNERS = st.builds(Manner, st.booleans(), st.booleans(), st.booleans())


@given(sio.json_values(binary=True), ROOMS, ROOMS, MANNERS)
def test_what_is_sent_is_what_is_read(
    value: object, rooms: tuple[str, ...], excepted: tuple[str, ...], manner: Manner
) -> None:
    packet = event("x", value, namespace="/n")
    sent = encode_broadcast("me", packet, rooms, excepted, manner)
    back = decode_broadcast(sent)
    assert (back.uid, back.selection, back.manner) == ("me", Selection(rooms, excepted), manner)
    assert encoded(back) == sent


@given(st.binary(max_size=60))
def test_bytes_are_read_or_refused(payload: bytes) -> None:
    try:
        message = decode_broadcast(payload)
    except RemoteProtocolError:
        return
    assert message.packet.type is PacketType.EVENT


FIELDS = {"type": 2, "data": ["x"], "nsp": "/"}
REFUSED = [
    ("text", "a str in place of sender"),
    (["me"], "a list that begins with"),
    ([1, FIELDS, {}], "the sender is 1"),
    (["", FIELDS, {}], "the sender is"),
    (["x" * 257, FIELDS, {}], "the sender is"),
    (["me", None, {}], "None in place of a packet"),
    (["me", FIELDS | {"type": 3}, {}], "type 3"),
    (["me", FIELDS | {"type": True}, {}], "type True"),
    (["me", FIELDS | {"data": []}, {}], "an event with"),
    (["me", FIELDS | {"data": "x"}, {}], "an event with"),
    (["me", FIELDS | {"nsp": 5}, {}], "the namespace is 5"),
    (["me", FIELDS | {"id": 5}, {}], "an event with an id"),
    (["me", FIELDS, []], "the options are"),
    (["me", FIELDS, {"rooms": "r"}], '"rooms" is'),
    (["me", FIELDS, {"except": {}}], '"except" is'),
    (["me", FIELDS, {"rooms": [None]}], "None in place of a room"),
    (["me", FIELDS, {"flags": "f"}], "the flags are"),
]


@pytest.mark.parametrize(("value", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_is_refused(value: object, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=r"^invalid broadcast: ") as caught:
        decode_broadcast(msgpack.packb(value))
    assert words in str(caught.value)


@pytest.mark.parametrize("options", [[], [None], [{}], [{"rooms": None, "flags": None}]])
def test_what_may_be_left_out(options: list[object]) -> None:
    fields = {"type": 5, "data": ["x", 1]}
    payload = msgpack.packb(["me", fields, *options])
    assert decode_broadcast(payload) == Broadcast("me", event("x", 1))


def test_data_that_cannot_be_sent() -> None:
    with pytest.raises(LocalProtocolError, match=r"to other servers: object at args\[0\]"):
        encode_broadcast("me", event("x", object()))


@pytest.mark.parametrize("size", [1, MAX_NAME])
def test_how_long_the_name_of_a_server_may_be(size: int) -> None:
    message = encode_broadcast("n" * size, event("hi"), (), (), Manner())
    assert decode_broadcast(message).uid == "n" * size
    for other in ("", "n" * (MAX_NAME + 1)):
        with pytest.raises(RemoteProtocolError):
            decode_broadcast(encode_broadcast(other, event("hi"), (), (), Manner()))
