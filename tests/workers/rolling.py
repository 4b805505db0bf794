"""Drains behind a real proxy, one after the other, and a count of what got lost.

    python -m tests.workers.rolling nginx.conf --drains 30

Two servers in processes of their own, with Redis between them, a proxy before them, and JavaScript
clients by each way of travelling, which come back by themselves. In turns each server gets SIGTERM,
drains, ends and is started anew. Meanwhile everybody sends numbered events to everybody:

    call    by a client, with an acknowledgement
    say     by a client, without one
    told    by a server to one client
    cast    by a server to everybody

The client's own library gives up some events when its connection ends, before they have been sent;
`client.js` reports these as "discarded", and they are counted apart.
"""

import argparse
import contextlib
import itertools
import json
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import trio

from tests.support.ledger_node import PACE
from tests.support.peers import (
    DEADLINE,
    POLLING,
    QUICKLY_BACK,
    UPGRADING,
    WEBSOCKET,
    Client,
    Heard,
    Kind,
    peer,
)
from tests.support.proxies import configuration, free_port, proxy
from tests.support.redis_server import RedisServer

KINDS = (POLLING, UPGRADING, WEBSOCKET)

_SENT = re.compile(r'2\d*\["(call|say)",\d+,(\d+)\]')


class Program:
    """A process of `tests.support.ledger_node`."""

    def __init__(self, options: dict[str, object]) -> None:
        self._command = [
            *(sys.executable, "-m", "tests.support.ledger_node"),
            json.dumps(options),
        ]
        self._process: trio.Process | None = None
        self._lines = b""

    async def start(self, nursery: trio.Nursery) -> None:
        """Start it."""
        run = partial(
            trio.run_process,
            self._command,
            stdout=subprocess.PIPE,
            check=False,
            deliver_cancel=_kill,
        )
        self._process = await nursery.start(run)

    async def serving(self) -> tuple[str, int]:
        """Return name and port of the next server that serves."""
        assert self._process is not None
        assert self._process.stdout is not None
        with trio.fail_after(DEADLINE):
            while b"\n" not in self._lines:
                data = await self._process.stdout.receive_some()
                assert data, "it has ended"
                self._lines += data
        line, _, self._lines = self._lines.partition(b"\n")
        name, port = line.decode().split(" ")
        return name, int(port)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    async def wait(self) -> None:
        """Wait until it has ended well."""
        assert self._process is not None
        with trio.fail_after(DEADLINE):
            assert await self._process.wait() == 0


async def _kill(process: trio.Process) -> None:
    process.kill()  # at the end, where there is nothing to lose any more


class Pair:
    """Two servers, programs of their own, of which one after the other is replaced.

    Attributes:
        ports: of both.
    """

    def __init__(self, options: dict[str, object]) -> None:
        self.ports = [free_port(), free_port()]
        self._programs = [
            Program({**options, "node": f"w{number}", "port": port})
            for number, port in enumerate(self.ports, start=1)
        ]
        self._turns = itertools.cycle(self._programs)

    async def start(self, nursery: trio.Nursery) -> None:
        """Start both."""
        for program in self._programs:
            await program.start(nursery)
            await program.serving()

    async def replace(self, nursery: trio.Nursery) -> str:
        """Have one of them drain and end, start it anew, and return its name."""
        program = next(self._turns)
        program.signal(signal.SIGTERM)
        await program.wait()
        await program.start(nursery)
        name, _ = await program.serving()
        return name


class Workers:
    """Two workers of one program, which are replaced one after the other.

    Attributes:
        ports: of both.
    """

    def __init__(self, options: dict[str, object]) -> None:
        self.ports: list[int] = []
        self._program = Program({**options, "workers": 2})

    async def start(self, nursery: trio.Nursery) -> None:
        """Start the program."""
        await self._program.start(nursery)
        self.ports = [port for _, port in sorted([await self._program.serving() for _ in range(2)])]

    async def replace(self, nursery: trio.Nursery) -> str:
        """Have both drain and be replaced."""
        self._program.signal(signal.SIGHUP)
        for _ in range(2):
            await self._program.serving()
        return ""


class Guest:
    """One client: what it has emitted, and what it has heard each time it was connected."""

    def __init__(self, client: Client, kind: Kind) -> None:
        self.client = client
        self.kind = kind
        self.emitted = 0
        self.acknowledged: set[int] = set()
        self.discarded: set[tuple[str, int]] = set()
        self.visits: list[str] = []
        self.heard: defaultdict[str, set[tuple[object, ...]]] = defaultdict(set)
        self._changed = trio.Event()
        client.listener = self.hear

    def hear(self, event: str, heard: Heard) -> None:
        """Take note of a report."""
        if event == "connect":
            self.visits.append(heard.args[0])
        elif event in ("told", "cast"):
            self.heard[self.visits[-1]].add((event, *heard.args))
        elif event == "discarded":
            found = [_SENT.fullmatch(packet or "") for packet in heard.args]
            self.discarded |= {(one[1], int(one[2])) for one in found if one}
        elif event.startswith("answer "):
            self.acknowledged.add(heard.args[0])
        self._changed.set()
        self._changed = trio.Event()

    async def send(self, stop: trio.Event) -> None:
        """Send numbers, whether or not there is a connection, until it is told to stop; a task."""
        number = self.client.number
        for count in itertools.count():
            if stop.is_set():
                return
            await self.client.order("call", count, "call", number, count)
            await self.client.order("emit", "say", number, count)
            self.emitted = count + 1
            await trio.sleep(PACE)

    async def wait_connected(self, visits: int) -> None:
        """Wait until it has been connected so often."""
        with trio.fail_after(DEADLINE):
            while len(self.visits) < visits:
                await self._changed.wait()

    async def wait_arrived(self) -> None:
        """Wait until one more event has been acknowledged: what came before has arrived."""
        last = self.emitted
        await self.client.order("call", last, "call", self.client.number, last)
        with trio.fail_after(DEADLINE):
            while last not in self.acknowledged:
                await self._changed.wait()


