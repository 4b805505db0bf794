"""Who may in, and by which name: allow_request, ids, the cookie, and the errors of handshakes."""

import json
from typing import Any

import pytest
import trio
import trio.lowlevel

import trio_sio
from tests.support.peers import MODERN, PACKAGE, peer, served
from tests.support.raw import POLLING, WEBSOCKET, raw
from tests.support.refusals import told
from tests.support.servers import MakeServer


def refusal(code: int, message: str) -> bytes:
    return told(json.dumps({"code": code, "message": message}, separators=(",", ":")).encode())


# -- allow_request -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refused", "status", "body", "text"),
    [
        (trio_sio.RequestRefused(), 403, refusal(4, "Forbidden"), b""),
        (trio_sio.RequestRefused("not today"), 403, refusal(4, "not today"), b"not today"),
        *(
            (trio_sio.RequestRefused(code=code), 400, refusal(code, message), message.encode())
            for code, message in enumerate(
                [
                    *("Transport unknown", "Session ID unknown", "Bad handshake method"),
                    *("Bad request", "Forbidden"),
                ]
            )
        ),
    ],
)
async def test_allow_request_refuses(
    refused: trio_sio.RequestRefused, status: int, body: bytes, text: bytes, make_server: MakeServer
) -> None:
    async def refuse(request: trio_sio.Request) -> None:
        raise refused

    async with served(make_server(allow_request=refuse)) as url, raw(url) as wire:
        response = await wire.get(POLLING, {"Origin": "http://a"})
        assert (response.status, response.body) == (status, body)
        assert response.headers["content-type"] == "application/json"
        assert response.headers["access-control-allow-origin"] == "http://a"
        websocket = await wire.websocket()
        assert websocket.status == "HTTP/1.1 400 Bad Request"
        assert websocket.headers["content-type"] == "text/html"
        assert await websocket.rest() == text


async def test_allow_request_sees_handshakes_and_replaces_origins(make_server: MakeServer) -> None:
    seen: list[tuple[str, str, str]] = []

    def look(request: trio_sio.Request) -> bool:
        seen.append((request.method, request.target, request.headers.get("x-key")))
        return "no" not in request.query_string

    io = make_server(allow_request=look, origins="https://only.example")
    async with served(io) as url, raw(url) as wire:
        target, _ = await wire.handshake("&k=1", {"X-Key": "a", "Origin": "http://elsewhere"})
        assert (await wire.post(target, b"1:2")).status == 200
        assert (await wire.websocket()).status == "HTTP/1.1 101 Switching Protocols"
        assert (await wire.get(POLLING + "&no")).body == refusal(4, "Forbidden")
        assert seen == [
            ("GET", POLLING + "&k=1", "a"),
            ("GET", WEBSOCKET, ""),
            ("GET", POLLING + "&no", ""),
        ]


# -- ids -----------------------------------------------------------------------------------------


async def test_ids_are_random_and_fit_everywhere(make_server: MakeServer) -> None:
    io = make_server()
    ids: list[str] = []
    io.on("connection", lambda socket: ids.append(socket.id))
    async with served(io) as url, raw(url) as wire:
        for _ in range(3):
            await (await wire.joined()).send("2")
            await wire.polling()
        while len(ids) < 6:  # noqa: ASYNC110 - their handlers have yet to run
            await trio.sleep(0.005)
    assert len(set(ids)) == 6
    assert all(len(one) == 20 and one.replace("-", "").replace("_", "").isalnum() for one in ids)


@pytest.mark.node
@pytest.mark.parametrize("is_async", [False, True])
async def test_generate_id(is_async: bool, make_server: MakeServer) -> None:
    async def later(request: trio_sio.Request) -> str:
        await trio.lowlevel.checkpoint()
        return f"id-{request.headers['x-name']}"

    def now(request: trio_sio.Request) -> str:
        return f"id-{request.headers['x-name']}"

    io = make_server(generate_id=later if is_async else now)
    async with served(io) as url, peer() as process:
        fields = {"extraHeaders": {"X-Name": "anna"}}
        travel: dict[str, Any] = {"transportOptions": {"polling": fields, "websocket": fields}}
        anna = await process.open(url, **travel)
        assert await anna.hear("connect") == ["id-anna"]
        assert list(io.sockets.connected) == ["id-anna"]


