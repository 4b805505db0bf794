"""Responses: as @socket.io/redis-adapter 8.3 writes them, and what is refused."""

import json

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.cluster.text import OtherGeneration
from trio_sio.protocol.cluster.v8.response import (
    FoundSocket,
    Response,
    ResponseKind,
    decode_response,
    encode_answer,
    encode_count,
    encode_departed,
    encode_done,
    encode_found,
    encode_reply,
    encode_rooms,
    encode_sids,
)
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing import strategies as sio

SID = "wsGoe8bspRc6f9P5AAAA"
FOUND = FoundSocket(SID, {"url": "/socket.io/?EIO=4", "auth": {"t": 1}}, (SID, "r2"), {"name": "x"})

# Captured from @socket.io/redis-adapter 8.3.0; `SOCKETS`, which nothing in it sends, from its code.
CAPTURED: list[tuple[bytes, Response]] = [
    (
        b'{"type":8,"requestId":"REAUua","clientCount":1}',
        Response("REAUua", ResponseKind.CLIENT_COUNT, count=1),
    ),
    (
        bytes.fromhex(
            "83a47479706509a9726571756573744964a6524541557561a67061636b6574a6616e73776572"
        ),
        Response("REAUua", ResponseKind.ANSWER, args=("answer",)),
    ),
    (
        bytes.fromhex("83a47479706509a9726571756573744964a6696941384847a67061636b6574c40109"),
        Response("iiA8HG", ResponseKind.ANSWER, args=(b"\t",)),
    ),
    (  # the client has answered with nothing
        bytes.fromhex("82a47479706509a9726571756573744964a666774e2d5161"),
        Response("fwN-Qa", ResponseKind.ANSWER),
    ),
    (
        (
            b'{"requestId":"9wvnGh","sockets":[{"id":"wsGoe8bspRc6f9P5AAAA","handshake":'
            b'{"url":"/socket.io/?EIO=4","auth":{"t":1}},"rooms":["wsGoe8bspRc6f9P5AAAA","r2"],'
            b'"data":{"name":"x"}}]}'
        ),
        Response("9wvnGh", found=(FOUND,)),
    ),
    (b'{"requestId":"UrPZ0S","sockets":[]}', Response("UrPZ0S")),
    (
        b'{"requestId":"JQqKMR","rooms":["wsGoe8bspRc6f9P5AAAA","r2","n2"]}',
        Response("JQqKMR", rooms=(SID, "r2", "n2")),
    ),
    (
        b'{"type":6,"requestId":"Fu7Yls","data":{"got":5}}',
        Response("Fu7Yls", ResponseKind.SERVER_SIDE_EMIT, data={"got": 5}),
    ),
    (b'{"requestId":"gcAWuZ","sockets":["%b"]}' % SID.encode(), Response("gcAWuZ", sids=(SID,))),
    (b'{"requestId":"g0LdtV"}', Response("g0LdtV")),
]


@pytest.mark.parametrize(("payload", "response"), CAPTURED)
def test_captured(payload: bytes, response: Response) -> None:
    assert decode_response(payload) == response


OURS: list[tuple[bytes, Response]] = [
    (encode_sids("a", (SID,), "me"), Response("a", sids=(SID,), node="me")),
    (encode_rooms("a", ("r", "é"), "me"), Response("a", rooms=("r", "é"), node="me")),
    (encode_done("a", "me"), Response("a", node="me")),
    (encode_found("a", (FOUND,), "me"), Response("a", found=(FOUND,), node="me")),
    (
        encode_count("a", 5, "me"),
        Response("a", ResponseKind.CLIENT_COUNT, count=5, node="me"),
    ),
    (
        encode_departed("a", 2, "me"),
        Response("a", ResponseKind.CLIENT_COUNT, departed=2, node="me"),
    ),
]


@pytest.mark.parametrize(("payload", "response"), OURS)
def test_ours(payload: bytes, response: Response) -> None:
    assert decode_response(payload) == response


