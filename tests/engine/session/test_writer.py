"""The writer task and the flush at a tick's end: whatever cannot leave at once leaves in order."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.engine.session.outboxes import Owner, make_outbox
from tests.support.socket_pairs import socket_pair
from trio_sio.abc import OutgoingQueue, TransportClosed
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.runtime.tick import TickFlusher
from trio_sio.engine.session.outbox import BATCH_LIMIT, Outbox
from trio_sio.engine.session.writer import Writer
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.testing.wire import open_wire


def item(text: str) -> Encoded:
    return Encoded((text,))


class Slow:
    """A transport whose kernel takes `room` items at once and the others when `go` is set."""

    name = "slow"
    writable = True

    def __init__(self, room: int = 0) -> None:
        self.room = room
        self.batches: list[list[str | bytes]] = []
        self.go = trio.Event()
        self._left: list[Encoded] = []

    @property
    def direct(self) -> bool:
        return not self.unsent

    @property
    def unsent(self) -> bool:
        return bool(self._left)

    @property
    def sent(self) -> list[str | bytes]:
        return [part for batch in self.batches for part in batch]

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        assert self.direct
        taken, self._left = list(items[: self.room]), list(items[self.room :])
        self.room -= len(taken)
        self._take(taken)

    def is_gone(self, now: float, silence_limit: float) -> bool:
        return False

    async def send(self, items: Sequence[Encoded]) -> None:
        left = self._left
        await self.go.wait()
        self._left = []
        self._take([*left, *items])

    def _take(self, items: Sequence[Encoded]) -> None:
        if items:
            self.batches.append([one.parts[0] for one in items])

    def attach(self, outbox: OutgoingQueue) -> None: ...

    async def receive(self) -> EnginePacket:
        raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE)

    async def wait_heard(self) -> None: ...

    def lift_limits(self) -> None: ...

    def end_requests(self, *, orderly: bool) -> None: ...

    async def part(self) -> None: ...

    async def finish(self, *, by_client: bool, orderly: bool) -> None: ...

    def abandon(self) -> None: ...

    async def aclose(self) -> None: ...


@asynccontextmanager
async def written(transport: Slow | PollingTransport, packets: int = 1000) -> AsyncIterator[Outbox]:
    """An outbox with its ticks and its writer; at the end all of it has to leave."""
    ticks, owner = TickFlusher(), Owner()
    outbox = make_outbox(transport, packets, 2**20, owner, ticks)
    owner.writer = writer = Writer(outbox)
    ended = trio.Event()

    async def write() -> None:
        await writer.write()
        ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ticks.run)
        nursery.start_soon(write)
        await wait_all_tasks_blocked()
        yield outbox
        outbox.close(None)
        await ended.wait()
        nursery.cancel_scope.cancel()


async def test_the_first_leaves_at_once_and_the_others_together(autojump_clock: MockClock) -> None:
    transport = Slow(room=1000)
    async with written(transport) as outbox:
        for letter in "abcd":
            outbox.send_nowait(item(letter))
        assert transport.batches == [["a"]]
        await wait_all_tasks_blocked()
        assert transport.batches == [["a"], ["b", "c", "d"]]
        outbox.send_nowait(item("e"))  # a new tick
        assert transport.batches[2:] == [["e"]]


async def test_batches_are_of_a_size(autojump_clock: MockClock) -> None:
    transport = Slow(room=1000)
    sizes = [1, 5000, 5000, 5000, 5000, BATCH_LIMIT, 3 * BATCH_LIMIT, 7]
    async with written(transport) as outbox:
        for size in sizes:
            outbox.send_nowait(item("x" * size))
        await wait_all_tasks_blocked()
    assert [[len(part) for part in batch] for batch in transport.batches] == [
        [1],
        [5000, 5000, 5000],
        [5000],
        [BATCH_LIMIT],
        [3 * BATCH_LIMIT],
        [7],
    ]


async def test_what_the_kernel_leaves_is_the_writers(autojump_clock: MockClock) -> None:
    transport = Slow(room=2)
    async with written(transport) as outbox:
        for letter in "abcd":
            outbox.send_nowait(item(letter))
        await trio.sleep(1)
        assert transport.sent == ["a", "b"]
        assert not outbox.is_idle
        outbox.send_nowait(item("e"))
        assert not outbox.send_volatile(item("volatile"))
        transport.go.set()
        await wait_all_tasks_blocked()
        assert transport.sent == ["a", "b", "c", "d", "e"]
        assert outbox.is_idle


async def test_while_the_writer_writes_nobody_overtakes(autojump_clock: MockClock) -> None:
    transport = Slow()
    async with written(transport) as outbox:
        outbox.send_nowait(item("a"))
        await trio.sleep(1)
        outbox.send_nowait(item("b"))
        await trio.sleep(1)
        outbox.send_nowait(item("c"))
        assert len(outbox) == 2
        transport.go.set()
        await wait_all_tasks_blocked()
        assert transport.batches == [["a"], ["b", "c"]]
        assert outbox.stuck_since is None


async def test_who_waits_for_room_goes_on_when_the_writer_does(autojump_clock: MockClock) -> None:
    transport = Slow()
    async with written(transport, packets=2) as outbox, trio.open_nursery() as nursery:

        @nursery.start_soon
        async def put() -> None:
            for letter in "abcdefg":
                await outbox.send(item(letter))

        await trio.sleep(9)
        assert len(outbox) == 2
        assert outbox.stuck_since is not None
        transport.go.set()
        await wait_all_tasks_blocked()
        assert "".join(map(str, transport.sent)) == "abcdefg"


async def test_what_waits_at_the_end_still_leaves(autojump_clock: MockClock) -> None:
    transport = Slow()
    async with written(transport) as outbox:
        outbox.send_nowait(item("a"))
        outbox.send_nowait(item("b"))
        transport.go.set()
    assert transport.sent == ["a", "b"]


async def test_a_poll_fetches_its_packets_itself(autojump_clock: MockClock) -> None:
    transport = PollingTransport(base64=False)
    fetched: list[Encoded] = []
    async with trio.open_nursery() as nursery:
        async with written(transport) as outbox:
            transport.attach(outbox)
            items = [item("4a"), item("4b")]
            for one in items:
                outbox.send_nowait(one)
            await trio.sleep(1)
            assert len(outbox) == 2

            @nursery.start_soon
            async def poll() -> None:
                await trio.sleep(5)
                fetched.extend(transport.poll_nowait())

        assert trio.current_time() == 6.0  # the writer ends when all of it has been fetched
    assert fetched == items


async def test_a_connection_that_breaks_ends_the_writer(autojump_clock: MockClock) -> None:
    class Broken(Slow):
        async def send(self, items: Sequence[Encoded]) -> None:
            await trio.lowlevel.checkpoint()
            raise trio.BrokenResourceError

    outbox = make_outbox(Broken(), 10, 100)
    outbox.send_nowait(item("a"))
    with pytest.raises(trio.BrokenResourceError):
        await Writer(outbox).write()


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_the_order_stays(seed: int, autojump_clock: MockClock) -> None:
    chance = random.Random(seed)
    transport = Slow()
    expected: list[str] = []
    async with written(transport, packets=20) as outbox:
        for number in range(300):
            text = str(number) * chance.randrange(1, 200)
            transport.room += chance.choice((0, 0, 1, 3))
            if chance.random() < 0.2:
                transport.go.set()
            if chance.random() < 0.1 and transport.go.is_set():
                transport.go = trio.Event()
            if chance.random() < 0.3:
                await wait_all_tasks_blocked()
            if chance.random() < 0.2:
                if outbox.send_volatile(item(text)):
                    expected.append(text)
                continue
            try:
                outbox.send_nowait(item(text))
            except trio.WouldBlock:
                transport.go.set()
                await outbox.send(item(text))
            expected.append(text)
        transport.go.set()
    assert transport.sent == expected
    assert outbox.statistics(0).queued_bytes == 0


# -- over a real socket -------------------------------------------------------------------------


@pytest.mark.parametrize("waits", [True, False])
async def test_a_client_that_does_not_read_gets_all_of_it_later(waits: bool) -> None:
    chance = random.Random(1)
    texts = [f"{number}:" + "x" * chance.choice((1, 300, 70_000)) for number in range(600)]

    async def handler(session: trio_sio.Session) -> None:
        for text in texts:
            if waits:
                await session.send(text)
            else:
                session.send_nowait(text)
        await session.receive()

    packets = 50 if waits else 1000
    engine = trio_sio.Engine(raise_errors=True, max_outbox=packets, max_outbox_bytes=2**26)
    async with open_wire(engine, handler, streams=socket_pair) as wire:
        websocket = await wire.websocket()
        await wait_all_tasks_blocked(0.05)
        (session,) = engine.sessions.values()
        assert session.statistics().queued >= 50
        assert not session.writable
        assert str(await websocket.receive()).startswith("0{")
        for text in texts:
            assert await websocket.receive() == "4" + text
        assert session.statistics().dropped == 0