@pytest.mark.parametrize("sid", ["taken", "", None])
async def test_an_id_that_cannot_be_used_is_refused(
    sid: Any,  # noqa: ANN401
    make_server: MakeServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ids = iter(["taken", sid, sid, "free"])
    io = make_server(generate_id=lambda request: next(ids), raise_errors=False)
    async with served(io) as url, raw(url) as wire:
        await wire.joined()
        response = await wire.get(POLLING)
        assert (response.status, response.body) == (400, refusal(3, "Bad request"))
        websocket = await wire.websocket()
        assert await websocket.rest() == told(b"Bad request")
        assert f"generate_id must return a new, unused text, not {sid!r}" in caplog.text
        await wire.joined()  # nobody else is touched
        assert list(io.sockets.connected) == ["taken", "free"]


async def test_two_at_the_same_time_do_not_get_the_same_id(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    io = make_server(generate_id=lambda request: "same", raise_errors=False)
    outcomes: list[str] = []

    async with served(io) as url, raw(url) as wire:

        async def ask() -> None:
            websocket = await wire.websocket()
            if " 101 " not in websocket.status:
                outcomes.append("refused")
                return
            opcode, _ = await websocket.receive_frame()
            outcomes.append("closed" if opcode == 8 else "open")

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(ask)
        assert outcomes.count("open") == 1
        assert list(io.sockets.connected) == ["same"]
    assert "generate_id must return a new, unused text, not 'same'" in caplog.text


# -- the cookie ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "cookie"),
    [
        ({}, "io=a%3A1%2F%C3%A9%20; Path=/; HttpOnly; SameSite=Strict"),
        ({"cookie": "abc"}, "abc=a%3A1%2F%C3%A9%20; Path=/; HttpOnly; SameSite=Strict"),
        ({"cookie_path": "/x"}, "io=a%3A1%2F%C3%A9%20; Path=/x; HttpOnly; SameSite=Strict"),
        ({"cookie_http_only": False}, "io=a%3A1%2F%C3%A9%20; Path=/; SameSite=Strict"),
        ({"cookie_path": None}, "io=a%3A1%2F%C3%A9%20; SameSite=Strict"),
        (
            {"cookie_domain": "a.a", "cookie_max_age": 9, "cookie_same_site": "None"},
            "io=a%3A1%2F%C3%A9%20; Max-Age=9; Domain=a.a; Path=/; HttpOnly; Secure; SameSite=None",
        ),
        ({"cookie": None}, ""),
    ],
)
async def test_cookie(options: dict[str, Any], cookie: str, make_server: MakeServer) -> None:
    """On each answer to a session that polls, and never on the 101 of a WebSocket."""
    io = make_server(generate_id=lambda request: "a:1/é ", **options)
    async with served(io) as url, raw(url) as wire:
        response = await wire.get(POLLING)
        assert response.headers.get("set-cookie", "") == cookie
        target = POLLING + "&sid=a%3A1%2F%C3%A9%20"
        for method, body in (("POST", b"1:2"), ("GET", b"")):
            response = await wire.request(method, target, None, body)
            assert response.status == 200
            assert response.headers.get("set-cookie", "") == cookie
        assert "set-cookie" not in (await wire.request("OPTIONS", target)).headers
    async with served(make_server(**options)) as url, raw(url) as wire:
        websocket = await wire.websocket()
        assert websocket.status == "HTTP/1.1 101 Switching Protocols"
        assert "set-cookie" not in websocket.headers


OLD, NEW = POLLING, POLLING.replace("EIO=3", "EIO=4")


@pytest.mark.parametrize(
    ("options", "of_2", "of_4"),
    [
        ({}, "io=ID; Path=/; HttpOnly; SameSite=Strict", ""),
        ({"cookie": None}, "", ""),
        (
            {"cookie": "lb"},
            "lb=ID; Path=/; HttpOnly; SameSite=Strict",
            "lb=ID; Path=/; HttpOnly; SameSite=Lax",
        ),
        (
            {"cookie": {"path": "/p", "http_only": False, "same_site": "None", "max_age": 100}},
            *("io=ID; Max-Age=100; Path=/p; Secure; SameSite=None",) * 2,
        ),
    ],
)
async def test_cookie_of_each_revision(
    options: dict[str, Any], of_2: str, of_4: str, make_server: MakeServer
) -> None:
    """To clients of 3.x and 4.x it comes with the handshake's answer alone."""
    io = make_server(generate_id=lambda request: "ID", **options)
    for target, cookie, later in ((OLD, of_2, of_2), (NEW, of_4, "")):
        async with served(io) as url, raw(url) as wire:
            assert (await wire.get(target)).headers.get("set-cookie", "") == cookie
            body = b"1:2" if target is OLD else b"40"
            response = await wire.post(f"{target}&sid=ID", body)
            assert (response.status, response.headers.get("set-cookie", "")) == (200, later)
            response = await wire.get(f"{target}&sid=ID")
            assert (response.status, response.headers.get("set-cookie", "")) == (200, later)
            websocket = await wire.websocket(f"{target}&sid=ID".replace("polling", "websocket"))
            assert websocket.status == "HTTP/1.1 101 Switching Protocols"
            assert "set-cookie" not in websocket.headers


# -- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "query", "code", "message"),
    [
        ("GET", "transport=flashsocket", 0, "Transport unknown"),
        ("GET", "", 0, "Transport unknown"),
        ("GET", "transport=polling&transport=polling", 0, "Transport unknown"),
        ("GET", "transport=polling&sid=nobody", 1, "Session ID unknown"),
        ("POST", "transport=polling", 2, "Bad handshake method"),
        ("PUT", "transport=polling", 2, "Bad handshake method"),
        ("GET", "transport=websocket", 3, "Bad request"),
    ],
)
async def test_errors(
    method: str, query: str, code: int, message: str, make_server: MakeServer
) -> None:
    async with served(make_server()) as url, raw(url) as wire:
        target = f"/socket.io/?EIO=3&{query}"
        response = await wire.request(method, target, {"Origin": "http://a"})
        assert (response.status, response.body) == (400, refusal(code, message))
        assert response.headers["access-control-allow-origin"] == "http://a"
        if method == "GET" and code < 2:
            websocket = await wire.websocket(target)
            assert websocket.status == "HTTP/1.1 400 Bad Request"
            assert websocket.headers["connection"] == "close"
            assert await websocket.rest() == told(message.encode())


