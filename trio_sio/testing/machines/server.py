"""A whole server: clients of all transports, namespaces, rooms, and a network that fails.

The clients talk by bytes. The model is in the server's handlers: whatever a handler emits, each
member of the room, as the model has them, has to hear, in the order in which it was emitted. A
client may lose only what was under way when its network failed: the end of its list.
"""

import math
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import trio
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, invariant, rule

from trio_sio.exceptions import Disconnected
from trio_sio.router.socket import Socket
from trio_sio.server import Server
from trio_sio.sync import Condition
from trio_sio.testing.clients.dialect import PROTOCOLS
from trio_sio.testing.clients.transports import transports_of
from trio_sio.testing.machines.remains import Remains
from trio_sio.testing.machines.trio_machine import TrioMachine, in_trio
from trio_sio.testing.network.client import NetworkClient
from trio_sio.testing.network.faults import Faults
from trio_sio.testing.network.network import Network, open_network

ROOT = "/"
LONG = 200.0
"""Seconds in which everything that is under way arrives, and the server misses who is gone."""

_transports = st.sampled_from(
    ["websocket", "polling", "polling-base64", "polling-jsonp", "websocket-base64", "upgraded"]
)
_protocols = st.sampled_from(PROTOCOLS)
_namespaces = st.sampled_from([ROOT, "/chat"])
_rooms = st.sampled_from(["red", "green"])
_data = st.sampled_from([None, "é\U0001f600", b"\x00\xff", {"a": [b"", 1]}])
_faults = st.sampled_from(
    [
        Faults(),
        Faults(),
        Faults(delay=(0.0, 0.3)),
        Faults(delay=(0.05, 0.05), chunk=7),
        Faults(chunk=1),
        Faults(rate=2000),
    ]
)


@dataclass(eq=False)
class Talker:
    """A client in one namespace.

    Attributes:
        client: the client.
        said: how many events it has to send.
        to_say: those that it has not begun to send.
        is_asked: whether each of these asks for an answer.
        says_more: tells of further ones.
        handled: events of it that a handler has handled.
        heard: the numbers of the events that it has heard.
        expected: those that it has to hear.
        answers: the answers to its calls.
        calls: how many answers there have to be.
        talking: to be cancelled when it goes.
    """

    client: NetworkClient
    said: int = 0
    to_say: deque[tuple[Any, ...]] = field(default_factory=deque)
    is_asked: deque[bool] = field(default_factory=deque)
    says_more: Condition = field(default_factory=Condition)
    handled: int = 0
    calls: int = 0
    talking: trio.CancelScope = field(default_factory=trio.CancelScope)
    answers: list[int] = field(default_factory=list)
    heard: list[int] = field(default_factory=list)
    expected: list[int] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<a client in {self.client.namespace}>"

    def say(self, event: str, *args: object, asks: bool = False) -> None:
        """Say something, once what was said before is on its way."""
        self.said += 1
        self.calls += asks
        self.to_say.append((event, self.said, *args))
        self.is_asked.append(asks)
        self.says_more.notify_all()

    async def talk(self) -> None:
        """Say what there is to say, until the session ends."""
        with self.talking, suppress(Disconnected, trio.TooSlowError):
            while True:
                await self.says_more.wait_for(lambda: bool(self.to_say))
                event, number, *args = self.to_say.popleft()
                if not self.is_asked.popleft():
                    await self.client.emit(event, number, *args)
                    continue
                answer = await self.client.call(event, number, *args, timeout=LONG / 2)
                assert answer == [number], f"{self}: the answer to {number} is {answer}"
                self.answers.append(number)

    def handle(self, number: int) -> None:
        """One of its events is handled: the next one."""
        self.handled += 1
        assert number == self.handled, f"{self}: event {number}, not {self.handled}, is handled"

    def hear(self, number: int) -> None:
        """It hears an event: the next one of those that it has to hear."""
        wanted = self.expected[len(self.heard)] if len(self.heard) < len(self.expected) else None
        assert number == wanted, f"{self} hears {number}, not {wanted}"
        self.heard.append(number)


