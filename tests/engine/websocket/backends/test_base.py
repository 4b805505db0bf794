"""Reading, whatever the library: the ends of a connection and the limit before joining."""

from itertools import pairwise

import pytest
import trio
from trio.testing import memory_stream_pair

from tests.support.raw_websocket import PING, TEXT, frame
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.engine.runtime.stream import READ_SIZE, ByteStream
from trio_sio.engine.websocket.backends.base import BaseBackend, Settings, Turn
from trio_sio.protocol.websocket.errors import FrameError, WebSocketClosed
from trio_sio.protocol.websocket.frame import unmask
from trio_sio.protocol.websocket.frame_parser import FrameLimits, FrameParser

LIMITS = FrameLimits(100_000, 4096, FIRST_QUANTUM, QUANTUM)


class Echoing(BaseBackend):
    """Makes a message of every piece."""

    async def delegate(self, piece: bytes) -> None:
        self.parser.add(piece)


def make(
    limit: int | None = None, turn: Turn = trio.lowlevel.checkpoint
) -> tuple[Echoing, ByteStream, trio.abc.HalfCloseableStream]:
    ours, theirs = memory_stream_pair()
    stream = ByteStream(ours)
    settings = Settings(LIMITS, limit, turn)
    return Echoing(stream, FrameParser(LIMITS, unmask), settings), stream, theirs


async def test_what_a_library_makes_comes_in_its_place() -> None:
    backend, _, client = make()
    ping = frame(PING, b"?")
    await client.send_all(frame(TEXT, b"a") + ping + ping + frame(TEXT, b"b"))
    await backend.read()
    assert [backend.parser.next_message() for _ in range(3)] == ["a", ping, None]
    await backend.read()
    assert [backend.parser.next_message() for _ in range(3)] == [ping, "b", None]


@pytest.mark.parametrize("way", ["closes", "breaks"])
async def test_the_end_of_the_connection_is_the_clients(way: str) -> None:
    backend, stream, client = make()
    await client.send_all(frame(TEXT, b"last"))
    await backend.read()
    if way == "closes":
        await client.send_eof()
    else:
        await stream.aclose()
    with pytest.raises(WebSocketClosed) as caught:
        await backend.read()
    assert not isinstance(caught.value, FrameError)
    assert backend.parser.next_message() == "last"


async def test_each_message_has_a_limit_before_joining() -> None:
    backend, _, client = make(limit=10)
    largest = frame(TEXT, b"x" * (READ_SIZE - 10))  # with its header: 2 bytes less than it may be
    for _ in range(3):  # each message begins anew
        await client.send_all(largest)
        await backend.read()
        assert backend.parser.next_message() == "x" * (READ_SIZE - 10)
    await client.send_all(frame(TEXT, b"x" * 60_000)[:READ_SIZE])
    await backend.read()
    await client.send_all(b"x" * 11)
    with pytest.raises(FrameError) as caught:
        await backend.read()
    assert (caught.value.code, caught.value.option) == (1009, "handshake_buffer_size")
    assert (caught.value.limit, caught.value.seen) == (10, READ_SIZE + 11)


async def test_the_limit_is_lifted_by_joining() -> None:
    backend, _, client = make(limit=10)
    backend.lift_limit()
    await client.send_all(frame(TEXT, b"x" * 60_000))
    reads = 0
    while (message := backend.parser.next_message()) is None:
        await backend.read()
        reads += 1
    assert message == "x" * 60_000
    assert reads == 60_000 // READ_SIZE + 1


async def test_who_sends_much_at_once_reads_on_by_turns() -> None:
    turns: list[int] = []

    async def turn() -> None:
        await trio.lowlevel.checkpoint()
        turns.append(taken)

    backend, _, client = make(turn=turn)
    taken = 0
    await client.send_all(frame(TEXT, b"a") * 100)
    while taken < 100:
        await backend.read()
        while backend.parser.next_message() is not None:
            taken += 1
    steps = [b - a for a, b in pairwise([0, *turns, taken])]
    assert steps[0] == FIRST_QUANTUM
    assert max(steps) == QUANTUM
    await client.send_all(frame(TEXT, b"b"))
    turns.clear()
    await backend.read()
    assert turns == [100]  # perhaps there was more of it
    assert backend.parser.next_message() == "b"
    await client.send_all(frame(TEXT, b"c"))
    await backend.read()
    assert turns == [100]  # there was not
    assert backend.parser.next_message() == "c"
