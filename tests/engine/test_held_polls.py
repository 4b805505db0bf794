"""Polls that are held on real sockets, where whoever sends answers them at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import given, settings, strategies as st
from trio.testing import wait_all_tasks_blocked

import trio_sio
from trio_sio.engine.turns import Turns

HEAD = "Host: a\r\n"


class Poller:
    """A client that polls on one connection."""

    def __init__(self, engine: trio_sio.Engine, stream: trio.SocketStream) -> None:
        self._engine = engine
        self._stream = stream
        self._target = "/engine.io/?EIO=3&transport=polling"
        self._heard = b""

    @property
    def session(self) -> trio_sio.Session:
        (session,) = self._engine.sessions.values()
        return session

    async def begin(self) -> None:
        await self.poll()
        await self.answer()
        self._target += f"&sid={self.session.id}"

    async def poll(self) -> None:
        await self.send(self.get())

    async def post(self, body: str) -> None:
        await self.send(self.request("POST", body))

    async def send(self, data: bytes) -> None:
        await self._stream.send_all(data)

    def get(self, fields: str = "") -> bytes:
        return f"GET {self._target} HTTP/1.1\r\n{HEAD}{fields}\r\n".encode()

    def request(self, method: str, body: str) -> bytes:
        fields = f"{HEAD}Content-Length: {len(body)}\r\n"
        return f"{method} {self._target} HTTP/1.1\r\n{fields}\r\n{body}".encode()

    async def held(self) -> None:
        """Return when a poll is held."""
        with trio.fail_after(10):
            while not self.session.transport.direct:  # noqa: ASYNC110 - nothing tells of it
                await trio.sleep(0.001)

    async def answer(self) -> str:
        """Return the body of the next answer."""
        with trio.fail_after(10):
            while b"\r\n\r\n" not in self._heard:
                self._heard += await self._stream.receive_some()
            head, _, body = self._heard.partition(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
            while len(body) < length:
                body += await self._stream.receive_some()
        self._heard = body[length:]
        return body[:length].decode()


async def listen(session: trio_sio.Session) -> None:
    while True:
        await session.send("heard " + str(await session.receive()))


@asynccontextmanager
async def polling() -> AsyncIterator[Poller]:
    engine = trio_sio.Engine(raise_errors=True)
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery, engine, listener:
        stream = await trio.open_tcp_stream(*listener.socket.getsockname())
        nursery.start_soon(engine.serve_stream, await listener.accept(), listen)
        async with stream:
            client = Poller(engine, stream)
            await client.begin()
            yield client
        nursery.cancel_scope.cancel()  # an engine that ends would wait for one more poll


@pytest.mark.parametrize("together", [True, False])
async def test_what_was_sent_behind_a_held_poll_is_answered_behind_it(together: bool) -> None:
    """Though nothing comes any more that would wake its connection."""
    async with polling() as client:
        await client.poll()
        if not together:
            await client.held()
        await client.post("2:4a")
        await client.held()
        await wait_all_tasks_blocked(0.01)
        client.session.send_nowait("b")
        assert await client.answer() == "2:4b"
        assert await client.answer() == "ok"
        await client.poll()
        assert await client.answer() == "8:4heard a"


@settings(max_examples=50)
@given(
    requests=st.lists(st.sampled_from(["poll", "poll by h11", "post"]), min_size=1, max_size=8),
    pieces=st.lists(st.integers(1, 300), max_size=12),
)
async def test_all_that_is_sent_on_a_connection_is_answered_in_its_order(
    requests: list[str], pieces: list[int]
) -> None:
    """Whatever lies in one piece, and however long the polls before it are held."""
    async with polling() as client, trio.open_nursery() as nursery:

        @nursery.start_soon
        async def answer_polls() -> None:
            while True:
                await client.held()
                client.session.send_nowait("news")

        bodies = {"poll": client.get(), "poll by h11": client.get("TE: trailers\r\n")}
        data = b"".join(bodies.get(one) or client.request("POST", "2:4a") for one in requests)
        for size in pieces:
            await client.send(data[:size])
            data = data[size:]
            await trio.lowlevel.checkpoint()
        await client.send(data)
        answers = [await client.answer() for _ in requests]
        assert [answer == "ok" for answer in answers] == [one == "post" for one in requests]
        nursery.cancel_scope.cancel()


async def test_a_client_that_has_waited_for_its_answer_waits_for_no_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not beside new connections, of which there may be thousands."""
    turns: list[Turns] = []
    wait = Turns.wait

    async def counted(self: Turns) -> None:
        turns.append(self)
        await wait(self)

    monkeypatch.setattr(Turns, "wait", counted)
    async with polling() as client:
        assert len(turns) == 1  # its first request
        for text in ("a", "b", "c"):
            await client.poll()
            await client.held()
            client.session.send_nowait(text)
            assert await client.answer() == f"2:4{text}"
        assert len(turns) == 1
        await client.poll()
        await client.held()
        await client.poll()  # ahead of its answer
        await wait_all_tasks_blocked(0.01)
        client.session.send_nowait("d")
        assert await client.answer() == "2:4d"
        await client.held()
        assert len(turns) == 2
