"""Requests by polling around the moment at which the client moves to its WebSocket."""

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, memory_stream_pair

import trio_sio
from tests.engine.conftest import Recorder
from tests.support.examples import examples
from tests.support.refusals import told
from tests.support.socket_pairs import socket_pair, tls_pair
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.options import WSEngine
from trio_sio.testing.wire import StreamPair, WireClient, WireSession, open_wire, packets_of
from trio_sio.testing.wire_http import WireConnection, WireResponse
from trio_sio.testing.wire_websocket import packet_frames

LIBRARIES = ("trio-websocket", "websockets")
both_libraries = pytest.mark.parametrize("ws_engine", LIBRARIES)
BAD = (400, told('{"code":3,"message":"Bad request"}'))


@asynccontextmanager
async def served(
    ws_engine: WSEngine,
    recorder: Recorder,
    streams: Callable[[], StreamPair] = socket_pair,
    **options: object,
) -> AsyncIterator[tuple[WireClient, WireSession]]:
    engine = trio_sio.Engine(raise_errors=True, ws_engine=ws_engine, **options)  # type: ignore[arg-type]
    with trio.CancelScope() as scope:
        async with open_wire(engine, recorder, streams=streams) as wire:
            yield wire, await wire.handshake()
            scope.cancel()


@pytest.mark.slow
@both_libraries
@pytest.mark.parametrize("streams", [memory_stream_pair, socket_pair, tls_pair])
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "new"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_right_behind_the_5_is_refused_and_the_session_goes_on(
    method: str,
    kept: bool,
    streams: Callable[[], StreamPair],
    ws_engine: WSEngine,
    recorder: Recorder,
) -> None:
    for _ in range(10):  # the server may read either first
        async with served(ws_engine, recorder, streams) as (wire, session):
            connection = session.poller if kept else wire.connect()
            websocket = await session.probe()
            body = b"2:4p" if method == "POST" else b""
            await websocket.send("5")
            await connection.send_request(method, session.target, body=body)
            with trio.fail_after(5):
                response = await connection.receive_response()
                assert (response.status, response.text) == BAD
                await websocket.send("4on websocket")
                assert await websocket.receive() == "4on websocket"
            assert wire.engine.sessions[session.sid].transport.name == "websocket"
    assert recorder.messages == ["on websocket"] * 10


@both_libraries
@pytest.mark.parametrize("frames", ["2probe", "half"])
async def test_a_probe_that_says_nothing_more_keeps_no_poll(
    frames: str, ws_engine: WSEngine, recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with served(ws_engine, recorder, memory_stream_pair) as (_, session):
        websocket = await session.probe()
        if frames == "half":
            await websocket.connection.send(packet_frames("5")[:3])
        assert await session.poll() == ["6"]
        await session.post("4a")
        assert await session.poll() == ["4a"]


# -- a request that is under way --------------------------------------------------------------


BY_LENGTH, IN_CHUNKS = b"Content-Length: 7", b"Transfer-Encoding: chunked"


@both_libraries
@pytest.mark.parametrize("streams", [memory_stream_pair, socket_pair, tls_pair])
@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (BY_LENGTH, b""),
        (BY_LENGTH, b"5:4hal"),
        (IN_CHUNKS, b""),
        (IN_CHUNKS, b"7\r\n5:4"),
        (IN_CHUNKS, b"7\r\n5:4half\r\n"),
    ],
    ids=["nothing", "half", "no-chunk", "half-a-chunk", "no-last-chunk"],
)
async def test_a_post_whose_body_is_coming_at_the_move_is_cut_and_costs_nothing(
    framing: bytes,
    body: bytes,
    streams: Callable[[], StreamPair],
    ws_engine: WSEngine,
    recorder: Recorder,
) -> None:
    """Its packets would be nobody's, so half of it is not kept until `body_timeout`."""
    async with served(ws_engine, recorder, streams) as (wire, session):
        websocket = await session.probe()
        poster = wire.connect()
        request = b"POST " + session.target.encode() + b" HTTP/1.1\r\nHost: a\r\n" + framing
        await poster.send(request + b"\r\n\r\n" + body)
        ours = wire.engine.sessions[session.sid].transport
        assert isinstance(ours, PollingTransport)
        while ours.is_gone(math.inf, 0):  # noqa: ASYNC110 - nobody tells of a POST
            await trio.sleep(0.001)
        await websocket.send("5")
        with trio.fail_after(5):
            assert await poster.receive_rest() == b""
            await websocket.send("4on websocket")
            assert await websocket.receive() == "4on websocket"
    assert recorder.messages == ["on websocket"]


