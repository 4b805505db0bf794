"""What a connection has brought, and who takes it."""

import pytest
import trio

from trio_sio.engine.http.h11 import BadRequest
from trio_sio.engine.http.request_reader import ReceiveBuffer
from trio_sio.http import BodyTooLarge
from trio_sio.protocol.http.chunked import ChunkedBody

HEAD = b"GET / HTTP/1.1\r\n\r\n"


def bringing(*pieces: bytes) -> ReceiveBuffer:
    """These pieces, and then the end."""
    left = list(pieces)

    async def read() -> bytes:
        await trio.lowlevel.checkpoint()
        return left.pop(0) if left else b""

    return ReceiveBuffer(read)


class Begun:
    """Counts how often a head has begun."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


async def test_what_is_taken_and_what_is_kept() -> None:
    received = bringing(b"ab", b"cd", b"ef")
    assert await received.read() == b"ab"
    received.keep(b"!")
    await received.fill(5)
    assert received.data == b"ab!cd"
    assert received.take(3) == b"ab!"
    await received.fill(2)  # is there
    assert received.take(10) == b"cd"
    with pytest.raises(trio.BrokenResourceError):
        await received.fill(3)


async def test_chunks() -> None:
    received, body = bringing(b"3\r\nabc", b"\r\n0\r\n\r\nGET"), ChunkedBody(100, 10)
    await received.fill_chunks(body, 3)
    assert (bytes(body.data), received.data) == (b"abc", b"GET")
    with pytest.raises(BodyTooLarge):
        await bringing(b"3\r\nabc").fill_chunks(ChunkedBody(100, 10), 2)
    with pytest.raises(trio.BrokenResourceError):
        await bringing(b"3\r\nabc").fill_chunks(ChunkedBody(100, 10), 3)


@pytest.mark.parametrize(
    "pieces", [(HEAD,), (b"\r\n\r\n" + HEAD,), (b"\r", b"\n", b"\r", b"\n" + HEAD[:3], HEAD[3:])]
)
async def test_a_head_and_empty_lines_before_it(pieces: tuple[bytes, ...]) -> None:
    received, begun = bringing(*pieces, b"more"), Begun()
    assert await received.next_head(100, begun) == len(HEAD)
    assert received.data == HEAD
    assert begun.count == 1


async def test_empty_lines_are_the_beginning_of_nothing() -> None:
    for pieces in ((), (b"\r\n",), (b"\r\n\r", b"\n")):
        begun = Begun()
        assert await bringing(*pieces).next_head(100, begun) == 0
        assert begun.count == 0


async def test_empty_lines_are_no_more_than_a_head_may_have() -> None:
    with pytest.raises(BadRequest, match="max_header_size"):
        await bringing(*[b"\r\n" * 10] * 6).next_head(100, Begun())


@pytest.mark.parametrize("sent", [b"\r", b"G", HEAD[:-1]])
async def test_the_end_in_the_middle_of_a_head(sent: bytes) -> None:
    with pytest.raises(BadRequest, match="ended in the middle") as caught:
        await bringing(sent).next_head(100, Begun())
    assert caught.value.status == 400
