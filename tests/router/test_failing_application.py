"""Whatever the application's code raises, wherever: it failed, the log says so, and nobody else is
touched. What is no failure of its own goes on out."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import (
    ConnectionRefused,
    Disconnected,
    MemoryAdapter,
    Namespace,
    Packet,
    PacketRefused,
    PacketType,
    Server,
    Socket,
)
from trio_sio.abc import Gathered
from trio_sio.failures import failed_leaves, leaves
from trio_sio.protocol.socketio.parser import Codec
from trio_sio.testing import MemoryClient, connect


class Odd(BaseException):
    """Of an application, or of another library."""


Fail = Callable[..., object]
Place = Callable[[Server, Fail], Callable[[MemoryClient], Awaitable[object]]]


async def nothing(client: MemoryClient) -> None:
    """The function is called by itself, when the client comes or goes."""


async def event(client: MemoryClient) -> None:
    await client.emit("do")


def in_event(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.on("do", fail)
    return event


def in_concurrent_event(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.on("do", fail, concurrent=True)
    return event


def in_own_event(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.on("connection", lambda socket: socket.once("do", fail))
    return event


def in_packet_middleware(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.on("connection", lambda socket: socket.use(fail))
    return event


def in_error(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.on("error", fail)

    async def report(client: MemoryClient) -> None:
        await client.send_packet(Packet(PacketType.ERROR, "/", "the client's"))

    return report


def in_connect(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.on("connect", fail)
    return nothing


def in_disconnecting(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.on("disconnecting", fail)
    return nothing


def in_disconnect(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.on("disconnect", fail)
    return nothing


def in_ack(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    @io.on("do")
    async def ask(socket: Socket) -> None:
        await socket.emit("question", ack=fail)

    async def answer(client: MemoryClient) -> None:
        await client.emit("do")
        await client.answer(await client.receive_packet(), "answer")

    return answer


def in_backlog(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.on_backlog(fail)

    @io.on("do")
    async def flood(socket: Socket) -> None:
        for number in range(1000):
            socket.emit_nowait("number", number)

    return event


def in_predicate(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    io.of(lambda name, query: fail())
    return join


def in_encoder(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
    """As a hook for values that JSON has no word for."""
    encoder = io.router.encoder

    class Encoder:
        def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
            if packet.type is PacketType.ACK and packet.args == ["strange"]:
                fail()
            return encoder.encode(packet, binary=binary)

    io.router.change_codec(
        Codec(Encoder(), io.router.make_decoder, Encoder(), io.router.make_decoder)
    )
    io.on("do", lambda socket: "strange")

    async def call(client: MemoryClient) -> None:
        await client.send_packet(Packet(PacketType.EVENT, "/", ["do"], 99))

    return call


class FailingAdapter(MemoryAdapter):
    """Its verbs fail in the namespace "/".

    Attributes:
        fail: raises.
        verb: which of them fails.
    """

    fail: Fail
    verb: str

    async def remove(self, socket_id: str, room: str) -> None:
        await self._act("remove")
        await super().remove(socket_id, room)

    async def remove_all(self, socket_id: str) -> None:
        await super().remove_all(socket_id)
        await self._act("remove_all")

    async def clients(self, rooms: object) -> Gathered[str]:
        await self._act("clients")
        return Gathered()

    async def broadcast(self, packet: Packet, target: object) -> None:
        await self._act("broadcast")

    async def _act(self, verb: str) -> None:
        if self.namespace.name == "/" and verb == self.verb:
            result = type(self).fail()
            if isinstance(result, Awaitable):
                await result


def in_adapter(verb: str) -> Place:
    def place(io: Server, fail: Fail) -> Callable[[MemoryClient], Awaitable[object]]:
        kind = type("Failing", (FailingAdapter,), {"fail": staticmethod(fail), "verb": verb})
        io.adapter = kind

        @io.on("do")
        async def act(socket: Socket) -> None:
            await socket.join("room")
            await socket.leave("room")
            await socket.to("room").emit("hello")
            await io.in_("room").clients()

        return event if verb != "remove_all" else nothing

    place.__name__ = f"in_adapter_{verb}"
    return place


async def join(client: MemoryClient) -> None:
    await client.send_packet(Packet(PacketType.CONNECT, "/dynamic"))


PLACES: list[Place] = [
    *(in_event, in_concurrent_event, in_own_event, in_packet_middleware, in_error),
    *(in_connect, in_disconnecting, in_disconnect, in_ack, in_backlog, in_predicate, in_encoder),
    *(in_adapter(verb) for verb in ("remove", "remove_all", "clients", "broadcast")),
]


FAILURES: dict[str, Callable[[], BaseException]] = {
    "an error": lambda: ValueError("a mistake"),
    "asyncio's": lambda: asyncio.CancelledError("a mistake"),
    "GeneratorExit": lambda: GeneratorExit("a mistake"),
    "another": lambda: Odd("a mistake"),
    "a group": lambda: BaseExceptionGroup(
        "a nursery", [ExceptionGroup("inner", [KeyError("a")]), Odd("a mistake")]
    ),
}


def errors_in(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


@asynccontextmanager
async def neighbour(io: Server) -> AsyncIterator[MemoryClient]:
    """Somebody else, who finds the server as it was in the end."""
    io.of("/else").on("hello", lambda socket: "hello")
    async with io, connect(io, "/else") as other:
        yield other
        await trio.sleep(1)
        assert await other.call("hello") == ["hello"]
        assert [client.id for client in io.router.clients] == [other.session.id]
        assert [*io.router.namespaces] == ["/", "/else"]
        assert not io.sockets.sockets.keys() - {other.session.id}


@dataclass
class Fault:
    """A function of the application that fails for one client.

    Attributes:
        make: makes what it raises.
        is_on: whether it fails at present: the neighbour is here before and behind.
        raised: what it has raised.
    """

    make: Callable[[], BaseException]
    is_on: bool = False
    raised: list[BaseException] = field(default_factory=list)

    def __call__(self, *args: object) -> None:
        if self.is_on:
            self.raised.append(self.make())
            raise self.raised[-1]


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
async def test_it_is_logged_and_touches_nobody_else(
    place: Place,
    failure: Callable[[], BaseException],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = Server()
    fail = Fault(failure)
    act = place(io, fail)
    gone: list[str] = []
    io.on("disconnect", lambda socket, reason: gone.append(socket.id))
    async with neighbour(io):
        fail.is_on = True
        async with connect(io, raise_errors=False, buffer=100) as client:
            await act(client)
            await trio.sleep(1)
            assert client.session.reason is None  # the client stays
        fail.is_on = False
        assert gone == [client.id]
        logged = [record.exc_info[1] for record in errors_in(caplog) if record.exc_info]
        assert fail.raised
        assert [*map(leaves_of, logged)] == [*map(leaves_of, fail.raised)]
        counted = 0 if place is in_predicate else len(fail.raised)  # it is not called for a socket
        assert io.sockets.statistics().failures == counted


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
async def test_raise_errors_lets_it_out(
    place: Place, failure: Callable[[], BaseException], autojump_clock: MockClock
) -> None:
    io = Server()
    fail = Fault(failure)
    act = place(io, fail)
    came_out: list[BaseException] = []
    try:
        async with io, connect(io, buffer=100) as client:
            fail.is_on = True
            await act(client)
            await trio.sleep(1)
    except* failed_leaves() as errors:
        came_out = leaves_of(errors)
    # What is called at the beginning has been called before it could fail.
    assert fail.raised or place is in_connect
    assert {*came_out} >= {leaf for one in fail.raised[:1] for leaf in leaves_of(one)}
    assert not io.router.clients
    assert not io.sockets.sockets


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize(
    "place", [one for one in PLACES if one is not in_connect], ids=lambda place: place.__name__
)
async def test_exits_go_on_out_with_a_failure_beside_them_logged(
    place: Place,
    kind: type[BaseException],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = Server()
    fail = Fault(lambda: BaseExceptionGroup("", [kind(), ValueError("a mistake")]))
    act = place(io, fail)

    async def live() -> None:
        async with io, connect(io, raise_errors=False, buffer=100) as client:
            fail.is_on = True
            await act(client)
            await trio.sleep(1)

    with pytest.raises(BaseExceptionGroup) as caught:
        await live()
    assert {type(leaf) for leaf in leaves(caught.value)} == {kind}
    assert "ValueError: a mistake" in caplog.text


def leaves_of(error: BaseException | None) -> list[BaseException]:
    assert error is not None
    return [*leaves(error)]


# -- refusals and departures in groups -------------------------------------------------------------


def in_groups(*errors: Exception) -> ExceptionGroup[Exception]:
    return ExceptionGroup("a nursery", [ExceptionGroup("another", [*errors])])


async def test_a_refusal_in_a_group_is_a_refusal_in_namespace_middleware(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()

    @io.use
    async def refuse(socket: Socket) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(raise_, ConnectionRefused("not you", {"code": 7}))
            await trio.sleep_forever()

    with pytest.raises(ConnectionRefused) as caught:
        async with connect(io):
            raise AssertionError("it was let in")
    assert caught.value.data == {"code": 7}
    assert not errors_in(caplog)


async def raise_(error: BaseException) -> None:
    await trio.lowlevel.checkpoint()
    raise error


@pytest.mark.parametrize(
    "place", [in_event, in_concurrent_event, in_packet_middleware, in_ack, in_backlog]
)
@pytest.mark.parametrize("beside", [(), (ValueError("a mistake"),), (PacketRefused("second"),)])
async def test_a_refusal_in_a_group_is_a_refusal_for_an_event(
    place: Place,
    beside: tuple[Exception, ...],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = Server()
    fail = Fault(lambda: in_groups(PacketRefused("first"), *beside))
    act = place(io, fail)
    async with connect(io, raise_errors=False, buffer=100) as client:
        fail.is_on = True
        await act(client)
        refused = None
        while refused is None:
            packet = await client.receive_packet()
            refused = packet.data if packet.type is PacketType.ERROR else None
        assert refused == "first"
        fail.is_on = False
        await trio.sleep(1)
        assert client.session.reason is None
    failed = {record.exc_info[0] for record in errors_in(caplog) if record.exc_info}
    assert failed == (
        {ExceptionGroup} if any(isinstance(one, ValueError) for one in beside) else set()
    )


@pytest.mark.parametrize("raise_errors", [False, True])
@pytest.mark.parametrize("is_concurrent", [False, True])
async def test_speaking_to_a_client_that_left_is_nobodys_failure_in_groups_either(
    is_concurrent: bool,
    raise_errors: bool,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = Server()

    async def speak(socket: Socket) -> None:
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(socket.call, "question")
                nursery.start_soon(socket.call, "another")

    io.on("do", speak, concurrent=is_concurrent)
    async with connect(io, raise_errors=raise_errors) as client:
        await client.emit("do")
        await wait_all_tasks_blocked()
    assert not errors_in(caplog)


async def test_speaking_to_another_client_that_left_is_a_failure(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    io.on("do", Fault(lambda: in_groups(Disconnected()), is_on=True))
    async with connect(io, raise_errors=False) as client:
        await client.emit("do")
        await wait_all_tasks_blocked()
    assert len(errors_in(caplog)) == 1


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
async def test_a_task_in_the_nursery_that_fails_closes_its_socket_alone(
    failure: Callable[[], BaseException],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = Server()
    io.on("do", lambda socket: socket.nursery.start_soon(raise_, failure()))
    async with neighbour(io):
        async with connect(io, raise_errors=False) as client:
            await client.emit("do")
            with pytest.raises(Disconnected):
                await client.receive()
            assert client.session.reason is None
    assert len(errors_in(caplog)) == 1


async def test_an_adapter_that_has_no_room_for_a_socket_refuses_it(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Full(MemoryAdapter):
        async def add_all(self, socket_id: str, rooms: object) -> None:
            raise Odd("it is full")

    io = Server(adapter=Full)
    for has_middleware in (False, True):
        if has_middleware:
            io.use(lambda socket: None)
        with pytest.raises(ConnectionRefused, match="Internal server error"):
            async with connect(io, raise_errors=False):
                raise AssertionError("it was let in")
    assert caplog.text.count("Odd: it is full") == 2
    assert not io.router.clients
    assert io.sockets.users == 0


async def test_a_namespace_whose_adapter_cannot_be_made_is_refused(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    def make(namespace: Namespace) -> MemoryAdapter:
        if namespace.name != "/":
            raise Odd("no connection")
        return MemoryAdapter(namespace)

    io = Server(adapter=make)
    io.of(re.compile("/.*"))
    with pytest.raises(ConnectionRefused, match="Internal server error"):
        async with connect(io, "/dynamic", raise_errors=False):
            raise AssertionError("it was let in")
    assert caplog.text.count("Odd: no connection") == 1
    assert [*io.router.namespaces] == ["/"]
