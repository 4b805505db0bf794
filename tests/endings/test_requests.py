"""A session's end ends its requests: on every kind of stream, whatever they are in the middle of.

Otherwise half an upload would be kept for as long as `body_timeout` says, by a session that has
gone and that `max_sessions` does not count any more. The clock stands still here, except where a
test moves it; so "at once" is exactly that.
"""

import gc
import logging
import ssl
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.endings.test_kills import pass_time
from tests.endings.test_tls import (
    Streams,
    contexts as contexts,  # a fixture
    over_tls,
)
from tests.support.stage import GRACE, PING, Guest, Stage, by_tcp, in_lockstep, serving
from trio_sio.disconnect import DisconnectReason
from trio_sio.testing.wire_http import WireConnection

FAR = 500.0  # less than a client of bytes waits
MUCH = 4_000_000


@pytest.fixture(autouse=True)
def no_records(caplog: pytest.LogCaptureFixture) -> None:
    """A record that pytest keeps holds its socket."""
    caplog.set_level(logging.CRITICAL, "trio_sio")


@pytest.fixture(
    params=[
        pytest.param((by_tcp, False), id="tcp"),
        pytest.param((by_tcp, True), id="strict TLS"),
        pytest.param((in_lockstep, False), id="memory"),
        pytest.param((in_lockstep, True), id="TLS in memory"),
    ]
)
def streams(request: pytest.FixtureRequest) -> Streams:
    below, has_tls = request.param
    return over_tls(below, request.getfixturevalue("contexts")) if has_tls else below


# -- what is under way ----------------------------------------------------------------------------


async def _begin(guest: Guest, size: int, missing: int, **fields: str) -> None:
    connection = guest.connections[0]
    request = connection.request_bytes("POST", guest.target, fields, b"4" * size)
    with suppress(trio.BrokenResourceError):  # it is cut in the middle of this
        await connection.send(request[:-missing])


async def half_a_body(_: Stage, guest: Guest) -> None:
    await _begin(guest, 100, 88)


async def much_of_a_body(_: Stage, guest: Guest) -> None:
    await _begin(guest, MUCH, 9)


async def half_a_body_by_h11(_: Stage, guest: Guest) -> None:
    """By a request that is not of the plainest form."""
    await _begin(guest, 100, 88, TE="trailers")


async def no_body(_: Stage, guest: Guest) -> None:
    """The head of an upload, and nothing behind it."""
    await _begin(guest, 100, 100)


async def whole_body(stage: Stage, guest: Guest) -> None:
    connection, work = guest.connections[0], b'10:42["work"]' * 6
    assert (await connection.request("POST", guest.target, body=work)).body == b"ok"
    await connection.send_request("POST", guest.target, body=work)


async def held_poll(_: Stage, guest: Guest) -> None:
    await guest.connections[0].send_request("GET", guest.target)


async def held_poll_by_h11(_: Stage, guest: Guest) -> None:
    await guest.connections[0].send_request("GET", guest.target, {"TE": "trailers"})


async def half_an_answer(stage: Stage, guest: Guest) -> None:
    """More than the kernel takes, and the client reads none of it."""
    stage.io.sockets.connected[guest.sid].emit_nowait("large", "x" * MUCH)
    await guest.connections[0].send_request("GET", guest.target)


async def half_a_head(_: Stage, guest: Guest) -> None:
    connection = guest.connections[0]
    await connection.send(connection.request_bytes("GET", guest.target)[:-9])


Begin = Callable[[Stage, Guest], Awaitable[object]]

UPLOADS = [half_a_body, half_a_body_by_h11, no_body]
POLLS = [held_poll, held_poll_by_h11]

# -- how the session ends -------------------------------------------------------------------------


async def second_post(stage: Stage, guest: Guest, clock: MockClock) -> None:
    """Two uploads at a time end a session."""
    connection = await guest.connect()
    await connection.send(connection.request_bytes("POST", guest.target, body=b"1:6"))


async def second_get(stage: Stage, guest: Guest, clock: MockClock) -> None:
    """Two polls at a time end a session."""
    for _ in range(2):
        await (await guest.connect()).send_request("GET", guest.target)
        await wait_all_tasks_blocked()


async def client_close(stage: Stage, guest: Guest, clock: MockClock) -> None:
    connection = await guest.connect()
    await connection.send_request("POST", guest.target, body=b"1:1")


