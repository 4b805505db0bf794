"""A soak: mixed load through a bad network, then a look at the ledger and at what is left."""

import gc
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import trio

import trio_sio
from tests.soak.application import Application
from tests.soak.clients import Ear, NodeLine, Talker
from tests.soak.faults import Ending, Faults, Kind
from tests.soak.fragmenting_client import RawClient
from tests.soak.ledger import Ledger
from tests.soak.proxy import Proxy, bad_network
from tests.support.peers import Peer, peer, served
from trio_sio.engine.polling.shared_bodies import KEEP
from trio_sio.engine.runtime.timers import Timer
from trio_sio.statistics import EngineStatistics

PAUSE = 0.5
"""Seconds between two messages of a task, on average; in all, some hundred messages a second."""

_TRANSPORTS = (["polling"], ["websocket"], ["polling", "websocket"])


@dataclass
class Report:
    """What came of it.

    Attributes:
        lines: what is worth printing.
        faults: messages that were lost, duplicated or reordered, by kind.
        examples: some of them.
        unexplained: clients that lost more sessions than connections were cut.
        left: what is more at the end than it was at the beginning.
        received: messages that arrived, by kind.
        cuts: connections that were cut.
    """

    lines: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    unexplained: dict[str, list[str]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    received: Counter[str] = field(default_factory=Counter)
    cuts: int = 0

    def check(self) -> None:
        """Fail unless all is well."""
        assert not self.faults, self.examples
        assert not self.unexplained, self.unexplained
        assert not self.left, self.left


class Soak:
    """One soak.

    Args:
        io: a server; a client that polls, and was cut between two polls, is missed after its
            `ping_interval` and `ping_timeout`.
        seed: of the faults, and of what is sent when.
        haste: of the cuts.
    """

    def __init__(self, io: trio_sio.Server, seed: int, haste: int = 1) -> None:
        self._io = io
        self._faults = Faults(seed, haste)
        self._seed = seed
        self._ledger = Ledger()
        self._application = Application(io, self._ledger, seed, PAUSE)
        self._talkers: list[Talker] = []
        self._report = Report()
        self._reasons: dict[str, int] = {}

    async def run(self, seconds: float) -> Report:
        """Soak for so many seconds."""
        async with served(self._io) as url, bad_network(url, self._faults) as (proxy, bad):
            before = _Belongings.now(self._io)
            async with peer() as process, trio.open_nursery() as nursery:
                await self._open_all(process, bad, nursery)
                await self._load(seconds, proxy)
                proxy.calm()
                living = await self._settle()
                self._judge(living, proxy)
                for talker in self._talkers:
                    await talker.line.close()
                await self._emptied()
            self._compare(before, _Belongings.now(self._io))
        self._say(proxy)
        return self._report

    # -- clients -------------------------------------------------------------------------------

    async def _open_all(self, process: Peer, url: str, nursery: trio.Nursery) -> None:
        """Two steady and two mortal ones of each transport, with two namespaces where it upgrades;
        a steady and a mortal one by hand."""
        numbers = iter(range(100))
        for kind in ("steady", "mortal"):
            for transports in _TRANSPORTS * 2:
                await self._open(process, url, f"{kind}-{next(numbers)}", transports)
            name, ear = f"{kind}-{next(numbers)}", Ear(self._ledger)
            client = RawClient(int(url.rpartition(":")[2]), name, ear, self._seed)
            nursery.start_soon(client.run)
            self._add(name, "/", client, ear)

    async def _open(self, process: Peer, url: str, name: str, transports: list[str]) -> None:
        ear = Ear(self._ledger)
        line = await NodeLine.open(process, ear, url, name, transports)
        self._add(name, "/", line, ear)
        if len(transports) == 2:
            ear = Ear(self._ledger)
            self._add(name, "/chat", await NodeLine.share(process, ear, line, "/chat"), ear)

    def _add(self, name: str, namespace: str, line: NodeLine | RawClient, ear: Ear) -> None:
        self._talkers.append(Talker(name, namespace, line, ear, self._ledger, self._seed))

    # -- phases --------------------------------------------------------------------------------

    async def _load(self, seconds: float, proxy: Proxy) -> None:
        stopping = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._application.tell_rooms)
            for talker in self._talkers:
                nursery.start_soon(talker.talk, stopping, PAUSE)
            for tenth in range(1, 11):
                await trio.sleep(seconds / 10)
                now = _Belongings.now(self._io)
                self._report.lines.append(
                    f"{tenth}0 %: {now.memory} MiB, {now.counts['sessions']} sessions,"
                    f" {now.objects} package objects, {now.counts['tasks']} tasks"
                )
                if tenth == 5:
                    proxy.cut_mortals()
            stopping.set()
            self._application.stop()

    async def _settle(self) -> dict[Talker, str]:
        """Wait until nothing is under way; return the ids of the sockets that live."""
        living: dict[Talker, str] = {}

        async def fence(talker: Talker) -> None:
            living[talker] = await talker.fence()

        with trio.fail_after(120):
            await self._application.idle()
            async with trio.open_nursery() as nursery:
                for talker in self._talkers:
                    nursery.start_soon(fence, talker)
        return living

    def _judge(self, living: dict[Talker, str], proxy: Proxy) -> None:
        for talker, own in living.items():
            ids = self._application.sessions[talker.name, talker.namespace]
            # Not always the last: a handshake that the proxy held may begin a session when its
            # client has given it up and has another one.
            assert own in ids, f"{talker.name} lives in none of its sessions"
            talker.stream.judge(cut=len(ids) > 1, living=own)
        there = set(living.values())
        for name, stream in self._ledger.streams.items():
            owner, kind = name.rsplit(" ", 1)[0].removesuffix(" more"), name.rsplit(" ", 1)[1]
            if kind in ("/", "/chat"):
                kind = "client to server"
            else:
                stream.judge(cut=owner not in there)
            self._report.received[kind] += stream.received
        self._report.faults = self._ledger.faults
        self._report.examples = self._ledger.examples
        self._reasons = dict(self._application.reasons)
        for name, ended in self._application.ended.items():
            if ended > proxy.cuts_of[name]:
                story = sorted(self._application.ends[name] + proxy.log[name])
                self._report.unexplained[name] = story

    async def _emptied(self) -> None:
        """Wait until the server has nobody; whoever is left is found by `_compare`."""
        with trio.move_on_after(60):
            while not _is_empty(self._io.statistics()):  # noqa: ASYNC110 - nobody tells
                await trio.sleep(0.05)
        self._io.engine.runtime.log.flush()
        await trio.sleep(2 * KEEP)  # bodies that have been made for several
        await trio.testing.wait_all_tasks_blocked(0.1)

    def _compare(self, before: "_Belongings", after: "_Belongings") -> None:
        self._report.left = +(after.counts - before.counts)
        self._report.lines.append(f"memory: {before.memory} MiB before, {after.memory} MiB after")
        self._report.lines.append(
            f"package objects: {before.objects} before, {after.objects} after"
        )

    def _say(self, proxy: Proxy) -> None:
        self._report.cuts = proxy.cuts.total()
        drawn = sum((one.bodies.drawn for one in self._talkers), self._application.bodies.drawn)
        sessions = sum(
            len(ids) for (_, name), ids in self._application.sessions.items() if name == "/"
        )
        self._report.lines += [
            f"seed: {self._seed}",
            f"messages that arrived: {self._report.received.total()} {dict(self._report.received)}",
            f"answers of clients: {self._application.answers}",
            f"bodies: {dict(drawn)}",
            f"sessions: {sessions}, cut: {self._reasons}",
            f"connections: {_words(proxy.connections)}",
            f"cuts: {proxy.cuts.total()} {_words(proxy.cuts)}",
            f"stalls: {proxy.stalls}, bytes sent one by one: {proxy.single}",
            f"unexplained: {self._report.unexplained}",
            f"left: {dict(self._report.left)}",
            f"faults: {dict(self._report.faults)} {self._report.examples}",
        ]


