"""Requests: byte for byte as @socket.io/redis-adapter 8.3 writes them, and what is refused."""

import json

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.cluster.request import (
    Request as OldRequest,
    RequestKind as OldKind,
    encode_request as encode_old_request,
)
from trio_sio.protocol.cluster.text import OtherGeneration
from trio_sio.protocol.cluster.v8.request import (
    Request,
    RequestKind,
    decode_request,
    encode_request,
)
from trio_sio.protocol.cluster.v8.selection import Manner, Selection
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing import strategies as sio

UID = "n7Xnno"
SID = "wsGoe8bspRc6f9P5AAAA"
EVERYBODY = Selection()

# Captured from @socket.io/redis-adapter 8.3.0; those about one socket, from its source.
REQUESTS = [
    (
        Request(RequestKind.REMOTE_FETCH, UID, "9wvnGh", Selection(("r2",))),
        '{"uid":"n7Xnno","requestId":"9wvnGh","type":5,"opts":{"rooms":["r2"],"except":[]}}',
    ),
    (
        Request(
            RequestKind.REMOTE_JOIN,
            UID,
            selection=Selection(("r2",), ("zz",)),
            rooms=("n1", "n2"),
        ),
        ('{"uid":"n7Xnno","type":2,"opts":{"rooms":["r2"],"except":["zz"]},"rooms":["n1","n2"]}'),
    ),
    (
        Request(RequestKind.REMOTE_LEAVE, UID, selection=EVERYBODY, rooms=("n1",)),
        '{"uid":"n7Xnno","type":3,"opts":{"rooms":[],"except":[]},"rooms":["n1"]}',
    ),
    (
        Request(RequestKind.REMOTE_DISCONNECT, UID, selection=Selection(("r2",)), close=True),
        '{"uid":"n7Xnno","type":4,"opts":{"rooms":["r2"],"except":[]},"close":true}',
    ),
    (
        Request(RequestKind.ALL_ROOMS, UID, "JQqKMR"),
        '{"uid":"n7Xnno","requestId":"JQqKMR","type":1}',
    ),
    (
        Request(RequestKind.SERVER_SIDE_EMIT, UID, "Fu7Yls", data=["q", 5]),
        '{"uid":"n7Xnno","requestId":"Fu7Yls","type":6,"data":["q",5]}',
    ),
    (
        Request(
            RequestKind.SERVER_SIDE_EMIT,
            UID,
            data=["say", 1, {"b": {"type": "Buffer", "data": [1]}}],
        ),
        '{"uid":"n7Xnno","type":6,"data":["say",1,{"b":{"type":"Buffer","data":[1]}}]}',
    ),
    (
        Request(RequestKind.SOCKETS, UID, "gcAWuZ", rooms=("a", "é")),
        '{"uid":"n7Xnno","requestId":"gcAWuZ","type":0,"rooms":["a","é"]}',
    ),
    (
        Request(RequestKind.REMOTE_JOIN, UID, "g0LdtV", rooms=("newroom",), sid=SID),
        f'{{"uid":"n7Xnno","requestId":"g0LdtV","type":2,"sid":"{SID}","room":"newroom"}}',
    ),
    (
        Request(RequestKind.REMOTE_LEAVE, UID, "g0LdtV", rooms=("newroom",), sid=SID),
        f'{{"uid":"n7Xnno","requestId":"g0LdtV","type":3,"sid":"{SID}","room":"newroom"}}',
    ),
    (
        Request(RequestKind.REMOTE_DISCONNECT, UID, "Y3OISk", sid=SID),
        f'{{"uid":"n7Xnno","requestId":"Y3OISk","type":4,"sid":"{SID}","close":false}}',
    ),
    (
        Request(RequestKind.SOCKETS, UID, "gcAWuZ", fence=True),
        '{"uid":"n7Xnno","requestId":"gcAWuZ","type":0,"rooms":[],"fence":true}',
    ),
    (  # as JavaScript's emitters say it
        Request(RequestKind.REMOTE_JOIN, selection=Selection(("a",)), rooms=("b",)),
        '{"type":2,"opts":{"rooms":["a"],"except":[]},"rooms":["b"]}',
    ),
]


@pytest.mark.parametrize(("request_", "text"), REQUESTS)
def test_requests(request_: Request, text: str) -> None:
    assert encode_request(request_) == text.encode()
    assert decode_request(text.encode()) == request_


def test_a_broadcast_with_answers() -> None:
    """`a.io.to("r2").timeout(1000).emitWithAck("ask", "é")`, captured."""
    captured = bytes.fromhex(
        "85a3756964a66e37586e6e6fa9726571756573744964a6524541557561a47479706507a67061636b6574"
        "83a47479706502a46461746192a361736ba2c3a9a36e7370a12f"
        "a46f70747383a5726f6f6d7391a27232a665786365707490a5666c61677381a774696d656f7574cd03e8"
    )
    request = Request(
        RequestKind.BROADCAST,
        UID,
        "REAUua",
        Selection(("r2",)),
        packet=Packet(PacketType.EVENT, "/", ["ask", "é"]),
        manner=Manner(timeout=1.0),
    )
    assert decode_request(captured) == request
    assert encode_request(request) == captured