class Count(Counter[str]):
    """What was sent and what became of it, of all clients of a kind."""

    def add_guest(self, guest: Guest, ledger: "Ledger") -> None:
        """Count one client's."""
        number = guest.client.number
        for event in ("call", "say"):
            for count in range(guest.emitted):
                times = ledger.handled[number, count, event]
                is_given_up = (event, count) in guest.discarded
                self[f"{event} emitted"] += 1
                self[f"{event} handled twice"] += times > 1
                self[f"{event} given up by the client"] += not times and is_given_up
                self[f"{event} lost"] += not times and not is_given_up
        for count in guest.acknowledged:
            self["acknowledged, not handled"] += not ledger.handled[number, count, "call"]
        self["acknowledged"] += len(guest.acknowledged)
        self["disconnected"] += len(guest.visits) - 1
        for visit in guest.visits[:-1]:
            self["told or cast"] += len(ledger.sent[visit])
            self["told or cast, and lost"] += len(ledger.sent[visit] - guest.heard[visit])

    @property
    def losses(self) -> dict[str, int]:
        """What must not happen, and has."""
        names = [name for name in self if name.endswith((" lost", " twice", "not handled"))]
        return {name: self[name] for name in names if self[name]}


class Ledger:
    """What the servers have written."""

    def __init__(self, path: Path) -> None:
        self.handled: Counter[tuple[int, int, str]] = Counter()
        self.sent: defaultdict[str, set[tuple[object, ...]]] = defaultdict(set)
        for line in path.read_text("ascii").splitlines():
            verb, *words = line.split(" ")
            if verb == "handled":
                self.handled[int(words[0]), int(words[1]), words[2]] += 1
            elif verb == "told":
                self.sent[words[0]].add(("told", int(words[1])))
            else:
                for socket_id in filter(None, words[2].split(",")):
                    self.sent[socket_id].add(("cast", words[0], int(words[1])))


@asynccontextmanager
async def running(pair: Pair | Workers) -> AsyncIterator[trio.Nursery]:
    """Start both servers, and give the nursery to start them in again."""
    async with trio.open_nursery() as nursery:
        await pair.start(nursery)
        yield nursery
        nursery.cancel_scope.cancel()


async def roll(
    text: str,
    redis_url: str,
    drains: int,
    kinds: Sequence[Kind] = KINDS,
    clients: int = 3,
    make_pair: Callable[[dict[str, object]], Pair | Workers] = Pair,
) -> dict[str, Count]:
    """Drain the servers in turns, and return what was counted for each kind of client.

    Args:
        text: the configuration of the proxy, as for `proxy`.
        redis_url: of the Redis between the servers.
        drains: how many; of workers, each is of both.
        kinds: of clients.
        clients: of each kind.
        make_pair: makes the servers.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pair = make_pair({"redis": redis_url, "ledger": str(folder / "ledger")})
        nursery = await stack.enter_async_context(running(pair))
        url = await stack.enter_async_context(proxy(text, pair.ports))
        process = await stack.enter_async_context(peer())
        guests = [Guest(process.add_client(), kind) for kind in kinds for _ in range(clients)]
        options: dict[str, Any] = {"hear": ["told", "cast", "discarded"], "answers": {}}
        for guest in guests:
            more = {**guest.kind.options, **QUICKLY_BACK}
            await guest.client.order("open", url, {**options, **more})
            await guest.wait_connected(1)
        stop = trio.Event()
        async with trio.open_nursery() as sending:
            for guest in guests:
                sending.start_soon(guest.send, stop)
            for _ in range(drains):
                await trio.sleep(0.7)  # of normal life
                before = [(len(guest.visits), guest.visits[-1]) for guest in guests]
                name = await pair.replace(nursery)
                for guest, (count, visit) in zip(guests, before, strict=True):
                    await guest.wait_connected(count + visit.startswith(name))
            stop.set()
        for guest in guests:
            await guest.wait_arrived()
        ledger = Ledger(folder / "ledger")
    counts: defaultdict[str, Count] = defaultdict(Count)
    for guest in guests:
        counts[str(guest.kind)].add_guest(guest, ledger)
    return counts


def main() -> None:
    """Run it by hand."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("configuration", help="of examples/proxies, or another file")
    parser.add_argument("--drains", type=int, default=30)
    parser.add_argument("--workers", action="store_true", help="two of one program")
    parser.add_argument("--only", choices=[str(kind) for kind in KINDS], help="one kind of client")
    given = parser.parse_args()
    path = Path(given.configuration)
    text = path.read_text("utf-8") if path.exists() else configuration(path.name)
    kinds = [kind for kind in KINDS if given.only in (None, str(kind))]
    with RedisServer() as redis, contextlib.suppress(KeyboardInterrupt):
        make_pair = Workers if given.workers else Pair
        counts = trio.run(roll, text, redis.url, given.drains, kinds, 3, make_pair)
        for kind, count in counts.items():
            lines = [kind, *(f"    {name}: {number:,}" for name, number in count.items())]
            sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
