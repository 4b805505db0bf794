"""What a message costs, counted: system calls and calls of functions, never seconds.

The server runs here, watched by a profiler that counts; the clients, raw sockets of the
benchmarks, run in a thread of their own, which is not watched. One thing happens at a time, so
that each takes the same turns of the event loop every time.

A ceiling is a tenth at most above what was counted on CPython 3.11; whoever makes the hot path
cheaper may lower it.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FrameType

import pytest
import trio
import trio.testing

from tools.load.clients import Crowd, frame_size, masked
from tools.load.polling import Pollers
from tools.load.trio_sio_server import make_server
from trio_sio.options import WSEngine

TEXT = "x" * 32
CLIENTS = 100
TIMES = 20
SYSTEM_CALLS = {
    ("posix", "read"): "read",
    ("posix", "write"): "write",
    ("epoll", "modify"): "epoll_ctl",
    ("epoll", "register"): "epoll_ctl",
    ("epoll", "unregister"): "epoll_ctl",
    ("epoll", "poll"): "epoll_wait",
    ("socket", "send"): "send",
}


@dataclass
class Price:
    """What one message, or one delivery, costs."""

    calls: float
    system: dict[str, float]


class Counts:
    """A profiler that counts calls: of Python's functions, and of C's by name."""

    def __init__(self) -> None:
        self.calls = 0
        self.system: Counter[str] = Counter()

    def __call__(self, frame: FrameType, event: str, function: object) -> None:
        if event == "call":
            self.calls += 1
        elif event == "c_call":
            self.calls += 1
            owner = getattr(function, "__self__", None)
            kind = getattr(owner, "__name__", type(owner).__name__)
            name = SYSTEM_CALLS.get((kind, getattr(function, "__name__", "")))
            if name is not None:
                self.system[name] += 1


async def price(
    ws_engine: WSEngine,
    open_crowd: Callable[[int], Crowd | Pollers],
    act: Callable[[Crowd | Pollers], object],
    units: int,
) -> Price:
    """Count what `act` costs the server for each of its units, once everything is warm."""
    counts = Counts()
    async with trio.open_nursery() as nursery:
        serve = partial(make_server(ws_engine).serve_tcp, 0, "127.0.0.1")
        listeners = await nursery.start(serve)
        port = listeners[0].socket.getsockname()[1]
        crowd = await trio.to_thread.run_sync(open_crowd, port)
        await trio.to_thread.run_sync(act, crowd)
        await trio.testing.wait_all_tasks_blocked(0.05)
        sys.setprofile(counts)
        try:
            await trio.to_thread.run_sync(act, crowd)
            await trio.testing.wait_all_tasks_blocked(0.05)
        finally:
            sys.setprofile(None)
        await trio.to_thread.run_sync(crowd.close)
        nursery.cancel_scope.cancel()
    system = {name: count / units for name, count in counts.system.items()}
    return Price(counts.calls / units, system)


def crowd_of(size: int) -> Callable[[int], Crowd]:
    return lambda port: Crowd(port, 3, size)


def echo(crowd: Crowd | Pollers) -> None:
    assert isinstance(crowd, Crowd)
    expected = frame_size(len(f'42["echo","{TEXT}"]'))
    crowd.loop(TIMES, masked(f'42["echo","{TEXT}"]'), expected)


def broadcast(burst: int, crowd: Crowd | Pollers) -> None:
    assert isinstance(crowd, Crowd)
    expected = frame_size(len(f'42["news","{TEXT}"]')) * burst
    for _ in range(TIMES):
        crowd.order(f'42["burst",{burst},"{TEXT}"]', expected, CLIENTS)


def poll(crowd: Crowd | Pollers) -> None:
    assert isinstance(crowd, Pollers)
    crowd.echo(TIMES, TEXT)


@pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])
async def test_an_echo(ws_engine: WSEngine) -> None:
    cost = await price(ws_engine, crowd_of(1), echo, TIMES)
    assert cost.system["read"] <= 1.2
    assert cost.system["write"] <= 1.2
    assert cost.system["epoll_ctl"] <= 1.2
    assert cost.system["epoll_wait"] <= 2.5  # the reader's turn and the handler's
    assert "send" not in cost.system  # Trio's way of sending, which waits first
    assert cost.calls <= 268


@pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])
@pytest.mark.parametrize(("burst", "writes", "calls"), [(1, 1, 11), (8, 0.25, 13.5)])
async def test_a_broadcast(ws_engine: WSEngine, burst: int, writes: float, calls: float) -> None:
    deliveries = TIMES * burst * CLIENTS
    cost = await price(ws_engine, crowd_of(CLIENTS), partial(broadcast, burst), deliveries)
    assert cost.system["write"] == pytest.approx(writes, rel=0.05)
    assert cost.calls <= calls


async def test_a_polling_echo() -> None:
    cost = await price("websockets", lambda port: Pollers(port, 3, 1), poll, TIMES)
    assert cost.system["read"] <= 2.2  # a POST and a GET
    assert cost.system["write"] <= 2.2
    assert cost.system["epoll_ctl"] <= 2.2
    assert cost.calls <= 665
