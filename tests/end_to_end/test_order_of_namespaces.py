"""The order in which handlers begin, of events that one client emits in several namespaces.

The client's namespaces share a connection, and the application hears of the events in the order in
which the client emitted them, whichever namespace each is in.
"""

import itertools
import random
from collections.abc import Awaitable, Callable, Iterator, Sequence

import pytest
import trio

import trio_sio
from tests.support.peers import (
    DEADLINE,
    POLLING,
    UPGRADING,
    WEBSOCKET,
    Client,
    Kind,
    Peer,
    peer,
    served,
)
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node

NAMESPACES = ["/", *(f"/n{number}" for number in range(9))]
KINDS = ["sync", "async", "echo", "concurrent"]
LONGEST_BURST = 300

Event = tuple[int, str]
"""The number of a client, and the kind of handler that its event has."""


class Story:
    """A server whose handlers note the numbers of their events as they begin.

    Args:
        io: the server.

    Attributes:
        begun: the numbers.
    """

    def __init__(self, io: trio_sio.Server) -> None:
        self.io = io
        self.begun: list[int] = []
        self._more = trio.Event()
        for name in NAMESPACES:
            self._listen(io.of(name))

    def _listen(self, namespace: trio_sio.Namespace) -> None:
        @namespace.on("sync")
        def sync(_: trio_sio.Socket, number: int) -> None:
            self._note(number)

        @namespace.on("async")
        async def asynchronous(_: trio_sio.Socket, number: int) -> None:
            self._note(number)

        @namespace.on("echo")
        async def echo(socket: trio_sio.Socket, number: int) -> None:
            self._note(number)
            if number % 16 == 0:  # so few that it need not wait for room
                await socket.emit("echo", number)

        @namespace.on("concurrent", concurrent=True)
        async def wait(_: trio_sio.Socket, number: int) -> None:
            self._note(number)
            await trio.lowlevel.checkpoint()

    def _note(self, number: int) -> None:
        self.begun.append(number)
        self._more.set()

    async def wait_begun(self, count: int) -> None:
        """Return when so many handlers have begun."""
        with trio.fail_after(DEADLINE):
            while len(self.begun) < count:
                await self._more.wait()
                self._more = trio.Event()


def bursts(count: int, names: Sequence[int], choice: random.Random) -> Iterator[list[Event]]:
    """Yield so many events, in bursts of all sizes."""
    while count:
        size = min(count, choice.randint(1, LONGEST_BURST))
        yield [(choice.choice(names), choice.choice(KINDS)) for _ in range(size)]
        count -= size


async def emit_in_bursts(client: Client, events: Iterator[list[Event]]) -> None:
    """Emit, often one burst on the heels of another."""
    for number, burst in enumerate(events):
        await client.order("scatter", burst)
        if number % 3 == 0:
            await trio.sleep(0.01)


Events = Callable[[int], Iterator[list[Event]]]
"""Makes bursts of so many tenths of all events."""

Way = Callable[[Client, Events], Awaitable[None]]


async def by_one_transport(client: Client, events: Events) -> None:
    await emit_in_bursts(client, events(10))


async def through_the_upgrade(client: Client, events: Events) -> None:
    """Emit before the upgrade, from the moment when the client pauses polling, and after it."""
    await emit_in_bursts(client, events(3))
    await client.order("upgrade", [one for burst in events(1) for one in burst])
    await emit_in_bursts(client, events(3))
    assert await client.hear("upgrade") == ["websocket"]
    await emit_in_bursts(client, events(3))


async def share(process: Peer, client: Client, namespace: str) -> Client:
    """Join another namespace on the connection of a client."""
    other = process.add_client()
    await other.order("share", client.number, namespace, {"hear": [], "answers": {}})
    await other.hear("connect")
    return other


