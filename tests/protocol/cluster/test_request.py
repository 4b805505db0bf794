"""Requests and responses: byte for byte as socket.io-redis 5 writes them, and what is refused."""

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.cluster.request import (
    Request,
    RequestKind,
    Response,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.testing import strategies as sio

SID = "SB5pVBjX7lzCQYs8AAAA"

REQUESTS = [
    (Request("gcAWuZ", RequestKind.CLIENTS), '{"requestid":"gcAWuZ","type":0,"rooms":[]}'),
    (
        Request("gcAWuZ", RequestKind.CLIENTS, rooms=("a", "é")),
        '{"requestid":"gcAWuZ","type":0,"rooms":["a","é"]}',
    ),
    (
        Request("hQY7if", RequestKind.CLIENT_ROOMS, sid=SID),
        f'{{"requestid":"hQY7if","type":1,"sid":"{SID}"}}',
    ),
    (Request("YPyZ30", RequestKind.ALL_ROOMS), '{"requestid":"YPyZ30","type":2}'),
    (
        Request("g0LdtV", RequestKind.REMOTE_JOIN, sid=SID, room="newroom"),
        f'{{"requestid":"g0LdtV","type":3,"sid":"{SID}","room":"newroom"}}',
    ),
    (
        Request("OTWp3h", RequestKind.REMOTE_LEAVE, sid=SID, room="newroom"),
        f'{{"requestid":"OTWp3h","type":4,"sid":"{SID}","room":"newroom"}}',
    ),
    (
        Request("vDnWQ6", RequestKind.CUSTOM_REQUEST, data={"q": 1}),
        '{"requestid":"vDnWQ6","type":5,"data":{"q":1}}',
    ),
    (
        Request("vDnWQ6", RequestKind.CUSTOM_REQUEST),
        '{"requestid":"vDnWQ6","type":5,"data":null}',
    ),
    (
        Request("Y3OISk", RequestKind.REMOTE_DISCONNECT, sid=SID, close=True),
        f'{{"requestid":"Y3OISk","type":6,"sid":"{SID}","close":true}}',
    ),
    (
        Request("Y3OISk", RequestKind.REMOTE_DISCONNECT, sid=SID),
        f'{{"requestid":"Y3OISk","type":6,"sid":"{SID}","close":false}}',
    ),
]


@pytest.mark.parametrize(("request_", "text"), REQUESTS)
def test_requests(request_: Request, text: str) -> None:
    assert encode_request(request_) == text.encode()
    assert decode_request(text.encode()) == request_


RESPONSES = [
    (
        RequestKind.CLIENTS,
        Response("gcAWuZ", clients=(SID,)),
        f'{{"requestid":"gcAWuZ","clients":["{SID}"]}}',
    ),
    (RequestKind.CLIENTS, Response("gcAWuZ"), '{"requestid":"gcAWuZ","clients":[]}'),
    (
        RequestKind.CLIENT_ROOMS,
        Response("hQY7if", rooms=(SID, "r2")),
        f'{{"requestid":"hQY7if","rooms":["{SID}","r2"]}}',
    ),
    (RequestKind.ALL_ROOMS, Response("YPyZ30"), '{"requestid":"YPyZ30","rooms":[]}'),
    (RequestKind.REMOTE_JOIN, Response("g0LdtV"), '{"requestid":"g0LdtV"}'),
    (RequestKind.REMOTE_LEAVE, Response("OTWp3h"), '{"requestid":"OTWp3h"}'),
    (
        RequestKind.CUSTOM_REQUEST,
        Response("vDnWQ6", data=[1, "é"]),
        '{"requestid":"vDnWQ6","data":[1,"é"]}',
    ),
    (RequestKind.CUSTOM_REQUEST, Response("vDnWQ6"), '{"requestid":"vDnWQ6","data":null}'),
    (
        RequestKind.REMOTE_DISCONNECT,
        Response("Y3OISk", node="5GiuAX"),
        '{"requestid":"Y3OISk","node":"5GiuAX"}',
    ),
    (
        RequestKind.ALL_ROOMS,
        Response("YPyZ30", rooms=("a",), node="5GiuAX"),
        '{"requestid":"YPyZ30","rooms":["a"],"node":"5GiuAX"}',
    ),
]


@pytest.mark.parametrize(("kind", "response", "text"), RESPONSES)
def test_responses(kind: RequestKind, response: Response, text: str) -> None:
    assert encode_response(response, kind) == text.encode()
    assert decode_response(text.encode()) == response


@given(st.text(min_size=1, max_size=20), sio.json_values())
def test_data_comes_back(ident: str, data: object) -> None:
    request = Request(ident, RequestKind.CUSTOM_REQUEST, data=data)  # type: ignore[arg-type]
    assert decode_request(encode_request(request)) == request
    response = Response(ident, data=data)  # type: ignore[arg-type]
    assert decode_response(encode_response(response, RequestKind.CUSTOM_REQUEST)) == response


def test_data_that_cannot_be_sent() -> None:
    unsendable = {"x": object()}
    request = Request("a", RequestKind.CUSTOM_REQUEST, data=unsendable)  # type: ignore[arg-type]
    with pytest.raises(LocalProtocolError, match=r'object at data\["data"\]\["x"\]'):
        encode_request(request)


@pytest.mark.parametrize("number", ["7", "-1", "0.5", '"0"', "null", "true", "1e400", "[]"])
def test_a_request_of_an_unknown_kind_is_to_be_ignored(number: str) -> None:
    request = decode_request(b'{"requestid":"a","type":%b,"sid":5}' % number.encode())
    assert request == Request("a", RequestKind.UNKNOWN)


def test_a_request_without_a_type_is_to_be_ignored() -> None:
    assert decode_request(b'{"requestid":"a"}') == Request("a", RequestKind.UNKNOWN)


def test_javascripts_numbers_and_truth() -> None:
    kind = RequestKind.REMOTE_JOIN
    request = decode_request(b'{"requestid":"a","type":3.0,"sid":"s","room":5}')
    assert request == Request("a", kind, sid="s", room="5")
    assert decode_request(b'{"requestid":"a","type":6,"sid":"s","close":1}').close
    assert not decode_request(b'{"requestid":"a","type":6,"sid":"s"}').close
    assert decode_request(b'{"requestid":"a","type":0,"rooms":null}').rooms == ()
    assert decode_request(b'{"requestid":"a","type":0}').rooms == ()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "not JSON"),
        ("[]", "a list"),
        ("{}", '"requestid" is None'),
        ('{"requestid":"","type":2}', '"requestid" has 0 characters'),
        ('{"requestid":5,"type":2}', '"requestid" is 5'),
        ('{"requestid":"a","type":0,"rooms":"b"}', '"rooms" is a str'),
        ('{"requestid":"a","type":0,"rooms":[{}]}', "a dict in place of a room"),
        ('{"requestid":"a","type":1}', "None in place of a room"),
        ('{"requestid":"a","type":3,"sid":"s"}', "None in place of a room"),
        ('{"requestid":"a","type":6,"sid":["s"]}', "a list that begins with"),
    ],
)
def test_refused_requests(text: str, hint: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        decode_request(text.encode())
    assert str(refused.value).startswith(f"invalid request: {hint}")


def test_a_longer_id_than_anybody_makes_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="257 characters"):
        decode_request(b'{"requestid":"%b","type":2}' % (b"a" * 257))
    assert decode_request(b'{"requestid":"%b","type":2}' % (b"a" * 256)).id == "a" * 256


@pytest.mark.parametrize(
    "text",
    [
        '{"requestId":"gcAWuZ","type":3,"rooms":["a"],"sid":"s","room":"r"}',
        '{"uid":"x","requestId":"gcAWuZ","type":0,"sockets":["a"]}',
    ],
)
def test_messages_of_later_versions_are_recognized(text: str) -> None:
    with pytest.raises(RemoteProtocolError, match=r"socket.io-redis 6 or later"):
        decode_request(text.encode())
    with pytest.raises(RemoteProtocolError, match=r"socket.io-redis 6 or later"):
        decode_response(text.encode())


@pytest.mark.parametrize("text", ['{"requestid":"a"}', '{"requestid":"a","clients":"b","rooms":5}'])
def test_a_response_without_the_array_counts(text: str) -> None:
    assert decode_response(text.encode()) == Response("a")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("nonsense", "not JSON"),
        ("{}", '"requestid" is None'),
        ('{"requestid":"a","clients":[[]]}', "a list in place of a room"),
        ('{"requestid":"a","node":null}', '"node" is None'),
    ],
)
def test_refused_responses(text: str, hint: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        decode_response(text.encode())
    assert str(refused.value).startswith(f"invalid response: {hint}")
