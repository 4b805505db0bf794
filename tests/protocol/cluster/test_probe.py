"""Probes: their form, and what is refused."""

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.cluster.probe import MAX_NUMBER, Probe, decode_probe
from trio_sio.protocol.cluster.text import MAX_NAME
from trio_sio.protocol.errors import RemoteProtocolError


def test_form() -> None:
    assert Probe("5GiuAX", "web:1", 17).encode() == b'{"uid":"5GiuAX","name":"web:1","number":17}'
    leaving = Probe("5GiuAX", "web:1", 18, leaving=True).encode()
    assert leaving == b'{"uid":"5GiuAX","name":"web:1","number":18,"leaving":true}'


@given(
    st.text(min_size=1, max_size=MAX_NAME),
    st.text(min_size=1, max_size=MAX_NAME),
    st.integers(0, MAX_NUMBER),
    st.booleans(),
)
def test_round_trip(uid: str, name: str, number: int, leaving: bool) -> None:
    probe = Probe(uid, name, number, leaving)
    assert decode_probe(probe.encode()) == probe


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


def test_leaving_is_true_alone() -> None:
    assert not decode_probe(b'{"uid":"a","name":"a","number":1,"leaving":"no"}').leaving
