"""Errors of handlers, as the tests of an application get them: one exception, in no groups."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import Disconnected, Engine, Server, Session, Socket
from trio_sio.testing import Faults, MemoryClient, connect, open_network, open_wire
from trio_sio.testing.clients.transports import TRANSPORTS
from trio_sio.testing.cluster import MemoryCluster

Connect = Callable[[Server], AbstractAsyncContextManager[MemoryClient]]
Wait = Callable[[MemoryClient], Awaitable[None]]


@asynccontextmanager
async def into_an_open_server(io: Server) -> AsyncIterator[MemoryClient]:
    async with io, connect(io) as client:
        yield client


every_way = pytest.mark.parametrize("connected", [connect, into_an_open_server])


def failing(**options: object) -> Server:
    io = Server(**options)  # type: ignore[arg-type]

    @io.on("fail")
    def fail(socket: Socket) -> None:
        error = ZeroDivisionError("mine")
        error.add_note("a note")
        raise error from KeyError("the cause")

    return io


def check(error: BaseException) -> None:
    assert type(error) is ZeroDivisionError
    assert error.__notes__ == ["a note"]
    assert isinstance(error.__cause__, KeyError)
    traceback = error.__traceback__
    assert traceback is not None
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    assert traceback.tb_frame.f_code.co_name == "fail"


async def receive(client: MemoryClient) -> None:
    await client.receive()


async def call(client: MemoryClient) -> None:
    await client.call("fail")


async def sleep(client: MemoryClient) -> None:
    await trio.sleep(1)


async def wait_in_a_nursery(client: MemoryClient) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.receive)
        nursery.start_soon(client.call, "nothing")


async def nothing(client: MemoryClient) -> None:
    pass


@every_way
@pytest.mark.parametrize("wait", [receive, call, sleep, wait_in_a_nursery, nothing])
async def test_it_is_what_the_handler_raised_whatever_the_test_waits_for(
    connected: Connect, wait: Wait, autojump_clock: MockClock
) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        async with connected(failing()) as client:
            await client.emit("fail")
            await wait(client)
    check(caught.value)


@every_way
async def test_the_failure_of_the_test_itself_is_beside_it(
    connected: Connect, autojump_clock: MockClock
) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with connected(failing()) as client:
            await client.emit("fail")
            with pytest.raises(Disconnected):
                await client.receive()
            raise AssertionError("the test's")
    assert {type(one) for one in caught.value.exceptions} == {ZeroDivisionError, AssertionError}


@every_way
async def test_the_failure_of_the_test_alone_is_alone(
    connected: Connect, autojump_clock: MockClock
) -> None:
    error = AssertionError("the test's")
    with pytest.raises(AssertionError) as caught:
        async with connected(failing()):
            raise error
    assert caught.value is error


async def test_two_handlers_that_fail_are_one_flat_group(autojump_clock: MockClock) -> None:
    io = Server()
    errors = ZeroDivisionError(), KeyError()

    @io.on("fail")
    async def fail(socket: Socket, which: int) -> None:
        await trio.sleep(1)
        raise errors[which]

    with pytest.raises(ExceptionGroup) as caught:
        async with io, connect(io) as one, connect(io) as two:
            await one.emit("fail", 0)
            await two.emit("fail", 1)
            await trio.sleep_forever()
    assert {*caught.value.exceptions} == {*errors}


@every_way
async def test_a_client_that_is_disconnected_by_nobodys_failure_says_so(
    connected: Connect, autojump_clock: MockClock
) -> None:
    io = Server()
    io.on("bye", lambda socket: socket.client.disconnect())
    with pytest.raises(Disconnected):
        async with connected(io) as client:
            await client.emit("bye")
            await client.receive()


@every_way
async def test_cancellation_is_not_touched(connected: Connect, autojump_clock: MockClock) -> None:
    with trio.move_on_after(1) as scope:
        async with connected(failing()) as client:
            await client.receive()
    assert scope.cancelled_caught


@every_way
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_who_wants_the_program_to_end_is_heard(
    connected: Connect, kind: type[BaseException], autojump_clock: MockClock
) -> None:
    io = Server()

    @io.on("end")
    def end(socket: Socket) -> None:
        raise kind

    with pytest.RaisesGroup(kind, flatten_subgroups=True, allow_unwrapped=True):
        async with connected(io) as client:
            await client.emit("end")
            await trio.sleep_forever()


async def test_a_failing_middleware_is_told_and_not_its_refusal(autojump_clock: MockClock) -> None:
    io = Server()

    @io.use
    def check_nothing(socket: Socket) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        async with connect(io):
            raise AssertionError("it was let in")


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("by", ["polling", "websocket"])
async def test_out_of_a_client_of_bytes(is_open: bool, by: str, autojump_clock: MockClock) -> None:
    io = failing(raise_errors=True)

    async def speak() -> None:
        async with open_wire(io) as wire:
            if by == "polling":
                polling = await wire.handshake()
                await polling.post('42["fail"]')
                while True:
                    await polling.poll()
            websocket = await wire.websocket()
            await websocket.send('42["fail"]')
            while True:
                await websocket.receive()

    with pytest.raises(ZeroDivisionError) as caught:
        if is_open:
            async with io:
                await speak()
        else:
            await speak()
    check(caught.value)


async def test_a_server_that_closes_a_client_of_bytes(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    with pytest.raises(trio.BrokenResourceError):
        async with open_wire(io) as wire:
            connection = wire.connect()
            await connection.send(b"no HTTP\r\n\r\n")
            await connection.receive_response()
            await connection.receive_response()


@pytest.mark.parametrize("faults", [Faults(), Faults(delay=(0.1, 0.3), chunk=3)])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_out_of_a_network(transport: str, faults: Faults, autojump_clock: MockClock) -> None:
    io = failing(raise_errors=True)
    with pytest.raises(ZeroDivisionError) as caught:
        async with open_network(io) as network, network.connect(transport, faults=faults) as client:
            await client.emit("fail")
            await client.receive()
    check(caught.value)


async def test_the_failure_of_the_test_alone_is_alone_over_a_network(
    autojump_clock: MockClock,
) -> None:
    error = AssertionError("the test's")
    with pytest.raises(AssertionError) as caught:
        async with open_network(Server()) as network, network.connect():
            raise error
    assert caught.value is error


async def test_out_of_a_server_that_serves(autojump_clock: MockClock) -> None:
    io = failing(raise_errors=True)
    with pytest.raises(ZeroDivisionError) as caught:
        async with io:
            async with open_wire(io) as wire:
                websocket = await wire.websocket()
                await websocket.send('42["fail"]')
                await trio.sleep_forever()
    check(caught.value)


async def test_out_of_a_cluster(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    one, two = failing(adapter=cluster.join()), Server(adapter=cluster.join())
    with pytest.raises(ZeroDivisionError) as caught:
        async with one, two, connect(two) as listener, connect(one) as client:
            await client.emit("fail")
            await listener.receive()
    check(caught.value)


async def test_a_disconnect_handler_that_fails_as_well_hides_nothing(
    autojump_clock: MockClock,
) -> None:
    io = failing()

    @io.on("disconnect")
    def disconnect(socket: Socket) -> None:
        raise LookupError("another")

    with pytest.RaisesGroup(ZeroDivisionError, LookupError):
        async with connect(io) as client:
            await client.emit("fail")
            await trio.sleep_forever()


@pytest.mark.parametrize("raise_errors", [False, True])
async def test_a_failure_is_not_lost_when_all_is_cancelled_before_the_client_is_told(
    raise_errors: bool, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(session: Session) -> None:
        raise ZeroDivisionError("mine")

    async def live(scope: trio.CancelScope) -> None:
        async with open_wire(Engine(raise_errors=raise_errors), fail) as wire:
            await wire.websocket()  # it does not answer the server's close frame
            await wait_all_tasks_blocked()
            scope.cancel()
            await trio.sleep_forever()

    raised = pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True)
    with raised if raise_errors else nullcontext():
        with trio.CancelScope() as scope:
            await live(scope)
    assert ("ZeroDivisionError: mine" in caplog.text) is not raise_errors
