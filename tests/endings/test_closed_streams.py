"""The application closes a stream that it gave to the server, and its number goes to another.

A stream belongs to whoever opened it: `serve_stream` and the listeners of `serve_listeners` are
given by the application, which may close them at any moment. The kernel gives the lowest free
number to the next descriptor, so the number of a closed stream is another connection's at once.
Here the number goes to a stranger's connection in the very step that closes the stream: nothing
may be written to it, read from it, awaited on it or closed.
"""

import logging
import os
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.endings import client_states
from tests.endings.client_states import STATES, State
from tests.endings.test_kills import pass_time
from tests.support.stage import GRACE, PING_4, Guest, Listener, Open, Stage, by_tcp, serving, until
from trio_sio.disconnect import DisconnectReason
from trio_sio.options import WSEngine
from trio_sio.protocol.encoded import Encoded

Act = Callable[[Stage], Awaitable[object]]


@pytest.fixture(autouse=True)
def no_records(caplog: pytest.LogCaptureFixture) -> None:
    """A record that pytest keeps holds its socket."""
    caplog.set_level(logging.CRITICAL, "trio_sio")


class Remembering(trio.abc.Listener[trio.SocketStream]):
    """An application's listener, which knows the streams that it gave.

    Args:
        below: listens.
    """

    def __init__(self, below: Listener) -> None:
        self._below = below
        self.streams: list[trio.SocketStream] = []

    async def accept(self) -> trio.SocketStream:
        stream = await self._below.accept()
        assert isinstance(stream, trio.SocketStream)
        self.streams.append(stream)
        return stream

    async def aclose(self) -> None:
        await self._below.aclose()


class Stranger:
    """A connection of somebody else's that gets the number of a stream, and waits for its peer.

    Args:
        stream: is closed.
        nursery: where it reads.
    """

    def __init__(self, stream: trio.SocketStream, nursery: trio.Nursery) -> None:
        ours, self._peer = socket.socketpair()
        number = stream.socket.fileno()
        stream.socket.close()
        os.dup2(ours.fileno(), number)
        ours.close()
        self._peer.setblocking(False)
        self._mine = trio.SocketStream(trio.socket.from_stdlib_socket(socket.socket(fileno=number)))
        self._received = b""
        nursery.start_soon(self._read)

    async def _read(self) -> None:
        while data := await self._mine.receive_some():
            self._received += data

    async def check(self) -> None:
        """See that it has been left alone; close it."""
        with pytest.raises(BlockingIOError):  # nothing was written, and it is not closed
            self._peer.recv(1)
        self._peer.send(b"from the stranger's peer")
        self._peer.shutdown(socket.SHUT_WR)
        await until(lambda: self._received.endswith(b"peer"), lambda: self._received)
        assert self._received == b"from the stranger's peer"
        await self._mine.send_all(b"to it")
        assert self._peer.recv(100) == b"to it"
        await self._mine.aclose()
        self._peer.close()


# -- what the server does next ------------------------------------------------------------------


async def emit(stage: Stage) -> None:
    for session in stage.io.engine.sessions.values():
        session.deliver(Encoded.of_messages(['2["news","for the client only"]']))
    await trio.lowlevel.checkpoint()


async def close(stage: Stage) -> None:
    for session in list(stage.io.engine.sessions.values()):
        session.close()
    await trio.lowlevel.checkpoint()


async def abort(stage: Stage) -> None:
    for session in list(stage.io.engine.sessions.values()):
        session.abort(DisconnectReason.TRANSPORT_ERROR)
    await trio.lowlevel.checkpoint()


async def wait(stage: Stage) -> None:
    await trio.lowlevel.checkpoint()


async def drain(stage: Stage) -> None:
    await stage.io.drain(grace=GRACE, spread=0)


async def lingering(stage: Stage, guest: Guest) -> None:
    """A refused request, behind whose answer the client may still be sending."""
    connection = await guest.connect()
    await connection.send(b"nonsense\r\n\r\n")
    assert await connection.stream.receive_some()


MOMENTS = [
    *(state for state in STATES if not state.held),
    State(lingering, lambda stage: stage.io.statistics().connections),
]


every_moment = pytest.mark.parametrize("state", MOMENTS, ids=lambda state: state.name)
each_engine = pytest.mark.parametrize("ws_engine", ["websockets", "trio-websocket"])


@asynccontextmanager
async def client_in(
    state: State, ws_engine: WSEngine
) -> AsyncIterator[tuple[Stage, Guest, list[trio.SocketStream]]]:
    """A server with a client in a state, and the streams that are open."""
    stage = Stage(ws_engine)
    state.prepare(stage)
    below, open_stream = await by_tcp()
    listener = Remembering(below)

    async def connections() -> tuple[Listener, Open]:
        await trio.lowlevel.checkpoint()
        return listener, open_stream

    async with serving(stage, connections):
        guest = Guest(open_stream)
        await state.enter(stage, guest)
        await until(lambda: state.count(stage) == 1, lambda: state.count(stage))
        yield stage, guest, [one for one in listener.streams if one.socket.fileno() >= 0]
        await guest.cut()


