"""Requests and headers as applications see them."""

import pytest

from trio_sio.http import EngineResponse, Headers, Request, Response


def test_headers_have_no_case_and_keep_their_order() -> None:
    headers = Headers([("Accept", "a"), ("X-One", "1"), ("accept", "b")])
    assert list(headers) == [("accept", "a"), ("x-one", "1"), ("accept", "b")]
    assert len(headers) == 3
    assert headers["ACCEPT"] == headers.get("accept") == "a, b"
    assert headers.get_all("Accept") == ["a", "b"]
    assert "x-ONE" in headers
    assert "missing" not in headers
    assert 5 not in headers
    assert headers.get("missing") == ""
    assert headers.get("missing", "default") == "default"
    with pytest.raises(KeyError, match="missing"):
        headers["missing"]
    assert repr(Headers([("A", "b")])) == "Headers([('a', 'b')])"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [("/a/b?c=d?e", "/a/b", "c=d?e"), ("/a", "/a", ""), ("/a?", "/a", ""), ("*", "*", "")],
)
def test_path_and_query(target: str, path: str, query: str) -> None:
    request = Request("GET", target)
    assert (request.path, request.query_string) == (path, query)


@pytest.mark.parametrize(
    ("connection", "upgrade", "wants"),
    [
        ("Upgrade", "websocket", True),
        ("keep-alive, Upgrade", "WebSocket", True),
        ("keep-alive,,\tUPGRADE ,x", "h2c , websocket", True),
        ("xupgradey", "websocket", False),
        ("upgrade-x, x", "websocket", False),
        ("Upgrade", "websocketx", False),
        ("Upgrade", "", False),
        ("close", "websocket", False),
        ("Upgrade", "h2c", False),
        ("", "", False),
    ],
)
def test_wants_websocket(connection: str, upgrade: str, wants: bool) -> None:
    headers = Headers([("Connection", connection), ("Upgrade", upgrade)])
    assert Request("GET", "/", headers).wants_websocket is wants


def test_both_fields_may_come_several_times() -> None:
    fields = [("Connection", "Upgrade"), ("Connection", "keep-alive")]
    fields += [("Upgrade", "websocket"), ("Upgrade", "h2c")]
    for headers in (Headers(fields), Headers(fields[::-1])):
        assert Request("GET", "/", headers).wants_websocket


@pytest.mark.parametrize("upgrade", ["websocket", "h2c"])
def test_http_1_0_asks_by_the_same_fields(upgrade: str) -> None:
    headers = Headers([("Connection", "Upgrade"), ("Upgrade", upgrade)])
    wants = Request("GET", "/", headers, http_version="1.0").wants_websocket
    assert wants is (upgrade == "websocket")


@pytest.mark.parametrize(
    ("fields", "has"),
    [
        ([], False),
        ([("Content-Length", "0")], False),
        ([("Content-Length", "000")], False),
        ([("Content-Length", "0, 0"), ("Content-Length", "0")], False),
        ([("Content-Length", "10")], True),
        ([("Content-Length", "0"), ("Content-Length", "1")], True),
        ([("Transfer-Encoding", "chunked")], True),
        ([("Transfer-Encoding", "")], True),
    ],
)
def test_has_body(fields: list[tuple[str, str]], has: bool) -> None:
    assert Request("GET", "/", Headers(fields)).has_body is has


async def test_a_request_of_ones_own_has_no_body() -> None:
    assert await Request("GET", "/").body() == b""


async def test_a_request_without_its_body_is_the_same() -> None:
    async def read(limit: int | None) -> bytes:
        return b"abc"

    request = Request(
        *("POST", "/", Headers([("Content-Length", "3")]), "192.0.2.1", True, "1.0", 7, ("a", 8)),
        _read_body=read,
        _read_piece=read,
    )
    kept = request.without_body()
    assert kept == request
    assert (await request.body(), await kept.body()) == (b"abc", b"")
    assert [piece async for piece in kept.stream()] == []


def test_a_response_of_one_line() -> None:
    response = Response.text(404, "nothing is here")
    assert response == Response(
        404, [("Content-Type", "text/plain; charset=utf-8")], b"nothing is here\n"
    )
    last = Response.text(503, "caf\xe9 \ud800", [("X", "y")], close=True)
    assert last.headers[1:] == [("X", "y"), ("Connection", "close")]
    assert last.body == "café ?\n".encode()
    with pytest.raises(ValueError, match="status"):
        Response.text(100, "go on")
    assert type(EngineResponse.text(200, "")) is EngineResponse
