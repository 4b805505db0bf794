"""Rooms: the adapter in memory against a model, and what sockets and applications see of it."""

from collections import Counter
from collections.abc import Collection

import pytest
import trio
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from trio.testing import wait_all_tasks_blocked

from tests.support.examples import examples
from trio_sio import MemoryAdapter, Packet, PacketType, Server, Socket
from trio_sio.abc import Flags, Target
from trio_sio.adapters.memory import BROADCAST_WORK, WORK_LIMIT
from trio_sio.protocol.encoded import Encoded
from trio_sio.statistics import NamespaceCounters
from trio_sio.sync import Home
from trio_sio.testing import connect

SIDS = ("a", "b", "c", "d", "e")
ROOMS = ("red", "green", "blue", "a", "b")  # an id is a room, too

sids = st.sampled_from(SIDS)
rooms = st.sampled_from(ROOMS)
some_rooms = st.frozensets(rooms, max_size=3)


class Ear:
    """A recipient that remembers."""

    def __init__(self) -> None:
        self.heard: list[Encoded] = []
        self.heard_volatile: list[Encoded] = []

    def deliver(self, item: Encoded) -> None:
        self.heard.append(item)

    def deliver_volatile(self, item: Encoded) -> None:
        self.heard_volatile.append(item)

    async def join(self, *rooms: str) -> None:
        raise NotImplementedError

    async def leave(self, room: str) -> None:
        raise NotImplementedError

    async def disconnect(self, close: bool = False) -> None:
        raise NotImplementedError


class Square:
    """A namespace with ears."""

    name = "/square"
    json_default = None

    def __init__(self) -> None:
        self.connected: dict[str, Ear] = {}
        self.counters = NamespaceCounters()
        self.home = Home()
        self.encoded = 0

    def encode(self, packet: Packet, flags: Flags, *, droppable: bool) -> Encoded:
        assert droppable
        assert packet.namespace == self.name
        self.encoded += 1
        return Encoded.of_messages([repr(packet.data)])


class RoomsMachine(RuleBasedStateMachine):
    """Whatever happens, the adapter agrees with a dict of sets."""

    def __init__(self) -> None:
        super().__init__()
        self.square = Square()
        self.adapter = MemoryAdapter(self.square)
        self.model: dict[str, set[str]] = {}

    @rule(sid=sids)
    def connect(self, sid: str) -> None:
        self.square.connected.setdefault(sid, Ear())

    @rule(sid=sids, joined=some_rooms)
    def join(self, sid: str, joined: frozenset[str]) -> None:
        trio.run(self.adapter.add_all, sid, joined)
        self.model.setdefault(sid, set()).update(joined)

    @rule(sid=sids, room=rooms)
    def leave(self, sid: str, room: str) -> None:
        trio.run(self.adapter.remove, sid, room)
        self.model.get(sid, set()).discard(room)

    @rule(sid=sids)
    def go(self, sid: str) -> None:
        trio.run(self.adapter.remove_all, sid)
        self.model.pop(sid, None)
        self.square.connected.pop(sid, None)

    @rule(asked=some_rooms)
    def clients(self, asked: frozenset[str]) -> None:
        assert trio.run(self.adapter.clients, asked) == self._members(asked)

    @rule(
        to=some_rooms,
        excepted=some_rooms,
        sender=st.none() | sids,
        volatile=st.booleans(),
    )
    def broadcast(
        self, to: frozenset[str], excepted: frozenset[str], sender: str | None, volatile: bool
    ) -> None:
        for ear in self.square.connected.values():
            ear.heard.clear()
            ear.heard_volatile.clear()
        before = self.square.encoded
        target = Target(to, excepted, sender, Flags(volatile=volatile))
        packet = Packet(PacketType.EVENT, "/", ["hello"])
        trio.run(self.adapter.broadcast, packet, target)
        left_out = self._members(excepted) if excepted else set()
        wanted = self._members(to) - left_out - {sender}
        heard: Counter[str] = Counter()
        for sid, ear in self.square.connected.items():
            heard[sid] = len(ear.heard_volatile if volatile else ear.heard)
            assert not (ear.heard if volatile else ear.heard_volatile)
        assert {sid for sid, times in heard.items() if times} == wanted
        assert max(heard.values(), default=0) <= 1
        assert self.square.encoded == before + 1

    @invariant()
    def both_directions_agree(self) -> None:
        for sid in SIDS:
            assert self.adapter.rooms_of(sid) == self.model.get(sid, set())
            assert trio.run(self.adapter.client_rooms, sid) == self.model.get(sid, set())
        members: dict[str, set[str]] = {}
        for sid, joined in self.model.items():
            for room in joined:
                members.setdefault(room, set()).add(sid)
        # A room that is empty does not exist.
        assert {room: set(sids) for room, sids in self.adapter.rooms.items()} == members
        assert set(self.adapter.sids) == set(self.model)

    def _members(self, asked: Collection[str]) -> set[str]:
        connected = set(self.square.connected)
        if not asked:
            return connected
        found = {sid for sid, joined in self.model.items() if joined.intersection(asked)}
        return found & connected


TestRooms = RoomsMachine.TestCase
TestRooms.settings = examples(40, stateful_step_count=25)


