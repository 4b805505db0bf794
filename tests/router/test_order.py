"""The order in which one client's events begin to be handled: that in which it sent them."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import pytest
import trio
from hypothesis import HealthCheck, given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.examples import examples
from trio_sio import Packet, Server, Socket
from trio_sio.options import WSEngine
from trio_sio.router.order import EventOrder
from trio_sio.testing.wire import WireClient, open_wire
from trio_sio.testing.wire_websocket import packet_frames

NAMESPACES = ["/", *(f"/n{number}" for number in range(9))]
LIBRARIES = ["websockets", "trio-websocket"]

PROMPT = ("sync", "async", "ack", "concurrent", "concurrent sync", "changed", "error")
"""Kinds of handlers that hold up nobody: none but concurrent ones wait."""


class Contender:
    def __init__(self, name: str, story: list[str], *, wants_it: bool = True) -> None:
        self.name = name
        self.story = story
        self.wants_it = wants_it

    def take_turn(self) -> bool:
        if self.wants_it:
            self.story.append(self.name)
        return self.wants_it

    def lose_turn(self) -> None:
        self.story.append(f"not {self.name}")


def test_who_lines_up_begins_by_number() -> None:
    story: list[str] = []
    order = EventOrder()
    a, b, c = (Contender(name, story) for name in "abc")
    gone = Contender("gone", story, wants_it=False)
    numbers = [order.count() for _ in range(4)]
    assert numbers == [1, 2, 3, 4]
    assert order.claim(a, numbers[3])
    assert order.begin(a, numbers[3])
    assert not order.claim(b, numbers[2])
    assert not order.claim(c, numbers[0])
    assert not order.claim(gone, numbers[1])
    order.pass_on(b)  # not its to pass on
    assert story == []
    order.pass_on(a)
    order.pass_on(c)
    assert story == ["c", "b"]
    order.pass_on(b)
    assert order.begin(a, order.count())


def test_a_turn_that_is_not_used_yet_goes_to_whoever_has_an_earlier_event() -> None:
    story: list[str] = []
    order = EventOrder()
    a, b = (Contender(name, story) for name in "ab")
    assert order.claim(b, 3)
    assert order.begin(a, 2)
    assert not order.begin(b, 3)
    order.pass_on(a)
    assert story == ["not b", "b"]
    assert order.begin(b, 3)
    assert not order.begin(a, 1)  # too late: it has begun


class Sent(NamedTuple):
    """One event of a client."""

    namespace: str
    kind: str
    number: int

    @property
    def message(self) -> str:
        where = "" if self.namespace == "/" else f"{self.namespace},"
        return f'42{where}["{self.kind}",{self.number}]'


class Story:
    """A server that notes which events begin to be handled, in their order."""

    def __init__(self, ws_engine: WSEngine = "websockets", max_inbox: int = 64) -> None:
        self.io = Server(ws_engine=ws_engine, raise_errors=True, max_inbox=max_inbox)
        self.begun: list[int] = []
        self.gate = trio.Event()
        for name in NAMESPACES:
            self._listen(name)

    def _listen(self, name: str) -> None:
        namespace = self.io.of(name)

        @namespace.on("sync")
        def sync(_: Socket, number: int) -> None:
            self.begun.append(number)

        @namespace.on("async")
        async def asynchronous(_: Socket, number: int) -> int:
            self.begun.append(number)
            return number

        @namespace.on("ack", ack=True)
        def acknowledged(_: Socket, number: int, ack: Callable[..., None]) -> None:
            self.begun.append(number)
            ack(number)

        @namespace.on("concurrent", concurrent=True)
        async def concurrent(_: Socket, number: int) -> None:
            self.begun.append(number)
            await self.gate.wait()

        namespace.on("concurrent sync", sync, concurrent=True)
        namespace.on("error", lambda _, error: self.begun.append(int(str(error))))

        @namespace.on("slow")
        async def slow(_: Socket, number: int) -> None:
            self.begun.append(number)
            await trio.sleep(1)

        @namespace.on("connection")
        def connection(socket: Socket) -> None:
            socket.on("changed", self.begun.append)

            @socket.use
            def middleware(packet: Packet) -> Packet:
                return packet


def numbered(events: Sequence[tuple[str, str]]) -> list[Sent]:
    return [Sent(namespace, kind, number) for number, (namespace, kind) in enumerate(events)]


def message(sent: Sent) -> str:
    if sent.kind != "error":
        return sent.message
    where = "" if sent.namespace == "/" else f"{sent.namespace},"
    return f'44{where}"{sent.number}"'


async def by_polling(wire: WireClient, messages: Sequence[str]) -> None:
    session = await wire.handshake()
    await session.post(*(f"40{name}," for name in NAMESPACES[1:]))
    await wait_all_tasks_blocked()
    for start in range(0, len(messages), 1000):
        await session.post(*messages[start : start + 1000])
    await wait_all_tasks_blocked()


async def by_websocket(wire: WireClient, messages: Sequence[str]) -> None:
    websocket = await wire.websocket()
    joins = [f"40{name}," for name in NAMESPACES[1:]]
    await websocket.connection.send(b"".join(map(packet_frames, joins)))
    await wait_all_tasks_blocked()
    await websocket.connection.send(b"".join(map(packet_frames, messages)))
    await wait_all_tasks_blocked()


async def by_both(wire: WireClient, messages: Sequence[str]) -> None:
    """The first half is posted, the second follows on the WebSocket at once."""
    half = len(messages) // 2
    session = await wire.handshake()
    await session.post(*(f"40{name}," for name in NAMESPACES[1:]))
    await session.poll()
    await wait_all_tasks_blocked()
    websocket = await wire.websocket(sid=session.sid)
    await websocket.send("2probe")
    assert await websocket.receive() == "3probe"
    if half:
        await session.post(*messages[:half])
    rest = b"".join(map(packet_frames, ["5", *messages[half:]]))
    await websocket.connection.send(rest)
    await wait_all_tasks_blocked()


WAYS = [by_polling, by_websocket, by_both]


@pytest.mark.parametrize("ws_engine", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
@examples(20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(
        st.tuples(st.sampled_from(NAMESPACES), st.sampled_from(PROMPT)), min_size=1, max_size=60
    )
)
async def test_events_begin_in_the_order_in_which_they_were_sent(
    autojump_clock: MockClock,
    way: Callable[[WireClient, Sequence[str]], Awaitable[None]],
    ws_engine: WSEngine,
    events: list[tuple[str, str]],
) -> None:
    sent = numbered(events)
    story = Story(ws_engine)
    async with story.io, open_wire(story.io) as wire:
        await way(wire, list(map(message, sent)))
        assert story.begun == [one.number for one in sent]


@pytest.mark.slow
@pytest.mark.parametrize("ws_engine", LIBRARIES)
@pytest.mark.parametrize("way", WAYS)
async def test_ten_thousand_events_over_ten_namespaces(
    autojump_clock: MockClock,
    way: Callable[[WireClient, Sequence[str]], Awaitable[None]],
    ws_engine: WSEngine,
) -> None:
    kinds = itertools.cycle(["sync", "async", "ack", "concurrent sync", "sync"])
    places = itertools.cycle([*NAMESPACES, "/n3", "/", "/n3"])
    sent = numbered([(next(places), next(kinds)) for _ in range(10_000)])
    story = Story(ws_engine)
    async with story.io, open_wire(story.io) as wire:
        await way(wire, list(map(message, sent)))
        assert story.begun == [one.number for one in sent]


@given(
    events=st.lists(
        st.tuples(st.sampled_from(NAMESPACES[:3]), st.sampled_from(["slow", "sync", "async"])),
        min_size=1,
        max_size=30,
    )
)
@examples(50, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_handler_that_waits_holds_up_its_own_socket_alone(
    autojump_clock: MockClock, events: list[tuple[str, str]]
) -> None:
    """What may begin at once begins at once, in order; the rest follows, in its socket's order."""
    sent = numbered(events)
    waiting: set[str] = set()
    at_once = []
    for one in sent:
        if one.namespace not in waiting:
            at_once.append(one.number)
            if one.kind == "slow":
                waiting.add(one.namespace)
    story = Story()
    async with story.io, open_wire(story.io) as wire:
        await by_websocket(wire, [one.message for one in sent])
        await trio.sleep(len(events) + 1)
        assert story.begun[: len(at_once)] == at_once
        for name in NAMESPACES:
            own = [one.number for one in sent if one.namespace == name]
            assert [number for number in story.begun if number in own] == own


