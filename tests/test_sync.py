"""A moment comes once, for everybody."""

import trio
import trio.testing
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio.sync import LazyEvent


async def test_who_waits_before_and_who_waits_after(autojump_clock: MockClock) -> None:
    moment = LazyEvent()
    heard: list[str] = []

    async def wait(name: str) -> None:
        await moment.wait()
        heard.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "before")
        nursery.start_soon(wait, "too")
        await wait_all_tasks_blocked()
        assert (heard, moment.is_set) == ([], False)
        moment.set()
        moment.set()
    assert sorted(heard) == ["before", "too"]
    with trio.testing.assert_checkpoints():
        await moment.wait()
    assert moment.is_set
