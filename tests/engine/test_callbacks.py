"""The application is asked about a request, and takes its time."""

import logging
from collections.abc import Callable
from typing import NoReturn

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio
from tests.engine.conftest import Recorder
from tests.support.peers import DEADLINE
from tests.support.served_connection import GET, hear, served
from tests.support.socket_pairs import socket_pair, tls_pair
from trio_sio.engine.handshake import CallbackTooSlow, call_function
from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.http import Request, Response
from trio_sio.testing.wire import StreamPair, WireClient, open_wire
from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import handshake_headers

CALLBACKS = ("allow_request", "origins", "generate_id")
TRANSPORTS = ("polling", "websocket")
every_callback = pytest.mark.parametrize("name", CALLBACKS)
every_transport = pytest.mark.parametrize("transport", TRANSPORTS)


class Slow:
    """A function of the application that never comes to an end by itself.

    Attributes:
        asked: how often it was called.
        cancelled: how often it was cancelled.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.cancelled = 0

    async def __call__(self, argument: object) -> NoReturn:
        self.asked += 1
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            self.cancelled += 1
            raise


async def ask(wire: WireClient, transport: str) -> WireConnection:
    connection = wire.connect()
    headers = handshake_headers() if transport == "websocket" else {}
    await connection.send_request("GET", wire.target(transport), headers)
    return connection


async def until(condition: Callable[[], bool]) -> None:
    """Wait in real time, which is what sockets have."""
    with trio.fail_after(DEADLINE):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.001)


def living_tasks() -> int:
    return trio.lowlevel.current_statistics().tasks_living


@every_callback
@every_transport
@pytest.mark.parametrize("streams", [memory_stream_pair, socket_pair, tls_pair])
async def test_nothing_is_left_of_clients_that_leave_meanwhile(
    streams: Callable[[], StreamPair],
    transport: str,
    name: str,
    recorder: Recorder,
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = Slow()
    # The time that TLS takes a busy machine is no warning to look for here.
    options = {name: slow, "slow_step": None}
    engine = trio_sio.Engine(raise_errors=True, **options)  # type: ignore[arg-type]
    async with open_wire(engine, recorder, streams=streams) as wire:
        await until(lambda: engine.statistics().connections == 0)
        await wait_all_tasks_blocked()  # or one that ends is counted
        tasks = living_tasks()
        clients = [await ask(wire, transport) for _ in range(10)]
        await until(lambda: slow.asked == 10)
        for client in clients:
            await client.aclose()
        await until(lambda: engine.statistics().connections == 0)
        assert slow.cancelled == 10
        await until(lambda: living_tasks() == tasks)  # they end when they have counted themselves
        assert engine.sessions == {}
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("streams", [memory_stream_pair, socket_pair, tls_pair])
async def test_a_poll_and_a_post_are_watched_as_well(
    streams: Callable[[], StreamPair], method: str, recorder: Recorder
) -> None:
    """A function of `origins` is asked for each request."""
    slow = Slow()

    async def origins(origin: str) -> bool:
        return origin == "http://first" or bool(await slow(origin))

    engine = trio_sio.Engine(raise_errors=True, origins=origins)
    with trio.CancelScope() as scope:
        async with open_wire(engine, recorder, streams=streams) as wire:
            session = await wire.handshake(headers={"Origin": "http://first"})
            connections = engine.statistics().connections
            connection = wire.connect()
            body = b"2:4a" if method == "POST" else b""
            await connection.send_request(method, session.target, body=body)
            await until(lambda: slow.asked == 1)
            await connection.aclose()
            await until(lambda: slow.cancelled == 1)
            await until(lambda: engine.statistics().connections == connections)
            assert list(engine.sessions) == [session.sid]
            scope.cancel()  # an engine that ends would wait for a poll


@pytest.mark.parametrize("fields", [{}, {"TE": "trailers"}], ids=["plain", "h11"])
@pytest.mark.parametrize("streams", [memory_stream_pair, socket_pair, tls_pair])
async def test_so_is_who_waits_for_a_fallback(
    streams: Callable[[], StreamPair], fields: dict[str, str], recorder: Recorder
) -> None:
    slow = Slow()
    engine = trio_sio.Engine(raise_errors=True, fallback=slow)
    async with open_wire(engine, recorder, streams=streams) as wire:
        connection = wire.connect()
        await connection.send_request("GET", "/page", fields)
        await until(lambda: slow.asked == 1)
        await connection.aclose()
        await until(lambda: slow.cancelled == 1)
        await until(lambda: engine.statistics().connections == 0)


@pytest.mark.parametrize("fields", [{}, {"TE": "trailers"}], ids=["plain", "h11"])
async def test_a_fallback_reads_a_body_by_itself(
    fields: dict[str, str], recorder: Recorder, autojump_clock: MockClock
) -> None:
    """Nobody else reads from its connection, whenever the body comes; what follows is served."""

    async def fallback(request: Request) -> Response:
        await trio.sleep(1)
        return Response(200, [], await request.body())

    async with open_wire(trio_sio.Engine(raise_errors=True, fallback=fallback), recorder) as wire:
        connection = wire.connect()
        body = b"x" * 1000
        data = connection.request_bytes("POST", "/page", fields, body)
        for cut in (len(data), 500):
            await connection.send(data[:cut])
            await trio.sleep(5)
            await connection.send(data[cut:] + connection.request_bytes("GET", "/page", fields))
            assert (await connection.receive_response()).body == body
            assert (await connection.receive_response()).body == b""


@pytest.mark.parametrize("fields", [{}, {"TE": "trailers"}], ids=["plain", "h11"])
@pytest.mark.parametrize("size", [10, 50_000, 200_000])
async def test_a_body_that_comes_meanwhile_is_not_lost(
    size: int, fields: dict[str, str], recorder: Recorder, autojump_clock: MockClock
) -> None:
    async def origins(origin: str) -> bool:
        await trio.sleep(1)
        return True

    engine = trio_sio.Engine(raise_errors=True, origins=origins)
    async with open_wire(engine, recorder) as wire:
        session = await wire.handshake()
        body = f"{size}:4".encode() + b"x" * (size - 1)
        response = await session.poster.request("POST", session.target, fields, body)
        assert (response.status, response.body) == (200, b"ok")
        assert recorder.messages == ["x" * (size - 1)]


@every_callback
@every_transport
async def test_it_has_its_time(
    transport: str,
    name: str,
    recorder: Recorder,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    slow = Slow()
    engine = trio_sio.Engine(raise_errors=True, handshake_timeout=7, **{name: slow})  # type: ignore[arg-type]
    async with open_wire(engine, recorder) as wire:
        response = await (await ask(wire, transport)).receive_response()
        assert trio.current_time() == 7
        assert slow.cancelled == 1
        sentence = f"{name} took over 7 s (handshake_timeout)"
        assert (response.status, response.text) == (503, f"{sentence}\n")
        assert response.headers["connection"] == "close"
        assert engine.statistics().limits == {"handshake_timeout": 1}
        assert engine.sessions == {}
    (message,) = caplog.messages
    assert message.startswith("refused GET /engine.io/?")
    assert message.endswith(f" from somewhere: {sentence}")
    assert engine.statistics().refused["too_slow"] == 1


@every_callback
async def test_who_answers_in_time_is_heard(
    name: str, recorder: Recorder, autojump_clock: MockClock
) -> None:
    async def think(argument: object) -> str:
        await trio.sleep(6.9)
        return f"{trio.current_time()}"

    engine = trio_sio.Engine(raise_errors=True, handshake_timeout=7, **{name: think})  # type: ignore[arg-type]
    async with open_wire(engine, recorder) as wire:
        assert (await wire.handshake()).response.status == 200
        response = await (await ask(wire, "websocket")).receive_response()
        assert response.status == 101


@pytest.mark.parametrize("argument", ["now", "later"])
async def test_what_it_says_is_returned_and_raised(
    argument: str, autojump_clock: MockClock
) -> None:
    seen: list[object] = []

    async def later(argument: str) -> str:
        await trio.sleep(1)
        return argument

    async def fail(argument: str) -> None:
        raise KeyError(argument)

    async def answer(request: Request, connection: HTTPConnection) -> Response:
        function = later if argument == "later" else str
        seen.append(await call_function("a", function, argument, connection, 2))
        try:
            await call_function("a", fail, argument, connection, 2)
        except KeyError as error:
            seen.append(error.args)
        try:
            await call_function("a", Slow(), argument, connection, 2)
        except CallbackTooSlow as error:
            seen.append((error.name, error.limit))
        return Response(200)

    async with served(answer) as stream:
        await stream.send_all(GET)
        assert (await hear(stream)).startswith(b"HTTP/1.1 200 ")
    assert seen == [argument, (argument,), ("a", 2)]
