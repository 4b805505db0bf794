"""Requests of long polling, as bytes over a stream in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h11
import pytest
import trio
from trio.testing import (
    MockClock,
    lockstep_stream_pair,
    memory_stream_pair,
    wait_all_tasks_blocked,
)

import trio_sio
from trio_sio.engine.polling.transport import MAX_ANSWERS
from trio_sio.engine.session.session import Handler
from trio_sio.testing.wire import open_wire


class Browser:
    """A client of one connection: sends a request, returns status, headers and body."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._h11 = h11.Connection(h11.CLIENT)

    async def ask(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        fields = {"Host": "here", **(headers or {})}
        if body and "Transfer-Encoding" not in fields:
            fields["Content-Length"] = str(len(body))
        head = h11.Request(method=method, target=target, headers=list(fields.items()))
        data = self._h11.send(head) or b""
        if body:
            data += self._h11.send(h11.Data(data=body)) or b""
        data += self._h11.send(h11.EndOfMessage()) or b""
        await self.stream.send_all(data)
        return await self._answer()

    async def _answer(self) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = 0, dict[str, str](), b""
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                self._h11.receive_data(bytes(await self.stream.receive_some()))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                if self._h11.their_state is h11.DONE and self._h11.our_state is h11.DONE:
                    self._h11.start_next_cycle()
                return status, headers, body


@asynccontextmanager
async def browsers(
    handler: Handler | None = None, **options: object
) -> AsyncIterator[tuple[trio_sio.Engine, list[Browser]]]:
    """Serve two connections of one client."""

    async def echo(session: trio_sio.Session) -> None:
        while True:
            await session.send(await session.receive())

    engine = trio_sio.Engine(**{"raise_errors": True, **options})  # type: ignore[arg-type]
    async with engine, trio.open_nursery() as nursery:
        pair = []
        for _ in range(2):
            ours, theirs = memory_stream_pair()
            nursery.start_soon(engine.serve_stream, theirs, handler or echo)
            pair.append(Browser(ours))
        yield engine, pair
        for browser in pair:
            await browser.stream.aclose()


async def handshake(engine: trio_sio.Engine, browser: Browser, more: str = "") -> str:
    status, _, body = await browser.ask("GET", f"/engine.io/?transport=polling{more}")
    assert status == 200
    assert b'{"sid":' in body.replace(b'\\"', b'"')
    (sid,) = engine.sessions
    return f"/engine.io/?transport=polling&sid={sid}"


async def test_handshake_post_poll(autojump_clock: MockClock) -> None:
    async with browsers() as (engine, (browser, _)):
        url = await handshake(engine, browser)
        status, headers, body = await browser.ask("POST", url, body="6:4h€llo3:4😀".encode())
        assert (status, body, headers["content-type"]) == (200, b"ok", "text/html")
        assert headers["set-cookie"].endswith("; Path=/; HttpOnly; SameSite=Strict")
        _, headers, body = await browser.ask("GET", url)
        assert body.decode() == "6:4h€llo3:4😀"
        assert headers["content-type"] == "text/plain; charset=UTF-8"


async def test_a_poll_is_held_until_there_is_something(autojump_clock: MockClock) -> None:
    async with browsers() as (engine, (poller, poster)):
        url = await handshake(engine, poller)
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def poll() -> None:
                assert (await poller.ask("GET", url))[2] == b"4:4abc"
                assert trio.current_time() == 15.0

            await trio.sleep(15)
            await poster.ask("POST", url, body=b"4:4abc")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_overlapping_requests_end_the_session(method: str, autojump_clock: MockClock) -> None:
    reasons: list[object] = []

    async def handler(session: trio_sio.Session) -> None:
        try:
            await session.receive()
            await trio.sleep_forever()
        finally:
            reasons.append(session.reason)

    async with browsers(handler) as (engine, (first, second)):
        url = await handshake(engine, first)
        body = b"2:4a" if method == "POST" else b""
        if method == "POST":  # the reader takes this one, and then does not listen
            await first.ask("POST", url, body=body)
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def ask_first() -> None:
                if method == "GET":
                    assert (await first.ask(method, url))[::2] == (200, b"1:1")
                else:
                    with pytest.raises(h11.RemoteProtocolError, match="ConnectionClosed"):
                        await first.ask(method, url, body=body)

            await trio.sleep(1)
            assert (await second.ask(method, url, body=body))[0] == 500
        assert reasons == ["transport error"]
        assert engine.sessions.find(url.rpartition("=")[2]) is None


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_other_methods_are_not_allowed(method: str, autojump_clock: MockClock) -> None:
    async with browsers() as (engine, (browser, _)):
        url = await handshake(engine, browser)
        status, headers, body = await browser.ask(method, url)
        assert (status, body) == (405, b"")
        assert headers["allow"] == "GET, POST, OPTIONS"


async def test_a_body_may_come_in_chunks(autojump_clock: MockClock) -> None:
    async with browsers() as (engine, (browser, _)):
        url = await handshake(engine, browser)
        for _ in range(2):
            answer = await browser.ask("POST", url, {"Transfer-Encoding": "chunked"}, b"2:4a")
            assert answer[::2] == (200, b"ok")
        assert (await browser.ask("GET", url))[2] == b"2:4a2:4a"


@pytest.mark.parametrize(
    ("agent", "expected"),
    [("Mozilla (compatible;MSIE 9)", "0"), ("Trident/7.0", "0"), ("a; MSIE 9", None), ("", None)],
)
async def test_old_internet_explorers(
    agent: str, expected: str | None, autojump_clock: MockClock
) -> None:
    async with browsers() as (_, (browser, _)):
        target = "/engine.io/?transport=polling"
        _, headers, _ = await browser.ask("GET", target, {"User-Agent": agent})
        assert headers.get("x-xss-protection") == expected


async def test_a_poll_that_is_given_up_ends_the_session(autojump_clock: MockClock) -> None:
    reasons: list[object] = []

    async def handler(session: trio_sio.Session) -> None:
        try:
            await session.receive()
        finally:
            reasons.append(session.reason)

    async with browsers(handler) as (engine, (browser, _)):
        url = await handshake(engine, browser)
        with trio.move_on_after(5):
            await browser.ask("GET", url)
        await browser.stream.aclose()
        await trio.sleep(1)
        assert reasons == ["transport error"]
        assert engine.sessions == {}


async def test_a_client_that_takes_no_answers_is_closed_with_the_third(
    autojump_clock: MockClock,
) -> None:
    """Or it has as many outboxes kept for it as it opens connections."""
    reasons: list[object] = []

    async def flood(session: trio_sio.Session) -> None:
        try:
            while True:
                await session.send("x" * 10_000)
        finally:
            reasons.append(session.reason)

    engine = trio_sio.Engine(max_outbox=10)
    async with engine, open_wire(engine, flood) as wire:
        session = await wire.handshake()
        streams = [lockstep_stream_pair() for _ in range(MAX_ANSWERS + 1)]
        async with trio.open_nursery() as nursery:
            for number, (ours, theirs) in enumerate(streams):
                assert reasons == []
                nursery.start_soon(engine.serve_stream, theirs, flood)
                await ours.send_all(f"GET {session.target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                await wait_all_tasks_blocked()
                assert len(engine.sessions) == (number < MAX_ANSWERS)
            nursery.cancel_scope.cancel()
    assert reasons == ["transport error"]
