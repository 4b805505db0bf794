"""Requests as clients and proxies really send them: cut, pipelined, too large, for others."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.engine.conftest import Recorder
from tests.support.refusals import told
from trio_sio.testing.wire import open_wire
from trio_sio.testing.wire_websocket import handshake_headers


def engine(**options: object) -> trio_sio.Engine:
    return trio_sio.Engine(**{"raise_errors": True, **options})  # type: ignore[arg-type]


# -- on one connection --------------------------------------------------------------------------


@pytest.mark.parametrize("cut", [1, 5, 64])
async def test_a_whole_session_on_one_connection_however_it_is_cut(
    cut: int, recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(generate_id=lambda request: "abc"), recorder) as wire:
        connection = wire.connect()
        target = wire.target("polling", sid="abc")
        await connection.send_request("GET", wire.target("polling"), cut=cut)
        assert (await connection.receive_response()).text.startswith('79:0{"sid":"abc",')
        for body in ("4:4l€n", "2:4b"):
            await connection.send_request("POST", target, body=body.encode(), cut=cut)
            assert (await connection.receive_response()).text == "ok"
            await connection.send_request("GET", target, cut=cut)
            assert (await connection.receive_response()).text == body


async def test_everything_sent_ahead_is_answered_in_its_order(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        connection = wire.connect()
        post = connection.request_bytes("POST", session.target, body=b"2:4a")
        get = connection.request_bytes("GET", session.target)
        elsewhere = connection.request_bytes("GET", "/")
        await connection.send(post + post + get + elsewhere + get)
        seen = [(await connection.receive_response()).text for _ in range(3)]
        assert seen == ["ok", "ok", "2:4a2:4a"]
        assert (await connection.receive_response()).status == 404
        await session.post("4b")  # the last one was held
        assert (await connection.receive_response()).text == "2:4b"


async def test_what_is_sent_behind_a_held_poll_waits(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        await session.poller.send_request("GET", session.target)
        await session.poller.send_request("POST", session.target, body=b"2:4b")
        await wait_all_tasks_blocked()
        assert recorder.messages == []
        await session.post("4a")
        assert (await session.poller.receive_response()).text == "2:4a"
        assert (await session.poller.receive_response()).text == "ok"
        assert recorder.messages == ["a", "b"]


async def test_garbage_behind_a_good_request(recorder: Recorder, autojump_clock: MockClock) -> None:
    async with open_wire(engine(), recorder) as wire:
        for method in ("GET", "HEAD"):
            connection = wire.connect()
            await connection.send_request(method, "/")
            await connection.send(b"nonsense\r\n\r\n")
            assert (await connection.receive_response(to=method)).status == 404
            response = await connection.receive_response()
            assert response.status == 400
            assert response.text.endswith("\n")
            assert await connection.receive_rest() == b""


async def test_a_client_may_ask_first(recorder: Recorder, autojump_clock: MockClock) -> None:
    expect = {"Expect": "100-continue", "Content-Length": "4"}
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        await session.poster.send_request("POST", session.target, expect)
        assert (await session.poster.receive_response()).status == 100
        await session.poster.send(b"2:4a")
        assert (await session.poster.receive_response()).text == "ok"
        assert await session.poll() == ["4a"]


@pytest.mark.parametrize("cut", [None, 1])
async def test_targets_as_proxies_and_careless_clients_send_them(
    cut: int | None, recorder: Recorder, autojump_clock: MockClock
) -> None:
    ids = iter("abcdef")
    async with open_wire(engine(generate_id=lambda request: next(ids)), recorder) as wire:
        connection = wire.connect()
        for target in (
            "http://there:81{}",
            "HTTPS://there:81{}",
            "{}#there",
            "http://there:81{}#a",
        ):
            target = target.format(wire.target("polling"))
            await connection.send(b"\r\n")
            await connection.send_request("GET", target, cut=cut)
            assert (await connection.receive_response()).status == 200
        hosts = [session.request.headers["host"] for session in wire.engine.sessions.values()]
        targets = {session.request.target for session in wire.engine.sessions.values()}
    assert hosts == ["there:81", "there:81", "wire", "there:81"]
    assert targets == {wire.target("polling")}


# -- too large, of no length --------------------------------------------------------------------


async def test_who_is_refused_may_go_on_sending_for_a_while(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(max_http_buffer_size=1000), recorder) as wire:
        session = await wire.handshake()
        response = await session.post_body(b"x" * 200_000)
        assert response.status == 413
        assert await session.poster.receive_rest() == b""


CHUNKED = {"Transfer-Encoding": "chunked", "Origin": "http://a"}


@pytest.mark.parametrize("cut", [None, 1, 3])
async def test_a_post_may_come_in_chunks(
    cut: int | None, recorder: Recorder, autojump_clock: MockClock
) -> None:
    """As proxies make it of others, and the connection goes on."""
    body = b"2\r\n2:\r\n2;name=value\r\n4a\r\n0\r\nTrailer: x\r\n\r\n"
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        for _ in range(3):
            await session.poster.send_request("POST", session.target, CHUNKED, body, cut=cut)
            response = await session.poster.receive_response()
            assert (response.status, response.text) == (200, "ok")
            assert response.headers["access-control-allow-origin"] == "http://a"
            assert "connection" not in response.headers
        assert await session.poll() == ["4a"] * 3


TOO_LARGE = "a body of 11 bytes; 10 are allowed (max_http_buffer_size)\n"
BEGUN = b"6\r\n4:4abc\r\n"


@pytest.mark.parametrize(
    ("headers", "body", "status", "sentence"),
    [
        ({"Content-Length": "11"}, b"", 413, TOO_LARGE),  # to announce it is enough
        ({"Content-Length": "11", "Expect": "100-continue"}, b"", 413, TOO_LARGE),
        (CHUNKED, BEGUN + b"5\r\n2:4ab", 413, TOO_LARGE),
        (
            CHUNKED,
            BEGUN + b"zz\r\n",
            400,
            "there must be a line with a chunk's size, ended by CRLF\n",
        ),
        (
            CHUNKED,
            BEGUN + b"0\r\nX: " + b"x" * 5000 + b"\r\n\r\n",
            431,
            "a body's extensions and trailers may have 4096 bytes (max_header_size)\n",
        ),
    ],
)
async def test_a_body_that_is_refused_ends_the_session(
    headers: dict[str, str],
    body: bytes,
    status: int,
    sentence: str,
    recorder: Recorder,
    autojump_clock: MockClock,
) -> None:
    """As a POST that breaks off: nobody knows what was lost."""
    io = engine(max_http_buffer_size=10, max_header_size=4096)
    async with open_wire(io, recorder) as wire:
        session = await wire.handshake()
        await session.poster.send_request("POST", session.target, headers, body)
        response = await session.poster.receive_response()
        assert (response.status, response.text) == (status, sentence)
        assert response.headers["connection"] == "close"
        assert await session.poster.receive_rest() == b""
        assert (await session.poll_response()).status == 400
    assert recorder.reasons == ["transport error"]


async def test_chunks_that_do_not_end_have_their_time(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(body_timeout=10.0), recorder) as wire:
        session = await wire.handshake()
        await session.poster.send_request("POST", session.target, CHUNKED, b"2\r\n2:\r\n")
        begun = trio.current_time()
        response = await session.poster.receive_response()
        assert (response.status, trio.current_time() - begun) == (408, 10)
    assert recorder.reasons == ["transport error"]


async def test_an_error_comes_before_the_body_is_read(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        connection = wire.connect()
        await connection.send_request("POST", wire.target("polling"), {"Content-Length": "999999"})
        response = await connection.receive_response()
        assert (response.status, response.headers["connection"]) == (400, "close")


# -- of others ----------------------------------------------------------------------------------


async def test_pages_of_the_application(recorder: Recorder, autojump_clock: MockClock) -> None:
    async def pages(request: trio_sio.Request) -> trio_sio.Response:
        text = f"{request.method} {request.target} ".encode()
        return trio_sio.Response(201, [("X-Page", "é")], text + await request.body())

    async with open_wire(engine(fallback=pages), recorder) as wire:
        connection = wire.connect()
        response = await connection.request("HEAD", "/page")
        assert (response.status, response.reason, response.body) == (201, "Created", b"")
        assert response.headers["content-length"] == "11"
        response = await connection.request("POST", "/page?a=b", body=b"form")
        assert response.text == "POST /page?a=b form"
        assert response.headers["x-page"] == "é"
        response = await connection.request("GET", "/engine.io", handshake_headers())
        assert response.text == "GET /engine.io "


async def test_an_application_that_answers_nonsense_is_logged_and_nothing_else_breaks(
    recorder: Recorder, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def pages(request: trio_sio.Request) -> trio_sio.Response:
        return trio_sio.Response(200, [("X-Page", "a\r\nSet-Cookie: b")])

    async with open_wire(engine(fallback=pages, raise_errors=False), recorder) as wire:
        session = await wire.handshake()
        assert (await wire.request("GET", "/page")).status == 500
        await session.post("4a")
        assert await session.poll() == ["4a"]
    assert "cannot be the value of field 'X-Page'" in caplog.text


async def test_the_browsers_client_comes_first(
    tmp_path: Path, recorder: Recorder, autojump_clock: MockClock
) -> None:
    (tmp_path / "socket.io.js").write_bytes(b"script")
    server = engine(path="/socket.io", serve_client=tmp_path, origins=["http://a"])
    async with open_wire(server, recorder) as wire:
        connection = wire.connect()
        response = await connection.request("GET", "/socket.io/socket.io.js?transport=polling")
        assert (response.status, response.text) == (200, "script")
        cached = {"If-None-Match": response.headers["etag"]}
        response = await connection.request("GET", "/socket.io/socket.io.js", cached)
        assert (response.status, response.body) == (304, b"")
        response = await connection.request("HEAD", "/socket.io/socket.io.js")
        assert (response.status, response.body) == (200, b"")
        assert response.headers["content-length"] == "6"
        welcome = {"Origin": "http://a"}
        response = await connection.request("GET", "/socket.io/other.js", welcome)
        assert response.text == told('{"code":0,"message":"Transport unknown"}')


async def test_a_client_that_sends_nothing_is_no_session(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        connection = wire.connect()
        await connection.send(b"GET /engine.io/?transport=polling HTTP/1.1\r\nHost: a\r\n")
        await trio.sleep(1)
        await connection.aclose()
        await wait_all_tasks_blocked()
        assert wire.engine.sessions == {}
