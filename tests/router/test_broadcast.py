"""Broadcasts: values with the meaning of sets, and the clients that they reach."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.examples import examples
from trio_sio import Broadcast, LocalProtocolError, MemoryAdapter, Packet, Server, Socket
from trio_sio.abc import AdapterNamespace, Target
from trio_sio.protocol.socketio.packet import RESERVED_EVENTS, RESERVED_NAMESPACE_EVENTS
from trio_sio.testing import MemoryClient, connect
from trio_sio.testing.cluster import MemoryCluster

if TYPE_CHECKING:
    from trio_sio.router.broadcast import Targeting

steps = st.lists(
    st.tuples(st.sampled_from(["to", "in_", "except_"]), st.lists(st.text(max_size=3)))
    | st.tuples(st.sampled_from(["compress", "binary"]), st.booleans())
    | st.tuples(st.sampled_from(["volatile", "local"]), st.none()),
    max_size=8,
)


def take(target: Any, step: tuple[str, Any]) -> Broadcast:  # noqa: ANN401 - whatever has the verbs
    """Take one step of a chain such as `io.to("a").volatile`."""
    verb, argument = step
    if argument is None:
        result = getattr(target, verb)
    elif isinstance(argument, bool):
        result = getattr(target, verb)(argument)
    else:
        result = getattr(target, verb)(*argument)
    assert isinstance(result, Broadcast)
    return result


@given(steps)
def test_steps_make_new_values_with_the_meaning_of_sets(
    chain: list[tuple[str, Any]],
) -> None:
    target = Server().sockets.to()
    rooms: set[str] = set()
    excepted: set[str] = set()
    flags = {"volatile": False, "local": False, "compress": True, "binary": True}
    for verb, argument in chain:
        before = (target.rooms, target.excepted, target.sender, target.flags)
        following = take(target, (verb, argument))
        assert (target.rooms, target.excepted, target.sender, target.flags) == before
        if verb in flags:
            flags[verb] = True if argument is None else argument
        else:
            (excepted if verb == "except_" else rooms).update(argument)
        target = following
    assert target.rooms == rooms
    assert target.excepted == excepted
    assert {name: getattr(target.flags, name) for name in flags} == flags


@given(steps, st.randoms(use_true_random=False))
def test_order_of_rooms_does_not_matter(chain: list[tuple[str, Any]], random: Any) -> None:  # noqa: ANN401
    sets = [step for step in chain if isinstance(step[1], list)]
    shuffled = [*sets, *sets]
    random.shuffle(shuffled)
    nsp = Server().sockets
    one = two = nsp.to()
    for step in sets:
        one = take(one, step)
    for step in shuffled:
        two = take(two, step)
    assert one == two
    assert hash(one) == hash(two)


def test_a_target_cannot_be_changed() -> None:
    target = Server().to("a")
    with pytest.raises(AttributeError):
        target.rooms = frozenset("b")  # type: ignore[misc]


@asynccontextmanager
async def three(io: Server) -> AsyncIterator[list[MemoryClient]]:
    """Clients in the rooms "a" and "all", "b" and "all", "all"."""

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("join")
        async def join(*rooms: str) -> None:
            await socket.join("all", *rooms)

    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connect(io)) for _ in range(3)]
        for client, rooms in zip(clients, ("a", "b", ""), strict=True):
            await client.call("join", *rooms)
        yield clients


async def heard_by(io: Server, clients: list[MemoryClient]) -> str:
    """Which clients have heard one "x", by their numbers."""
    await io.emit("end")
    heard = ""
    for number, client in enumerate(clients):
        while (event := await client.receive()) != ["end"]:
            assert event == ["x"]
            heard += str(number)
    return heard


async def test_which_clients_a_broadcast_reaches(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with three(io) as clients:
        ids = [client.id for client in clients]
        wanted_of: list[tuple[Targeting, str]] = [
            (io, "012"),
            (io.sockets, "012"),
            (io.to("a"), "0"),
            (io.in_("a"), "0"),
            (io.to("a").to("b"), "01"),
            (io.to("a", "all", "b"), "012"),
            (io.to("nobody"), ""),
            (io.to("all").except_("a"), "12"),
            (io.except_("a", "b"), "2"),
            (io.except_("all"), ""),
            (io.except_(ids[1]), "02"),
            (io.to(ids[2]), "2"),
            (io.local.to("b"), "1"),
            (io.volatile, "012"),
            (io.compress(False).binary(False).to("a"), "0"),
        ]
        for target, wanted in wanted_of:
            await target.emit("x")
            assert await heard_by(io, clients) == wanted


async def test_python_socketios_spelling(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with three(io) as clients:
        ids = [client.id for client in clients]
        await io.emit("x", to="a")
        assert await heard_by(io, clients) == "0"
        await io.emit("x", to=["a", "b"])
        assert await heard_by(io, clients) == "01"
        await io.emit("x", to="all", skip_sid=ids[0])
        assert await heard_by(io, clients) == "12"
        await io.emit("x", skip_sid=ids[:2])
        assert await heard_by(io, clients) == "2"
        await io.to("a").emit("x", to="b", skip_sid=ids[0])
        assert await heard_by(io, clients) == "1"


async def test_the_sender_is_left_out(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("tell")
        async def tell(how: str) -> None:
            target = {
                "broadcast": socket.broadcast,
                "to": socket.to("all"),
                "in": socket.in_("b"),
                "own": socket.to(socket.id),
                "volatile": socket.volatile.broadcast,
                "flags": socket.compress(False).binary(False).to("all").except_("b"),
                "in with flags": socket.volatile.in_("a", "b"),
            }[how]
            await target.emit("x")

    async with three(io) as clients:
        for how, wanted in [
            ("broadcast", "12"),
            ("to", "12"),
            ("in", "1"),
            ("own", ""),
            ("volatile", "12"),
            ("flags", "2"),
            ("in with flags", "1"),
        ]:
            await clients[0].emit("tell", how)
            await wait_all_tasks_blocked()
            assert await heard_by(io, clients) == wanted


async def test_clients_are_found_by_room(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with three(io) as clients:
        ids = [client.id for client in clients]
        assert await io.clients() == set(ids)
        assert await io.in_("a").clients() == {ids[0]}
        assert await io.in_("a", "b", "nobody").clients() == set(ids[:2])
        assert await io.of("/empty").clients() == set()


async def test_send_is_the_event_message(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with three(io) as clients:
        await io.to("a").send("hello", 1)
        assert await clients[0].receive() == ["message", "hello", 1]


async def test_broadcasts_cannot_be_answered() -> None:
    io = Server()
    for target in (io, io.sockets, io.to("a"), io.of("/other").volatile):
        with pytest.raises(TypeError, match="acknowledgements"):
            await target.emit("x", ack=print)  # type: ignore[call-overload]


@pytest.mark.parametrize("event", sorted(RESERVED_EVENTS | RESERVED_NAMESPACE_EVENTS))
async def test_reserved_names_are_refused(event: str) -> None:
    io = Server()
    for target in (io, io.of("/other"), io.to("a")):
        with pytest.raises(ValueError, match="reserved"):
            await target.emit(event)


async def test_what_cannot_be_sent_is_the_senders_error(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io) as client:
        with pytest.raises(LocalProtocolError, match="JSON"):
            await io.emit("x", object())
        with pytest.raises(TypeError, match="an event name must be a str"):
            await io.emit(5)  # type: ignore[call-overload]
        await io.emit("y")
        assert await client.receive() == ["y"]


async def test_binary_false_writes_javascripts_buffer(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io) as client:
        await io.binary(False).emit("x", b"\1\2")
        await io.binary(True).emit("x", b"\1\2")
        assert await client.receive() == ["x", {"type": "Buffer", "data": [1, 2]}]
        assert await client.receive() == ["x", b"\1\2"]


async def test_a_cancelled_emit_sends_nothing(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    async with connect(io) as client:
        with trio.CancelScope() as scope:
            scope.cancel()
            await io.emit("x")
        assert scope.cancelled_caught
        await io.emit("y")
        assert await client.receive() == ["y"]


# -- emit_nowait ---------------------------------------------------------------------------------

TARGETS: dict[str, tuple[Callable[[Server, Socket], Any], str]] = {
    "io": (lambda io, socket: io, "0123"),
    "io.to(a)": (lambda io, socket: io.to("a"), "01"),
    "io.except_(a)": (lambda io, socket: io.except_("a"), "23"),
    "io.to(a, b)": (lambda io, socket: io.to("a").in_("b"), "0123"),
    "socket.broadcast": (lambda io, socket: socket.broadcast, "123"),
    "socket.to(b)": (lambda io, socket: socket.to("b"), "23"),
    "socket": (lambda io, socket: socket, "0"),
    "local": (lambda io, socket: io.local, "02"),
}
"""Clients 0 and 1 are in room "a", 2 and 3 in "b"; 0 and 2 are on the server that emits."""

emits = st.lists(st.tuples(st.sampled_from(sorted(TARGETS)), st.booleans()), max_size=40)


@pytest.mark.parametrize("is_cluster", [False, True])
@given(emits)
@examples(25)
def test_emit_and_emit_nowait_are_in_one_order(
    is_cluster: bool, chain: list[tuple[str, bool]]
) -> None:
    cluster = MemoryCluster()

    async def main() -> None:
        servers = [Server(adapter=cluster.join()) for _ in range(2)] if is_cluster else [Server()]
        async with AsyncExitStack() as stack:
            for io in servers:
                await stack.enter_async_context(io)
            io = servers[0]
            clients = []
            for number in range(4):
                its = servers[number % len(servers)]
                clients.append(await stack.enter_async_context(connect(its)))
                await wait_all_tasks_blocked()
                await [*its.sockets.connected.values()][-1].join("ab"[number // 2])
            socket = next(iter(io.sockets.connected.values()))
            expected: list[list[object]] = [[], [], [], []]
            for number, (name, waits) in enumerate(chain):
                make, heard_by = TARGETS[name]
                if waits:
                    await make(io, socket).emit("x", number)
                else:
                    make(io, socket).emit_nowait("x", number)
                if name == "local" and not is_cluster:
                    heard_by = "0123"
                for one in heard_by:
                    expected[int(one)].append(["x", number])
            await io.emit("end")
            for client, heard in zip(clients, expected, strict=True):
                assert [await client.receive() for _ in range(len(heard) + 1)] == [*heard, ["end"]]

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def test_emit_nowait_asks_of_its_arguments_what_emit_does(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    parent = io.of(re.compile("/p.*"))
    async with connect(io) as client:
        before = io.statistics().events_out
        for target in (io, io.sockets, parent, io.to("a").volatile):
            for event in RESERVED_EVENTS | RESERVED_NAMESPACE_EVENTS:
                with pytest.raises(ValueError, match="reserved"):
                    target.emit_nowait(event)
            with pytest.raises(TypeError, match="room name"):
                target.emit_nowait("x", to=[3])  # type: ignore[list-item]
        with pytest.raises(LocalProtocolError):
            io.emit_nowait("x", object())
        assert io.statistics().events_out == before
        io.emit_nowait("y", to="nobody")
        io.emit_nowait("z", skip_sid="nobody")
        assert await client.receive() == ["z"]


@pytest.mark.parametrize("policy", ["disconnect", "drop_newest", "drop_oldest"])
async def test_emit_nowait_deals_with_slow_clients_as_emit_does(
    policy: Literal["disconnect", "drop_newest", "drop_oldest"], autojump_clock: trio.abc.Clock
) -> None:
    seen = []
    for waits in (True, False):
        io = Server(max_outbox=2, on_overflow=policy)
        async with connect(io, buffer=1) as client:
            await wait_all_tasks_blocked()
            tasks = trio.lowlevel.current_statistics().tasks_living
            for number in range(10):
                if waits:
                    await io.emit("x", number)
                else:
                    io.emit_nowait("x", number)
            assert trio.lowlevel.current_statistics().tasks_living <= tasks + 1  # its writer
            statistics = client.session.statistics()
            await wait_all_tasks_blocked()
            detail = client.session.detail
            seen.append((statistics, detail and detail.reason, io.statistics().limits))
    assert seen[0] == seen[1]


class Silent(MemoryAdapter):
    """One that does more than the method it inherits knows of."""

    async def broadcast(self, packet: Packet, target: Target) -> None:
        await super().broadcast(packet, target)


class Loud(Silent):
    def broadcast_nowait(self, packet: Packet, target: Target) -> None:
        super().broadcast_nowait(packet, target)


class Wrapped:
    """One that passes on what it does not know."""

    def __init__(self, namespace: AdapterNamespace) -> None:
        self._adapter = MemoryAdapter(namespace)

    def __getattr__(self, name: str) -> object:
        return getattr(self._adapter, name)


class Bare:
    """One from before there was the method."""

    def __init__(self, namespace: AdapterNamespace) -> None:
        self._adapter = MemoryAdapter(namespace)
        for name in ("add_all", "remove", "remove_all", "rooms_of", "broadcast", "close"):
            setattr(self, name, getattr(self._adapter, name))


@pytest.mark.parametrize(
    ("adapter", "can"),
    [(MemoryAdapter, True), (Silent, False), (Loud, True), (Wrapped, True), (Bare, False)],
)
async def test_an_adapter_that_has_broadcast_alone(
    adapter: Any,  # noqa: ANN401 - most are none to a type checker
    can: bool,
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server(adapter=adapter)
    async with connect(io) as client:
        if can:
            io.emit_nowait("x")
        else:
            with pytest.raises(NotImplementedError, match=f"broadcast_nowait.*{adapter.__name__}"):
                io.emit_nowait("x")
            await io.emit("x")
        assert await client.receive() == ["x"]
