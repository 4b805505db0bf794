"""One exhibit at a time."""

import pytest
import trio
from trio.testing import MockClock

from trio_sio import PacketRefused
from trio_sio.demo.hood.stage import REST, Stage


async def test_one_at_a_time_and_a_rest_behind_each(autojump_clock: MockClock) -> None:
    stage = Stage()
    with stage.playing("A"):
        with pytest.raises(PacketRefused, match="“A” is running"):
            stage.claim("B")
    with pytest.raises(PacketRefused, match="has just ended"):
        stage.claim("B")
    await trio.sleep(REST)
    with pytest.raises(RuntimeError), stage.playing("B"):
        raise RuntimeError
    await trio.sleep(REST)
    stage.claim("C")
    await trio.sleep(REST)
    with pytest.raises(PacketRefused, match="“C” is running"), stage.playing("D"):
        pass
    stage.release()
