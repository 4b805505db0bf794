"""A naive model of a cluster, and programs for both: who receives what, in which order.

A model socket is a server's number and a set of rooms. Whatever is true of the model has to be true
of the cluster, for every number of servers: one server alone is no special case.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio
from hypothesis import strategies as st

from trio_sio import NoAnswer, Server, Socket
from trio_sio.abc import Adapter, Flags, Target
from trio_sio.router.broadcast import Broadcast
from trio_sio.router.namespace import Namespace
from trio_sio.testing import MemoryClient, connect

SERVERS = 3
NAMESPACES = ("/", "/", "/chat", "/dynamic")
ROOMS = ("red", "green", "blue")


@dataclass(eq=False)
class Member:
    """A client and its socket in the model."""

    client: MemoryClient
    stop: trio.Event
    gone: trio.Event
    server: int
    namespace: str
    rooms: set[str]
    expected: list[object] = field(default_factory=list)
    is_in: bool = True

    @property
    def id(self) -> str:
        return self.client.id


Join = Callable[[], Callable[[Any], Adapter]]
"""Returns the adapter of one more server of the cluster, for the option of that name."""


class World:
    """The servers, and the model of who is in them."""

    def __init__(self, join: Join, count: int, nursery: trio.Nursery, is_patient: bool) -> None:
        self.ios = [Server(adapter=join()) for _ in range(count)]
        self.members: list[Member] = []
        self.sockets: dict[str, Socket] = {}
        self._nursery = nursery
        self._is_patient = is_patient
        self._number = 0
        for io in self.ios:
            io.of("/chat")
            parent = io.of(lambda name, query: name.startswith("/dynamic"))
            for namespace in (io.sockets, io.of("/chat"), parent):
                namespace.on("connection", self._connected)
            for name in ("/", "/chat"):
                io.of(name).adapter.on_custom_request(lambda data: ["got", data])

    def _connected(self, socket: Socket) -> None:
        self.sockets[socket.id] = socket

    def next_word(self) -> str:
        """An event that nobody has sent yet."""
        self._number += 1
        return f"event {self._number}"

    # -- the model -------------------------------------------------------------------------------

    def present(self, namespace: str) -> list[Member]:
        return [one for one in self.members if one.is_in and one.namespace == namespace]

    def in_rooms(self, namespace: str, rooms: Collection[str]) -> list[Member]:
        return [one for one in self.present(namespace) if not rooms or one.rooms & set(rooms)]

    def ids_in(self, namespace: str, rooms: Collection[str]) -> set[str]:
        """The ids in any of these rooms; each session has a socket in "/", too."""
        found = {one.id for one in self.in_rooms(namespace, rooms)}
        if namespace == "/":
            others = {one.client.session.id for one in self.members if self._has_root(one)}
            found |= {sid for sid in others if not rooms or sid in rooms}
        return found

    def _has_root(self, member: Member) -> bool:
        return member.namespace != "/" and member.client.session.reason is None

    def expect(self, namespace: str, target: Target, server: int, event: list[object]) -> None:
        """Note who has to receive an event."""
        for one in self.in_rooms(namespace, target.rooms):
            is_far = target.flags.local and one.server != server
            if not (is_far or one.id == target.sender or one.rooms & target.excepted):
                one.expected.append(event)

    # -- what happens ----------------------------------------------------------------------------

    def pick(self, number: int) -> Member | None:
        here = [one for one in self.members if one.is_in]
        return here[number % len(here)] if here else None

    def namespace(self, server: int, name: str) -> Namespace | None:
        """A namespace; a dynamic one is there as long as somebody is in it."""
        return self.ios[server].router.namespaces.get(name)

    async def arrive(self, server: int, name: str) -> None:
        stop, gone = trio.Event(), trio.Event()
        client = await self._nursery.start(self._live, self.ios[server], name, stop, gone)
        self.members.append(Member(client, stop, gone, server, name, {client.id}))

    async def _live(
        self,
        io: Server,
        name: str,
        stop: trio.Event,
        gone: trio.Event,
        task_status: trio.TaskStatus[MemoryClient],
    ) -> None:
        async with connect(io, name) as client:
            task_status.started(client)
            await stop.wait()
        gone.set()

    async def depart(self, member: Member) -> None:
        await self.take(member)
        member.is_in = False
        member.stop.set()
        await member.gone.wait()

    async def take(self, member: Member) -> None:
        """Look at what a client has received, up to now."""
        await self.sockets[member.id].emit("end of what has come")
        received = []
        while (event := await member.client.receive()) != ["end of what has come"]:
            received.append(event)
        assert received == member.expected
        member.expected = []

    async def settle(self) -> None:
        """Wait until all that the servers have sent each other has arrived.

        A request comes behind what its server sent before, and so does its answer.
        """
        for io in self.ios:
            await io.sockets.adapter.custom_request()
        await trio.testing.wait_all_tasks_blocked()

    async def emit(self, server: int, name: str, target: Target, value: object) -> None:
        namespace = self.namespace(server, name)
        if namespace is None:
            return
        event = [self.next_word(), value]
        self.expect(name, target, server, event)
        broadcast = Broadcast(target.rooms, target.excepted, None, target.flags, audience=namespace)
        await broadcast.emit(*event)  # type: ignore[call-overload]  # the first is a str

    async def shout(self, member: Member, rooms: frozenset[str]) -> None:
        socket = self.sockets[member.id]
        event: list[object] = [self.next_word()]
        target = Target(rooms, frozenset(), member.id)
        self.expect(member.namespace, target, member.server, event)
        await socket.broadcast.to(*rooms).emit(*event)  # type: ignore[call-overload]  # as above

    async def join(self, member: Member, room: str) -> None:
        await self.sockets[member.id].join(room)
        member.rooms.add(room)

    async def follow(self, member: Member, other: Member) -> None:
        """Join the room of another one, to hear what is for that one alone."""
        if member.namespace == other.namespace:
            await self.join(member, other.id)

    async def leave(self, member: Member, room: str) -> None:
        await self.sockets[member.id].leave(room)
        member.rooms.discard(room)

    async def ask_clients(self, server: int, name: str, rooms: frozenset[str]) -> None:
        namespace = self.namespace(server, name)
        if namespace is not None:
            found = await namespace.adapter.clients(rooms)
            assert found == self.ids_in(name, rooms)
            assert found.complete

    async def ask_rooms(self, server: int, member: Member) -> None:
        namespace = self.namespace(server, member.namespace)
        if namespace is not None:
            assert await namespace.adapter.client_rooms(member.id) == member.rooms
            rooms = {room for one in self.present(member.namespace) for room in one.rooms}
            ids = self.ids_in(member.namespace, ())
            assert await namespace.adapter.all_rooms() == rooms | ids

    async def ask_hooks(self, server: int, name: str) -> None:
        if not name.startswith("/dynamic"):
            replies = await self.ios[server].of(name).adapter.custom_request(name)
            assert replies == [["got", name]] * len(self.ios)

    async def move(self, server: int, member: Member, room: str, is_join: bool) -> None:
        namespace = self.namespace(server, member.namespace)
        if namespace is None:
            return
        if is_join:
            await namespace.adapter.remote_join(member.id, room)
            member.rooms.add(room)
        else:
            await namespace.adapter.remote_leave(member.id, room)
            member.rooms.discard(room)

    async def throw_out(self, server: int, member: Member, close: bool) -> None:
        namespace = self.namespace(server, member.namespace)
        if namespace is None:
            return
        await self.take(member)
        member.is_in = False
        await namespace.adapter.remote_disconnect(member.id, close)
        await self.settle()
        other = self.namespace(server, member.namespace)
        if other is not None and self._is_patient:
            with pytest.raises(NoAnswer):
                await other.adapter.remote_disconnect(member.id, close)


@asynccontextmanager
async def world(join: Join, count: int, is_patient: bool) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        nursery = await stack.enter_async_context(trio.open_nursery())
        made = World(join, count, nursery, is_patient)
        for io in made.ios:
            await stack.enter_async_context(io)
        await made.settle()
        yield made
        for member in made.members:
            member.stop.set()


Arrival = tuple[int, str, frozenset[str]]
Step = tuple[str, tuple[object, ...]]

servers = st.integers(0, SERVERS - 1)
names = st.sampled_from(NAMESPACES)
numbers = st.integers(0, 20)
rooms = st.sampled_from(ROOMS)
some_rooms = st.frozensets(rooms, max_size=2)
values = st.sampled_from([None, 1.5, "é", b"\x00\xff", {"a": [b"", 1]}])
flags = st.builds(Flags, volatile=st.booleans(), local=st.booleans(), compress=st.booleans())


async def run(join: Join, count: int, program: "Program", *, is_patient: bool) -> None:
    """Run a program on a cluster and on its model.

    Args:
        join: makes one server's adapter.
        count: how many servers there are.
        program: what happens.
        is_patient: wait for what no server will answer, too.
    """
    async with world(join, count, is_patient) as here:
        for server, name, joined in program.members:
            await here.arrive(server % count, name)
            for room in sorted(joined):
                await here.join(here.members[-1], room)
        for name, arguments in program.steps:
            await take_step(here, name, *arguments)
            await here.settle()
        for member in here.members:
            if member.is_in:
                await here.take(member)


async def take_step(here: World, name: str, *arguments: object) -> None:
    """Take one step, with a server and a member in place of their numbers."""
    real: list[object] = []
    for argument in arguments:
        if isinstance(argument, Somebody):
            member = here.pick(argument.number)
            if member is None:
                return
            real.append(member)
        elif isinstance(argument, Somewhere):
            real.append(argument.number % len(here.ios))
        elif isinstance(argument, Around):
            ids = [one.id for one in here.members if one.is_in]
            chosen = {ids[number % len(ids)] for number in argument.numbers} if ids else set()
            real.append(argument.make(argument.rooms | chosen))
        else:
            real.append(argument)
    await getattr(here, name)(*real)


@dataclass(frozen=True)
class Somebody:
    number: int


@dataclass(frozen=True)
class Somewhere:
    number: int


@dataclass(frozen=True)
class Around:
    """Rooms, among them those of sockets' ids; and what is made of them."""

    rooms: frozenset[str]
    numbers: frozenset[int]
    make: Callable[[frozenset[str]], object]