def test_ours_are_javascripts_and_our_name() -> None:
    assert encode_count("REAUua", 1, "me") == (
        b'{"type":8,"requestId":"REAUua","clientCount":1,"node":"me"}'
    )
    assert encode_reply("Fu7Yls", {"got": 5}, "me") == (
        b'{"type":6,"requestId":"Fu7Yls","data":{"got":5},"node":"me"}'
    )
    answer = CAPTURED[1][0].replace(b"\x83", b"\x84", 1) + b"\xa4node\xa2me"
    assert encode_answer("REAUua", ["answer"], "me") == answer
    (found,) = json.loads(encode_found("a", (FOUND,), "me"))["sockets"]
    assert found == json.loads(CAPTURED[4][0])["sockets"][0]


@given(sio.json_values(binary=True))
def test_data_comes_back(data: JSON) -> None:
    reply = encode_reply("a", data, "me")
    assert encode_reply("a", decode_response(reply).data, "me") == reply
    for args in ([], [data], [data, 1]):
        answer = encode_answer("a", args, "me")
        assert encode_answer("a", decode_response(answer).args, "me") == answer
    found = encode_found("a", (FoundSocket("s", {}, (), data),), "me")
    (socket,) = decode_response(found).found
    assert encode_found("a", (socket,), "me") == found


def test_data_that_cannot_be_sent() -> None:
    unsendable: JSON = [object()]  # type: ignore[list-item]
    with pytest.raises(LocalProtocolError):
        encode_reply("a", unsendable, "me")
    with pytest.raises(LocalProtocolError):
        encode_answer("a", [unsendable], "me")
    with pytest.raises(LocalProtocolError):
        encode_found("a", (FoundSocket("s", {}, (), unsendable),), "me")


def test_the_other_generation_is_told() -> None:
    with pytest.raises(OtherGeneration, match=r"^invalid response: it is in the format"):
        decode_response(b'{"requestid":"gcAWuZ","clients":[]}')


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, '"requestId" is None'),
        ({"requestId": 5}, '"requestId" is 5'),
        ({"requestId": "a", "node": ""}, '"node" has 0'),
        ({"requestId": "a", "type": 8, "clientCount": -1}, '"clientCount" is -1'),
        ({"requestId": "a", "type": 8, "clientCount": 2**20 + 1}, '"clientCount" is 1048577'),
        ({"requestId": "a", "type": 8, "clientCount": "1"}, '"clientCount" is a str'),
        ({"requestId": "a", "type": 8, "clientCount": True}, '"clientCount" is True'),
        ({"requestId": "a", "type": 8, "departed": 0.5}, '"departed" is 0.5'),
        ({"requestId": "a", "sockets": [None]}, "None in place of a room"),
        ({"requestId": "a", "sockets": [{"id": None}]}, "None in place of a room"),
        ({"requestId": "a", "rooms": [[]]}, "in place of a room"),
    ],
)
def test_what_is_refused(members: dict[str, object], words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=r"^invalid response: ") as caught:
        decode_response(json.dumps(members).encode())
    assert words in str(caught.value)


def test_what_it_should_have_and_has_not_is_empty() -> None:
    assert decode_response(b'{"requestId":"a","sockets":5,"rooms":{}}') == Response("a")
    bare = decode_response(b'{"requestId":"a","sockets":[{"id":5,"handshake":[],"rooms":5}]}')
    assert bare.found == (FoundSocket("5"),)
    counted = decode_response(b'{"requestId":"a","type":8.0,"clientCount":3.0}')
    assert counted.count == 3


@given(
    st.dictionaries(
        st.sampled_from(["requestId", "type", "sockets", "rooms", "clientCount", "node", "packet"]),
        sio.json_values() | st.integers(-1, 9),
    )
)
def test_whatever_comes_is_read_or_refused(members: dict[str, object]) -> None:
    try:
        response = decode_response(json.dumps({"requestId": "a", **members}).encode())
    except RemoteProtocolError:
        return
    assert response.id
