"""Garbage is of every kind, and cuts make up what was cut."""

from random import Random

import pytest
from hypothesis import find, given, strategies as st

from tests.support.drawn import is_drawn, simplest
from trio_sio.protocol.engineio.codec_v3 import decode_binary_payload, decode_text_payload
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing import strategies as sio


def decodes(data: bytes) -> bool:
    try:
        return bool(list(decode_text_payload(data)))
    except RemoteProtocolError:
        return False


def fails_behind_a_packet(data: bytes) -> bool:
    packets = decode_binary_payload(data)
    try:
        next(packets, None)
        list(packets)
    except RemoteProtocolError as error:
        return len(data) > 10 and "ff were due" in error.hint
    return False


@pytest.mark.slow
def test_some_garbage_is_good() -> None:
    assert is_drawn(sio.garbage(), decodes)


@pytest.mark.slow
def test_some_garbage_is_good_at_first() -> None:
    assert is_drawn(sio.garbage(), fails_behind_a_packet)


@given(data=sio.garbage())
def test_garbage(data: bytes) -> None:
    assert isinstance(data, bytes)


@pytest.mark.slow
def test_the_simplest_garbage_is_short() -> None:
    assert simplest(sio.garbage(), lambda data: True) == b""
    assert simplest(sio.garbage(), lambda data: b"4" in data) == b"4"


@given(data=st.data(), body=st.binary(max_size=50))
def test_chunks(data: st.DataObject, body: bytes) -> None:
    pieces = data.draw(sio.chunks(body))
    assert b"".join(pieces) == body
    assert all(pieces)


@pytest.mark.parametrize("pieces", [[b"abc"], [b"a", b"b", b"c"], [b"ab", b"c"]])
def test_chunks_are_the_whole_single_bytes_and_between(pieces: list[bytes]) -> None:
    assert find(sio.chunks(b"abc"), lambda cut: cut == pieces, random=Random(0)) == pieces


def test_chunks_of_text_and_of_nothing() -> None:
    assert "".join(find(sio.chunks("h\u20ac"), lambda cut: len(cut) == 2)) == "h\u20ac"
    assert find(sio.chunks(b""), lambda cut: True) == []
