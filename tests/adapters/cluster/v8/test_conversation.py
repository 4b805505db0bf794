"""The verbs of adapters on all servers of a cluster, of either generation."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
import trio

from tests.support.foreign_node import foreign, settle
from tests.support.recipient import Ledger
from trio_sio import LimitReached, LocalProtocolError, NoAnswer, Server, Socket
from trio_sio.abc import Flags, SocketDetails, Target
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import MemoryClient, connect
from trio_sio.testing.cluster import MemoryCluster

Clock = trio.abc.Clock
GENERATIONS = pytest.mark.parametrize("generation", [2, 4])
NEW = pytest.mark.parametrize("generation", [4])
"""What is told of other servers is not the same beside those of Socket.IO 2.x."""
EVERYBODY = Target()


def room(*names: str) -> Target:
    return Target(frozenset(names))


def event(*args: JSON) -> Packet:
    return Packet(PacketType.EVENT, "/", ["ask", *args])


class Scene:
    """Two servers with two clients each.

    Args:
        generation: of the cluster.
    """

    def __init__(self, generation: int) -> None:
        self.cluster = MemoryCluster()
        self.nodes = [self.cluster.join(generation=generation, requests_timeout=2) for _ in "12"]
        self.one, self.two = self.servers = [
            Server(adapter=node, raise_errors=False, max_rooms=5) for node in self.nodes
        ]
        self.adapter = self.one.sockets.adapter
        self.clients: list[MemoryClient] = []

    @property
    def ids(self) -> list[str]:
        return [one.id for one in self.clients]

    def rooms(self) -> list[set[str]]:
        """The rooms of each client, without its own."""
        return [
            {*io.sockets.adapter.rooms_of(one.id)} - {one.id}
            for io, one in zip([self.one, self.one, self.two, self.two], self.clients, strict=True)
        ]

    def calls(self) -> list[str]:
        return [one.id for io in self.servers for one in io.sockets.connected.values()]


@asynccontextmanager
async def scene(generation: int) -> AsyncIterator[Scene]:
    here = Scene(generation)
    for io in here.servers:

        @io.on("connection")
        def connection(socket: Socket) -> None:
            socket.data["bytes"] = b"\x00\xff"

    async with AsyncExitStack() as stack:
        for io in here.servers:
            await stack.enter_async_context(io)
        for io in here.servers:
            for _ in range(2):
                here.clients.append(await stack.enter_async_context(connect(io)))
        await settle()
        yield here


@NEW
async def test_joining_and_leaving_hold_when_they_return(
    autojump_clock: Clock, generation: int
) -> None:
    async with scene(generation) as here:
        adapter, ids = here.adapter, here.ids
        await adapter.add_sockets(EVERYBODY, ["all", "most"])
        assert here.rooms() == [{"all", "most"}] * 4
        but = Target(excepted=frozenset([ids[0]]), sender=ids[2])
        await adapter.remove_sockets(but, ["most"])
        assert here.rooms() == [{"all", "most"}, {"all"}, {"all", "most"}, {"all"}]
        await adapter.add_sockets(room("most"), ["both"])
        assert [("both" in one) for one in here.rooms()] == [True, False, True, False]
        local = Target(flags=Flags(local=True))
        await adapter.remove_sockets(local, ["all"])
        assert [("all" in one) for one in here.rooms()] == [False, False, True, True]
        await here.one.to("both").emit("news")
        for one in (here.clients[0], here.clients[2]):
            assert await one.receive() == ["news"]


@GENERATIONS
async def test_too_many_rooms(autojump_clock: Clock, generation: int) -> None:
    """Of this server's sockets one is told; the others have joined all the same."""
    async with scene(generation) as here:
        await here.adapter.add_sockets(room(here.ids[0]), list("abcd"))
        with pytest.raises(LimitReached):
            await here.adapter.add_sockets(EVERYBODY, ["x", "y"])
        assert here.rooms() == [set("abcd"), {"x", "y"}, {"x", "y"}, {"x", "y"}]
        await here.two.sockets.adapter.add_sockets(EVERYBODY, ["z", "w"])
        assert here.rooms()[1:] == [set("xyzw")] * 3


