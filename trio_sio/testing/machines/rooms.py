"""Rooms and broadcasts on one server or several, against a naive model.

class Mine(RoomsMachine):
    def make_adapters(self):
        return [MyAdapter]

TestMine = Mine.TestCase
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ParamSpec, TypeVar, cast

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, precondition, rule

from trio_sio.abc import Adapter, AdapterNamespace, Flags, Target
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.exceptions import NoAnswer
from trio_sio.router.broadcast import Broadcast
from trio_sio.router.namespace import Namespace
from trio_sio.router.socket import Socket
from trio_sio.server import Server
from trio_sio.testing.client import MemoryClient, connect
from trio_sio.testing.clients.dialect import PROTOCOLS
from trio_sio.testing.machines.rooms_model import ROOT, Member, RoomsModel
from trio_sio.testing.machines.trio_machine import TrioMachine, in_trio

NAMESPACES = (ROOT, ROOT, "/chat", "/dynamic")
ROOMS = ("red", "green", "blue")
LAST = "end of what has come"
"""An event that tells where what has come ends."""

P = ParamSpec("P")
T = TypeVar("T")
AdapterFactory = Callable[[AdapterNamespace], Adapter]

_servers = st.integers(0, 2)
_names = st.sampled_from(NAMESPACES)
_room = st.sampled_from(ROOMS)
_rooms = st.frozensets(_room, max_size=2)
_values = st.sampled_from([None, 1.5, "é", b"\x00\xff", {"a": [b"", 1]}])
_flags = st.builds(Flags, volatile=st.booleans(), local=st.booleans(), compress=st.booleans())
_protocols = st.sampled_from(PROTOCOLS)
_buffers = st.sampled_from([1000, 1000, 2])


class RoomsMachine(TrioMachine):
    """Clients come, join, leave and go; each hears what it has to hear, once, in order.

    Attributes:
        ios: the servers.
        model: who is where.
    """

    members: Bundle[Member] = Bundle("members")

    def make_adapters(self) -> Iterable[AdapterFactory]:
        """Return the option `adapter` of each server; all of one cluster."""
        return [MemoryAdapter]

    # -- the servers -----------------------------------------------------------------------------

    async def set_up(self) -> None:
        """Open the servers."""
        self.model = RoomsModel()
        self.clients: dict[str, MemoryClient] = {}
        self.sockets: dict[str, Socket] = {}
        self.number = 0
        self.ios = [Server(adapter=adapter) for adapter in self.make_adapters()]
        for io in self.ios:
            parent = io.of(lambda name, query: name.startswith("/dynamic"))
            for namespace in (io.sockets, io.of("/chat"), parent):
                namespace.on("connection", self._connected)
            for name in (ROOT, "/chat"):
                io.of(name).adapter.on_custom_request(lambda data: ["got", data])
            await self.hold(io)

    def _connected(self, socket: Socket) -> None:
        self.sockets[socket.id] = socket

    def run(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run an async function; time passes meanwhile, as servers may be far from each other."""

        async def step() -> T:
            with self.passing_time():
                return await function(*args, **kwargs)

        return super().run(step)

    async def settle(self) -> None:
        """Wait until all that the servers have sent each other has arrived.

        A request comes behind what its server sent before, and so does its answer.
        """
        with self.passing_time():
            for io in self.ios:
                await io.sockets.adapter.custom_request()
        await super().settle()

    def namespace(self, server: int, name: str) -> Namespace | None:
        """Return a namespace of a server; a dynamic one is there while somebody is in it."""
        return self.ios[server % len(self.ios)].router.namespaces.get(name)

    # -- clients ---------------------------------------------------------------------------------

    @rule(target=members, server=_servers, name=_names, buffer=_buffers, protocol=_protocols)
    @in_trio
    async def arrive(self, server: int, name: str, buffer: int, protocol: int) -> Member:
        """A client comes, of either protocol; some have little room for what they do not take."""
        server %= len(self.ios)
        io = self.ios[server]
        client = await self.hold(connect(io, name, buffer=buffer, protocol=protocol))
        in_root = client.session.id if protocol == 4 else ""
        member = Member(client.id, in_root, server, name, buffer, {client.id})
        self.clients[member.id] = client
        self.model.members.append(member)
        return member

    @rule(member=consumes(members))
    @in_trio
    async def depart(self, member: Member) -> None:
        """A client goes."""
        await self.take(member)
        self.model.leave(member)
        await self.release(self.clients.pop(member.id))

    @rule(member=members)
    @in_trio
    async def hears(self, member: Member) -> None:
        """A client has received what it had to, and nothing else."""
        await self.take(member)

    async def take(self, member: Member) -> None:
        """Look at what a client has received, up to now."""
        client = self.clients[member.id]
        await self.sockets[member.id].emit(LAST)
        received = []
        while (event := await client.receive()) != [LAST]:
            received.append(event)
        assert received == member.take(), f"{member} heard {received}"

    # -- rooms -----------------------------------------------------------------------------------

    @rule(member=members, room=_room)
    @in_trio
    async def join(self, member: Member, room: str) -> None:
        """A socket joins a room, for the first time or again."""
        await self.sockets[member.id].join(room)
        member.rooms.add(room)

    @rule(member=members, other=members)
    @in_trio
    async def follow(self, member: Member, other: Member) -> None:
        """A socket joins the room of another one, and hears what is for that one alone."""
        if member.namespace == other.namespace:
            await self.sockets[member.id].join(other.id)
            member.rooms.add(other.id)

    @rule(member=members, room=_room)
    @in_trio
    async def leave(self, member: Member, room: str) -> None:
        """A socket leaves a room, whether it is there or not."""
        await self.sockets[member.id].leave(room)
        member.rooms.discard(room)

    @rule(server=_servers, member=members, room=_room, is_join=st.booleans())
    @in_trio
    async def move(self, server: int, member: Member, room: str, is_join: bool) -> None:
        """Any server has a socket join or leave a room."""
        namespace = self.namespace(server, member.namespace)
        if namespace is None:
            return
        if is_join:
            await namespace.adapter.remote_join(member.id, room)
            member.rooms.add(room)
        else:
            await namespace.adapter.remote_leave(member.id, room)
            member.rooms.discard(room)

    @rule(
        server=_servers,
        name=_names,
        rooms=st.frozensets(_room, min_size=1, max_size=2),
        excepted=_rooms,
        room=_room,
        is_join=st.booleans(),
    )
    @in_trio
    async def move_all(
        self,
        server: int,
        name: str,
        rooms: frozenset[str],
        excepted: frozenset[str],
        room: str,
        is_join: bool,
    ) -> None:
        """Any server finds the sockets of rooms, and has all of them join or leave a room."""
        namespace = self.namespace(server, name)
        if namespace is None:
            return
        chosen = Broadcast(rooms, excepted, audience=namespace)
        named = self.model.named(name, chosen)
        found = await chosen.fetch_sockets()
        assert {one.id: one.rooms for one in found} == {one.id: one.rooms for one in named}
        assert found.complete
        await (chosen.sockets_join(room) if is_join else chosen.sockets_leave(room))
        for member in named:
            (member.rooms.add if is_join else member.rooms.discard)(room)

    @rule(server=_servers, member=consumes(members), close=st.booleans())
    @in_trio
    async def throw_out(self, server: int, member: Member, close: bool) -> None:
        """Any server disconnects a socket."""
        await self.take(member)
        namespace = self.namespace(server, member.namespace)
        if namespace is None:
            await self.sockets[member.id].disconnect(close)
        else:
            await namespace.adapter.remote_disconnect(member.id, close)
        await self.settle()
        self.model.leave(member)
        await self.release(self.clients.pop(member.id))

    @precondition(lambda self: self.stops_time and self.model.gone)
    @rule(server=_servers, name=_names, index=st.integers(0, 20), room=_room)
    @in_trio
    async def move_somebody_who_has_gone(
        self, server: int, name: str, index: int, room: str
    ) -> None:
        """No server has that socket: there is an error, in the end."""
        namespace = self.namespace(server, name)
        if namespace is not None:
            gone = self.model.gone[index % len(self.model.gone)]
            try:
                await namespace.adapter.remote_join(gone, room)
            except NoAnswer:
                return
            raise AssertionError(f"{gone} has gone, and has joined a room nevertheless")

    # -- events ----------------------------------------------------------------------------------

    @rule(
        server=_servers,
        name=_names,
        rooms=_rooms,
        excepted=_rooms,
        ids=st.lists(members, max_size=1),
        are_excepted=st.booleans(),
        flags=_flags,
        value=_values,
        nowait=st.booleans(),
    )
    @in_trio
    async def emit(
        self,
        server: int,
        name: str,
        rooms: frozenset[str],
        excepted: frozenset[str],
        ids: list[Member],
        are_excepted: bool,
        flags: Flags,
        value: object,
        nowait: bool,
    ) -> None:
        """A server emits to rooms, except others; sockets' ids may be among them."""
        namespace = self.namespace(server, name)
        if namespace is None:
            return
        more = frozenset(one.id for one in ids)
        if are_excepted:
            excepted |= more
        else:
            rooms |= more
        broadcast = Broadcast(rooms, excepted, None, flags, audience=namespace)
        event = self.next_event(value)
        self.model.expect(name, Target(rooms, excepted, None, flags), server % len(self.ios), event)
        await self.emit_by(broadcast, event, nowait)

    @rule(member=members, rooms=_rooms, ids=st.lists(members, max_size=1), flags=_flags)
    @in_trio
    async def shout(
        self, member: Member, rooms: frozenset[str], ids: list[Member], flags: Flags
    ) -> None:
        """A socket emits to all others, in rooms or everywhere."""
        rooms |= {one.id for one in ids}
        event = self.next_event(None)
        broadcast = self.sockets[member.id].broadcast.to(*rooms).compress(flags.compress)
        broadcast = broadcast.volatile if flags.volatile else broadcast
        broadcast = broadcast.local if flags.local else broadcast
        target = Target(rooms, frozenset(), member.id, flags)
        self.model.expect(member.namespace, target, member.server, event)
        await self.emit_by(broadcast, event, nowait=False)

    @rule(member=members, value=_values)
    @in_trio
    async def tell(self, member: Member, value: object) -> None:
        """A socket emits to its own client, between the broadcasts."""
        event = self.next_event(value)
        member.expect(event)
        await self.sockets[member.id].emit(*cast("Any", event))

    def next_event(self, value: object) -> list[object]:
        """Return an event that nobody has sent yet."""
        self.number += 1
        return [f"event {self.number}", value]

    async def emit_by(self, broadcast: Broadcast, event: list[object], nowait: bool) -> None:
        """Emit, with or without waiting."""
        if nowait:
            broadcast.emit_nowait(*cast("Any", event))
        else:
            await broadcast.emit(*cast("Any", event))

    # -- questions -------------------------------------------------------------------------------

    @rule(server=_servers, name=_names, rooms=_rooms, ids=st.lists(members, max_size=1))
    @in_trio
    async def ask_clients(
        self, server: int, name: str, rooms: frozenset[str], ids: list[Member]
    ) -> None:
        """Any server knows who is in rooms."""
        namespace = self.namespace(server, name)
        if namespace is not None:
            rooms |= {one.id for one in ids}
            found = await namespace.adapter.clients(rooms)
            assert found == self.model.ids_in(name, rooms)
            assert found.complete

    @rule(server=_servers, member=members)
    @in_trio
    async def ask_rooms(self, server: int, member: Member) -> None:
        """Any server knows the rooms of a socket, and all rooms; an empty room does not exist."""
        assert self.sockets[member.id].rooms == member.rooms
        namespace = self.namespace(server, member.namespace)
        if namespace is not None:
            assert await namespace.adapter.client_rooms(member.id) == member.rooms
            found = await namespace.adapter.all_rooms()
            assert found == self.model.all_rooms(member.namespace)

    @rule(server=_servers, name=st.sampled_from([ROOT, "/chat"]))
    @in_trio
    async def ask_hooks(self, server: int, name: str) -> None:
        """All servers answer a custom request."""
        namespace = self.ios[server % len(self.ios)].of(name)
        replies = await namespace.adapter.custom_request(name)
        assert replies == [["got", name]] * len(self.ios)

    async def check_end(self) -> None:
        """Everybody has heard what was to be heard; when they have gone, no room is left."""
        for member in list(self.model.members):
            await self.take(member)
            self.model.leave(member)
            await self.release(self.clients.pop(member.id))
        await self.settle()
        for io in self.ios:
            for namespace in io.router.namespaces.values():
                assert await namespace.adapter.all_rooms() == set()
                assert await namespace.adapter.clients(()) == set()