async def see_the_end(stage: Stage, strangers: list[Stranger], clock: MockClock) -> None:
    """Let everything end that was begun, and look at the strangers."""
    stage.gate.set()
    await pass_time(clock, 2 * PING_4)  # an upgrade that fails renews the time of a ping
    await until(lambda: _is_empty(stage), lambda: stage.io.statistics())
    assert strangers
    for stranger in strangers:
        await stranger.check()


@every_moment
@each_engine
@pytest.mark.parametrize("act", [wait, emit, close, abort, drain], ids=lambda act: act.__name__)
async def test_the_next_owner_of_a_number_is_left_alone(
    state: State, act: Act, ws_engine: WSEngine, mock_clock: MockClock
) -> None:
    async with trio.open_nursery() as nursery, client_in(state, ws_engine) as there:
        stage, _, streams = there
        strangers = [Stranger(stream, nursery) for stream in streams]
        nursery.start_soon(act, stage)
        await trio.lowlevel.checkpoint()
        await see_the_end(stage, strangers, mock_clock)


class InTheNextStep(trio.abc.Instrument):
    """Does something when tasks have been woken and none has run yet."""

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act
        self._is_due = False

    def after_io_wait(self, timeout: float) -> None:
        self._is_due = True

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if self._is_due:
            trio.lowlevel.remove_instrument(self)
            self._act()


@every_moment
@each_engine
async def test_also_if_the_stream_was_ready(
    state: State, ws_engine: WSEngine, mock_clock: MockClock
) -> None:
    async with trio.open_nursery() as nursery, client_in(state, ws_engine) as there:
        stage, guest, streams = there
        strangers: list[Stranger] = []
        for connection in guest.connections:  # whoever waits for the client is about to go on
            with suppress(trio.BrokenResourceError):
                await connection.send(b"\x8a\x80\0\0\0\0")
        trio.lowlevel.add_instrument(
            InTheNextStep(lambda: strangers.extend(Stranger(stream, nursery) for stream in streams))
        )
        await see_the_end(stage, strangers, mock_clock)


def _is_empty(stage: Stage) -> bool:
    numbers = stage.io.statistics()
    return not (numbers.connections or numbers.sessions or stage.halted)


@pytest.mark.long
@pytest.mark.parametrize(
    "enter", [client_states.polling, client_states.joined, client_states.inbox_full]
)
async def test_a_thousand_streams_closed_and_their_numbers_given_anew(
    enter: Callable[[Stage, Guest], Awaitable[object]],
) -> None:
    """Each client hears its own name only, though they all have had the same number."""
    stage = Stage()
    (below,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    listener = Remembering(below)
    open_stream = partial(trio.open_tcp_stream, *below.socket.getsockname())
    numbers = Counter[int]()

    async def connections() -> tuple[Listener, Open]:
        await trio.lowlevel.checkpoint()
        return listener, open_stream

    async with serving(stage, connections):
        for _ in range(1000):
            gone = Guest(open_stream)
            await enter(stage, gone)
            await trio.testing.wait_all_tasks_blocked()
            old = stage.io.sockets.connected[gone.sid]
            (stream,) = listener.streams
            numbers[stream.socket.fileno()] += 1
            client = trio.socket.socket()  # before the number is free, which the server takes then
            stream.socket.close()
            await client.connect(below.socket.getsockname())
            next_one = Guest(always(trio.SocketStream(client)))
            connection = await next_one.poll()
            assert listener.streams[1].socket.fileno() in numbers
            new = stage.io.sockets.connected[next_one.sid]
            with suppress(trio_sio.Disconnected):
                old.emit_nowait("name", gone.sid)
            new.emit_nowait("name", next_one.sid)
            response = await connection.request("GET", next_one.target)
            assert response.text.endswith(f'["name","{next_one.sid}"]')
            listener.streams.clear()
            stage.gate.set()
            await gone.cut()
            await next_one.cut()
            for session in stage.io.engine.sessions.values():
                session.abort(DisconnectReason.TRANSPORT_ERROR)
            await until(lambda: _is_empty(stage), lambda: stage.io.statistics())
            stage.gate = trio.Event()
    assert numbers.most_common(1)[0][1] > 900


def always(stream: trio.abc.Stream) -> Open:
    """Return what opens a connection that is open already."""

    async def open_stream() -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        return stream

    return open_stream
