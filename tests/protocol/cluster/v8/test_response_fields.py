"""Responses of which one member is anything, and what is at the edge of a limit."""

from typing import Any

import msgpack
import pytest
from hypothesis import example, given, strategies as st

from tests.protocol.cluster.v8.test_broadcast_fields import (
    LENGTHS,
    NAMES,
    ROOMS,
    UNSENDABLE,
    Writer,
)
from tests.support.attempt import attempt
from tests.support.spoiled import JUNK, Spoiled, differences, spoiled
from trio_sio.protocol.cluster.text import MAX_NAME, OtherGeneration
from trio_sio.protocol.cluster.v8.message import pack_message, read_message, write_message
from trio_sio.protocol.cluster.v8.response import (
    MAX_COUNT,
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

KIND = ResponseKind
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=2)
ARGS = st.lists(VALUES, max_size=3).map(tuple)
COUNTS = st.sampled_from([0, 1, 2**20]) | st.integers(0, 2**20)
FOUND = st.lists(st.builds(FoundSocket, NAMES, OBJECTS, ROOMS, VALUES), max_size=2).map(tuple)
HEAD = {"id": NAMES, "node": NAMES}
RESPONSES: st.SearchStrategy[Response] = st.one_of(
    st.builds(Response, **HEAD),
    st.builds(Response, sids=ROOMS, **HEAD),
    st.builds(Response, found=FOUND, **HEAD),
    st.builds(Response, rooms=ROOMS, **HEAD),
    st.builds(Response, kind=st.just(KIND.SERVER_SIDE_EMIT), data=VALUES, **HEAD),
    st.builds(Response, kind=st.just(KIND.CLIENT_COUNT), count=COUNTS, **HEAD),
    st.builds(Response, kind=st.just(KIND.CLIENT_COUNT), departed=COUNTS, **HEAD),
    st.builds(Response, kind=st.just(KIND.ANSWER), args=ARGS, **HEAD),
)
WRITERS = st.sampled_from([write_message, pack_message])

TOLD_BY = {
    "requestId": {"id"},
    "node": {"node"},
    "sockets": {"sids", "found"},
    "rooms": {"rooms"},
    "data": {"data"},
    "clientCount": {"count"},
    "departed": {"departed"},
    "packet": {"args"},
    "args": {"args"},
}
TOLD_BY["type"] = {"kind"}.union(*TOLD_BY.values()) - {"id", "node"}


def encoded(response: Response) -> bytes:
    """The message that this library writes for a response."""
    ident, node = response.id, response.node or ""
    if response.kind is KIND.SERVER_SIDE_EMIT:
        return encode_reply(ident, response.data, node)
    if response.kind is KIND.ANSWER:
        return encode_answer(ident, response.args, node)
    if response.kind is KIND.CLIENT_COUNT and response.departed:
        return encode_departed(ident, response.departed, node)
    if response.kind is KIND.CLIENT_COUNT:
        return encode_count(ident, response.count, node)
    if response.found:
        return encode_found(ident, response.found, node)
    if response.sids:
        return encode_sids(ident, response.sids, node)
    return encode_rooms(ident, response.rooms, node) if response.rooms else encode_done(ident, node)


def members_of(response: Response) -> dict[str, JSON]:
    """What is in the message of a response."""
    return read_message(encoded(response), "response")


@st.composite
def spoiled_responses(draw: st.DrawFn) -> tuple[Response, Spoiled]:
    """Responses, and their members with one that is anything."""
    whole = draw(RESPONSES)
    return whole, draw(spoiled(members_of(whole)).filter(lambda drawn: drawn.place))


@given(RESPONSES)
def test_a_response_comes_back(response: Response) -> None:
    assert decode_response(encoded(response)) == response


@given(RESPONSES, st.dictionaries(st.sampled_from(["later", "uid", "flags"]), JUNK))
def test_both_forms_mean_the_same_whatever_else_is_in_them(
    response: Response, more: dict[str, JSON]
) -> None:
    members = {**members_of(response), **more}
    assert decode_response(write_message(members)) == response
    assert decode_response(pack_message(members)) == response


@given(spoiled_responses(), WRITERS)
def test_a_member_is_refused_or_changes_nothing_else(
    drawn: tuple[Response, Spoiled], write: Writer
) -> None:
    whole, (members, place, is_missing) = drawn
    assert isinstance(members, dict)
    received = attempt(RemoteProtocolError, decode_response, write(members))
    if isinstance(received, RemoteProtocolError):
        assert str(received).startswith("invalid response: ")
        assert received.hint
        assert not is_missing or place[0] in ("requestId", "sockets")
        return
    assert differences(received, whole) <= TOLD_BY[str(place[0])]
    assert 0 < len(received.id) <= MAX_NAME
    assert received.node is None or 0 < len(received.node) <= MAX_NAME
    assert 0 <= received.count <= MAX_COUNT
    assert 0 <= received.departed <= MAX_COUNT
    assert all(isinstance(one, str) for one in (*received.sids, *received.rooms))
    assert all(isinstance(one.handshake, dict) for one in received.found)


