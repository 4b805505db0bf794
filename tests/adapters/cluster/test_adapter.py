"""The adapter of one namespace in a cluster: rooms, broadcasts, and what foreign servers send."""

import contextlib
import gc
import logging
import weakref
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import msgpack
import pytest
import trio
from hypothesis import given, strategies as st

from tests.support.examples import examples
from tests.support.foreign_node import Host, foreign, settle
from tests.support.recipient import Bystander
from trio_sio import LocalProtocolError, Packet, PacketType, Server, Socket
from trio_sio.abc import AnswerServer, EventWatch, Flags, Recipient, Target
from trio_sio.adapters.cluster.adapter import ClusterAdapter
from trio_sio.adapters.cluster.broker import Receive, Subscription
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.memory import BROADCAST_WORK, WORK_LIMIT
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.question import (
    Question,
    QuestionKind,
    Statement,
    StatementKind,
    encode_question,
    encode_statement,
)
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.statistics import NamespaceCounters
from trio_sio.sync import Home
from trio_sio.testing import MemoryClient, connect
from trio_sio.testing.cluster import KEY, ClusterNode, MemoryCluster

Clock = trio.abc.Clock
EVENT = 2


def packed(
    *data: object,
    uid: str = "foreig",
    nsp: str = "/",
    kind: int = EVENT,
    excepted: Collection[str] = (),
    **options: object,
) -> bytes:
    """A broadcast as a JavaScript server publishes it."""
    packet = {"type": kind, "data": list(data), "nsp": nsp}
    if excepted:
        options["except"] = list(excepted)
    return msgpack.packb([uid, packet, {"rooms": [], "flags": {}, **options}])  # type: ignore[no-any-return]


def server(node: ClusterNode) -> Server:
    """A server whose clients join rooms and emit as they ask."""
    io = Server(adapter=node)

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("join")
        async def join(*rooms: str) -> None:
            await socket.join(*rooms)

        @socket.on("leave")
        async def leave(room: str) -> None:
            await socket.leave(room)

        @socket.on("shout")
        async def shout(word: str) -> None:
            await socket.broadcast.emit(word)

    return io


async def received(client: MemoryClient) -> list[str]:
    """The names of the events that a client has got, in order."""
    names = []
    with contextlib.suppress(trio.TooSlowError):
        while True:
            names.append((await client.receive(timeout=0.001))[0])
    return names