@GENERATIONS
async def test_disconnecting(autojump_clock: Clock, generation: int) -> None:
    async with scene(generation) as here:
        ids = here.ids
        await here.adapter.disconnect_sockets(room(ids[1], ids[2]))
        await settle()
        assert here.calls() == [ids[0], ids[3]]
        await here.adapter.disconnect_sockets(EVERYBODY, True)
        await settle()
        assert here.calls() == []
        assert here.clients[3].reason is not None


@NEW
async def test_fetching(autojump_clock: Clock, generation: int) -> None:
    async with scene(generation) as here:
        ids = here.ids
        found = await here.adapter.fetch_sockets(EVERYBODY)
        assert found.complete
        own = [one for one in found if not isinstance(one, SocketDetails)]
        assert own == [here.one.sockets.connected[one] for one in ids[:2]]
        others = {one.id: one for one in found if isinstance(one, SocketDetails)}
        assert set(others) == set(ids[2:])
        for ident, details in others.items():
            socket = here.two.sockets.connected[ident]
            assert details.rooms == {ident}
            assert details.data == {"bytes": b"\x00\xff"}
            assert details.handshake == socket.handshake.as_json()
        assert len(await here.adapter.fetch_sockets(Target(sender=ids[3]))) == 3
        assert len(await here.adapter.fetch_sockets(Target(flags=Flags(local=True)))) == 2
        assert await here.adapter.fetch_sockets(room("nowhere")) == []
        assert await here.adapter.server_count() == 2
        here.nodes[1].cut()
        here.nodes[0].cut()
        found = await here.adapter.fetch_sockets(EVERYBODY)
        assert (len(found), found.complete) == (2, False)
        assert await here.adapter.server_count() == 1


@GENERATIONS
async def test_what_can_be_looked_up(autojump_clock: Clock, generation: int) -> None:
    async with scene(generation) as here:
        ids = here.ids
        await here.adapter.add_sockets(room(ids[1], ids[2]), ["red"])
        assert await here.adapter.clients(()) == set(ids)
        assert await here.adapter.clients(["red"]) == {ids[1], ids[2]}
        assert await here.adapter.all_rooms() == {*ids, "red"}
        for one in ids:
            rooms = await here.adapter.client_rooms(one)
            assert rooms == ({one, "red"} if one in ids[1:3] else {one})
        with pytest.raises(NoAnswer):
            await here.adapter.client_rooms("nobody")


@GENERATIONS
async def test_one_socket_of_another_server(autojump_clock: Clock, generation: int) -> None:
    async with scene(generation) as here:
        ident = here.ids[3]
        await here.adapter.remote_join(ident, "red")
        assert here.rooms()[3] == {"red"}
        await here.adapter.remote_leave(ident, "red")
        assert here.rooms()[3] == set()
        await here.adapter.remote_disconnect(ident, True)
        await settle()
        assert ident not in here.calls()


@GENERATIONS
async def test_who_is_in_the_room_of_a_sender_elsewhere_hears_it(
    autojump_clock: Clock, generation: int
) -> None:
    """The format of 4.x excepts rooms alone, and a sender is here: nobody else is to miss it."""
    async with scene(generation) as here:
        sender, _, third, fourth = here.ids
        await here.two.sockets.connected[third].join(sender)
        await here.one.sockets.connected[sender].broadcast.emit("news")
        for number in (1, 2, 3):
            assert await here.clients[number].receive() == ["news"]
        await here.one.emit("again", skip_sid=fourth)  # who is there
        for number in (0, 1, 2):
            assert await here.clients[number].receive() == ["again"]
        await here.two.sockets.connected[fourth].emit("last")
        assert await here.clients[3].receive() == ["last"]


