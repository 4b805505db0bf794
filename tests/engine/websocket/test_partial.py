"""One frame, in as many pieces as the network makes of it."""

from hypothesis import given, strategies as st

from trio_sio.engine.websocket.frame_parser import Partial
from trio_sio.protocol.websocket.frame import unmask

MASK = b"\x01\x80\x0f\xff"


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8), st.binary(max_size=9))
def test_the_mask_goes_on_where_it_was(payload: bytes, cuts: list[int], behind: bytes) -> None:
    data = b"head" + unmask(payload, MASK) + behind
    partial = Partial(0x82, MASK, len(payload), unmask)
    position = 4
    for end in sorted({min(cut + 4, len(data)) for cut in cuts} | {len(data)}):
        position = partial.take(data[:end], position)
        assert partial.missing == len(payload) - len(partial.payload)
    assert partial.payload == payload
    assert partial.missing == 0
    assert data[position:] == behind
    assert partial.first == 0x82