async def ping_timeout(stage: Stage, guest: Guest, clock: MockClock) -> None:
    await pass_time(clock, PING + 1)


async def close(stage: Stage, guest: Guest, clock: MockClock) -> None:
    stage.io.engine.sessions[guest.sid].close()


async def disconnect(stage: Stage, guest: Guest, clock: MockClock) -> None:
    await stage.io.sockets.connected[guest.sid].disconnect(close=True)


async def drain(stage: Stage, guest: Guest, clock: MockClock) -> None:
    await _during(partial(stage.io.drain, grace=GRACE, spread=0), clock)


async def close_the_server(stage: Stage, guest: Guest, clock: MockClock) -> None:
    await _during(stage.io.aclose, clock)


async def _during(end: Callable[[], Awaitable[object]], clock: MockClock) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(end)
        await pass_time(clock, GRACE + 1)


End = Callable[[Stage, Guest, MockClock], Awaitable[object]]

ENDS: list[End] = [second_get, ping_timeout, close, disconnect, drain, close_the_server]
"""Those that can come in the middle of any request."""

ENDS_OF_POLLS: list[End] = [*ENDS[2:], client_close]
every_end = pytest.mark.parametrize("end", [*ENDS, second_post], ids=lambda end: end.__name__)
abrupt = pytest.mark.parametrize(
    "end", [second_get, ping_timeout, client_close], ids=lambda end: end.__name__
)

# -- and what is left -----------------------------------------------------------------------------


async def cut(guest: Guest) -> None:
    """Close the client's connections, without the goodbyes of TLS."""
    for connection in guest.connections:
        await trio.aclose_forcefully(connection.stream)