class ServerMachine(TrioMachine):
    """Clients come, talk to rooms, and go, in order or by faults of the network."""

    talkers: Bundle[Talker] = Bundle("talkers")

    def make_server(self) -> Server:
        """Return the server, with the adapter in memory."""
        return Server()

    async def set_up(self) -> None:
        """Open the server and the network."""
        self.emitted = 0
        self.here: dict[str, Talker] = {}
        self.rooms: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.io = self.make_server()
        for name in (ROOT, "/chat"):
            namespace = self.io.of(name)
            namespace.on("join", self._join)
            namespace.on("leave", self._leave)
            namespace.on("say", self._say)
        self.network: Network = await self.hold(open_network(self.io))
        await self.settle()
        self.before = Remains.of(self.io)

    # -- the application, and the model in it ----------------------------------------------------

    async def _join(self, socket: Socket, number: int, room: str) -> None:
        self.here[socket.id].handle(number)
        await socket.join(room)
        self.rooms[socket.namespace.name, room].add(socket.id)

    async def _leave(self, socket: Socket, number: int, room: str) -> None:
        self.here[socket.id].handle(number)
        await socket.leave(room)
        self.rooms[socket.namespace.name, room].discard(socket.id)

    async def _say(self, socket: Socket, number: int, room: str | None, data: object) -> int | None:
        self.here[socket.id].handle(number)
        if room is None:
            return number
        name = socket.namespace.name
        self.emitted += 1
        for sid in self.rooms[name, room]:
            self.here[sid].expected.append(self.emitted)
        await socket.namespace.to(room).emit("said", self.emitted, data)
        return number

    async def _listen(self, talker: Talker) -> None:
        with suppress(Disconnected):
            while True:
                _, number, _ = await talker.client.receive(timeout=math.inf)
                talker.hear(number)

    # -- rules -----------------------------------------------------------------------------------

    @rule(
        target=talkers,
        transport=_transports,
        name=_namespaces,
        faults=_faults,
        protocol=_protocols,
    )
    @in_trio
    async def arrive(self, transport: str, name: str, faults: Faults, protocol: int) -> Talker:
        """A client comes, of either protocol."""
        if transport not in transports_of(protocol):
            transport = "polling"
        with self.passing_time():
            client = await self.hold(
                self.network.connect(transport, name, faults=faults, protocol=protocol)
            )
        talker = Talker(client)
        self.here[client.id] = talker
        self.nursery.start_soon(self._listen, talker)
        self.nursery.start_soon(talker.talk)
        return talker

    @rule(talker=talkers, room=_rooms, is_join=st.booleans())
    @in_trio
    async def moves(self, talker: Talker, room: str, is_join: bool) -> None:
        """A client joins or leaves a room."""
        talker.say("join" if is_join else "leave", room)

    @rule(talker=talkers, room=_rooms, count=st.integers(1, 4), data=_data)
    @in_trio
    async def says(self, talker: Talker, room: str, count: int, data: object) -> None:
        """A client says a few things to a room, one behind the other."""
        for _ in range(count):
            talker.say("say", room, data)

    @rule(talker=talkers)
    @in_trio
    async def asks(self, talker: Talker) -> None:
        """A client asks."""
        talker.say("say", None, None, asks=True)

    @rule(seconds=st.sampled_from([0.01, 0.3, 40.0]))
    @in_trio
    async def time_passes(self, seconds: float) -> None:
        """What is under way moves on."""
        await self.pass_time(seconds)

    @rule()
    @in_trio
    async def all_arrives(self) -> None:
        """All that is under way arrives; nobody who is there misses anything."""
        await self.complete()

    async def complete(self) -> None:
        """Wait, and compare."""
        await self.pass_time(LONG)
        for talker in self.here.values():
            assert talker.client.reason is None, (
                f"{talker} lost its session: {talker.client.reason}"
            )
            assert talker.handled == talker.said, f"{talker}: the server misses events"
            assert talker.heard == talker.expected, f"{talker} misses events"
            assert len(talker.answers) == talker.calls, f"{talker} misses answers"

    @rule(talker=consumes(talkers), how=st.sampled_from(["close", "cut", "freeze"]))
    @in_trio
    async def goes(self, talker: Talker, how: str) -> None:
        """A client goes: it closes, or its network breaks; others hear everything nevertheless."""
        if how == "cut":
            talker.client.cut()
        elif how == "freeze":
            talker.client.freeze()
        with self.passing_time():
            if how != "close":
                await trio.sleep(LONG)
                assert talker.client.reason is not None, (
                    f"{talker} does not notice that it is {how}"
                )
            await self.release(talker.client)
            talker.talking.cancel()
            await trio.sleep(LONG)
        del self.here[talker.client.id]
        for members in self.rooms.values():
            members.discard(talker.client.id)

    # -- the model -------------------------------------------------------------------------------

    @invariant()
    def nobody_hears_what_was_not_said(self) -> None:
        """What a client has heard is the beginning of what it has to hear."""
        for talker in self.here.values():
            assert talker.heard == talker.expected[: len(talker.heard)]
            assert talker.handled <= talker.said

    async def check_end(self) -> None:
        """Everything has arrived; all go, and nothing of them remains."""
        await self.complete()
        with self.passing_time():
            for talker in self.here.values():
                await self.release(talker.client)
                talker.talking.cancel()
        await self.pass_time(LONG)
        more = Remains.of(self.io).beyond(self.before)
        assert not more, f"what remains: {more}"