async def states(client: Client) -> set[tuple[str | None, bool]]:
    """Return the transports at which there were bursts, and whether an upgrade was under way."""
    seen = set()
    while client.unheard("scattered"):
        heard = await client.hear_with_transport("scattered")
        seen.add((heard.transport, heard.args[0]))
    return seen


LIBRARIES = ["websockets", "trio-websocket"]

each_transport = pytest.mark.parametrize(
    ("ws_engine", "kind"),
    [
        pytest.param("auto", POLLING, id="polling"),
        *(pytest.param(name, WEBSOCKET, id=name) for name in LIBRARIES),
    ],
)
COUNTS = [10_000, pytest.param(200_000, marks=pytest.mark.long)]


@each_transport
@pytest.mark.parametrize("count", COUNTS)
async def test_handlers_begin_in_the_order_of_the_events(
    make_server: MakeServer, kind: Kind, count: int
) -> None:
    where = await emit_and_compare(make_server(), kind, by_one_transport, count)
    assert where == {(kind.options["transports"][0], False)}


@pytest.mark.parametrize("count", COUNTS)
async def test_so_they_do_through_an_upgrade(make_server: MakeServer, count: int) -> None:
    where = await emit_and_compare(make_server(), UPGRADING, through_the_upgrade, count)
    assert where == {("polling", False), ("polling", True), ("websocket", False)}


async def emit_and_compare(
    io: trio_sio.Server, kind: Kind, way: Way, count: int
) -> set[tuple[str | None, bool]]:
    """Emit events over all namespaces; return in which states of the connection."""
    story = Story(io)
    choice = random.Random(count)
    async with served(io) as url, peer() as process:
        client = await process.connect(url, upgrade=False, **kind.options)
        others = [await share(process, client, name) for name in NAMESPACES[1:]]
        numbers = [client.number, *(other.number for other in others)]
        await way(client, lambda tenths: bursts(count * tenths // 10, numbers, choice))
        await story.wait_begun(count)
        assert story.begun == list(range(count))
        return await states(client)


@each_transport
async def test_two_namespaces_two_hundred_times(make_server: MakeServer, kind: Kind) -> None:
    """Each time both wait for an event, and there is nothing else to hold one of them up."""
    story = Story(make_server())
    async with served(story.io) as url, peer() as process:
        client = await process.connect(url, **kind.options)
        other = await share(process, client, NAMESPACES[1])
        pairs = itertools.islice(itertools.cycle(itertools.product(KINDS, KINDS)), 200)
        for number, (first, second) in enumerate(pairs):
            await client.order("scatter", [(client.number, first), (other.number, second)])
            await story.wait_begun(2 * number + 2)
        assert story.begun == list(range(400))


@each_transport
async def test_a_handler_that_waits_holds_up_no_other_namespace(
    make_server: MakeServer, kind: Kind
) -> None:
    io = make_server()
    said: list[str] = []
    over = trio.Event()

    @io.on("a")
    async def wait(_: trio_sio.Socket, number: int) -> None:
        said.append(f"a {number}")
        await over.wait()
        said.append(f"a {number} is done")

    @io.of("/chat").on("b")
    def note(_: trio_sio.Socket, number: int) -> None:
        said.append(f"b {number}")
        if number == 3:
            over.set()

    @io.of("/chat").on("end")
    def end(_: trio_sio.Socket, number: int) -> None:
        ended.set()

    ended = trio.Event()
    async with served(io) as url, peer() as process:
        client = await process.connect(url, **kind.options)
        other = await share(process, client, "/chat")
        a, b = (client.number, "a"), (other.number, "b")
        await client.order("scatter", [a, b, a, b])
        with trio.fail_after(DEADLINE):
            await over.wait()
        await client.order("scatter", [a, (other.number, "end")])
        with trio.fail_after(DEADLINE):
            await ended.wait()
    assert said[:3] == ["a 0", "b 1", "b 3"]
    assert said[3:] == ["a 0 is done", "a 2", "a 2 is done", "a 4", "a 4 is done"]
