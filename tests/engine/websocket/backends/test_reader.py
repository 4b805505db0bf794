"""Reading, whatever the library: the ends of a connection and the budget of strangers."""

from itertools import pairwise

import pytest
import trio
from trio.testing import memory_stream_pair

from tests.support.raw_websocket import PING, TEXT, frame
from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.engine.runtime.stream import READ_SIZE, ByteStream
from trio_sio.engine.websocket.backends.base import Reader
from trio_sio.engine.websocket.frame_parser import FrameParser
from trio_sio.protocol.websocket.frame import unmask


class Echoing(Reader):
    """Makes a message of every piece."""

    async def consult(self, piece: bytes) -> None:
        self.incoming.add(piece)


def make(budget: int | None = None) -> tuple[Echoing, trio.abc.HalfCloseableStream]:
    ours, theirs = memory_stream_pair()
    return Echoing(ByteStream(ours), FrameParser(100_000, 4096, unmask), budget), theirs


async def test_what_a_library_makes_comes_in_its_place() -> None:
    reader, client = make()
    ping = frame(PING, b"?")
    await client.send_all(frame(TEXT, b"a") + ping + ping + frame(TEXT, b"b"))
    await reader.read()
    assert [reader.next() for _ in range(3)] == ["a", ping, None]
    await reader.read()
    assert [reader.next() for _ in range(3)] == [ping, "b", None]


@pytest.mark.parametrize("way", ["closes", "breaks"])
async def test_the_end_of_the_connection_is_the_clients(way: str) -> None:
    reader, client = make()
    await client.send_all(frame(TEXT, b"last"))
    await reader.read()
    if way == "closes":
        await client.send_eof()
    else:
        await reader._pipe.aclose()
    with pytest.raises(TransportClosed) as caught:
        await reader.read()
    assert caught.value.reason is DisconnectReason.TRANSPORT_CLOSE
    assert caught.value.code is None
    assert reader.next() == "last"


async def test_a_stranger_has_a_budget_for_each_message() -> None:
    reader, client = make(budget=10)
    largest = frame(TEXT, b"x" * (READ_SIZE - 10))  # with its header: 2 bytes less than it may be
    for _ in range(3):  # each message begins anew
        await client.send_all(largest)
        await reader.read()
        assert reader.next() == "x" * (READ_SIZE - 10)
    await client.send_all(frame(TEXT, b"x" * 60_000)[:READ_SIZE])
    await reader.read()
    await client.send_all(b"x" * 11)
    with pytest.raises(TransportClosed) as caught:
        await reader.read()
    assert (caught.value.reason, caught.value.code) == (DisconnectReason.TRANSPORT_ERROR, 1009)


async def test_who_is_no_stranger_has_none() -> None:
    reader, client = make(budget=10)
    reader.budget = None
    await client.send_all(frame(TEXT, b"x" * 60_000))
    reads = 0
    while (message := reader.next()) is None:
        await reader.read()
        reads += 1
    assert message == "x" * 60_000
    assert reads == 60_000 // READ_SIZE + 1


async def test_who_sends_much_at_once_reads_on_by_turns() -> None:
    reader, client = make()
    turns: list[int] = []

    async def turn() -> None:
        await trio.lowlevel.checkpoint()
        turns.append(taken)

    reader.turn = turn
    taken = 0
    await client.send_all(frame(TEXT, b"a") * 100)
    while taken < 100:
        await reader.read()
        while reader.next() is not None:
            taken += 1
    steps = [b - a for a, b in pairwise([0, *turns, taken])]
    assert steps[0] == FIRST_QUANTUM
    assert max(steps) == QUANTUM
    await client.send_all(frame(TEXT, b"b"))
    turns.clear()
    await reader.read()
    assert turns == [100]  # perhaps there was more of it
    assert reader.next() == "b"
    await client.send_all(frame(TEXT, b"c"))
    await reader.read()
    assert turns == [100]  # there was not
    assert reader.next() == "c"
