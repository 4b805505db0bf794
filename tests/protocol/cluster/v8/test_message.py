"""Objects between servers, in JSON or in MessagePack."""

import json
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from tests.support.spoiled import JUNK
from trio_sio.protocol.cluster.text import OtherGeneration
from trio_sio.protocol.cluster.v8.message import (
    pack_message,
    read_message,
    write_message,
)
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.notepack import pack_data, unpack_data
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.protocol.socketio.slow_notepack import has_binary
from trio_sio.testing import strategies as sio

OBJECTS = st.dictionaries(st.text(max_size=3), sio.json_values(binary=True), max_size=3)


@given(OBJECTS)
def test_json_unless_there_are_bytes(members: dict[str, object]) -> None:
    message = write_message(members)
    assert message.startswith(b"{") is not has_binary(members)
    assert pack_message(read_message(message, "message")) == pack_message(members)


@given(OBJECTS)
def test_both_are_read(members: dict[str, object]) -> None:
    assert pack_message(read_message(pack_message(members), "message")) == pack_message(members)


@given(st.binary(max_size=40))
def test_bytes_are_read_or_refused(payload: bytes) -> None:
    try:
        members = read_message(payload, "message")
    except RemoteProtocolError:
        return
    assert isinstance(members, dict)


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\xa1x", b"\x90", b"[1]", b'"x"', b"{", b"{]"])
def test_what_is_refused(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match=r"^invalid "):
        read_message(payload, "message")


@pytest.mark.parametrize("write", [write_message, pack_message])
def test_what_cannot_be_sent(write: object) -> None:
    assert callable(write)
    for value in (object(), {1, 2}, [b"bytes", object()]):
        with pytest.raises(LocalProtocolError, match=r'data\["data"\]'):
            write({"data": value})


@pytest.mark.parametrize("written", [write_message, pack_data])
def test_the_other_generation_is_told_by_the_name_of_the_id(written: object) -> None:
    assert callable(written)
    payload = written({"requestid": "gcAWuZ", "type": 0, "rooms": []})
    with pytest.raises(OtherGeneration, match=r"^invalid request: it is in the format of an"):
        read_message(payload, "request")
    both = written({"requestid": "a", "requestId": "b"})
    assert read_message(both, "request") == {"requestid": "a", "requestId": "b"}


@given(OBJECTS, st.sampled_from([object(), {1}, [object()], {"a": {2}}]), st.booleans())
def test_what_cannot_be_sent_is_named(
    members: dict[str, Any], unsendable: object, has_bytes: bool
) -> None:
    whole = {**members, "bytes": b"\x00" if has_bytes else "", "the one": [0, unsendable]}
    for write in (write_message, pack_message):
        with pytest.raises(LocalProtocolError) as caught:
            write(whole)
        assert 'data["the one"][1]' in str(caught.value)


@given(OBJECTS, JUNK, st.booleans())
@example({}, None, True)
def test_the_name_of_the_id_tells_the_generation(
    members: dict[str, Any], ident: JSON, is_json: bool
) -> None:
    write = write_message if is_json else pack_message
    members = {key: value for key, value in members.items() if key != "requestId"}
    with pytest.raises(OtherGeneration, match=r"^invalid response: it is in the format of an"):
        read_message(write({**members, "requestid": ident}), "response")
    both = {**members, "requestid": ident, "requestId": "a"}
    assert read_message(write(both), "response")["requestId"] == "a"


@given(JUNK | sio.json_values(binary=True))
@example([])
@example("{")
def test_what_is_no_object_is_refused_in_both_forms(value: JSON) -> None:
    packed = pack_data(value)
    if not isinstance(unpack_data(packed), dict):
        with pytest.raises(RemoteProtocolError, match=r"^invalid request: .* is no object$"):
            read_message(packed, "request")
        with pytest.raises(RemoteProtocolError, match=r"^invalid "):
            read_message(json.dumps(value, default=repr).encode(), "request")


@given(st.dictionaries(st.text(max_size=3), sio.json_values(), max_size=3), st.data())
def test_a_text_that_was_cut_is_refused(members: dict[str, Any], data: st.DataObject) -> None:
    text = write_message(members)
    cut = text[: data.draw(st.integers(1, len(text) - 1))]
    with pytest.raises(RemoteProtocolError, match=r"^invalid request: not JSON: "):
        read_message(cut, "request")
