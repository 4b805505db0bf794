"""Requests and responses: byte for byte as socket.io-redis 5 writes them, and what is refused."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from tests.support.spoiled import JUNK
from trio_sio.protocol.cluster.request import (
    Request,
    RequestKind,
    Response,
    decode_request,
    decode_response,
    encode_request,
    encode_response,
)
from trio_sio.protocol.cluster.text import OtherGeneration, write_object
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.notepack import pack_data
from trio_sio.protocol.socketio.packet import JSON
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


def test_neither_changes_while_somebody_waits() -> None:
    with pytest.raises(FrozenInstanceError):
        Request("a", RequestKind.ALL_ROOMS).id = "b"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Response("a").rooms = ("b",)  # type: ignore[misc]


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
        "\x82\xa9requestId\xa6gcAWuZ\xa4type\x07",
    ],
)
def test_messages_of_later_versions_are_recognized(text: str) -> None:
    with pytest.raises(OtherGeneration, match=r"in the format of another generation of servers"):
        decode_request(text.encode("latin-1"))
    with pytest.raises(OtherGeneration, match=r"in the format of another generation of servers"):
        decode_response(text.encode("latin-1"))


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


TEXT = st.text(max_size=5)
IDS = st.text(min_size=1, max_size=20)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """Requests with what their kind has, and nothing else."""
    kind = draw(st.sampled_from([kind for kind in RequestKind if kind >= 0]))
    is_join = kind in (RequestKind.REMOTE_JOIN, RequestKind.REMOTE_LEAVE)
    has_sid = is_join or kind in (RequestKind.CLIENT_ROOMS, RequestKind.REMOTE_DISCONNECT)
    return Request(
        draw(IDS),
        kind,
        tuple(draw(st.lists(TEXT, max_size=3))) if kind is RequestKind.CLIENTS else (),
        draw(TEXT) if has_sid else "",
        draw(TEXT) if is_join else "",
        kind is RequestKind.REMOTE_DISCONNECT and draw(st.booleans()),
        draw(sio.json_values()) if kind is RequestKind.CUSTOM_REQUEST else None,
    )


@given(requests())
def test_a_request_comes_back(request_: Request) -> None:
    assert decode_request(encode_request(request_)) == request_


@given(
    st.sampled_from([kind for kind in RequestKind if kind >= 0]),
    st.builds(Response, IDS, st.lists(TEXT).map(tuple), st.lists(TEXT).map(tuple))
    | st.builds(Response, IDS, data=sio.json_values(), node=IDS),
)
def test_what_its_kind_has_comes_back(kind: RequestKind, response: Response) -> None:
    received = decode_response(encode_response(response, kind))
    has_rooms = kind in (RequestKind.CLIENT_ROOMS, RequestKind.ALL_ROOMS)
    assert received == Response(
        response.id,
        response.clients if kind is RequestKind.CLIENTS else (),
        response.rooms if has_rooms else (),
        response.data if kind is RequestKind.CUSTOM_REQUEST else None,
        response.node,
    )


MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "requestid": IDS | sio.json_values(),
        "requestId": IDS,
        "type": st.integers(-1, 7) | st.sampled_from([3.0, 0.5, True]) | sio.json_values(),
        "rooms": st.lists(TEXT) | sio.json_values(),
        "clients": st.lists(TEXT) | sio.json_values(),
        "sid": TEXT | sio.json_values(),
        "room": TEXT | sio.json_values(),
        "node": IDS | sio.json_values(),
    },
)


@given(MEMBERS)
@example({"requestId": "a"})
@example({"requestid": "a", "clients": {}})
def test_any_members_are_read_or_refused(members: dict[str, JSON]) -> None:
    payload = write_object(members)
    request = attempt(RemoteProtocolError, decode_request, payload)
    if isinstance(request, RemoteProtocolError):
        assert str(request).startswith("invalid request: ")
    else:
        assert request.id == members["requestid"]
        if request.kind is not RequestKind.UNKNOWN:
            assert decode_request(encode_request(request)) == request
    response = attempt(RemoteProtocolError, decode_response, payload)
    if isinstance(response, RemoteProtocolError):
        assert str(response).startswith("invalid response: ")
    else:
        assert response.id == members["requestid"]


@given(IDS, JUNK, st.binary(max_size=5))
def test_a_message_of_a_later_version_is_recognized(ident: str, value: JSON, behind: bytes) -> None:
    """In MessagePack as in JSON, whatever else is in it, or behind it."""
    members = {"uid": value, "requestId": ident, "type": 3}
    for payload in (pack_data(members) + behind, write_object(members)):
        for decode in (decode_request, decode_response):
            with pytest.raises(OtherGeneration, match=r"^invalid (request|response): it is in the"):
                decode(payload)


@given(IDS, JUNK, st.sampled_from(RequestKind))
def test_both_ids_are_of_this_version(ident: str, other: JSON, kind: RequestKind) -> None:
    members = {"requestid": ident, "requestId": other, "type": int(kind), "sid": "s", "room": "r"}
    payload = write_object(members)
    assert decode_request(payload).kind is kind
    assert decode_request(payload).id == decode_response(payload).id == ident
