"""Rooms: the adapter in memory against a model, and what sockets and applications see of it."""

from collections.abc import Mapping, Sequence

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.support.recipient import Bystander, Ledger
from trio_sio import (
    LimitReached,
    LocalProtocolError,
    MemoryAdapter,
    Packet,
    PacketType,
    Server,
    Socket,
)
from trio_sio.abc import AnswerServer, EventWatch, Flags, Recipient, Target
from trio_sio.adapters.memory import BROADCAST_WORK, WORK_LIMIT
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.statistics import NamespaceCounters
from trio_sio.sync import Home
from trio_sio.testing import connect

SIDS = ("a", "b", "c", "d", "e")


class Square:
    """A namespace with ears."""

    name = "/square"
    json_default = None
    recovery = None

    def __init__(self) -> None:
        self.connected: Mapping[str, Recipient] = {}
        self.counters = NamespaceCounters()
        self.home = Home()
        self.watch = EventWatch()
        self.encoded = 0
        self._ack_id = -1

    def next_ack_id(self) -> int:
        self._ack_id += 1
        return self._ack_id

    async def hear_server(self, args: Sequence[JSON], answer: AnswerServer | None) -> None:
        raise NotImplementedError

    def encode(self, packet: Packet, flags: Flags, *, droppable: bool) -> Encoded:
        assert droppable
        assert packet.namespace == self.name
        self.encoded += 1
        return Encoded.of_messages([repr((packet.data, packet.id))])


async def test_recipients_come_in_the_order_of_rooms_and_of_joining() -> None:
    order: list[str] = []

    class Noted(Bystander):
        def __init__(self, sid: str) -> None:
            super().__init__()
            self.sid = sid

        def deliver(self, item: Encoded) -> None:
            order.append(self.sid)

    square = Square()
    adapter = MemoryAdapter(square)
    square.connected = {sid: Noted(sid) for sid in SIDS}
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
    square.connected = {sid: Bystander() for sid in SIDS}
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


# -- many sockets at once ------------------------------------------------------------------------


async def _square_of(**people: Recipient) -> MemoryAdapter:
    """An adapter in which everybody is in a room of the own name, and in "all"."""
    square = Square()
    square.connected = people
    adapter = MemoryAdapter(square)
    for name in people:
        await adapter.add_all(name, [name, "all"])
    return adapter


QUESTION = Packet(PacketType.EVENT, "/", ["how?"])


async def test_who_is_asked_answers_once_and_who_leaves_is_not_waited_for(
    autojump_clock: trio.abc.Clock,
) -> None:
    anna, bert, carl, dora = (Bystander() for _ in range(4))
    dora.is_leaving = True
    adapter = await _square_of(anna=anna, bert=bert, carl=carl, dora=dora)
    ledger = Ledger()
    async with adapter.broadcast_with_ack(QUESTION, Target(frozenset({"all"})), ledger):
        assert sorted(ledger.expected) == ["anna", "bert", "carl"]
        assert {id(one.heard[0]) for one in (anna, bert, carl)} == {id(anna.heard[0])}
        assert dora.heard == []
        bert.answer("well")
        anna.go()
        assert (ledger.taken, ledger.expected) == ([("bert", ["well"])], ["carl"])
    assert carl.owed == {}
    carl.answer("late")
    assert ledger.taken == [("bert", ["well"])]
    assert adapter.namespace.counters.events_out == 3


async def test_who_owes_too_much_is_given_up_and_not_asked(autojump_clock: trio.abc.Clock) -> None:
    anna, bert = Bystander(limit=0), Bystander()
    adapter, ledger = await _square_of(anna=anna, bert=bert), Ledger()
    async with adapter.broadcast_with_ack(QUESTION, Target(), ledger):
        assert (ledger.expected, ledger.lost) == (["bert"], ["anna"])
        assert (len(anna.heard), len(bert.heard)) == (0, 1)


async def test_a_volatile_question_skips_who_cannot_take_it(autojump_clock: trio.abc.Clock) -> None:
    anna, bert = Bystander(can_take=False), Bystander()
    adapter, ledger = await _square_of(anna=anna, bert=bert), Ledger()
    target = Target(flags=Flags(volatile=True))
    async with adapter.broadcast_with_ack(QUESTION, target, ledger):
        assert (ledger.expected, ledger.lost) == (["bert"], [])
        assert anna.owed == {}


async def test_a_question_that_cannot_be_sent_is_asked_of_nobody(
    autojump_clock: trio.abc.Clock,
) -> None:
    class Refusing(Square):
        def encode(self, packet: Packet, flags: Flags, *, droppable: bool) -> Encoded:
            raise LocalProtocolError("no")

    square, anna, ledger = Refusing(), Bystander(), Ledger()
    square.connected = {"anna": anna}
    with pytest.raises(LocalProtocolError):
        async with MemoryAdapter(square).broadcast_with_ack(QUESTION, Target(), ledger):
            raise AssertionError("nobody can be asked")
    assert (anna.owed, ledger.expected) == ({}, [])


async def test_what_many_sockets_are_told_to_do(autojump_clock: trio.abc.Clock) -> None:
    anna, bert, carl = (Bystander(limit=2) for _ in range(3))
    adapter = await _square_of(anna=anna, bert=bert, carl=carl)
    but_carl = Target(excepted=frozenset({"carl"}))
    assert [*await adapter.fetch_sockets(but_carl)] == [anna, bert]
    await adapter.add_sockets(but_carl, ["red", "green"])
    await adapter.remove_sockets(Target(frozenset({"anna", "bert"}), sender="bert"), ["red", "x"])
    await adapter.disconnect_sockets(Target(frozenset({"carl"})), True)
    with pytest.raises(LimitReached):
        await adapter.add_sockets(Target(), ["a", "b", "c"])
    too_many = ("join", "a", "b", "c")
    assert anna.steps == [("join", "red", "green"), ("leave", "red"), ("leave", "x"), too_many]
    assert bert.steps == [("join", "red", "green"), too_many]
    assert carl.steps == [("disconnect", True), too_many]
    assert await adapter.server_count() == 1
    await adapter.server_side_emit(["hello"])


@pytest.mark.parametrize("asks", [False, True])
async def test_who_watches_is_told_once_for_each_socket_that_gets_an_event(
    asks: bool, autojump_clock: trio.abc.Clock
) -> None:
    anna, bert, carl = Bystander(), Bystander(can_take=False), Bystander()
    adapter = await _square_of(anna=anna, bert=bert, carl=carl)

    async def send(target: Target) -> None:
        if asks:
            async with adapter.broadcast_with_ack(QUESTION, target, Ledger()):
                pass
        else:
            await adapter.broadcast(QUESTION, target)

    await send(Target(sender="carl"))
    assert anna.steps == bert.steps == []
    adapter.namespace.watch.watch_outgoing()
    await send(Target(sender="carl"))
    assert anna.steps == bert.steps == [("notified", "how?")]
    await send(Target(flags=Flags(volatile=True)))
    assert anna.steps == [("notified", "how?")] * 2
    assert (bert.steps, carl.steps) == ([("notified", "how?")], [("notified", "how?")])
