"""Both ends of a connection are streams as Trio has them."""

import pytest
import trio
import trio.testing

from trio_sio.testing import Faults
from trio_sio.testing.network.route import Route
from trio_sio.testing.network.stream import FaultyStream
from trio_sio.testing.network.transcript import Transcript


async def pair() -> tuple[FaultyStream, FaultyStream]:
    return Route(Faults(), "1", "client 1", Transcript()).open()


async def clogged_pair() -> tuple[FaultyStream, FaultyStream]:
    one, other = Route(Faults(buffer=1), "1", "client 1", Transcript()).open()
    await one.send_all(b"x")
    await other.send_all(b"x")
    return one, other


async def test_it_keeps_trio_s_contract() -> None:
    await trio.testing.check_half_closeable_stream(pair, clogged_pair)


async def test_sizes(autojump_clock: trio.abc.Clock) -> None:
    one, other = await pair()
    await one.send_all(bytearray(b"abc"))
    with pytest.raises(ValueError, match="max_bytes"):
        await other.receive_some(0)
    assert await other.receive_some(2) == b"ab"