@both_libraries
async def test_a_poll_that_is_cut_after_it_was_turned_away_costs_nothing(
    ws_engine: WSEngine, recorder: Recorder
) -> None:
    async with served(ws_engine, recorder) as (wire, session):
        websocket = await session.probe()
        await session.poller.send_request("GET", session.target)
        ours = wire.engine.sessions[session.sid]
        while not ours.transport.writable:  # noqa: ASYNC110 - nobody tells of a poll
            await trio.sleep(0.001)
        await websocket.send("5")
        await session.poller.aclose()
        await websocket.send("4on websocket")
        assert await websocket.receive() == "4on websocket"


@both_libraries
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("happens", ["moves", "ends"])
async def test_what_becomes_of_a_session_while_the_application_is_asked(
    happens: str, method: str, ws_engine: WSEngine, recorder: Recorder, autojump_clock: MockClock
) -> None:
    """About the origin, which may take its time for each request."""

    async def origins(origin: str) -> bool:
        await trio.sleep(5 if origin == "http://slow" else 0)
        return True

    async with served(ws_engine, recorder, memory_stream_pair, origins=origins) as (wire, session):
        slow = wire.connect()
        body = b"2:4a" if method == "POST" else b""
        await slow.send_request(method, session.target, {"Origin": "http://slow"}, body)
        await trio.sleep(1)
        if happens == "moves":
            await session.upgrade()
        else:
            wire.engine.sessions[session.sid].abort(trio_sio.DisconnectReason.TRANSPORT_ERROR)
        with trio.fail_after(60):
            response = await slow.receive_response()
        assert response.status == 400
        assert f'"code":{3 if happens == "moves" else 1}' in response.text
    assert recorder.messages == []


# -- any order ----------------------------------------------------------------------------------


class Mover:
    """A client that polls, posts and moves in any order.

    Attributes:
        received: the packets that came by polling.
        posted: the messages of POSTs that were answered "ok".
    """

    def __init__(self, wire: WireClient, session: WireSession) -> None:
        self.received: list[str | bytes] = []
        self.posted: list[str] = []
        self._wire = wire
        self._session = session
        self._poll: WireConnection | None = None

    async def poll(self) -> None:
        """Poll; a second poll beside another one ends a session at any time."""
        await self.finish()
        self._poll = self._wire.connect()
        await self._poll.send_request("GET", self._session.target)

    async def finish(self) -> None:
        """Take the answer to the poll that is under way."""
        connection, self._poll = self._poll, None
        if connection is None:
            return
        with trio.fail_after(5):
            response = await connection.receive_response()
        if _is_taken(response):
            packets = packets_of(response)
            assert "1" not in packets
            self.received += [packet for packet in packets if packet != "6"]

    async def post(self) -> None:
        text = f"post {len(self.posted)}"
        body = f"{len(text) + 1}:4{text}".encode()
        with trio.fail_after(5):
            response = await self._wire.request("POST", self._session.target, body=body)
        if _is_taken(response):
            self.posted.append(text)


def _is_taken(response: WireResponse) -> bool:
    if response.status != 200:
        assert (response.status, response.text) == BAD
    return response.status == 200


@examples(60)
@given(
    before=st.lists(st.sampled_from(["post", "emit", "pause"]), max_size=3),
    around=st.lists(st.sampled_from(["poll", "post", "emit", "pause", "5"]), max_size=8),
    ws_engine=st.sampled_from(LIBRARIES),
)
async def test_around_the_move_no_session_ends_and_no_packet_is_lost(
    before: list[str], around: list[str], ws_engine: WSEngine
) -> None:
    recorder = Listener()
    engine = trio_sio.Engine(raise_errors=True, ws_engine=ws_engine)
    with trio.CancelScope() as scope:
        async with open_wire(engine, recorder, streams=socket_pair) as wire:
            session = await wire.handshake()
            mover = Mover(wire, session)
            ours = engine.sessions[session.sid]
            sent: list[str] = []

            async def step(name: str) -> None:
                if name == "emit":
                    sent.append(f"4{len(sent)}")
                    ours.send_nowait(sent[-1][1:])
                elif name == "pause":
                    await trio.sleep(0.001)
                elif name == "poll":
                    await mover.poll()
                else:
                    await mover.post()

            for name in before:
                await step(name)
            websocket = await session.probe()
            move = around.index("5") if "5" in around else len(around)
            for name in around[:move]:
                await step(name)
            await websocket.send("5")
            for name in around[move:]:
                if name != "5":
                    await step(name)
            await websocket.send("4last")
            await mover.finish()
            with trio.fail_after(5):
                while len(mover.received) < len(sent):
                    mover.received.append(await websocket.receive())
                await recorder.last.wait()
            assert mover.received == sent
            assert recorder.messages == [*mover.posted, "last"]
            assert not ours.closed
            assert ours.transport.name == "websocket"
            scope.cancel()


class Listener(Recorder):
    """Knows when it has heard the last message."""

    def __init__(self) -> None:
        super().__init__()
        self.last = trio.Event()

    async def __call__(self, session: trio_sio.Session) -> None:
        while True:
            self.messages.append(await session.receive())
            if self.messages[-1] == "last":
                self.last.set()
