"""The clients' part of the load, and their side of the ledger."""

import itertools
import math
import random
from collections import Counter
from typing import Any, Protocol

import trio

import trio_sio
from tests.soak.application import ROOMS, Moments
from tests.soak.bodies import Bodies
from tests.soak.ledger import Ledger
from tests.support.peers import QUICKLY_BACK, Client, Heard, Peer

FENCE_PATIENCE = 2.0
"""Seconds until a fence is asked for again: its session may have been about to end."""


class Ear:
    """What a client hears, in its order.

    Args:
        ledger: where it is crossed out.

    Attributes:
        id: of the socket, as the client knows it.
        events: how many, by name.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.id = ""
        self.events: Counter[str] = Counter()
        self._put_fence, self.fences = trio.open_memory_channel[str](math.inf)

    def hear(self, event: str, args: list[Any]) -> None:
        """Take one report."""
        name = event.partition(" ")[0]
        self.events[name] += 1
        match name, args:
            case "connect", [socket_id]:
                self.id = socket_id
            case "news" | "question" | "answer", [stream, number, body]:
                self._ledger.receive(stream, number, body)
            case "told", [room, number, body]:
                self._ledger.receive(f"{self.id} {room}", number, body)
            case "answer", ["fence", socket_id]:
                self._put_fence.send_nowait(socket_id)


class Line(Protocol):
    """A client in one namespace."""

    async def emit(self, event: str, *args: trio_sio.JSON) -> None:
        """Emit."""

    async def ask(self, number: int, event: str, *args: trio_sio.JSON) -> None:
        """Emit, and report the answer as "answer <number>"."""

    async def close(self) -> None:
        """Leave."""


class NodeLine:
    """A client of a process with JavaScript clients, which report to an ear."""

    def __init__(self, client: Client, ear: Ear) -> None:
        self._client = client
        self.number = client.number

        def listen(event: str, heard: Heard) -> None:
            ear.hear(event, heard.args)

        client.listener = listen

    @classmethod
    async def open(
        cls, peer: Peer, ear: Ear, url: str, client: str, transports: list[str]
    ) -> "NodeLine":
        """Open a connection."""
        line = cls(peer.add_client(), ear)
        options = {"query": {"client": client}, "transports": transports, **QUICKLY_BACK}
        await line._client.order("open", url, {**_HEARS, **options})
        return line

    @classmethod
    async def share(cls, peer: Peer, ear: Ear, other: "NodeLine", namespace: str) -> "NodeLine":
        """Open a namespace on another's connection."""
        line = cls(peer.add_client(), ear)
        await line._client.order("share", other.number, namespace, _HEARS)
        return line

    async def emit(self, event: str, *args: object) -> None:
        await self._client.emit(event, *args)

    async def ask(self, number: int, event: str, *args: object) -> None:
        await self._client.order("call", number, event, *args)

    async def close(self) -> None:
        await self._client.close()


_HEARS = {"hear": ["news", "told", "question"], "answers": {"question": None}}


class Talker:
    """Talks on a line.

    Args:
        name: of the client.
        namespace: where it is.
        line: the line.
        ear: hears for it.
        ledger: where all is entered.
        seed: of what is said when.
    """

    def __init__(
        self, name: str, namespace: str, line: Line, ear: Ear, ledger: Ledger, seed: int
    ) -> None:
        self.name = name
        self.namespace = namespace
        self.line = line
        self.ear = ear
        self.stream = ledger.stream(f"{name} up {namespace}")
        self.bodies = Bodies(f"{seed} {self.stream.name}")
        self._seed = f"{seed} moments of {self.stream.name}"
        self._random = random.Random(f"{seed} words of {self.stream.name}")
        self._numbers = itertools.count()

    async def talk(self, stopping: trio.Event, pause: float) -> None:
        """Say something now and then; a task."""
        async for body in Moments(self._seed, pause, stopping, self.bodies):
            match self._random.choices(("say", "ask", "move"), (5, 3, 2))[0]:
                case "say":
                    await self.line.emit("say", self.stream.send(body), body)
                case "ask":
                    number = self.stream.send(body)
                    await self.line.ask(next(self._numbers), "ask", number, body)
                case _:
                    move: list[trio_sio.JSON] = [self._random.choice(("join", "join", "leave"))]
                    move.append(self._random.choice(ROOMS))
                    await self.line.emit("move", self.stream.send(move), move)

    async def fence(self) -> str:
        """Return the id of the session that lives, once all before this has come both ways."""
        while True:
            await self.line.ask(next(self._numbers), "fence")
            with trio.move_on_after(FENCE_PATIENCE):
                socket_id = await self.ear.fences.receive()
                if socket_id == self.ear.id:
                    return socket_id
