"""Mixed load through a bad network: clients that stay lose nothing, and get it once, in order."""

import sys
import time

import pytest

import trio_sio
from tests.soak.soak import PING_INTERVAL, PING_TIMEOUT, Soak

pytestmark = pytest.mark.node

SHORT, LONG = 6.0, 600.0
HASTE = 10  # of cuts, in a short one


async def soak(engine: str, seconds: float, haste: int) -> None:
    io = trio_sio.Server(
        ws_engine=engine,
        ping_interval=PING_INTERVAL,
        ping_timeout=PING_TIMEOUT,
        raise_errors=True,
    )
    seed = time.time_ns()
    sys.stdout.write(f"seed {seed}\n")  # shown if it fails
    report = await Soak(io, seed, haste).run(seconds)
    sys.stdout.write("\n".join(report.lines) + "\n")
    report.check()
    assert report.cuts > 0
    for kind in ("client to server", "answers", "news", "questions", "volatile"):
        assert report.received[kind] > 0


@pytest.mark.parametrize("engine", ["trio-websocket", "websockets"])
async def test_a_short_soak(engine: str) -> None:
    await soak(engine, SHORT, HASTE)


@pytest.mark.long
async def test_a_long_soak(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        await soak("websockets", LONG, 1)
