"""One flush for all at a tick's end."""

import weakref

import trio
import trio.lowlevel
from trio.testing import MockClock

from trio_sio.engine.runtime.tick import TickFlusher


class Box:
    def __init__(self, pulse: TickFlusher) -> None:
        self.pulse = pulse
        self.flushed: list[int] = []

    def flush(self) -> None:
        self.flushed.append(self.pulse.tick)


async def test_marked_boxes_are_flushed_once_in_the_next_tick(autojump_clock: MockClock) -> None:
    pulse = TickFlusher()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse.run)
        await trio.sleep(1)
        boxes = [Box(pulse), Box(pulse)]
        tick = pulse.tick
        for box in boxes:
            pulse.mark(box)
        assert [box.flushed for box in boxes] == [[], []]
        assert pulse.tick == tick
        await trio.sleep(1)
        assert [box.flushed for box in boxes] == [[tick + 1], [tick + 1]]
        await trio.sleep(1)
        assert [len(box.flushed) for box in boxes] == [1, 1]
        nursery.cancel_scope.cancel()


async def test_a_flush_may_mark_again(autojump_clock: MockClock) -> None:
    pulse = TickFlusher()

    class Again(Box):
        def flush(self) -> None:
            super().flush()
            if len(self.flushed) < 3:
                self.pulse.mark(self)

    box = Again(pulse)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse.run)
        pulse.mark(box)
        await trio.sleep(1)
        assert len(box.flushed) == 3
        nursery.cancel_scope.cancel()


async def test_it_keeps_no_box_that_it_has_flushed(autojump_clock: MockClock) -> None:
    pulse = TickFlusher()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse.run)
        box = Box(pulse)
        alive = weakref.ref(box)
        pulse.mark(box)
        await trio.sleep(1)
        assert len(box.flushed) == 1
        del box
        assert alive() is None
        nursery.cancel_scope.cancel()


async def test_it_leaves_no_instrument_behind() -> None:
    pulse = TickFlusher()
    with trio.move_on_after(0):
        await pulse.run()
    tick = pulse.tick
    await trio.lowlevel.checkpoint()
    await trio.lowlevel.checkpoint()
    assert pulse.tick == tick


async def test_it_keeps_nothing_that_was_flushed(autojump_clock: MockClock) -> None:
    pulse = TickFlusher()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse.run)
        boxes = [Box(pulse), Box(pulse)]
        gone = [weakref.ref(box) for box in boxes]
        for box in boxes:
            pulse.mark(box)
        del boxes, box
        await trio.sleep(1)
        assert [reference() for reference in gone] == [None, None]
        nursery.cancel_scope.cancel()