somebody = st.builds(Somebody, numbers)
somewhere = st.builds(Somewhere, servers)
few = st.frozensets(numbers, max_size=1)
around = st.builds(Around, some_rooms, few, st.just(lambda rooms: rooms))
targets = st.one_of(
    st.builds(
        lambda rooms, ids, excepted, how: Around(
            rooms, ids, lambda chosen: Target(chosen, excepted, None, how)
        ),
        some_rooms,
        few,
        some_rooms,
        flags,
    ),
    st.builds(
        lambda rooms, ids, excepted, how: Around(
            excepted, ids, lambda chosen: Target(rooms, chosen, None, how)
        ),
        some_rooms,
        few,
        some_rooms,
        flags,
    ),
)
steps = st.one_of(
    st.tuples(st.just("arrive"), st.tuples(somewhere, names)),
    st.tuples(st.just("arrive"), st.tuples(somewhere, names)),
    st.tuples(st.just("depart"), st.tuples(somebody)),
    st.tuples(st.just("join"), st.tuples(somebody, rooms)),
    st.tuples(st.just("join"), st.tuples(somebody, rooms)),
    st.tuples(st.just("follow"), st.tuples(somebody, somebody)),
    st.tuples(st.just("leave"), st.tuples(somebody, rooms)),
    st.tuples(st.just("emit"), st.tuples(somewhere, names, targets, values)),
    st.tuples(st.just("emit"), st.tuples(somewhere, names, targets, values)),
    st.tuples(st.just("emit"), st.tuples(somewhere, names, targets, values)),
    st.tuples(st.just("shout"), st.tuples(somebody, around)),
    st.tuples(st.just("shout"), st.tuples(somebody, around)),
    st.tuples(st.just("ask_clients"), st.tuples(somewhere, names, around)),
    st.tuples(st.just("ask_rooms"), st.tuples(somewhere, somebody)),
    st.tuples(st.just("ask_hooks"), st.tuples(somewhere, names)),
    st.tuples(st.just("move"), st.tuples(somewhere, somebody, rooms, st.booleans())),
    st.tuples(st.just("throw_out"), st.tuples(somewhere, somebody, st.booleans())),
)


@dataclass(frozen=True)
class Program:
    """Who is there at first, and what happens then."""

    members: list[Arrival]
    steps: list[Step]


programs = st.builds(
    Program,
    st.lists(st.tuples(servers, names, some_rooms), min_size=3, max_size=6),
    st.lists(steps, min_size=5, max_size=20),
)