@pytest.mark.parametrize("_", range(10))
async def test_no_event_overtakes_the_connection_handlers_of_a_join_before_it(
    autojump_clock: MockClock, _: int
) -> None:
    io = Server()
    story: list[str] = []
    io.on("x", lambda _: story.append("x"))
    io.of("/a").on("connection", lambda _: story.append("a"))
    io.of("/b").on("connection", lambda _: story.append("b"))
    io.of("/a").on("x", lambda _: story.append("a x"))
    async with io, open_wire(io) as wire:
        session = await wire.handshake()
        await session.post("40/a,", "40/b,", '42["x"]', '42/a,["x"]', '42["x"]')
        await wait_all_tasks_blocked()
        assert story == ["a", "b", "x", "a x", "x"]


@pytest.mark.parametrize("_", range(10))
async def test_callbacks_of_acknowledgements_begin_in_order(
    autojump_clock: MockClock, _: int
) -> None:
    io = Server()
    story: list[object] = []

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        for _ in range(3):
            await socket.emit("ask", ack=story.append)

    async with io, open_wire(io) as wire:
        session = await wire.handshake()
        await session.post('432["c"]', '430["a"]', '431["b"]')
        await wait_all_tasks_blocked()
        assert story == ["c", "a", "b"]


async def test_middleware_that_waits_holds_up_its_own_socket_alone(
    autojump_clock: MockClock,
) -> None:
    """As it is said of `socket.use`."""
    io = Server(raise_errors=True)
    story: list[str] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.use
        async def wait(packet: Packet) -> None:
            if packet.event == "slow":
                await trio.sleep(10)

    for name in ("/", "/other"):
        namespace = io.of(name)
        namespace.on("slow", lambda socket: story.append(f"slow {socket.nsp.name}"))
        namespace.on("fast", lambda socket: story.append(f"fast {socket.nsp.name}"))
    async with io, open_wire(io) as wire:
        session = await wire.handshake()
        await session.post("40/other,")
        await wait_all_tasks_blocked()
        await session.post('42["slow"]', '42["fast"]', '42/other,["slow"]', '42/other,["fast"]')
        await wait_all_tasks_blocked()
        assert story == ["slow /other", "fast /other"]
        await trio.sleep(11)
        assert story[2:] == ["slow /", "fast /"]