async def is_over(connection: WireConnection) -> bool:
    """Whether the server has closed a connection by now, with or without an answer."""
    ends: list[bool] = []

    async def look() -> None:
        with suppress(trio.BrokenResourceError):
            while await connection.stream.receive_some():
                pass
        ends.append(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(look)
        await wait_all_tasks_blocked(0.001)
        nursery.cancel_scope.cancel()
    return bool(ends)


@asynccontextmanager
async def in_the_middle(
    begin: Begin, streams: Streams, clock: MockClock
) -> AsyncIterator[tuple[Stage, Guest, WireConnection]]:
    """A server with a session, and a request of it under way on the connection."""
    stage = Stage(body_timeout=FAR, head_timeout=FAR, answer_timeout=FAR)
    async with serving(stage, streams) as open_stream:
        guest = Guest(open_stream)
        connection = await guest.poll()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(begin, stage, guest)
            await wait_all_tasks_blocked(0.001)
            yield stage, guest, connection
            nursery.cancel_scope.cancel()
        await cut(guest)
        clock.autojump_threshold = 0  # the goodbyes


@every_end
@pytest.mark.parametrize("begin", UPLOADS, ids=lambda begin: begin.__name__)
async def test_an_upload_ends_with_its_session(
    begin: Begin, end: End, streams: Streams, mock_clock: MockClock
) -> None:
    async with in_the_middle(begin, streams, mock_clock) as (stage, guest, connection):
        assert not await is_over(connection)
        await end(stage, guest, mock_clock)
        assert await is_over(connection)


@every_end
async def test_nothing_of_an_upload_is_kept(
    end: End, streams: Streams, mock_clock: MockClock
) -> None:
    """Though the client keeps its connection open, and the garbage collector does not come."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    try:
        async with in_the_middle(much_of_a_body, streams, mock_clock) as (stage, guest, _):
            assert tracemalloc.get_traced_memory()[0] > MUCH * 0.9
            await end(stage, guest, mock_clock)
            await wait_all_tasks_blocked(0.001)
            assert tracemalloc.get_traced_memory()[0] < MUCH // 4
    finally:
        tracemalloc.stop()
        gc.enable()


@abrupt
async def test_half_an_answer_ends_with_its_session(
    end: End, streams: Streams, mock_clock: MockClock
) -> None:
    async with in_the_middle(half_an_answer, streams, mock_clock) as (stage, guest, connection):
        await end(stage, guest, mock_clock)
        await wait_all_tasks_blocked(0.001)
        assert await is_over(connection)


@pytest.mark.parametrize("end", [close, disconnect], ids=lambda end: end.__name__)
async def test_half_an_answer_goes_on_when_the_server_closes_a_session(
    end: End, streams: Streams, mock_clock: MockClock
) -> None:
    """What was queued still goes out; here it was about to."""
    async with in_the_middle(half_an_answer, streams, mock_clock) as (stage, guest, connection):
        await end(stage, guest, mock_clock)
        text = (await connection.receive_response()).text
        assert "x" * MUCH in text
        while not text.endswith("1:1"):
            text = (await connection.request("GET", guest.target)).text


@pytest.mark.parametrize("begin", POLLS, ids=lambda begin: begin.__name__)
@pytest.mark.parametrize("end", ENDS_OF_POLLS, ids=lambda end: end.__name__)
async def test_a_held_poll_is_answered(
    begin: Begin, end: End, streams: Streams, mock_clock: MockClock
) -> None:
    async with in_the_middle(begin, streams, mock_clock) as (stage, guest, connection):
        await end(stage, guest, mock_clock)
        text = (await connection.receive_response()).text
        if end is disconnect:  # a packet says so first
            assert text == "2:41"
            text = (await connection.request("GET", guest.target)).text
        assert text in ("1:1", "1:6", "1:61:1")


async def test_half_a_head_is_nobodys(streams: Streams, mock_clock: MockClock) -> None:
    """Nobody knows yet whose request it will be; it has `head_timeout`."""
    async with in_the_middle(half_a_head, streams, mock_clock) as (stage, guest, connection):
        await close(stage, guest, mock_clock)
        await wait_all_tasks_blocked(0.001)
        assert stage.io.statistics().connections == 1
        async with trio.open_nursery() as nursery:
            nursery.start_soon(connection.receive_rest)
            await pass_time(mock_clock, FAR + 5)  # which lingers, too


@pytest.mark.parametrize("begin", UPLOADS, ids=lambda begin: begin.__name__)
async def test_half_an_upload_ends_when_the_session_moves_to_a_websocket(
    begin: Begin, streams: Streams, mock_clock: MockClock
) -> None:
    async with in_the_middle(begin, streams, mock_clock) as (stage, guest, connection):
        websocket = await guest.open_websocket(f"&sid={guest.sid}")
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        await websocket.send("5")
        await wait_all_tasks_blocked(0.001)
        assert await is_over(connection)
        stage.io.sockets.connected[guest.sid].emit_nowait("here")
        assert await websocket.receive() == '42["here"]'


async def test_an_upload_whose_body_has_come_is_answered(
    streams: Streams, mock_clock: MockClock
) -> None:
    """The handlers are busy, so nobody takes what it has brought; then the session ends."""
    async with in_the_middle(whole_body, streams, mock_clock) as (stage, guest, connection):
        assert not await is_over(connection)
        await close(stage, guest, mock_clock)
        assert (await connection.receive_response()).body == b"ok"


@pytest.mark.long
@pytest.mark.parametrize("kind", ["tcp", "TLS"])
async def test_abandoned_uploads_cost_no_more_than_the_sessions_may(
    kind: str, contexts: tuple[ssl.SSLContext, ssl.SSLContext], capsys: pytest.CaptureFixture[str]
) -> None:
    """Twelve clients begin an upload of 20 MB and have their session end, all but 9 bytes sent.

    The memory is what Python has allocated (tracemalloc); it has to be free within a second.
    """
    size = 20_000_000
    stage = Stage(max_sessions=3, body_timeout=FAR)
    streams = by_tcp if kind == "tcp" else over_tls(by_tcp, contexts)
    tracemalloc.start()
    async with serving(stage, streams) as open_stream:
        before, guests, most = tracemalloc.get_traced_memory()[0], [], 0
        for _ in range(12):
            guest = Guest(open_stream)
            guests.append(guest)
            connection = await guest.poll()
            request = connection.request_bytes("POST", guest.target, body=b"4" * size)
            with suppress(trio.BrokenResourceError):
                await connection.send(request[:-9])
            del request
            most = max(most, tracemalloc.get_traced_memory()[0] - before)
            stage.io.engine.sessions[guest.sid].abort(DisconnectReason.TRANSPORT_ERROR)
            with trio.fail_after(1):
                while tracemalloc.get_traced_memory()[0] - before > size // 20:
                    await wait_all_tasks_blocked()
        left = tracemalloc.get_traced_memory()[0] - before
        with capsys.disabled():
            sys.stdout.write(f"\n{kind}: {most / 1e6:.1f} MB at most, {left / 1e6:.1f} MB left\n")
        assert size * 0.9 < most < 2 * size
        for guest in guests:
            await cut(guest)
    tracemalloc.stop()
