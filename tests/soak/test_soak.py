"""Mixed load through a bad network: clients that stay lose nothing, and get it once, in order."""

import itertools
import sys
import time

import pytest

import trio_sio
from tests.soak.soak import Report, Soak
from trio_sio.options import WSEngine

pytestmark = [
    pytest.mark.node,
    pytest.mark.alone,  # a client that is kept waiting by other tests is given up for its silence
]

FAULTY, SHORT, LONG = 2.0, 4.0, 600.0
HASTE = 10  # of cuts, in a short one


def make_server(
    engine: WSEngine, ping_interval: float = 2.0, ping_timeout: float = 6.0
) -> trio_sio.Server:
    return trio_sio.Server(
        ws_engine=engine,
        ping_interval=ping_interval,
        ping_timeout=ping_timeout,
        raise_errors=True,
        # A full collection of the garbage of all tests takes a second, and would be a line of the
        # log, which is kept for ten.
        slow_step=None,
    )


async def soak(io: trio_sio.Server, seconds: float, haste: int) -> Report:
    seed = time.time_ns()
    sys.stdout.write(f"seed {seed}\n")  # shown if it fails
    report = await Soak(io, seed, haste).run(seconds)
    sys.stdout.write("\n".join(report.lines) + "\n")
    return report


def check(report: Report) -> None:
    report.check()
    assert report.cuts > 0
    for kind in ("client to server", "answers", "news", "questions", "volatile"):
        assert report.received[kind] > 0


@pytest.mark.parametrize("engine", ["trio-websocket", "websockets"])
async def test_a_short_soak(engine: WSEngine) -> None:
    check(await soak(make_server(engine), SHORT, HASTE))


@pytest.mark.long
async def test_a_long_soak(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        check(await soak(make_server("websockets", 3.0, 9.0), LONG, 1))


async def test_a_soak_finds_what_a_server_loses_and_handles_twice() -> None:
    io = make_server("auto")
    numbers = itertools.count()

    def refuse_some(packet: trio_sio.Packet) -> None:
        if packet.event == "say" and next(numbers) % 5 == 4:
            raise trio_sio.PacketRefused("one in five")

    def answer_twice(socket: trio_sio.Socket) -> None:
        emit = socket.emit

        async def twice(event: str, *args: object) -> None:
            if event == "news":
                await emit(event, *args)
            await emit(event, *args)

        vars(socket)["emit"] = twice

    io.on("connection", lambda socket: socket.use(refuse_some) and None)
    io.of("/chat").on("connection", answer_twice)
    report = await soak(io, FAULTY, HASTE)
    assert report.faults["lost"] > 0
    assert report.faults["duplicated"] > 0
    with pytest.raises(AssertionError):
        report.check()
