"""Responses by another server: heads, held requests, clients that leave or do not read."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support.asgi_peer import AsgiPeer, answered, asked, http_scope
from trio_sio.asgi import Application

HANDSHAKE = "EIO=3&transport=polling&b64=1"


def scope(sid: str = "", method: str = "GET", **more: Any) -> dict[str, Any]:  # noqa: ANN401
    query = f"{HANDSHAKE}&sid={sid}" if sid else HANDSHAKE
    return http_scope("/socket.io/", query, method, **more)


async def begin(io: trio_sio.Server) -> str:
    """Begin a session by polling, and return its id."""
    peer = await answered(Application(io), scope())
    assert peer.status == 200
    sid: str = [*io.engine.sessions][-1]
    return sid


def fields(peer: AsgiPeer) -> dict[bytes, bytes]:
    return dict(peer.sent[0]["headers"])


async def test_a_poll_is_held_until_there_is_something() -> None:
    async with trio_sio.Server() as io:
        sid = await begin(io)
        async with asked(Application(io), scope(sid)) as poll:
            poll.put("http.request", body=b"")
            await trio.testing.wait_all_tasks_blocked()
            assert poll.sent == []
            posted = await answered(Application(io), scope(sid, "POST"), b"1:2")
            assert posted.body == b"ok"
            await poll.wait(lambda: poll.is_over)
        assert poll.body == b"1:3"
        assert fields(poll)[b"content-length"] == b"3"


async def test_a_client_that_leaves_its_poll() -> None:
    async with trio_sio.Server() as io:
        sid = await begin(io)
        session = io.engine.sessions[sid]
        async with asked(Application(io), scope(sid)) as poll:
            poll.put("http.request", body=b"")
            await trio.testing.wait_all_tasks_blocked()
            poll.put("http.disconnect")
            await poll.wait(lambda: poll.is_over)
        assert session.reason == "transport error"
        assert poll.sent == []


async def test_a_second_poll_gives_the_first_one_up() -> None:
    async with trio_sio.Server() as io:
        sid = await begin(io)
        async with asked(Application(io), scope(sid)) as first:
            first.put("http.request", body=b"")
            await trio.testing.wait_all_tasks_blocked()
            second = await answered(Application(io), scope(sid))
            assert second.status == 500
            await first.wait(lambda: first.is_over)
        assert sid not in io.engine.sessions


async def test_a_client_that_does_not_read_holds_up_no_session(autojump_clock: MockClock) -> None:
    """Although the other server's sends cannot be cancelled."""
    async with trio_sio.Server(answer_timeout=5) as io:
        sid = await begin(io)
        session = io.engine.sessions[sid]
        async with asked(Application(io), scope(sid)) as poll:
            poll.stuck = trio.Event()
            poll.put("http.request", body=b"")
            await trio.testing.wait_all_tasks_blocked()
            await session.send("x" * 10_000)
            began = trio.current_time()
            await session.wait_closed()
            assert trio.current_time() - began == pytest.approx(5, abs=0.5)
            assert session.detail is not None
            assert session.detail.option == "answer_timeout"
            assert not poll.is_over  # that is the other server's


async def test_a_body_that_is_too_large() -> None:
    async with trio_sio.Server(max_http_buffer_size=10) as io:
        sid = await begin(io)
        headers = [(b"content-length", b"11")]
        peer = await answered(Application(io), scope(sid, "POST", headers=headers), b"8:40123456")
        assert peer.status == 413
        assert b"max_http_buffer_size" in peer.body
        assert fields(peer)[b"connection"] == b"close"  # the body was not read


async def test_nothing_is_said_of_the_connection_in_http_2() -> None:
    async with trio_sio.Server(max_http_buffer_size=10) as io:
        sid = await begin(io)
        more = {"headers": [(b"content-length", b"11")], "http_version": "2"}
        peer = await answered(Application(io), scope(sid, "POST", **more), b"8:40123456")
        assert peer.status == 413
        assert b"connection" not in fields(peer)


async def test_head_has_no_body() -> None:
    async with trio_sio.Server() as io:
        file = http_scope("/socket.io/socket.io.js", method="HEAD")
        peer = await answered(Application(io), file)
        assert (peer.status, peer.body) == (200, b"")
        assert int(fields(peer)[b"content-length"]) > 10_000


async def test_a_streamed_response_of_the_fallback() -> None:
    closed: list[bool] = []

    async def page(request: trio_sio.Request) -> trio_sio.Response:
        async def pieces() -> Any:  # noqa: ANN401
            try:
                yield b"one"
                yield b"two"
            finally:
                closed.append(True)

        return trio_sio.Response(200, [], pieces())

    async with trio_sio.Server(fallback=page) as io:
        peer = await answered(Application(io), http_scope("/page"))
    assert (peer.status, peer.body, closed) == (200, b"onetwo", [True])
    assert [one["more_body"] for one in peer.sent[1:]] == [True, True, False]
