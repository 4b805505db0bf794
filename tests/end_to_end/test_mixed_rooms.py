"""One server and its rooms, with clients of every generation on every way to travel at once.

Twelve clients, four releases of socket.io-client by polling, with an upgrade and by WebSocket, are
in the same rooms. What each must hear is worked out by a model beside the server.
"""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import permutations

import pytest
import trio

import trio_sio
from tests.support.peers import MODERN, PACKAGE, Client, Kind, peer, served
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node

RELEASES = {"2.5": PACKAGE, **MODERN}
WAYS = (("polling",), None, ("websocket",))
ROOMS = ("attic", "cellar", "garden")
VALUES: tuple[trio_sio.JSON, ...] = (
    "größer, 東京 \U0001f600 \x1e \u2028",
    b"\x00\x04\x1e\xff",
    {"deep": [b"\x04b", {"text": "between", "more": b"\xfe" * 300}], "number": -1.5},
    [],
    "long " * 20_000,
)


class Member:
    """One client, and what the model knows of it.

    Attributes:
        kind: what it is.
        client: the client.
        id: its socket's.
        rooms: where it is.
        due: what it must hear, in this order.
    """

    def __init__(self, kind: Kind, client: Client, sid: str) -> None:
        self.kind = kind
        self.client = client
        self.id = sid
        self.rooms: set[str] = set()
        self.due: list[list[object]] = []

    def __repr__(self) -> str:
        return str(self.kind)

    @property
    def polls(self) -> bool:
        return self.kind.transports == ("polling",)

    async def check(self) -> None:
        """It has heard what it must, and nothing else."""
        assert await self.client.call("sync") == ["done"]  # behind all that was sent before
        assert [await self.client.hear("news") for _ in self.due] == self.due, self
        assert self.client.unheard("news") == 0, self
        self.due.clear()


class House:
    """The members, and a model of who hears what.

    Args:
        members: the members.
    """

    def __init__(self, members: list[Member]) -> None:
        self.members = members
        self._numbers = iter(range(1_000_000))

    async def move(self, member: Member, verb: str, room: str) -> None:
        """Have a member enter or leave a room."""
        member.rooms = member.rooms | {room} if verb == "enter" else member.rooms - {room}
        assert await member.client.call(verb, room) == [sorted(member.rooms)]

    async def tell(
        self, author: Member, rooms: list[str], without: list[str], value: trio_sio.JSON
    ) -> None:
        """Have a member tell the others in some rooms, or all if there are none, but for some."""
        number = next(self._numbers)
        for other in self.members:
            is_meant = not rooms or other.rooms & {*rooms}
            if other is not author and is_meant and not other.rooms & {*without}:
                other.due.append([number, value])
        assert await author.client.call("tell", rooms, without, number, value) == ["done"]

    async def check(self) -> None:
        """Everybody has heard what was for them."""
        async with trio.open_nursery() as nursery:
            for member in self.members:
                nursery.start_soon(member.check)


def house_server(make_server: MakeServer) -> trio_sio.Server:
    io = make_server()

    @io.on("enter")
    async def enter(socket: trio_sio.Socket, room: str) -> list[str]:
        await socket.join(room)
        return sorted(socket.rooms - {socket.id})

    @io.on("leave")
    async def leave(socket: trio_sio.Socket, room: str) -> list[str]:
        await socket.leave(room)
        return sorted(socket.rooms - {socket.id})

    @io.on("tell")
    async def tell(
        socket: trio_sio.Socket, rooms: list[str], without: list[str], *args: trio_sio.JSON
    ) -> str:
        target = socket.to(*rooms) if rooms else socket.broadcast
        await target.except_(*without).emit("news", *args)
        return "done"

    @io.on("sync")
    async def sync(_socket: trio_sio.Socket) -> str:
        return "done"

    return io


@asynccontextmanager
async def house(url: str) -> AsyncIterator[House]:
    """All clients, connected, upgraded, and nowhere yet."""
    members: list[Member] = []
    async with AsyncExitStack() as stack:
        for release, command in RELEASES.items():
            process = await stack.enter_async_context(peer(command))
            for way in WAYS:
                kind = Kind(release, command, way)
                client = await process.open(
                    url, hear=["news", "perhaps"], answers={"question": None}, **kind.options
                )
                members.append(Member(kind, client, (await client.hear("connect"))[0]))
                if way is None:
                    await client.hear("upgrade")
        yield House(members)


async def test_every_client_hears_every_other(make_server: MakeServer) -> None:
    """Each pair of release and way, as author and as reader, with text and with bytes."""
    io = house_server(make_server)
    async with served(io) as url, house(url) as here:
        assert io.statistics().sessions_by_protocol == {3: 3, 4: 9}
        assert {socket.id for socket in io.sockets.connected.values()} == {
            member.id for member in here.members
        }
        for member in here.members:
            await here.move(member, "enter", "garden")
        for author in here.members:
            for value in VALUES[:3]:
                await here.tell(author, ["garden"], [], value)
        pairs = {(author, reader) for author, reader in permutations(here.members, 2)}
        heard = sum(len(member.due) for member in here.members)
        assert heard == 3 * len(pairs) == 3 * 12 * 11
        await here.check()


async def test_rooms_come_and_go(make_server: MakeServer) -> None:
    """Who has heard what is what the model says, whatever they do."""
    chance = random.Random(4)
    io = house_server(make_server)
    async with served(io) as url, house(url) as here:
        for _ in range(6):
            for _ in range(20):
                member, room = chance.choice(here.members), chance.choice(ROOMS)
                await here.move(member, "leave" if room in member.rooms else "enter", room)
            for _ in range(15):
                rooms = chance.sample(ROOMS, chance.randrange(3))
                without = chance.sample(ROOMS, chance.choice((0, 0, 1)))
                author, value = chance.choice(here.members), chance.choice(VALUES)
                await here.tell(author, rooms, without, value)
            await here.check()


async def test_everybody_answers(make_server: MakeServer) -> None:
    """The server asks all at once: ids of acknowledgements come from one counter for both."""
    io = house_server(make_server)
    async with served(io) as url, house(url) as here:
        answers: dict[str, object] = {}

        async def ask(socket: trio_sio.Socket, value: trio_sio.JSON) -> None:
            answers[socket.id] = await socket.call("question", socket.id, value)

        for value in VALUES:
            answers.clear()
            async with trio.open_nursery() as nursery:
                for socket in tuple(io.sockets.connected.values()):
                    nursery.start_soon(ask, socket, value)
            assert answers == {member.id: (member.id, value) for member in here.members}
            for member in here.members:
                assert await member.client.hear("question") == [member.id, value]


async def test_what_is_volatile_is_heard_once_or_not(make_server: MakeServer) -> None:
    """Whoever has a WebSocket and is up to date hears it; who polls may miss it."""
    io = house_server(make_server)
    async with served(io) as url, house(url) as here:
        inside = [member for index, member in enumerate(here.members) if index % 5]
        for member in inside:
            await here.move(member, "enter", "garden")
        for number, value in enumerate(VALUES):
            await here.check()
            await io.volatile.to("garden").emit("perhaps", number, value)
            for member in inside:
                if not member.polls:
                    assert await member.client.hear("perhaps") == [number, value], member
        await here.check()
        for member in here.members:
            heard = [await member.client.hear("perhaps") for _ in range(unheard(member))]
            numbers = [number for number, _ in heard]
            assert numbers == sorted({*numbers}), member
            assert all(value == VALUES[number] for number, value in heard), member
            assert not numbers or (member.polls and member in inside), member


def unheard(member: Member) -> int:
    return member.client.unheard("perhaps")