@NEW
async def test_clients_of_all_servers_answer(autojump_clock: Clock, generation: int) -> None:
    async with scene(generation) as here:
        ledger = Ledger()
        target = Target(excepted=frozenset([here.ids[1]]))
        async with here.adapter.broadcast_with_ack(event(b"x"), target, ledger):
            await settle()
            assert len(ledger.expected) == 3
            assert ledger.expected.count("a client of node-2") == 2
            for number in (0, 2, 3):
                packet = await here.clients[number].receive_packet()
                assert packet.data == ["ask", b"x"]
                await here.clients[number].answer(packet, number, b"y")
            await settle()
            assert ledger.expected == []
        assert sorted(args for _, args in ledger.taken) == [[0, b"y"], [2, b"y"], [3, b"y"]]


@NEW
async def test_clients_that_leave_are_not_waited_for(
    autojump_clock: Clock, generation: int
) -> None:
    async with scene(generation) as here:
        ledger = Ledger()
        async with here.adapter.broadcast_with_ack(event(), EVERYBODY, ledger):
            await settle()
            assert len(ledger.expected) == 4
            await here.two.sockets.adapter.disconnect_sockets(room(here.ids[2]))
            await here.two.sockets.adapter.disconnect_sockets(room(here.ids[0]))
            await settle()
            assert sorted(ledger.expected) == sorted([here.ids[1], "a client of node-2"])


@GENERATIONS
async def test_local_ones(autojump_clock: Clock, generation: int) -> None:
    async with scene(generation) as here:
        ledger = Ledger()
        target = Target(flags=Flags(local=True))
        async with here.adapter.broadcast_with_ack(event(), target, ledger):
            await settle()
            assert sorted(ledger.expected) == sorted(here.ids[:2])


@GENERATIONS
async def test_what_cannot_be_sent(autojump_clock: Clock, generation: int) -> None:
    async with scene(generation) as here:
        ledger = Ledger()
        unsendable: JSON = object()  # type: ignore[assignment]
        with pytest.raises(LocalProtocolError):
            async with here.adapter.broadcast_with_ack(event(unsendable), EVERYBODY, ledger):
                raise AssertionError
        assert ledger.expected == []


@NEW
async def test_the_others_cannot_be_reached(autojump_clock: Clock, generation: int) -> None:
    async with scene(generation) as here:
        here.nodes[0].cut()
        ledger = Ledger()
        async with here.adapter.broadcast_with_ack(event(), EVERYBODY, ledger):
            assert sorted(ledger.expected) == sorted(here.ids[:2])
            assert ledger.lost == ["node-2"]
        with pytest.raises(NoAnswer, match="missing: node-2"):
            await here.adapter.add_sockets(EVERYBODY, ["a"])
        assert here.rooms() == [{"a"}, {"a"}, set(), set()]


async def test_servers_in_javascript_are_asked_for_something_behind_a_command(
    autojump_clock: Clock,
) -> None:
    """They do not respond to the command; what they respond to the other request tells enough."""
    cluster = MemoryCluster()
    one = Server(adapter=cluster.join(generation=4, requests_timeout=2))
    two = Server(adapter=cluster.join(generation=4))
    async with foreign(cluster) as other, one, two, trio.open_nursery() as nursery:
        await settle()
        done = trio.Event()

        async def join() -> None:
            await one.sockets.adapter.add_sockets(Target(sender="s"), ["a"])
            done.set()

        nursery.start_soon(join)
        await settle()
        command, fence = map(json.loads, other.take(other.channels.request))
        (response,) = other.take(other.channels.response)  # of the other server of this library
        assert json.loads(response) == {"requestId": command["requestId"], "node": "node02"}
        assert not done.is_set()
        assert {**command, "requestId": ""} == {
            "uid": "node01",
            "requestId": "",
            "type": 2,
            "opts": {"rooms": [], "except": ["s"]},
            "rooms": ["a"],
        }
        assert (fence["type"], fence["rooms"], fence["fence"]) == (0, [""], True)
        reply = {"requestId": fence["requestId"], "sockets": []}
        await other.send(other.channels.response, json.dumps(reply).encode())
        assert done.is_set()


async def test_a_namespace_that_is_dropped(autojump_clock: Clock) -> None:
    async with scene(4) as here:
        ledger = Ledger()
        async with here.adapter.broadcast_with_ack(event(), EVERYBODY, ledger):
            await settle()
            here.adapter.close()
            assert sorted(ledger.lost) == ["a client of node-2"] * 2