async def test_a_broadcast_reaches_the_clients_of_all_servers(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = server(cluster.join()), server(cluster.join())
    async with one, two, connect(one) as anna, connect(two) as bert, connect(two) as carl:
        await bert.call("join", "red")
        await one.emit("all", 1, {"a": [b"\x01", None]})
        assert await anna.receive() == ["all", 1, {"a": [b"\x01", None]}]
        assert await bert.receive() == ["all", 1, {"a": [b"\x01", None]}]
        assert await carl.receive() == ["all", 1, {"a": [b"\x01", None]}]
        await one.to("red").emit("red")
        await one.to("red", "blue").emit("red or blue")
        await one.to(carl.id).emit("for carl")
        await one.local.emit("here")
        await one.volatile.emit("volatile")
        await one.except_("red").emit("not red")
        await one.except_(carl.id).emit("not carl")
        await anna.call("shout", "anna")
        await settle()  # what is on its way from one server does not hold up the other
        await bert.call("shout", "bert")
        await settle()
        assert await received(anna) == ["here", "volatile", "not red", "not carl", "bert"]
        assert await received(bert) == ["red", "red or blue", "volatile", "not carl", "anna"]
        assert await received(carl) == ["for carl", "volatile", "not red", "anna", "bert"]


async def test_what_is_published_is_what_javascript_publishes(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    io = server(node)
    async with io, foreign(cluster) as other, connect(io) as anna:
        other.listen("red", anna.id)
        await settle()
        base, red = other.channels.base, other.channels.room("red")
        await io.emit("hi", 1, "é", None, 1.5, {"a": [True]})
        await io.emit("bin", b"\x01\x02\x03")
        await io.volatile.compress(False).to("red", "blue").emit("both")
        await anna.emit("shout", "anna")
        await io.local.emit("nothing")
        await io.to("red").emit("one")
        await io.to(anna.id).emit("own")
        await settle()
        messages = [msgpack.unpackb(payload) for payload in other.take(base)]
        messages[2][2]["rooms"].sort()
        uid = node.broker.uid
        assert messages == [
            [
                uid,
                {"type": 2, "data": ["hi", 1, "é", None, 1.5, {"a": [True]}], "nsp": "/"},
                {"rooms": [], "flags": {}},
            ],
            [
                uid,
                {"type": 5, "data": ["bin", b"\x01\x02\x03"], "nsp": "/"},
                {"rooms": [], "flags": {}},
            ],
            [
                uid,
                {"type": 2, "data": ["both"], "nsp": "/"},
                {"rooms": ["blue", "red"], "flags": {"volatile": True, "compress": False}},
            ],
            [
                uid,
                {"type": 2, "data": ["anna"], "nsp": "/"},
                {"except": [anna.id], "rooms": [], "flags": {}},
            ],
        ]
        (one,) = other.take(red)
        assert msgpack.unpackb(one)[2] == {"rooms": ["red"], "flags": {}}
        # Somebody on another server may have joined a room with the id of a socket that is here.
        (own,) = other.take(other.channels.room(anna.id))
        assert msgpack.unpackb(own)[1]["data"] == ["own"]


async def test_what_cannot_be_sent_reaches_nobody(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = server(cluster.join())
    async with io, foreign(cluster) as other, connect(io) as anna:
        for bad in ({1, 2}, object(), [{"a": {3}}]):
            with pytest.raises(LocalProtocolError):
                await io.emit("bad", bad)
        await io.emit("good")
        assert await anna.receive() == ["good"]
        await settle()
        assert len(other.take(other.channels.base)) == 1


async def test_foreign_broadcasts(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    io = server(node)
    async with io, foreign(cluster) as other, connect(io) as anna, connect(io) as bert:
        await anna.call("join", "red")
        base, red = other.channels.base, other.channels.room("red")
        await other.send(base, packed("all"))
        await other.send(red, packed("red", rooms=["red"]))
        await other.send(base, packed("not anna", excepted=[anna.id]))
        await other.send(base, packed("both", rooms=["red", "blue", bert.id]))
        await other.send(base, packed("volatile", flags={"volatile": True, "broadcast": True}))
        await other.send(base, packed("emitter", uid="emitter"))
        await other.send(red, packed("a room's channel, but no room"))
        await other.send(base, packed("bytes", b"\x01", flags={"compress": False}, kind=5))
        everywhere = ["emitter", "a room's channel, but no room", "bytes"]
        assert await received(anna) == ["all", "red", "both", "volatile", *everywhere]
        assert await received(bert) == ["all", "not anna", "both", "volatile", *everywhere]
        assert node.statistics().received == 8
        # What is not for them: of this server, for another namespace, for a room of others.
        await other.send(base, packed("echo", uid=node.broker.uid))
        await other.send(base, packed("elsewhere", nsp="/elsewhere"))
        await other.send(other.channels.room("blue"), b"not even looked at")
        await settle()
        assert await received(anna) == []
        assert node.statistics().received == 8
        assert node.statistics().invalid == 0


async def test_bytes_in_a_plain_event_arrive_as_from_javascript(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = server(cluster.join())
    async with io, foreign(cluster) as other, connect(io) as anna:
        await other.send(other.channels.base, packed("b", b"\x01", uid="emitter"))
        assert await anna.receive() == ["b", {"type": "Buffer", "data": [1]}]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xc1",
        b"secret",
        msgpack.packb("secret"),
        msgpack.packb(["uid123"]),
        msgpack.packb(["uid123", {"type": 2, "data": "secret", "nsp": "/"}, {}]),
        msgpack.packb(["uid123", {"type": 7, "data": ["secret"], "nsp": "/"}, {}]),
        msgpack.packb(["uid123", {"type": 2, "data": ["x"], "nsp": "/"}, {"rooms": "secret"}]),
    ],
)
async def test_garbage_is_counted_and_its_content_not_shown(
    autojump_clock: Clock, caplog: pytest.LogCaptureFixture, payload: bytes
) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    io = server(node)
    async with io, foreign(cluster) as other, connect(io) as anna:
        for channel in (other.channels.base, other.channels.request):
            await other.send(channel, payload)
            await other.send(channel, payload)
        assert node.statistics().invalid == 4
        ours = [one for one in caplog.records if one.name == "trio_sio.adapters"]
        assert ours
        assert all(one.levelno == logging.WARNING for one in ours)
        assert len(ours) <= 2  # those of one kind are said once
        assert "secret" not in caplog.text
        await io.emit("still here")
        assert await anna.receive() == ["still here"]


async def test_sockets_are_excepted_by_their_ids_and_by_their_rooms(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = server(cluster.join()), server(cluster.join())
    async with one, two, foreign(cluster) as other, connect(one) as anna, connect(two) as bert:
        await bert.call("join", "red", anna.id)  # to hear what is for anna
        await anna.call("join", bert.id)
        await settle()
        base = other.channels.base
        await anna.call("shout", "anna")
        await settle()
        assert msgpack.unpackb(other.take(base)[0])[2] == {
            "except": [anna.id],
            "rooms": [],
            "flags": {},
        }
        await other.send(base, packed("not anna", excepted=[anna.id]))
        await other.send(base, packed("neither", excepted=["x", bert.id, anna.id]))
        await other.send(base, packed("no room", excepted=["red"]))
        await one.except_("red").emit("not red")
        await settle()
        assert msgpack.unpackb(other.take(base)[-1])[2] == {
            "except": ["red"],
            "rooms": [],
            "flags": {},
            "exceptRooms": ["red"],
        }
        await one.except_(anna.id).emit("neither, by a room")
        await settle()
        assert await received(anna) == ["no room", "not red"]
        assert await received(bert) == ["anna", "not anna", "no room"]


class Square:
    """A namespace that nobody is in."""

    name = "/"
    json_default = None
    recovery = None

    def __init__(self) -> None:
        self.connected: Mapping[str, Recipient] = {}
        self.counters = NamespaceCounters()
        self.home = Home()
        self.watch = EventWatch()
        self._encoder = Encoder()

    def next_ack_id(self) -> int:
        return 0

    async def hear_server(self, args: Sequence[JSON], answer: AnswerServer | None) -> None:
        raise NotImplementedError

    def encode(self, packet: Packet, flags: Flags, *, droppable: bool) -> Encoded:
        return Encoded.of_messages(self._encoder.encode(packet, binary=flags.binary))


VALID = [
    packed("x", {"a": [1, b"\x01", None]}, rooms=["red"], flags={"volatile": True}),
    packed("y", excepted=["a", "b"]),
    b'{"requestid":"abcdef","type":0,"rooms":["red"]}',
    b'{"requestid":"abcdef","type":3,"sid":"a","room":"red"}',
    b'{"requestid":"abcdef","type":5,"data":{"a":[1,2]}}',
    b'{"requestid":"abcdef","clients":["a"],"node":"node01"}',
    encode_question(Question("abcdef", QuestionKind.CALL, data=["x", b"\x01"], timeout=0.01)),
    encode_question(Question("abcdef", QuestionKind.JOIN, ("red",), ("a",), names=("green",))),
    encode_statement(Statement("node010", "node02", StatementKind.ASKED, ("a",), ("b",))),
    encode_statement(Statement("node010", "node02", StatementKind.ANSWERED, ("a",), args=(1,))),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    message = draw(st.sampled_from(VALID))
    start = draw(st.integers(0, len(message)))
    end = draw(st.integers(start, min(start + 4, len(message))))
    return message[:start] + draw(st.binary(max_size=4)) + message[end:]


@examples(300)
@given(payload=st.one_of(st.binary(max_size=40), damaged()))
def test_whatever_comes_nothing_is_raised(payload: bytes) -> None:
    async def main() -> None:
        node, host = MemoryCluster().join(), Host()
        adapter = node(Square())
        async with trio.open_nursery() as nursery:
            await nursery.start(node.run, host)
            await adapter.add_all("a", ["red"])
            channels = Channels(KEY, "/")
            asked = (channels.request, channels.ask)
            for channel in (channels.base, channels.room("red"), *asked):
                assert adapter.receive(channel, payload) >= 1
            with trio.move_on_after(0.01):
                async with trio.open_nursery() as asking:
                    asking.start_soon(adapter.clients, [])
                    asking.start_soon(adapter.fetch_sockets, Target())
                    await settle()
                    adapter.receive(channels.response, payload)
                    adapter.receive(channels.answer, payload)
            adapter.receive(channels.response, payload)
            adapter.receive(channels.answer, payload)
            adapter.receive(b"another channel", payload)
            await settle()
            nursery.cancel_scope.cancel()
        assert host.errors == []

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


class Ear(Bystander):
    """A recipient that counts."""

    @property
    def count(self) -> int:
        return len(self.heard)


class FullBroker:
    """A broker whose queue has no room until somebody says so."""

    uid = "full01"
    key = "full"
    peers: ClassVar[dict[str, str]] = {}

    def __init__(self) -> None:
        self.room = trio.Event()
        self.published: list[bytes] = []
        self.dropped = 0

    def open(
        self, channels: Channels, receive: Receive, private: Collection[bytes] = ()
    ) -> Subscription:
        return MemoryCluster().join().broker.open(channels, receive)

    async def publish(self, channel: bytes, payload: bytes) -> None:
        await self.room.wait()
        self.published.append(payload)

    def publish_nowait(self, channel: bytes, payload: bytes) -> bool:
        if self.room.is_set():
            self.published.append(payload)
        else:
            self.dropped += 1
        return self.room.is_set()

    def has_room(self, channel: bytes, payload: bytes) -> bool:
        return self.room.is_set()

    async def count_subscribers(self, channel: bytes) -> int | None:
        return None


async def test_a_full_queue_holds_up_whoever_emits_and_no_client(autojump_clock: Clock) -> None:
    broker, square, ear = FullBroker(), Square(), Ear()
    square.connected = {"a": ear}
    adapter = ClusterAdapter(square, broker, Member())
    packet = Packet(PacketType.EVENT, "/", ["x"])
    with trio.move_on_after(1) as scope:
        await adapter.broadcast(packet, Target())
    assert scope.cancelled_caught
    assert (ear.count, broker.published) == (1, [])
    await adapter.broadcast(packet, Target(flags=Flags(volatile=True)))
    await adapter.broadcast(packet, Target(flags=Flags(local=True)))
    assert (ear.count, broker.published) == (3, [])
    async with trio.open_nursery() as nursery:
        nursery.start_soon(adapter.broadcast, packet, Target())
        await settle()
        assert (ear.count, broker.published) == (4, [])
        broker.room.set()
    assert len(broker.published) == 1


async def test_what_cannot_be_queued_is_sent_to_nobody(autojump_clock: Clock) -> None:
    broker, square, ear = FullBroker(), Square(), Ear()
    square.connected = {"a": ear}
    adapter = ClusterAdapter(square, broker, Member())
    packet = Packet(PacketType.EVENT, "/", ["x"])
    with pytest.raises(trio.WouldBlock):
        adapter.broadcast_nowait(packet, Target())
    assert (ear.count, broker.dropped) == (0, 0)
    adapter.broadcast_nowait(packet, Target(flags=Flags(local=True)))
    assert (ear.count, broker.dropped) == (1, 0)
    adapter.broadcast_nowait(packet, Target(flags=Flags(volatile=True)))
    assert (ear.count, broker.dropped) == (2, 1)
    broker.room.set()
    adapter.broadcast_nowait(packet, Target())
    assert (ear.count, len(broker.published)) == (3, 1)
    for unsendable in (Packet(PacketType.EVENT, "/", ["x", object()]),):  # type: ignore[list-item]
        with pytest.raises(LocalProtocolError):
            adapter.broadcast_nowait(unsendable, Target())
    assert (ear.count, len(broker.published)) == (3, 1)


async def test_endless_broadcasts_let_other_tasks_run(autojump_clock: Clock) -> None:
    broker, turns = FullBroker(), 0
    broker.room.set()
    adapter = ClusterAdapter(Square(), broker, Member())

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        packet = Packet(PacketType.EVENT, "/", ["x"])
        for _ in range(2 * WORK_LIMIT // BROADCAST_WORK):  # the other may come second, once
            await adapter.broadcast(packet, Target(flags=Flags(volatile=True)))
        assert turns > 0
        nursery.cancel_scope.cancel()


# -- rooms -----------------------------------------------------------------------------------------


def heard_rooms(node: ClusterNode) -> set[str]:
    """The rooms of "/" that a server listens to."""
    rooms = {Channels(KEY, "/").room_of(channel) for channel in node.broker.heard}
    return {room for room in rooms if room}


async def test_a_server_listens_to_the_rooms_of_its_sockets(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    io = server(node)
    async with io:
        async with connect(io) as anna:
            assert heard_rooms(node) == {anna.id}
            await anna.call("join", "red", "blue")
            async with connect(io) as bert:
                await bert.call("join", "red")
                assert heard_rooms(node) == {anna.id, bert.id, "red", "blue"}
                await anna.call("leave", "red")
                await anna.call("leave", "blue")
                await anna.call("leave", "never joined")
                await settle()
                assert heard_rooms(node) == {anna.id, bert.id, "red"}
            await settle()
            assert heard_rooms(node) == {anna.id}
        await settle()
        assert heard_rooms(node) == set()


async def test_whoever_has_joined_hears_what_is_sent_from_then_on(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    one, two = server(cluster.join(delay=0.1)), server(cluster.join())
    async with one, two, connect(one) as anna, connect(one) as bert:
        begun = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(anna.call, "join", "red")
            await trio.sleep(0.05)
            await bert.call("join", "red")  # it waits for the same confirmation
            await two.to("red").emit("hello")
        assert trio.current_time() - begun == pytest.approx(0.25, abs=0.01)
        assert await anna.receive() == ["hello"]
        assert await bert.receive() == ["hello"]
        begun = trio.current_time()
        await bert.call("leave", "red")
        await bert.call("join", "red")  # somebody is there
        assert trio.current_time() == begun


async def test_what_is_confirmed_is_not_what_was_added_since(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    io = server(cluster.join(delay=0.1))
    adapter = io.sockets.adapter
    async with io, trio.open_nursery() as nursery:
        nursery.start_soon(adapter.add_all, "a", ["red"])
        await trio.sleep(0.05)
        await adapter.remove("a", "red")
        await trio.sleep(0.05)
        nursery.start_soon(adapter.add_all, "b", ["red"])
        await trio.sleep(0.15)  # the first subscription has been confirmed, the second has not
        begun = trio.current_time()
        await adapter.add_all("c", ["red"])
        assert trio.current_time() > begun
        begun = trio.current_time()
        await adapter.add_all("d", ["red"])
        assert trio.current_time() == begun


async def test_joining_waits_for_a_while_and_not_at_all_while_cut_off(
    autojump_clock: Clock,
) -> None:
    cluster = MemoryCluster()
    node = cluster.join(delay=7)
    io = server(node)
    async with io, connect(io) as anna:
        begun = trio.current_time()
        await anna.call("join", "red")
        assert trio.current_time() - begun == pytest.approx(1)
        node.cut()
        await anna.call("join", "blue")
        assert trio.current_time() - begun == pytest.approx(1)


async def test_a_join_that_is_cancelled_holds_and_whoever_leaves_waits_for_nothing(
    autojump_clock: Clock,
) -> None:
    cluster = MemoryCluster()
    node = cluster.join(delay=0.1)
    io = server(node)
    adapter = io.sockets.adapter
    async with io, connect(io) as anna:
        with trio.move_on_after(0.05) as scope:
            await adapter.add_all(anna.id, ["red"])
        assert scope.cancelled_caught
        assert adapter.rooms_of(anna.id) == {anna.id, "red"}
        await trio.sleep(1)
        assert heard_rooms(node) == {anna.id, "red"}
        with trio.CancelScope() as scope:
            scope.cancel()
            await adapter.add_all(anna.id, ["blue"])
        assert adapter.rooms_of(anna.id) == {anna.id, "red"}
        begun = trio.current_time()
        await adapter.remove(anna.id, "red")
        with trio.CancelScope() as scope:
            scope.cancel()
            await adapter.remove_all(anna.id)
        assert scope.cancelled_caught
        assert trio.current_time() == begun
        assert adapter.rooms_of(anna.id) == set()
        await trio.sleep(1)
        assert heard_rooms(node) == set()


async def test_an_adapter_that_is_replaced_hears_nothing_any_more(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    io = Server(adapter=node)
    io.adapter = node
    async with io, foreign(cluster) as other, connect(io) as anna:
        await other.send(other.channels.base, packed("once"))
        await other.send(other.channels.request, b'{"requestid":"abcDEF","type":2}')
        assert await received(anna) == ["once"]
        assert len(other.take(other.channels.response)) == 1


# -- dynamic namespaces ----------------------------------------------------------------------------


async def test_a_namespace_that_is_dropped_and_comes_back(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node, far = cluster.join(), cluster.join()
    one, two = Server(adapter=node), Server(adapter=far)
    parents = [io.of(lambda name, query: True) for io in (one, two)]
    async with one, two, connect(two, "/room") as bert:
        before = len(node.broker.heard)
        for number in range(3):
            async with connect(one, "/room") as anna:
                await settle()
                assert len(node.broker.heard) == before + 9  # seven, and the own rooms in both
                await two.of("/room").emit("hello", number)
                assert await anna.receive() == ["hello", number]
                assert await bert.receive() == ["hello", number]
                assert len(await two.of("/room").clients()) == 2
                await anna.leave()
            await settle()
            assert len(node.broker.heard) == before
            assert not parents[0].children


async def test_a_namespace_that_is_dropped_leaves_nothing(autojump_clock: Clock) -> None:
    io = Server(adapter=MemoryCluster().join())
    io.of(lambda name, query: True)
    async with io:
        async with connect(io, "/room"):
            adapter = weakref.ref(io.router.namespaces["/room"].adapter)
            await io.router.namespaces["/room"].clients()
        await settle()
        gc.collect()
        assert adapter() is None
