"""The server's part of the load, and its side of the ledger.

Streams are called by who gets them: "<socket id> news", "<client> up /chat".
"""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import trio

import trio_sio
from tests.soak.bodies import Bodies
from tests.soak.ledger import Ledger, Stream

NAMESPACES = ("/", "/chat")
ROOMS = ("red", "green", "blue")

ANSWER_TIMEOUT = 40.0
"""Seconds after which an answer is lost: far more than the session of a cut client has left."""


class Room:
    """A room, and who should be in it.

    Args:
        namespace: where it is.
        name: its name.
    """

    def __init__(self, namespace: trio_sio.Namespace, name: str) -> None:
        self.name = name
        self._namespace = namespace
        self._members: dict[str, Stream] = {}
        self._numbers = itertools.count()
        self._moving = trio.Lock()  # what a member is owed is known exactly

    async def join(self, socket: trio_sio.Socket, stream: Stream) -> None:
        async with self._moving:
            await socket.join(self.name)
            self._members[socket.id] = stream

    async def leave(self, socket: trio_sio.Socket) -> None:
        async with self._moving:
            await socket.leave(self.name)
            self._members.pop(socket.id, None)

    def forget(self, socket: trio_sio.Socket) -> None:
        """A socket has gone."""
        self._members.pop(socket.id, None)

    async def tell(self, body: trio_sio.JSON) -> None:
        """Broadcast to the members."""
        async with self._moving:
            number = next(self._numbers)
            for stream in self._members.values():
                stream.send(body, number)
            await self._namespace.to(self.name).emit("told", self.name, number, body)


