"""Polling needs no connection of ours: any responder will do, such as another server's request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.memory_responder import MemoryResponder
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.hooks import Hooks
from trio_sio.engine.http.cors import EchoCORS
from trio_sio.engine.polling.endpoint import PollingEndpoint
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.session.session import Session
from trio_sio.http import Headers, Request, Response
from trio_sio.protocol.engineio.handshake import HandshakeRequest

TARGET = "/engine.io/?EIO=3&transport=polling"


class Client:
    """A client of one session, whose requests come from nowhere.

    Args:
        endpoint: answers them.
        engine: has the session.
    """

    def __init__(self, endpoint: PollingEndpoint, engine: trio_sio.Engine) -> None:
        self._endpoint = endpoint
        self._engine = engine

    @property
    def session(self) -> Session:
        (session,) = self._engine.sessions.values()
        return session

    async def handshake(self) -> MemoryResponder:
        responder = MemoryResponder()
        ask = HandshakeRequest.from_query({"transport": ["polling"], "EIO": ["3"]})
        request = Request("GET", TARGET)
        assert await self._endpoint.handshake(request, responder, ask) is None
        return responder

    async def poll(self, responder: MemoryResponder) -> None:
        request = Request("GET", TARGET)
        assert await self._endpoint.answer(request, responder, self.session) is None

    async def post(self, body: bytes) -> Response | None:
        async def read(limit: int) -> bytes:
            await trio.lowlevel.checkpoint()
            return body

        headers = Headers([("Content-Length", str(len(body)))])
        request = Request("POST", TARGET, headers, _read_body=read)
        return await self._endpoint.answer(request, MemoryResponder(), self.session)


async def echo(session: trio_sio.Session) -> None:
    while True:
        await session.send(f"heard {await session.receive()!s}")


@asynccontextmanager
async def client() -> AsyncIterator[Client]:
    engine = trio_sio.Engine(raise_errors=True)
    engine.sessions.handle_with(echo)
    async with engine:
        hooks = Hooks(engine.runtime.log, lambda: engine.options)
        found = Client(PollingEndpoint(engine.sessions, EchoCORS(), hooks), engine)
        responder = await found.handshake()
        assert responder.response is not None
        assert b'{"sid":' in body_of(responder)
        yield found
        for session in tuple(engine.sessions.values()):
            session.abort(DisconnectReason.TRANSPORT_CLOSE)


def body_of(responder: MemoryResponder) -> bytes:
    assert responder.response is not None
    assert isinstance(responder.response.body, bytes)
    return responder.response.body


async def test_a_post_and_a_poll(autojump_clock: MockClock) -> None:
    async with client() as polling:
        taken = await polling.post(b"2:4a")
        assert taken is not None
        assert (taken.status, taken.body) == (200, b"ok")
        await wait_all_tasks_blocked()
        responder = MemoryResponder()
        await polling.poll(responder)
        assert body_of(responder) == b"8:4heard a"


@pytest.mark.parametrize("size", [1, 100_000])
async def test_a_poll_that_is_held(size: int, autojump_clock: MockClock) -> None:
    async with client() as polling, trio.open_nursery() as nursery:
        responder = MemoryResponder()
        nursery.start_soon(polling.poll, responder)
        await wait_all_tasks_blocked()
        assert not responder.is_answered
        await polling.session.send("x" * size)
        await wait_all_tasks_blocked()
        assert body_of(responder) == b"%d:4" % (size + 1) + b"x" * size


async def test_a_client_that_leaves_its_poll(autojump_clock: MockClock) -> None:
    async with client() as polling:
        session = polling.session
        async with trio.open_nursery() as nursery:
            responder = MemoryResponder()

            @nursery.start_soon
            async def poll() -> None:
                with pytest.raises(trio.BrokenResourceError):
                    await polling.poll(responder)

            await wait_all_tasks_blocked()
            responder.leave()
        await session.wait_closed()
        assert session.reason is DisconnectReason.TRANSPORT_ERROR
        assert not responder.is_answered


async def test_a_second_post_cuts_the_first(autojump_clock: MockClock) -> None:
    async with client() as polling:
        session, first = polling.session, MemoryResponder()
        assert isinstance(session.transport, PollingTransport)
        session.transport.posts.begin(first.cut)
        refused = await polling.post(b"2:4a")
        assert refused is not None
        assert refused.status == 500
        assert first.hung_up
        await session.wait_closed()