@given(
    sio.json_values(binary=True),
    st.booleans(),
    st.builds(Manner, st.booleans(), st.booleans(), st.booleans()),
)
def test_events_come_back(value: object, departures: bool, manner: Manner) -> None:
    data = ["x", value]
    packet = Packet(PacketType.EVENT, "/é", data)  # type: ignore[arg-type]  # it is JSON
    for request in (
        Request(
            RequestKind.BROADCAST,
            UID,
            "a",
            Selection(("r",), ("e",)),
            packet=packet,
            manner=manner,
            departures=departures,
        ),
        Request(RequestKind.SERVER_SIDE_EMIT, UID, "a", data=data),  # type: ignore[arg-type]  # it is JSON
    ):
        sent = encode_request(request)
        back = decode_request(sent)
        assert encode_request(back) == sent
        assert (back.kind, back.departures) == (request.kind, request.departures)
        assert back.manner == request.manner


def test_bytes_make_it_messagepack() -> None:
    request = Request(RequestKind.SERVER_SIDE_EMIT, UID, data=["x", b"\x00\xff"])
    sent = encode_request(request)
    assert not sent.startswith(b"{")
    assert decode_request(sent) == request


def test_data_that_cannot_be_sent() -> None:
    for value in (object(), [b"", object()]):
        request = Request(RequestKind.SERVER_SIDE_EMIT, UID, data=["x", value])  # type: ignore[list-item]
        with pytest.raises(LocalProtocolError, match=r'object at data\["data"\]\[1\]'):
            encode_request(request)


@pytest.mark.parametrize("number", ["8", "9", "-1", "0.5", '"0"', "null", "true", "1e400", "[]"])
def test_a_request_of_an_unknown_kind_is_to_be_ignored(number: str) -> None:
    payload = b'{"requestId":"a","type":%b,"sid":5}' % number.encode()
    assert decode_request(payload) == Request(RequestKind.UNKNOWN, "", "a")


@pytest.mark.parametrize("kind", [one for one in OldKind if one is not OldKind.UNKNOWN])
def test_every_request_of_the_other_generation_is_told(kind: OldKind) -> None:
    with pytest.raises(OtherGeneration, match=r"Socket.IO 2.x and of 4.x cannot be in one cluster"):
        decode_request(encode_old_request(OldRequest("a", kind, sid="s", room="r")))


REFUSED = [
    ({"type": 0, "rooms": []}, '"requestId" is None'),
    ({"type": 1}, '"requestId" is None'),
    ({"type": 5, "opts": {}}, '"requestId" is None'),
    ({"type": 7, "opts": {}, "packet": {}}, '"requestId" is None'),
    ({"type": 1, "requestId": ""}, '"requestId" has 0'),
    ({"type": 1, "requestId": "x" * 257}, '"requestId" is a str'),
    ({"type": 1, "requestId": "a", "uid": 5}, '"uid" is 5'),
    ({"type": 0, "requestId": "a", "rooms": "r"}, '"rooms" is a str'),
    ({"type": 5, "requestId": "a", "opts": 5}, "the options are 5"),
    ({"type": 5, "requestId": "a", "opts": {"rooms": 5}}, '"rooms" is 5'),
    ({"type": 2, "opts": {"rooms": []}, "rooms": [[]]}, "in place of a room"),
    ({"type": 2, "opts": 5, "rooms": []}, "the options are 5"),
    ({"type": 2, "sid": "s"}, "None in place of a room"),
    ({"type": 3, "room": "r"}, "None in place of a room"),
    ({"type": 4, "close": True}, "None in place of a room"),
    ({"type": 6, "data": []}, "an event with"),
    ({"type": 6, "data": "x"}, "an event with"),
    ({"type": 6}, "an event with None"),
    ({"type": 7, "requestId": "a", "packet": 5}, "5 in place of a packet"),
    ({"type": 7, "requestId": "a", "packet": {"type": 2, "data": []}}, "an event with"),
]


@pytest.mark.parametrize(("members", "words"), REFUSED, ids=[f"{m}" for m, _ in REFUSED])
def test_what_is_refused(members: dict[str, object], words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=r"^invalid request: ") as caught:
        decode_request(json.dumps(members).encode())
    assert words in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from(["uid", "requestId", "type", "opts", "rooms", "sid", "room", "packet"]),
        sio.json_values() | st.integers(-1, 9),
    )
)
def test_whatever_comes_is_read_or_refused(members: dict[str, object]) -> None:
    try:
        request = decode_request(json.dumps(members).encode())
    except RemoteProtocolError:
        return
    assert isinstance(request.kind, RequestKind)