class Application:
    """Handlers and senders.

    Args:
        io: the server.
        ledger: where all is entered.
        seed: of what is sent when.
        pause: seconds between two messages of a task, on average.

    Attributes:
        bodies: what has been drawn to be sent.
        sessions: the ids of the sockets of each client in each namespace.
        ended: how many sessions of each client have ended so far.
        reasons: why.
        ends: of each client, in words.
        answers: how many answers of clients came.
    """

    def __init__(self, io: trio_sio.Server, ledger: Ledger, seed: int, pause: float) -> None:
        self._ledger = ledger
        self._seed = seed
        self._mean_pause = pause
        self._stopping = trio.Event()
        self._senders = 0
        self.bodies = Bodies(f"server {seed}")
        self.sessions: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self.ended: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.ends: defaultdict[str, list[str]] = defaultdict(list)
        self.answers = 0
        self._rooms: dict[tuple[str, str], Room] = {}
        for name in NAMESPACES:
            namespace = io.of(name)
            self._rooms |= {(name, room): Room(namespace, room) for room in ROOMS}
            namespace.on("connection", self._came)
            namespace.on("disconnect", self._went)
            namespace.on("say", self._heard)
            namespace.on("ask", self._asked)
            namespace.on("move", self._moved)
            namespace.on("fence", self._fence)

    # -- what clients do -----------------------------------------------------------------------

    def _came(self, socket: trio_sio.Socket) -> None:
        self.sessions[_client(socket), socket.nsp.name].append(socket.id)
        for task in (self._tell, self._ask, self._ask_more, self._flash):
            socket.nursery.start_soon(task, socket)

    def _went(self, socket: trio_sio.Socket, reason: trio_sio.DisconnectReason) -> None:
        for (namespace, _), room in self._rooms.items():
            if namespace == socket.nsp.name:
                room.forget(socket)
        if socket.nsp.name == "/":
            self.ended[_client(socket)] += 1
            self.reasons[str(reason)] += 1
            self.ends[_client(socket)].append(
                f"{trio.current_time():.2f} {socket.id} {socket.detail}"
            )

    def _heard(self, socket: trio_sio.Socket, number: int, body: trio_sio.JSON) -> None:
        stream = f"{_client(socket)} up {socket.nsp.name}"
        self._ledger.receive(stream, number, body, run=socket.id)

    def _asked(
        self, socket: trio_sio.Socket, number: int, body: trio_sio.JSON
    ) -> tuple[trio_sio.JSON, ...]:
        self._heard(socket, number, body)
        stream = self._ledger.stream(f"{socket.id} answers")
        return stream.name, stream.send(body), body

    async def _moved(self, socket: trio_sio.Socket, number: int, body: list[str]) -> None:
        self._heard(socket, number, body)  # type: ignore[arg-type]  # lists are invariant
        way, name = body
        room = self._rooms[socket.nsp.name, name]
        if way == "join":
            await room.join(socket, self._ledger.stream(f"{socket.id} {name}"))
        else:
            await room.leave(socket)

    def _fence(self, socket: trio_sio.Socket) -> tuple[str, str]:
        return "fence", socket.id

    # -- what the server does --------------------------------------------------------------------

    async def _tell(self, socket: trio_sio.Socket) -> None:
        stream = self._ledger.stream(f"{socket.id} news")
        with self._sender():
            async for body in self._moments(stream.name):
                await socket.emit("news", stream.name, stream.send(body), body)

    async def _flash(self, socket: trio_sio.Socket) -> None:
        stream = self._ledger.stream(f"{socket.id} volatile", lossy=True)
        with self._sender():
            async for body in self._moments(stream.name):
                await socket.volatile.emit("news", stream.name, stream.send(body), body)

    async def _ask(self, socket: trio_sio.Socket, kind: str = "questions") -> None:
        stream = self._ledger.stream(f"{socket.id} {kind}")
        with self._sender():
            async for body in self._moments(stream.name):
                await self._ask_one(socket, stream.name, stream.send(body), body)

    async def _ask_one(
        self, socket: trio_sio.Socket, stream: str, number: int, body: trio_sio.JSON
    ) -> None:
        try:
            answer = await socket.call("question", stream, number, body, timeout=ANSWER_TIMEOUT)
        except trio.TooSlowError:
            self._ledger.blame("lost", f"{stream}: {number} was not answered")
            return
        assert answer == (stream, number, body)
        self.answers += 1

    async def _ask_more(self, socket: trio_sio.Socket) -> None:
        await self._ask(socket, "more questions")

    async def tell_rooms(self) -> None:
        """Broadcast to the rooms, until `stop`; a task."""
        with self._sender():
            async with trio.open_nursery() as nursery:
                for room in self._rooms.values():
                    nursery.start_soon(self._tell_room, room)

    async def _tell_room(self, room: Room) -> None:
        async for body in self._moments(f"room {room.name}"):
            await room.tell(body)

    # -- time ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Send nothing more."""
        self._stopping.set()

    async def idle(self) -> None:
        """Wait until the senders are done."""
        while self._senders:  # noqa: ASYNC110 - they end in many ways
            await trio.sleep(0.05)

    @contextmanager
    def _sender(self) -> Iterator[None]:
        self._senders += 1
        try:
            yield
        finally:
            self._senders -= 1

    def _moments(self, name: str) -> "Moments":
        return Moments(f"{self._seed} {name}", self._mean_pause, self._stopping, self.bodies)


class Moments:
    """Bodies at random moments, until it is time to stop.

    Args:
        seed: of the moments.
        mean: seconds between two, on average.
        stopping: is set when it is time.
        bodies: where bodies come from.
    """

    def __init__(self, seed: str, mean: float, stopping: trio.Event, bodies: Bodies) -> None:
        self._random = random.Random(seed)
        self._mean = mean
        self._stopping = stopping
        self._bodies = bodies
        self._burst = 0

    def __aiter__(self) -> "Moments":
        return self

    async def __anext__(self) -> trio_sio.JSON:
        if self._burst:
            self._burst -= 1
        else:
            self._burst = self._random.choice((0, 0, 0, 0, 0, 0, 0, 5))
            with trio.move_on_after(self._random.expovariate(1 / self._mean)):
                await self._stopping.wait()
        if self._stopping.is_set():
            raise StopAsyncIteration
        return self._bodies.draw()


def _client(socket: trio_sio.Socket) -> str:
    name = socket.handshake.query["client"]
    assert isinstance(name, str)
    return name
