"""The loads: what clients do, and what is counted."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tools.load.clients import MIXED, Client, Crowd, connect, frame_size, masked
from tools.load.polling import Poller, Pollers
from tools.load.process import Server

TEXT = "x" * 32
BLOB = 65536
ROOM = 100
CONNECTIONS = 300
POLLERS = 50
IDLE = 5000

Figures = dict[str, float]
"""What one load gave: "cost" is µs of the server's CPU time per unit, "rate" units per second."""


@dataclass(frozen=True)
class Case:
    """A load.

    Attributes:
        name: what it is called in tables.
        clients: WebSocket clients that have joined before it begins; 0 if it brings its own.
        run: applies it.
    """

    name: str
    clients: int
    run: Callable[[Server, Crowd], Figures]


def cases(sizes: Sequence[int], idle: int = IDLE) -> Iterator[Case]:
    """Yield all loads but those at a fixed rate, ordered by the clients they need."""
    yield Case("start to listening, s", 0, lambda server, _: {"cost": server.started})
    yield Case("connect by WebSocket, per client", 0, _connect_websocket)
    yield Case("connect by polling and upgrade, per client", 0, _connect_polling)
    yield Case("polling echo, 50 clients", 0, _polling_echo)
    yield Case("echo, 100 clients", 100, _echo)
    yield Case("echo by acknowledgement, 100 clients", 100, _ask)
    yield Case("broadcast of 64 KiB to 100", 100, _blobs)
    yield Case("room of 100 alone", ROOM, _room)
    for size in sizes:
        yield Case(f"broadcast to {size:,}, one at a time", size, _singles)
        yield Case(f"broadcast to {size:,}, bursts of 8", size, _bursts)
    yield Case(f"room of 100 among {sizes[-1]:,}", sizes[-1], _room)
    yield Case(f"memory per idle client of {idle:,}, KiB", 0, lambda one, _: _memory(one, idle))


def latency(rate: float, seconds: float) -> Case:
    """Return the load that sends at a fixed rate."""
    message, expected = masked(f'42["echo","{TEXT}"]'), _size("echo")

    def run(server: Server, crowd: Crowd) -> Figures:
        crowd.loop(20, message, expected)
        delays = sorted(crowd.pace(rate, seconds, message, expected))
        cut = statistics.quantiles(delays, n=1000)
        return {"p50": cut[499] * 1e3, "p99": cut[989] * 1e3, "p99.9": cut[998] * 1e3}

    return Case(f"echo, 100 clients, {rate:,.0f} messages/s", 100, run)


def _size(event: str) -> int:
    return frame_size(len(f'42["{event}","{TEXT}"]'))


def _costed(server: Server, units: int, run: Callable[[], object]) -> Figures:
    """Run something and return what each unit of it cost the server."""
    before, begun = server.cpu_seconds(), time.perf_counter()
    run()
    seconds = time.perf_counter() - begun
    return {
        "cost": (server.cpu_seconds() - before) / units * 1e6,
        "rate": units / seconds,
    }


def _echo(server: Server, crowd: Crowd) -> Figures:
    message, expected = masked(f'42["echo","{TEXT}"]'), _size("echo")
    crowd.loop(30, message, expected)
    rounds = 150
    units = rounds * len(crowd.clients)
    return _costed(server, units, lambda: crowd.loop(rounds, message, expected))


def _ask(server: Server, crowd: Crowd) -> Figures:
    # Ids of one digit make answers of one size.
    message, expected = masked(f'427["ask","{TEXT}"]'), frame_size(len(f'437["{TEXT}"]'))
    crowd.loop(30, message, expected)
    rounds = 150
    units = rounds * len(crowd.clients)
    return _costed(server, units, lambda: crowd.loop(rounds, message, expected))


def _broadcasts(
    server: Server, crowd: Crowd, order: str, expected: int, receivers: int, units: int, bursts: int
) -> Figures:
    for _ in range(max(1, bursts // 4)):
        crowd.order(order, expected, receivers)

    def run() -> None:
        for _ in range(bursts):
            crowd.order(order, expected, receivers)

    return _costed(server, bursts * units, run)


def _singles(server: Server, crowd: Crowd) -> Figures:
    size = len(crowd.clients)
    bursts = max(8, 50_000 // size)
    order = f'42["burst",1,"{TEXT}"]'
    return _broadcasts(server, crowd, order, _size("news"), size, size, bursts)


def _bursts(server: Server, crowd: Crowd) -> Figures:
    size = len(crowd.clients)
    bursts = max(3, 100_000 // (8 * size))
    order = f'42["burst",8,"{TEXT}"]'
    return _broadcasts(server, crowd, order, 8 * _size("news"), size, 8 * size, bursts)


def _blobs(server: Server, crowd: Crowd) -> Figures:
    if server.peer.version == MIXED:
        raise RuntimeError("attachments differ by a byte, and all clients are to get the same")
    size = len(crowd.clients)
    head = frame_size(len('451-["blob",{"_placeholder":true,"num":0}]'))
    # Engine.IO 3 has one byte before the attachment.
    expected = head + frame_size(BLOB + (1 if server.peer.version == 3 else 0))
    return _broadcasts(server, crowd, '42["blobs",1]', expected, size, size, 10)


def _room(server: Server, crowd: Crowd) -> Figures:
    crowd.ask_each('427["join"]', frame_size(len("437[]")), ROOM)
    order = f'42["room burst",1,"{TEXT}"]'
    return _broadcasts(server, crowd, order, _size("news"), ROOM, ROOM, 300)


def _connect_websocket(server: Server, _: Crowd) -> Figures:
    def run() -> None:
        for client in connect(server.port, server.peer.version, CONNECTIONS):
            client.close()
        server.settle()

    run()
    return {"cost": _costed(server, CONNECTIONS, run)["cost"]}


def _connect_polling(server: Server, _: Crowd) -> Figures:
    def run() -> None:
        for _number in range(CONNECTIONS):
            poller = Poller(server.port, server.peer.version)
            client = Client(server.port, server.peer.version, poller.sid)
            client.upgrade()
            client.socket.sendall(masked('427["join"]'))
            while not client.read_message().startswith("437"):
                pass
            client.socket.close()
            poller.close()
        server.settle()

    run()
    return {"cost": _costed(server, CONNECTIONS, run)["cost"]}


def _polling_echo(server: Server, _: Crowd) -> Figures:
    pollers = Pollers(server.port, server.peer.version, POLLERS)
    pollers.echo(20, TEXT)
    rounds = 60
    figures = _costed(server, rounds * POLLERS, lambda: pollers.echo(rounds, TEXT))
    pollers.close()
    return figures


def _memory(server: Server, size: int) -> Figures:
    settle = '427["settle"]', frame_size(len("437[]")), 1
    crowd = Crowd(server.port, server.peer.version, 100)
    crowd.order(*settle)
    server.settle()
    before = server.resident_bytes()
    more = Crowd(server.port, server.peer.version, size)
    crowd.order(*settle)
    server.settle()
    used = server.resident_bytes() - before
    more.close()
    crowd.close()
    return {"cost": used / size / 1024}