async def test_recipients_come_in_the_order_of_rooms_and_of_joining() -> None:
    order: list[str] = []

    class Noted(Ear):
        def __init__(self, sid: str) -> None:
            super().__init__()
            self.sid = sid

        def deliver(self, item: Encoded) -> None:
            order.append(self.sid)

    square = Square()
    adapter = MemoryAdapter(square)
    for sid in SIDS:
        square.connected[sid] = Noted(sid)
    for sid in ("d", "b", "a"):
        await adapter.add_all(sid, ["red"])
    target = Target(frozenset({"red"}))
    adapter.deliver(Packet(PacketType.EVENT, "/", ["x"]), target)
    assert order == ["d", "b", "a"]


# -- as sockets see it -------------------------------------------------------------------------


async def test_a_socket_is_in_the_room_of_its_own_id(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    rooms_then = []

    @io.of("/chat").on("connection")
    async def connection(socket: Socket) -> None:
        rooms_then.append(socket.rooms)
        await socket.join("a", "b", "a")
        await socket.leave("never joined")
        await socket.leave("b")
        rooms_then.append(socket.rooms)

    async with connect(io, "/chat") as client:
        await wait_all_tasks_blocked()
        await io.of("/chat").to(client.id).emit("whisper")
        assert await client.receive() == ["whisper"]
        assert rooms_then == [{client.id}, {client.id, "a"}]
        assert await io.of("/chat").clients() == {client.id}


async def test_rooms_are_empty_once_the_socket_has_left(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    sockets: list[Socket] = []
    rooms_at: dict[str, frozenset[str]] = {}

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        sockets.append(socket)
        await socket.join("a")
        socket.on("disconnecting", lambda reason: rooms_at.update(disconnecting=socket.rooms))
        socket.on("disconnect", lambda reason: rooms_at.update(disconnect=socket.rooms))

    async with connect(io) as client:
        await wait_all_tasks_blocked()
    assert rooms_at == {"disconnecting": {client.id, "a"}, "disconnect": frozenset()}
    assert sockets[0].rooms == frozenset()


async def test_joining_after_the_end_leaves_no_ghost(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    sockets: list[Socket] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        sockets.append(socket)
        socket.on("disconnect", lambda reason: socket.join("late"))

    async with connect(io):
        await wait_all_tasks_blocked()
    await sockets[0].join("later")
    assert not io.sockets.adapter.rooms_of(sockets[0].id)
    assert await io.to("late", "later").clients() == set()
    await io.to("late", "later").emit("anybody?")


async def test_rooms_joined_while_disconnecting_are_left_too(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("disconnecting", lambda reason: socket.join("late"))

    async with connect(io) as client:
        await wait_all_tasks_blocked()
    assert await io.sockets.adapter.client_rooms(client.id) == frozenset()


@pytest.mark.parametrize("room", [1, None, b"room", ("a", "b")])
async def test_a_room_name_is_a_str(autojump_clock: trio.abc.Clock, room: str) -> None:
    io = Server()
    seen = []

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        with pytest.raises(TypeError, match="a room name must be a str"):
            await socket.join("good", room)
        seen.append(socket.rooms)

    async with connect(io) as client:
        await wait_all_tasks_blocked()
    assert seen == [{client.id}]
    with pytest.raises(TypeError, match="a room name must be a str"):
        io.to(room)


async def test_endless_broadcasts_let_other_tasks_run() -> None:
    square = Square()
    adapter = MemoryAdapter(square)
    square.connected = {sid: Ear() for sid in SIDS}
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        packet = Packet(PacketType.EVENT, "/square", ["x"])
        for _ in range(WORK_LIMIT // len(SIDS) + 1):
            await adapter.broadcast(packet, Target())
        assert turns > 0
        nursery.cancel_scope.cancel()


def test_rooms_that_come_into_being_and_go_are_told() -> None:
    adapter = MemoryAdapter(Square())
    assert adapter.enter("a", ["a", "red", "red"]) == ["a", "red"]
    assert adapter.enter("b", ["b", "red"]) == ["b"]
    assert adapter.enter("b", ["b", "red"]) == []
    assert not adapter.leave("b", "never joined")
    assert not adapter.leave("b", "a")
    assert not adapter.leave("c", "red")
    assert not adapter.leave("a", "red")
    assert adapter.leave("b", "red")
    assert not adapter.leave("b", "red")
    assert adapter.leave_all("b") == ["b"]
    assert adapter.leave_all("b") == []
    assert adapter.rooms == {"a": {"a": None}}


async def test_what_was_sent_without_waiting_is_made_up_for_by_the_next_broadcast(
    autojump_clock: trio.abc.Clock,
) -> None:
    square, turns = Square(), 0
    adapter = MemoryAdapter(square)
    packet = Packet(PacketType.EVENT, "/", ["x"])

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(2):  # the other may come second, once
            before = turns
            for _ in range(2 * WORK_LIMIT // BROADCAST_WORK):
                adapter.broadcast_nowait(packet, Target())
            assert turns == before
            await adapter.broadcast(packet, Target())
        assert turns > 0
        nursery.cancel_scope.cancel()
