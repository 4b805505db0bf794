"""One flush for all at a tick's end."""

import weakref

import trio
import trio.lowlevel
from trio.testing import MockClock

from trio_sio.engine.runtime.tick import TickFlusher


class Box:
    def __init__(self, ticks: TickFlusher) -> None:
        self.ticks = ticks
        self.flushed: list[int] = []

    def flush(self) -> None:
        self.flushed.append(self.ticks.count)


async def test_marked_boxes_are_flushed_once_in_the_next_tick(autojump_clock: MockClock) -> None:
    ticks = TickFlusher()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ticks.run)
        await trio.sleep(1)
        boxes = [Box(ticks), Box(ticks)]
        tick = ticks.count
        for box in boxes:
            ticks.mark(box)
        assert [box.flushed for box in boxes] == [[], []]
        assert ticks.count == tick
        await trio.sleep(1)
        assert [box.flushed for box in boxes] == [[tick + 1], [tick + 1]]
        await trio.sleep(1)
        assert [len(box.flushed) for box in boxes] == [1, 1]
        nursery.cancel_scope.cancel()


async def test_a_flush_may_mark_again(autojump_clock: MockClock) -> None:
    ticks = TickFlusher()

    class Again(Box):
        def flush(self) -> None:
            super().flush()
            if len(self.flushed) < 3:
                self.ticks.mark(self)

    box = Again(ticks)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ticks.run)
        ticks.mark(box)
        await trio.sleep(1)
        assert len(box.flushed) == 3
        nursery.cancel_scope.cancel()


async def test_it_keeps_no_box_that_it_has_flushed(autojump_clock: MockClock) -> None:
    ticks = TickFlusher()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ticks.run)
        box = Box(ticks)
        alive = weakref.ref(box)
        ticks.mark(box)
        await trio.sleep(1)
        assert len(box.flushed) == 1
        del box
        assert alive() is None
        nursery.cancel_scope.cancel()


async def test_it_leaves_no_instrument_behind() -> None:
    ticks = TickFlusher()
    with trio.move_on_after(0):
        await ticks.run()
    tick = ticks.count
    await trio.lowlevel.checkpoint()
    await trio.lowlevel.checkpoint()
    assert ticks.count == tick


async def test_it_keeps_nothing_that_was_flushed(autojump_clock: MockClock) -> None:
    ticks = TickFlusher()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ticks.run)
        boxes = [Box(ticks), Box(ticks)]
        gone = [weakref.ref(box) for box in boxes]
        for box in boxes:
            ticks.mark(box)
        del boxes, box
        await trio.sleep(1)
        assert [reference() for reference in gone] == [None, None]
        nursery.cancel_scope.cancel()
