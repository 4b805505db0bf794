"""What a message costs, counted: system calls and calls of functions, never seconds.

The server runs here, watched by a profiler that counts; the clients, raw sockets of the
benchmarks, run in a thread of their own, which is not watched. One thing happens at a time, so
that each takes the same turns of the event loop every time.

A ceiling is a tenth at most above what was counted on CPython 3.11; whoever makes the hot path
cheaper may lower it.
"""

import gc
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType
from typing import ClassVar

import pytest
import trio
import trio.testing

import trio_sio
from tools.load.clients import Crowd, frame_size, masked
from tools.load.polling import Pollers
from tools.load.trio_sio_server import make_server
from trio_sio import MemoryAdapter, Packet, PacketType, Server
from trio_sio.abc import Target
from trio_sio.adapters.cluster.adapter import ClusterAdapter
from trio_sio.adapters.cluster.broker import Receive
from trio_sio.adapters.cluster.member import Member
from trio_sio.admin import Admin
from trio_sio.admin.packets import KEPT, PacketFeed, SessionTap
from trio_sio.options import WSEngine
from trio_sio.protocol.cluster.broadcast import ClusterBroadcast
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType

PACKAGE = str(Path(trio_sio.__file__).parent)
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
    """What one message, or one delivery, costs.

    Attributes:
        calls: all of them.
        ours: those of the package's functions, and those that these make of C's. How many turns the
            event loop takes beside them depends on the machine.
        system: by name.
    """

    calls: float
    ours: float
    system: dict[str, float]


class Counts:
    """A profiler that counts calls: of Python's functions, and of C's by name."""

    def __init__(self) -> None:
        self.calls = 0
        self.ours = 0
        self.system: Counter[str] = Counter()

    def __call__(self, frame: FrameType, event: str, function: object) -> None:
        if event in ("call", "c_call") and frame.f_code.co_filename.startswith(PACKAGE):
            self.ours += 1
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
    prepare: Callable[[Server], object] = repr,
) -> Price:
    """Count what `act` costs the server for each of its units, once everything is warm."""
    counts = Counts()
    async with trio.open_nursery() as nursery:
        io = make_server(ws_engine)
        prepare(io)
        serve = partial(io.serve_tcp, 0, "127.0.0.1")
        listeners = await nursery.start(serve)
        port = listeners[0].socket.getsockname()[1]
        crowd = await trio.to_thread.run_sync(open_crowd, port)
        await trio.to_thread.run_sync(act, crowd)
        gc.collect()
        gc.disable()  # whose callbacks would be counted, too
        await trio.testing.wait_all_tasks_blocked(0.05)  # or the log's line about that
        sys.setprofile(counts)
        try:
            await trio.to_thread.run_sync(act, crowd)
            await trio.testing.wait_all_tasks_blocked(0.05)
        finally:
            sys.setprofile(None)
            gc.enable()
        await trio.to_thread.run_sync(crowd.close)
        nursery.cancel_scope.cancel()
    system = {name: count / units for name, count in counts.system.items()}
    return Price(counts.calls / units, counts.ours / units, system)


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


# -- with a view for operators -----------------------------------------------------------------


def mount(io: Server) -> None:
    Admin(io, check=lambda socket: False)


@pytest.mark.parametrize(
    ("size", "act", "units"),
    [(1, echo, TIMES), (CLIENTS, partial(broadcast, 1), TIMES * CLIENTS)],
    ids=["echo", "broadcast"],
)
async def test_a_view_that_nobody_watches_costs_no_call(
    size: int, act: Callable[[Crowd | Pollers], object], units: int
) -> None:
    plain = await price("websockets", crowd_of(size), act, units)
    mounted = await price("websockets", crowd_of(size), act, units, mount)
    assert mounted.ours == pytest.approx(plain.ours, rel=0.01)


