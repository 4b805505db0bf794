"""Answers without a body, on both ways to the wire: the next answer begins where they end."""

from pathlib import Path

import h11
import pytest
from hypothesis import given, strategies as st
from trio.testing import MockClock

import trio_sio
from tests.engine.conftest import Recorder
from trio_sio.engine.http.fast_path import read_head
from trio_sio.testing.wire import open_wire

SCRIPT = "/engine.io/socket.io.js"
WAYS = pytest.mark.parametrize("way", [{}, {"Expect": "x"}], ids=["plain", "h11"])


def engine(**options: object) -> trio_sio.Engine:
    return trio_sio.Engine(raise_errors=True, **options)  # type: ignore[arg-type]


@WAYS
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_304_has_what_the_200_has_and_no_length(
    method: str, way: dict[str, str], tmp_path: Path, recorder: Recorder, autojump_clock: MockClock
) -> None:
    (tmp_path / "socket.io.js").write_bytes(b"script")
    async with open_wire(engine(serve_client=tmp_path), recorder) as wire:
        connection = wire.connect()
        full = await connection.request("GET", SCRIPT, way)
        conditional = {**way, "If-None-Match": f'"x", W/{full.headers["etag"]}'}
        not_modified = await connection.request(method, SCRIPT, conditional)
        assert (not_modified.status, not_modified.body) == (304, b"")
        assert "content-length" not in not_modified.headers
        for name in ("etag", "cache-control"):
            assert not_modified.headers[name] == full.headers[name]
        assert "date" in not_modified.headers
        head = await connection.request("HEAD", SCRIPT, way)
        assert (head.status, head.body) == (200, b"")
        names = [name for name, _ in full.headers]
        assert [name for name, _ in head.headers] == names
        assert head.headers["content-length"] == full.headers["content-length"] == "6"


@WAYS
@pytest.mark.parametrize("length", [[], [("Content-Length", "0")]], ids=["without", "0"])
@pytest.mark.parametrize("status", [204, 304])
async def test_of_the_application(
    status: int,
    length: list[tuple[str, str]],
    way: dict[str, str],
    recorder: Recorder,
    autojump_clock: MockClock,
) -> None:
    async def pages(request: trio_sio.Request) -> trio_sio.Response:
        if request.path == "/empty":
            return trio_sio.Response(status, [("ETag", '"a"'), *length])
        return trio_sio.Response(200, [], request.method.encode())

    async with open_wire(engine(fallback=pages), recorder) as wire:
        connection = wire.connect()
        for method in ("GET", "HEAD"):
            response = await connection.request(method, "/empty", way)
            assert (response.status, response.body) == (status, b"")
            assert response.headers["etag"] == '"a"'
            assert "content-length" not in response.headers
            assert "transfer-encoding" not in response.headers
            assert (await connection.request("GET", "/", way)).text == "GET"


@WAYS
@pytest.mark.parametrize(
    ("headers", "body"),
    [([], b"abcdef"), ([("content-length", "6")], b""), ([("Content-Length", "6")], b"abcdef")],
)
async def test_an_answer_to_head_of_the_application(
    headers: list[tuple[str, str]],
    body: bytes,
    way: dict[str, str],
    recorder: Recorder,
    autojump_clock: MockClock,
) -> None:
    async def pages(request: trio_sio.Request) -> trio_sio.Response:
        if request.method == "HEAD":
            return trio_sio.Response(200, headers, body)
        return trio_sio.Response(200, [], b"abcdef")

    async with open_wire(engine(fallback=pages), recorder) as wire:
        connection = wire.connect()
        for _ in range(2):
            response = await connection.request("HEAD", "/", way)
            assert (response.body, response.headers["content-length"]) == (b"", "6")
            response = await connection.request("GET", "/", way)
            assert (response.body, response.headers["content-length"]) == (b"abcdef", "6")


@given(
    st.integers(200, 599),
    st.sampled_from([b"", b"a", b"abc"]),
    st.booleans(),
)
def test_a_client_that_judges_finds_each_end(status: int, body: bytes, has_length: bool) -> None:
    body = b"" if status in (204, 205, 304) else body
    headers = [("Content-Length", str(len(body)))] if has_length else []
    found = read_head(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert found is not None
    judge = h11.Connection(h11.CLIENT)
    judge.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    judge.send(h11.EndOfMessage())
    judge.receive_data(found[0].render(trio_sio.Response(status, headers, body)))
    assert isinstance(judge.next_event(), h11.Response)
    event = judge.next_event()
    if body:
        assert isinstance(event, h11.Data)
        assert event.data == body
        event = judge.next_event()
    assert isinstance(event, h11.EndOfMessage)
    assert judge.trailing_data == (b"", False)