@given(NAMES, st.lists(VALUES, max_size=3), NAMES)
@example("a", [], "me")
@example("a", [1, 2], "me")
def test_javascript_hears_the_first_argument_of_an_answer(
    ident: str, args: list[JSON], node: str
) -> None:
    said = msgpack.unpackb(encode_answer(ident, args, node))
    assert said.pop("args", args[:1]) == args
    head = {"type": 9, "requestId": ident, "node": node}
    assert said == head | ({"packet": args[0]} if args else {})
    assert ("args" in msgpack.unpackb(encode_answer(ident, args, node))) is (len(args) != 1)


@given(ARGS, JUNK, WRITERS)
def test_arguments_are_what_has_been_said_of_all(
    args: tuple[JSON, ...], packet: JSON, write: Writer
) -> None:
    head = {"type": 9, "requestId": "a", "packet": packet}
    assert decode_response(write({**head, "args": [*args]})).args == args
    none: tuple[JSON, ...] = (None, 5, "args", {})
    for nothing in none:
        received = decode_response(pack_message({**head, "args": nothing})).args
        assert pack_message({"args": [*received]}) == pack_message({"args": [packet]})


@given(
    st.sampled_from(["clientCount", "departed"]),
    st.sampled_from([0, 2**20, 2**20 + 1, 2.0**20, -0.0]) | st.integers(0, 2**21) | JUNK,
    WRITERS,
)
@example("clientCount", 2**20, write_message)
@example("clientCount", 2**20 + 1, pack_message)
@example("departed", -1, pack_message)
@example("departed", True, pack_message)
@example("departed", 0.5, write_message)
def test_how_many_clients_a_server_may_have(key: str, said: JSON, write: Writer) -> None:
    payload = write({"type": 8, "requestId": "a", key: said})
    response = attempt(RemoteProtocolError, decode_response, payload)
    is_count = (
        isinstance(said, int | float) and not isinstance(said, bool) and said in range(2**20 + 1)
    )
    if is_count:
        assert isinstance(response, Response)
        assert {"clientCount": response.count, "departed": response.departed}[key] == said
    else:
        assert isinstance(response, RemoteProtocolError)
        assert str(response).startswith(f'invalid response: "{key}" is ')


@given(st.integers(-3, 12) | st.integers() | st.floats() | JUNK, WRITERS)
@example(8.0, write_message)
@example(True, pack_message)
def test_a_type_that_means_nothing_is_none(number: JSON, write: Writer) -> None:
    response = decode_response(write({"type": number, "requestId": "a", "rooms": ["r"]}))
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if is_number and number in (6, 8, 9):
        assert response.kind == number
        assert response.rooms == ()
    else:
        assert response == Response("a", rooms=("r",))


@given(RESPONSES, LENGTHS, WRITERS)
@example(Response("a", node="me"), 0, write_message)
@example(Response("a", node="me"), MAX_NAME, pack_message)
@example(Response("a", node="me"), MAX_NAME + 1, pack_message)
def test_how_long_names_may_be(whole: Response, length: int, write: Writer) -> None:
    name = "é" * length
    for key in ("requestId", "node"):
        payload = write({**members_of(whole), key: name})
        response = attempt(RemoteProtocolError, decode_response, payload)
        if 1 <= length <= MAX_NAME:
            assert isinstance(response, Response)
            assert (response.id if key == "requestId" else response.node) == name
        else:
            assert isinstance(response, RemoteProtocolError)
            assert str(response) == f'invalid response: "{key}" has {length} characters'


@given(RESPONSES, WRITERS)
def test_the_other_generation_is_told_by_its_id(whole: Response, write: Writer) -> None:
    members = members_of(whole)
    renamed = {"requestid" if key == "requestId" else key: one for key, one in members.items()}
    with pytest.raises(OtherGeneration, match=r"^invalid response: it is in the format of an"):
        decode_response(write(renamed))
    assert decode_response(write({**members, "requestid": "b"})) == whole


@given(JUNK, JUNK, WRITERS)
@example([], 5, write_message)
@example({"a": 1}, ["r"], pack_message)
def test_a_socket_has_at_least_an_id(handshake: JSON, rooms: JSON, write: Writer) -> None:
    """What else is not what it should be counts as if it were not there."""
    socket = {"id": "s", "handshake": handshake, "rooms": rooms}
    payload = write({"requestId": "a", "sockets": [socket]})
    response = attempt(RemoteProtocolError, decode_response, payload)
    if isinstance(response, RemoteProtocolError):
        assert isinstance(rooms, list)
        assert "in place of a room" in str(response)
        return
    (found,) = response.found
    assert found.id == "s"
    assert isinstance(handshake, dict) or found.handshake == {}
    assert len(found.rooms) == (len(rooms) if isinstance(rooms, list) else 0)
    del socket["id"]
    with pytest.raises(RemoteProtocolError, match="None in place of a room"):
        decode_response(write({"requestId": "a", "sockets": [socket]}))


@given(VALUES, UNSENDABLE)
def test_what_cannot_be_sent_is_named(value: JSON, unsendable: JSON) -> None:
    for data in ([value, unsendable], [b"bytes", unsendable]):  # in JSON, and in MessagePack
        with pytest.raises(LocalProtocolError, match=r'data\["data"\]\[1\]'):
            encode_reply("a", data, "me")
        with pytest.raises(LocalProtocolError, match=r'data\["args"\]\[1\]|data\["packet"\]'):
            encode_answer("a", data, "me")
        with pytest.raises(LocalProtocolError, match=r'data\["sockets"\]\[0\]\["data"\]\[1\]'):
            encode_found("a", (FoundSocket("s", data=data),), "me")