async def test_handshake_timeout(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """A database that does not answer keeps no client, and no client that left keeps it."""

    async def look(request: trio_sio.Request) -> None:
        await trio.sleep_forever()

    io = make_server(allow_request=look, handshake_timeout=0.2)
    async with served(io) as url, raw(url) as wire:
        response = await wire.get(POLLING)
        assert (response.status, response.body) == (
            503,
            b"allow_request took over 0.2 s (handshake_timeout)\n",
        )
        assert io.statistics().limits == {"handshake_timeout": 1}
    assert caplog.text.count("handshake_timeout") == 1


# -- the engine's own middleware and events --------------------------------------------------------


@pytest.mark.node
@pytest.mark.parametrize("release", ["2.5", "3.1", "4.0", "4.8"])
async def test_engine_use(release: str, make_server: MakeServer) -> None:
    io, seen = make_server(), []

    @io.engine.use
    async def authenticate(request: trio_sio.Request) -> trio_sio.Response | None:
        seen.append("websocket" if request.wants_websocket else request.method)
        if "token=1" in request.target:
            return None
        if "token=2" in request.target:
            raise trio_sio.RequestRefused("used up")
        return trio_sio.Response.text(401, "who are you?")

    command = {"2.5": PACKAGE, **MODERN}[release]
    async with served(io) as url, peer(command) as process:
        for query in ({}, {"token": "2"}):
            for transports in (["polling"], ["websocket"]):
                client = await process.open(
                    url, query=query, transports=transports, reconnection=False
                )
                await client.hear("connect_error")
        assert seen == ["GET", "websocket"] * 2
        assert io.engine.sessions == {}
        client = await process.connect(url, query={"token": "1"})
        await client.hear("upgrade")
        assert {"GET", "websocket"} <= {*seen[4:]}


@pytest.mark.parametrize("version", ["3", "4"])
async def test_on_headers(version: str, make_server: MakeServer) -> None:
    io = make_server()

    @io.engine.on_headers
    def name_the_node(headers: list[tuple[str, str]], request: object, initial: bool) -> None:
        headers.append(("X-Node", "first" if initial else "later"))

    target = f"/socket.io/?EIO={version}&transport=polling"
    async with served(io) as url, raw(url) as wire:
        assert (await wire.get(target)).headers["x-node"] == "first"
        session = f"{target}&sid={next(iter(io.engine.sessions))}"
        body = b"1:2" if version == "3" else b"40"
        assert (await wire.post(session, body)).headers["x-node"] == "later"
        assert (await wire.get(session)).headers["x-node"] == "later"
        for where, said in ((session, "later"), (target, "first")):
            websocket = await wire.websocket(where.replace("polling", "websocket"))
            assert websocket.headers["x-node"] == said
        assert "x-node" not in (await wire.get(target.replace("polling", "pigeon"))).headers


@pytest.mark.node
@pytest.mark.parametrize("release", ["2.5", "4.8"])
async def test_on_refusal(release: str, make_server: MakeServer) -> None:
    def allow(request: trio_sio.Request) -> None:
        raise trio_sio.RequestRefused("full")

    io = make_server(allow_request=allow)
    reports: list[trio_sio.RefusalReport] = []
    io.engine.on_refusal(reports.append)
    async with served(io) as url, peer({"2.5": PACKAGE, **MODERN}[release]) as process:
        for transport in ("polling", "websocket"):
            client = await process.open(url, transports=[transport], reconnection=False)
            await client.hear("connect_error")
            report = reports.pop()
            assert (report.code, report.message, report.detail) == (4, "full", "")
            assert f"transport={transport}" in report.request.target
    assert reports == []
