"""A connection that is opened again whenever it is lost."""

import pytest
import trio

from trio_sio.adapters.redis.link.backoff import Backoff
from trio_sio.adapters.redis.link.connection import ConnectionLost
from trio_sio.adapters.redis.link.keeper import Keeper


async def test_it_begins_again_and_says_why(autojump_clock: trio.abc.Clock) -> None:
    told: list[tuple[str, float]] = []
    uses = 0

    async def use() -> None:
        nonlocal uses
        uses += 1
        await trio.sleep(2)
        if uses < 3:
            raise ConnectionLost(f"the {uses}. time")
        await trio.sleep_forever()

    keeper = Keeper(use, lambda began: told.append((keeper.cause, began)), Backoff(lambda: 0.5))
    async with trio.open_nursery() as nursery:
        begun = trio.current_time()
        nursery.start_soon(keeper.run)
        await trio.sleep(100)
        assert [cause for cause, _ in told] == ["the 1. time", "the 2. time"]
        assert told[0][1] == pytest.approx(begun)
        assert told[1][1] > begun + 2
        assert (uses, keeper.cause) == (3, "")
        keeper.restart("it is deaf")
        keeper.restart("and once more")
        await trio.sleep(100)
        assert (uses, told[2][0]) == (4, "it is deaf")
        nursery.cancel_scope.cancel()
