"""A close frame is found among others, however they are cut."""

import pytest
from hypothesis import given, strategies as st

from tests.support.raw_websocket import BINARY, CLOSE, PING, TEXT, frame
from trio_sio.protocol.websocket.close_search import CloseSearch

OTHERS = st.builds(
    frame,
    st.sampled_from([0, TEXT, BINARY, PING]),
    st.sampled_from([0, 2, 8, 24, 124, 126, 264, 300, 70_000]).map(
        lambda size: b"\x88\x00" * (size // 2)
    ),
    mask=st.booleans(),
    fin=st.booleans(),
)


@given(st.lists(OTHERS, max_size=5), st.integers(1, 5000), st.booleans())
def test_it_is_found_where_it_begins(frames: list[bytes], size: int, mask: bool) -> None:
    before = b"".join(frames)
    data = before + frame(CLOSE, b"\x03\xe8", mask=mask)
    search = CloseSearch()
    found = [search.feed(before[at : at + size]) for at in range(0, len(before), size)]
    assert not any(found)
    assert search.feed(data[len(before) : len(before) + 1])


@pytest.mark.parametrize("payload", [b"", b"x" * 8, b"x" * 125, b"x" * 126, b"x" * 70_000])
def test_a_frame_byte_by_byte(payload: bytes) -> None:
    search = CloseSearch()
    data = frame(TEXT, payload) + frame(CLOSE, b"")
    found = [search.feed(data[at : at + 1]) for at in range(len(data) - 5)]
    assert found == [False] * (len(data) - 6) + [True]
