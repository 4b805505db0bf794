"""Requests of which one member is anything, and what is at the edge of a limit."""

import json
import math
from typing import Any

import pytest
from hypothesis import assume, example, given, strategies as st

from tests.protocol.cluster.v8.test_broadcast_fields import (
    EVENTS,
    LENGTHS,
    MANNERS,
    NAMES,
    ROOMS,
    SELECTIONS,
    UNSENDABLE,
    Writer,
    names_an_event,
)
from tests.support.attempt import attempt
from tests.support.spoiled import JUNK, Spoiled, differences, spoiled
from trio_sio.protocol.cluster.text import MAX_NAME, OtherGeneration
from trio_sio.protocol.cluster.v8.message import pack_message, read_message, write_message
from trio_sio.protocol.cluster.v8.request import (
    Request,
    RequestKind,
    decode_request,
    encode_request,
)
from trio_sio.protocol.cluster.v8.selection import Selection
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.notepack import pack_data
from trio_sio.protocol.socketio.packet import JSON

KIND = RequestKind
JOINING = st.sampled_from([KIND.REMOTE_JOIN, KIND.REMOTE_LEAVE])
SENDERS = st.just("") | NAMES
DATA = EVENTS.map(lambda packet: packet.data)


def of(
    kind: st.SearchStrategy[KIND], **members: st.SearchStrategy[Any]
) -> st.SearchStrategy[Request]:
    """Requests of a kind, with what that has, and nothing else."""
    return st.builds(Request, kind, SENDERS, **members)


REQUESTS: st.SearchStrategy[Request] = st.one_of(
    of(st.just(KIND.SOCKETS), id=NAMES, rooms=ROOMS, fence=st.booleans()),
    of(st.just(KIND.ALL_ROOMS), id=NAMES),
    of(st.just(KIND.REMOTE_FETCH), id=NAMES, selection=SELECTIONS),
    of(JOINING, id=SENDERS, selection=SELECTIONS, rooms=ROOMS),
    of(JOINING, id=SENDERS, sid=NAMES, rooms=st.tuples(NAMES)),
    of(st.just(KIND.REMOTE_DISCONNECT), id=SENDERS, selection=SELECTIONS, close=st.booleans()),
    of(st.just(KIND.REMOTE_DISCONNECT), id=SENDERS, sid=NAMES, close=st.booleans()),
    of(st.just(KIND.SERVER_SIDE_EMIT), id=SENDERS, data=DATA),
    of(
        st.just(KIND.BROADCAST),
        id=NAMES,
        selection=SELECTIONS,
        packet=EVENTS,
        manner=MANNERS,
        departures=st.booleans(),
    ),
)
NEEDS_AN_ID = {KIND.SOCKETS, KIND.ALL_ROOMS, KIND.REMOTE_FETCH, KIND.BROADCAST}
WRITERS = st.sampled_from([write_message, pack_message])

TOLD_BY = {
    "uid": {"uid"},
    "requestId": {"id"},
    "opts": {"selection", "manner"},
    "rooms": {"rooms"},
    "room": {"rooms"},
    "sid": {"sid"},
    "close": {"close"},
    "data": {"data"},
    "packet": {"packet"},
    "departures": {"departures"},
    "fence": {"fence"},
}
TOLD_BY["type"] = {"kind"}.union(*TOLD_BY.values()) - {"uid", "id"}


def members_of(request: Request) -> dict[str, JSON]:
    """What is in the message of a request."""
    return read_message(encode_request(request), "request")


@st.composite
def spoiled_requests(draw: st.DrawFn) -> tuple[Request, Spoiled]:
    """Requests, and their members with one that is anything."""
    whole = draw(REQUESTS)
    return whole, draw(spoiled(members_of(whole)).filter(lambda drawn: drawn.place))


@given(REQUESTS)
def test_a_request_comes_back(request_: Request) -> None:
    assert decode_request(encode_request(request_)) == request_


@given(REQUESTS, st.dictionaries(st.sampled_from(["later", "node", "flags"]), JUNK))
def test_both_forms_mean_the_same_whatever_else_is_in_them(
    request_: Request, more: dict[str, JSON]
) -> None:
    members = {**members_of(request_), **more}
    assert decode_request(write_message(members)) == request_
    assert decode_request(pack_message(members)) == request_


@given(spoiled_requests(), WRITERS)
def test_a_member_is_refused_or_changes_nothing_else(
    drawn: tuple[Request, Spoiled], write: Writer
) -> None:
    whole, (members, place, is_missing) = drawn
    assert isinstance(members, dict)
    received = attempt(RemoteProtocolError, decode_request, write(members))
    if isinstance(received, RemoteProtocolError):
        assert str(received).startswith("invalid request: ")
        assert received.hint
        return
    assert differences(received, whole) <= TOLD_BY[str(place[0])]
    assert len(received.uid) <= MAX_NAME
    assert len(received.id) <= MAX_NAME
    assert received.id or received.kind not in NEEDS_AN_ID
    if is_missing and place == ("type",):
        assert received.kind is KIND.UNKNOWN
    if received.kind is not KIND.UNKNOWN:
        again = encode_request(received)
        assert encode_request(decode_request(again)) == again


