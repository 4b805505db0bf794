"""Probes: their form, and what is refused."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.cluster.probe import MAX_NUMBER, Probe, decode_probe
from trio_sio.protocol.cluster.text import MAX_NAME, write_object
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing import strategies as sio


def test_form() -> None:
    assert Probe("5GiuAX", "web:1", 17).encode() == b'{"uid":"5GiuAX","name":"web:1","number":17}'
    leaving = Probe("5GiuAX", "web:1", 18, leaving=True).encode()
    assert leaving == b'{"uid":"5GiuAX","name":"web:1","number":18,"leaving":true}'
    with pytest.raises(FrozenInstanceError):
        Probe("5GiuAX", "web:1", 17).number = 18  # type: ignore[misc]


@given(
    st.text(min_size=1, max_size=MAX_NAME),
    st.text(min_size=1, max_size=MAX_NAME),
    st.integers(0, MAX_NUMBER),
    st.booleans(),
)
def test_round_trip(uid: str, name: str, number: int, leaving: bool) -> None:
    probe = Probe(uid, name, number, leaving)
    assert decode_probe(probe.encode()) == probe


def test_the_largest_number_is_the_last_that_javascript_tells_from_the_next() -> None:
    largest = Probe("a", "b", 2**53)
    assert decode_probe(largest.encode()) == largest


@pytest.mark.parametrize(
    ("payload", "hint"),
    [
        (b"x", "not JSON"),
        (b"{}", '"uid" is None'),
        (b'{"uid":"","name":"a","number":1}', '"uid" has 0 characters'),
        (b'{"uid":"a","name":5,"number":1}', '"name" is 5'),
        (b'{"uid":"a","name":"a"}', '"number" is None'),
        (b'{"uid":"a","name":"a","number":-1}', '"number" is -1'),
        (b'{"uid":"a","name":"a","number":1.5}', '"number" is 1.5'),
        (b'{"uid":"a","name":"a","number":true}', '"number" is True'),
        (b'{"uid":"a","name":"a","number":9007199254740993}', '"number" is a int'),
    ],
)
def test_what_is_refused(payload: bytes, hint: str) -> None:
    with pytest.raises(RemoteProtocolError) as refused:
        decode_probe(payload)
    assert str(refused.value).startswith(f"invalid probe: {hint}")


MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        "uid": st.just("a") | sio.json_values(),
        "name": st.just("b") | sio.json_values(),
        "number": st.integers(-2, MAX_NUMBER + 2) | sio.json_values(),
        "leaving": st.just(True) | sio.json_values(),
    },
)


@given(MEMBERS)
@example({"uid": "a", "name": "b", "number": True})
def test_a_probe_of_any_members(members: dict[str, JSON]) -> None:
    probe = attempt(RemoteProtocolError, decode_probe, write_object(members))
    if isinstance(probe, RemoteProtocolError):
        assert str(probe).startswith("invalid probe: ")
        number = members.get("number")
        is_whole = type(number) is int and 0 <= number <= MAX_NUMBER
        assert not is_whole or not _are_names(members.get("uid"), members.get("name"))
    else:
        assert _are_names(probe.uid, probe.name)
        assert 0 <= probe.number <= MAX_NUMBER
        assert decode_probe(probe.encode()) == probe


def _are_names(*values: object) -> bool:
    return all(isinstance(value, str) and 0 < len(value) <= MAX_NAME for value in values)


def test_leaving_is_true_alone() -> None:
    assert not decode_probe(b'{"uid":"a","name":"a","number":1,"leaving":"no"}').leaving