async def test_a_packet_beyond_what_an_operator_is_shown() -> None:
    feed = PacketFeed()
    tap = SessionTap(1, "/admin", [feed])
    item = (Encoded.of(f'2["news","{TEXT}"]'),)
    packet = EnginePacket(EnginePacketType.MESSAGE, f'2["news","{TEXT}"]')
    for _ in range(KEPT):
        tap.outgoing("websocket", item)

    async def one_each_way() -> None:
        tap.incoming("websocket", packet)
        tap.outgoing("websocket", item)

    assert await calls_of(one_each_way) <= 14
    assert len(feed.take()[0]) == KEPT


# -- clusters ----------------------------------------------------------------------------------


class Subscription:
    """Listens to nothing."""

    def add(self, channels: Collection[bytes]) -> None: ...

    def discard(self, channels: Collection[bytes]) -> None: ...

    async def wait(self) -> None: ...

    def close(self) -> None: ...


class Broker:
    """Takes everything, and carries it nowhere."""

    uid = "server"
    key = "key"
    peers: ClassVar[Mapping[str, str]] = {}

    def open(
        self, channels: Channels, receive: Receive, private: Collection[bytes] = ()
    ) -> Subscription:
        return Subscription()

    async def publish(self, channel: bytes, payload: bytes) -> None: ...

    def publish_nowait(self, channel: bytes, payload: bytes) -> bool:
        return True

    def has_room(self, channel: bytes, payload: bytes) -> bool:
        return True

    async def count_subscribers(self, channel: bytes) -> int | None:
        return 1


async def calls_of(act: Callable[[], Awaitable[object]]) -> float:
    """How many calls one act takes, without the one that awaits it."""
    counts = Counts()
    for watch in (None, counts):  # once everything is warm
        sys.setprofile(watch)
        try:
            for _ in range(TIMES):
                await act()
        finally:
            sys.setprofile(None)
    return counts.calls / TIMES


async def test_broadcasts_in_a_cluster() -> None:
    packet = Packet(PacketType.EVENT, "/", ["news", TEXT])
    everybody, room = Target(), Target(frozenset("r"))
    async with Server() as io:
        root = io.sockets
        memory, cluster = MemoryAdapter(root), ClusterAdapter(root, Broker(), Member())
        assert await calls_of(lambda: memory.broadcast(packet, everybody)) <= 24
        # Encoded for the clients, and once more for the other servers.
        assert await calls_of(lambda: cluster.broadcast(packet, everybody)) <= 42
        assert await calls_of(lambda: cluster.broadcast(packet, room)) <= 53


async def test_a_broadcast_that_does_not_wait_costs_no_more_than_one_that_may() -> None:
    async def emit_nowait(io: Server) -> None:
        io.emit_nowait("news", TEXT)

    broker = Broker()
    for adapter in (None, lambda namespace: ClusterAdapter(namespace, broker, Member())):
        async with Server(adapter=adapter, slow_step=None) as io:
            waiting = await calls_of(partial(io.emit, "news", TEXT))
            assert await calls_of(partial(emit_nowait, io)) - 1 <= waiting  # 1: its own
        elsewhere = Server(adapter=adapter)  # it does not serve, so `Home` is asked by a call
        assert await calls_of(partial(elsewhere.emit, "news", TEXT)) > waiting


@pytest.mark.parametrize(
    ("room", "uid", "calls"),
    [
        ("", "other", 82),  # decoded, and encoded for the clients
        ("", Broker.uid, 11),  # it comes back
        ("r", "other", 11),  # nobody is there
    ],
)
async def test_messages_of_other_servers(room: str, uid: str, calls: float) -> None:
    adapter = ClusterAdapter(Server().sockets, Broker(), Member())
    packet = Packet(PacketType.EVENT, "/", ["news", TEXT])
    payload = ClusterBroadcast(uid, packet, (room,) if room else ()).encode()
    channels = Channels(Broker.key, "/")
    channel = channels.room(room) if room else channels.base

    async def receive() -> None:
        adapter.receive(channel, payload)

    assert await calls_of(receive) <= calls