@given(JUNK.filter(lambda junk: not isinstance(junk, dict)))
def test_what_is_no_object_is_refused(value: JSON) -> None:
    for payload in (pack_data(value), json.dumps(value, default=repr).encode()):
        with pytest.raises(RemoteProtocolError, match=r"^invalid (request|format): "):
            decode_request(payload)


@given(st.integers(-3, 12) | st.integers() | st.floats() | JUNK, WRITERS)
@example(8, write_message)
@example(-1, pack_message)
@example(True, pack_message)
@example(6.0, pack_message)
@example(6.5, write_message)
def test_a_number_that_means_nothing_is_ignored(number: JSON, write: Writer) -> None:
    members = {"type": number, "requestId": "a", "uid": "me", "sid": "s", "room": "r"}
    packet = {"type": 2, "data": ["x"]}
    request = decode_request(write({**members, "data": ["x"], "packet": packet}))
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if is_number and number in range(8):
        assert request.kind == number
    else:
        assert request == Request(KIND.UNKNOWN, "me", "a")


@given(REQUESTS, LENGTHS, WRITERS)
@example(Request(KIND.SERVER_SIDE_EMIT, data=["x"]), 0, write_message)
@example(Request(KIND.SERVER_SIDE_EMIT, data=["x"]), MAX_NAME, write_message)
@example(Request(KIND.SERVER_SIDE_EMIT, data=["x"]), MAX_NAME + 1, write_message)
@example(Request(KIND.ALL_ROOMS, id="a"), 0, write_message)
@example(Request(KIND.ALL_ROOMS, id="a"), MAX_NAME, write_message)
def test_how_long_names_may_be(whole: Request, length: int, write: Writer) -> None:
    name = "é" * length
    for key in ("uid", "requestId"):
        received = attempt(
            RemoteProtocolError, decode_request, write({**members_of(whole), key: name})
        )
        least = 1 if key == "requestId" and whole.kind in NEEDS_AN_ID else 0
        if least <= length <= MAX_NAME:
            assert isinstance(received, Request)
            assert (received.uid if key == "uid" else received.id) == name
        else:
            assert isinstance(received, RemoteProtocolError)
            assert f'"{key}"' in str(received)


@given(REQUESTS, WRITERS)
def test_the_other_generation_is_told_by_its_id(whole: Request, write: Writer) -> None:
    members = members_of(whole)
    assume("requestId" in members)
    renamed = {"requestid" if key == "requestId" else key: one for key, one in members.items()}
    with pytest.raises(OtherGeneration, match=r"^invalid request: it is in the format of an"):
        decode_request(write(renamed))
    assert decode_request(write({**members, "requestid": "b"})) == whole


@given(SELECTIONS.map(Selection.members) | JUNK, WRITERS)
@example({}, write_message)
@example(0, pack_message)
@example("", write_message)
def test_one_socket_is_meant_unless_there_are_options(options: JSON, write: Writer) -> None:
    """`{}` is true in JavaScript, and means all sockets."""
    assume(not isinstance(options, float) or math.isfinite(options))  # others are null in JSON
    members = {"type": 4, "sid": "s", "opts": options}
    request = attempt(RemoteProtocolError, decode_request, write(members))
    if not options and options != {}:
        assert request == Request(KIND.REMOTE_DISCONNECT, sid="s")
    elif isinstance(request, Request):
        assert request.selection is not None
        assert request.sid == ""
    else:
        assert not isinstance(options, dict) or options.get("rooms") or options.get("except")


@given(JUNK, JUNK, JUNK)
def test_only_true_is_said_of_what_javascript_does_not_know(
    departures: JSON, fence: JSON, close: JSON
) -> None:
    said = {"requestId": "a", "departures": departures, "fence": fence, "close": close, "sid": "s"}
    asked = decode_request(pack_message({**said, "type": 7, "packet": {"type": 2, "data": ["x"]}}))
    assert asked.departures is (departures is True)
    assert decode_request(pack_message({**said, "type": 0})).fence is (fence is True)
    assert decode_request(pack_message({**said, "type": 4})).close is bool(close)


@given(JUNK)
@example(None)
@example([])
@example([7])
def test_what_servers_emit_has_a_name(value: JSON) -> None:
    request = attempt(RemoteProtocolError, decode_request, pack_message({"type": 6, "data": value}))
    if names_an_event(value):
        assert isinstance(request, Request)
        assert pack_message({"data": request.data}) == pack_message({"data": value})
    else:
        assert isinstance(request, RemoteProtocolError)
        assert str(request).startswith("invalid request: an event with ")


@given(DATA, UNSENDABLE)
def test_what_cannot_be_sent_is_named(data: list[JSON], unsendable: JSON) -> None:
    for more in ([], [b"bytes"]):  # in JSON, and in MessagePack
        request = Request(KIND.SERVER_SIDE_EMIT, data=[*data, *more, unsendable])
        with pytest.raises(LocalProtocolError) as caught:
            encode_request(request)
        assert f'data["data"][{len(data) + len(more)}]' in str(caught.value)
