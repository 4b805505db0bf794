"""What nobody should send, and cuts of what is sent."""

from typing import TypeVar

from hypothesis import strategies as st

from trio_sio.protocol.engineio import codec_v4
from trio_sio.protocol.engineio.codec_v3 import encode_binary_payload, encode_text_payload
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.testing.strategies.packets import socketio_packets
from trio_sio.testing.strategies.payloads import payloads

_Sliceable = TypeVar("_Sliceable", bytes, str)

_GRAMMAR = b'0123456789:b-,/"[]{}\\ \x00\x01\x04\x1e\xff'


def chunks(data: _Sliceable) -> st.SearchStrategy[list[_Sliceable]]:
    """Cuts of `data`: non-empty pieces that make it up again, down to single bytes."""
    if not data:
        return st.just([])
    every_cut = list(range(1, len(data)))
    cuts: st.SearchStrategy[list[int]] = st.one_of(
        st.just([]), st.just(every_cut), st.lists(st.integers(1, len(data)), max_size=8)
    )
    return cuts.map(lambda at: _cut(data, sorted({*at, len(data)})))


def _cut(data: _Sliceable, ends: list[int]) -> list[_Sliceable]:
    return [data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def garbage(*, version: int = 3) -> st.SearchStrategy[bytes]:
    """What nobody should send: noise, and valid payloads and messages with a few bytes wrong.

    Args:
        version: the revision of Engine.IO that its payloads are of, and of Socket.IO accordingly.
    """
    packets = socketio_packets(protocol=version + 1)
    messages = packets.flatmap(lambda packet: st.sampled_from(encode(packet))).map(_bytes)
    if version == 4:
        valid = st.one_of(payloads(version=4).map(codec_v4.encode_payload), messages)
    else:
        valid = st.one_of(
            payloads().map(encode_text_payload), payloads().map(encode_binary_payload), messages
        )
    return st.one_of(st.binary(max_size=60), valid.flatmap(damaged))


def _bytes(message: str | bytes) -> bytes:
    return message if isinstance(message, bytes) else message.encode("utf-8", "replace")


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """Replace a few slices of `data`; nothing, a byte of the grammar or noise comes instead."""
    instead = st.one_of(
        st.just(b""),
        st.sampled_from(_GRAMMAR).map(lambda byte: bytes((byte,))),
        st.binary(max_size=3),
    )
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(start + 3, len(data))))
        data = data[:start] + draw(instead) + data[end:]
    return data