@dataclass
class _Belongings:
    """What a server holds at a moment.

    Cancelled calls of its alarm are not objects to be counted here: a thousand may lie there.
    """

    counts: Counter[str]
    objects: int
    memory: int

    @classmethod
    def now(cls, io: trio_sio.Server) -> "_Belongings":
        gc.collect()
        kinds = Counter(
            f"{type(one).__module__}.{type(one).__name__}"
            for one in gc.get_objects()
            if str(type(one).__module__).startswith("trio_sio") and type(one) is not Timer
        )
        statistics = io.statistics()
        numbers = {
            "connections": statistics.connections,
            "sessions": statistics.sessions,
            "queued": statistics.queued,
            "alarms": len(io.engine.runtime.timers),
            "tasks": trio.lowlevel.current_statistics().tasks_living,
        }
        return cls(Counter(kinds) + Counter(numbers), kinds.total(), _resident())


def _is_empty(now: EngineStatistics) -> bool:
    return not now.sessions and not now.connections


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def _words(counts: Mapping[Kind, int] | Mapping[tuple[Kind, Ending], int]) -> dict[str, int]:
    """Return counts by the names of what is counted."""
    words = {}
    for key, count in counts.items():
        parts = key if isinstance(key, tuple) else (key,)
        words[" ".join(part.name.lower() for part in parts)] = count
    return words
