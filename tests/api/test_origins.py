"""Origins: who is welcome, on every request and both transports, and what others get."""

from collections.abc import Callable, Collection
from typing import Any

import pytest

import trio_sio
from tests.support.peers import UPGRADING, WEBSOCKET, Kind, peer, served
from tests.support.raw import POLLING, Raw, raw
from tests.support.refusals import told
from tests.support.servers import MakeServer

FORBIDDEN = told(b'{"code":4,"message":"Forbidden"}')
Origins = str | Collection[str] | Callable[[str], object]


async def is_welcome(wire: Raw, **fields: str) -> bool:
    """Ask by polling and by WebSocket, which have to agree; look at what a refused one gets."""
    response = await wire.get(POLLING, fields)
    websocket = await wire.websocket(**fields)
    if response.status == 200:
        assert websocket.status == "HTTP/1.1 101 Switching Protocols"
        return True
    assert (response.status, response.body) == (403, FORBIDDEN)
    assert "access-control-allow-origin" not in response.headers
    assert websocket.status == "HTTP/1.1 400 Bad Request"
    assert await websocket.rest() == told(b"")
    return False


@pytest.mark.parametrize(
    ("origins", "welcome", "others"),
    [
        ("*", ["https://a", "null", ""], []),
        ("*:*", ["https://a", "null", ""], []),
        ("https://a.example", ["https://a.example", "https://A.example:443"], ["http://a.example"]),
        (
            ["https://a.example:443", "http://b.example:8080"],
            ["https://a.example", "http://b.example:8080"],
            ["http://b.example", "https://xa.example", "null", ""],
        ),
        (
            ["a.example:*"],
            ["http://a.example:1234", "https://a.example"],
            ["http://xa.example", "http://a.example.evil"],
        ),
        ("*:80", ["http://a", "", "null"], ["https://a", "http://a:81"]),
        ({"a.example:80", "*:443"}, ["http://a.example", "https://b"], ["http://b"]),
        (lambda origin: origin in ("*", "http://yes"), ["http://yes", "", "null"], ["http://no"]),
    ],
)
async def test_origins(
    origins: Origins, welcome: list[str], others: list[str], make_server: MakeServer
) -> None:
    async with served(make_server(origins=origins)) as url, raw(url) as wire:
        for origin in welcome:
            assert await is_welcome(wire, **({"Origin": origin} if origin else {})), origin
        for origin in others:
            assert not await is_welcome(wire, **({"Origin": origin} if origin else {})), origin


async def test_the_default_is_everyone(make_server: MakeServer) -> None:
    io = make_server()
    assert io.origins == "*"
    async with served(io) as url, raw(url) as wire:
        assert await is_welcome(wire, Origin="https://anywhere.example")
        assert await is_welcome(wire)


async def test_a_referer_stands_for_an_origin_that_is_missing(make_server: MakeServer) -> None:
    async with served(make_server(origins=["https://a.example"])) as url, raw(url) as wire:
        assert await is_welcome(wire, Referer="https://a.example/page?x=y")
        assert not await is_welcome(wire, Referer="https://b.example/https://a.example")
        assert not await is_welcome(wire, Origin="https://b.example", Referer="https://a.example/")


async def test_a_function_is_asked_for_each_request_and_has_a_text_of_its_own(
    make_server: MakeServer,
) -> None:
    asked: list[str] = []

    async def decide(origin: str) -> bool:
        asked.append(origin)
        if len(asked) > 3:
            raise trio_sio.RequestRefused("origin not allowed")
        return True

    async with served(make_server(origins=decide)) as url, raw(url) as wire:
        target, _ = await wire.handshake(headers={"Origin": "http://a"})
        assert (await wire.post(target, b"1:2", {"Origin": "http://b"})).body == b"ok"
        assert (await wire.get(target)).body == b"1:3"
        assert asked == ["http://a", "http://b", "*"]
        refused = await wire.get(target)
        assert (refused.status, refused.body) == (403, b'{"code":4,"message":"origin not allowed"}')
        websocket = await wire.websocket()
        assert websocket.status == "HTTP/1.1 400 Bad Request"
        assert await websocket.rest() == b"origin not allowed"


async def test_it_may_be_set_until_serving_starts(make_server: MakeServer) -> None:
    io = make_server()
    io.origins = ["https://a.example"]
    async with served(io) as url, raw(url) as wire:
        assert await is_welcome(wire, Origin="https://a.example")
        assert not await is_welcome(wire, Origin="https://b.example")
        with pytest.raises(RuntimeError, match="origins"):
            io.origins = "*"


async def test_answers_name_the_origin(make_server: MakeServer) -> None:
    async with served(make_server()) as url, raw(url) as wire:
        target, response = await wire.handshake(headers={"Origin": "https://a.example"})
        assert response.headers["access-control-allow-origin"] == "https://a.example"
        assert response.headers["access-control-allow-credentials"] == "true"
        response = await wire.request("OPTIONS", target, {"Origin": "https://a.example"})
        assert (response.status, response.body) == (200, b"")
        assert response.headers["access-control-allow-origin"] == "https://a.example"
        assert response.headers["access-control-allow-headers"] == "Content-Type"
        response = await wire.post(target, b"1:2")
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("sid", ["", "&sid=nobody"])
async def test_a_preflight_needs_no_session(sid: str, make_server: MakeServer) -> None:
    io = make_server(allow_headers=["Authorization"], origins=["https://a.example"])
    asked = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    async with served(io) as url, raw(url) as wire:
        fields = {**asked, "Origin": "https://a.example"}
        response = await wire.request("OPTIONS", POLLING + sid, fields)
        assert (response.status, response.body) == (200, b"")
        assert response.headers["access-control-allow-origin"] == "https://a.example"
        assert response.headers["access-control-allow-headers"] == "Content-Type, Authorization"
        fields = {**asked, "Origin": "https://b.example"}
        response = await wire.request("OPTIONS", POLLING + sid, fields)
        assert (response.status, response.body) == (403, FORBIDDEN)
        assert "access-control-allow-origin" not in response.headers
    assert io.statistics().sessions == 0


@pytest.mark.node
@pytest.mark.parametrize("kind", [UPGRADING, WEBSOCKET], ids=str)
async def test_a_client_from_elsewhere(kind: Kind, make_server: MakeServer) -> None:
    async with served(make_server(origins="https://a.example")) as url, peer() as process:
        heard = (("https://a.example", "connect"), ("https://b.example", "connect_error"))
        for origin, event in heard:
            fields = {"extraHeaders": {"Origin": origin}}
            travel: dict[str, Any] = {"transportOptions": {"polling": fields, "websocket": fields}}
            client = await process.open(url, reconnection=False, **travel, **kind.options)
            await client.hear(event)


# -- the option `cors` ----------------------------------------------------------------------------

SAID = {
    "origin": ["https://a.example"],
    "credentials": True,
    "exposed_headers": ["X-Node"],
    "methods": ["GET", "POST"],
    "max_age": 600,
}
FIELDS = {
    "vary": "Origin",
    "access-control-allow-origin": "https://a.example",
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Node",
}
ASKS = {
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "x-tenant",
}


def of_cors(headers: trio_sio.Headers | dict[str, str]) -> dict[str, str]:
    """The fields of a response that are about other origins."""
    found: dict[str, str] = {}
    for name, value in iter(headers.items() if isinstance(headers, dict) else headers):
        if name.lower().startswith("access-control") or name.lower() == "vary":
            found[name.lower()] = ", ".join([*filter(None, [found.get(name.lower())]), value])
    return found


@pytest.mark.parametrize("version", ["3", "4"])
async def test_cors(version: str, make_server: MakeServer) -> None:
    """The same fields for clients of each revision, on the 101 and on files, too."""
    io = make_server(cors=SAID, http_compression=False)
    polling = f"/socket.io/?EIO={version}&transport=polling"
    a = {"Origin": "https://a.example"}
    async with served(io) as url, raw(url) as wire:
        assert of_cors((await wire.get(polling, a)).headers) == FIELDS
        other = {name: FIELDS[name] for name in FIELDS if not name.endswith("allow-origin")}
        assert of_cors((await wire.get(polling, {"Origin": "https://b"})).headers) == other
        refused = await wire.get(polling.replace("polling", "pigeon"), a)
        assert (refused.status, of_cors(refused.headers)) == (400, FIELDS)
        websocket = await wire.websocket(polling.replace("polling", "websocket"), **a)
        assert websocket.status == "HTTP/1.1 101 Switching Protocols"
        assert of_cors(websocket.headers) == FIELDS
        assert of_cors((await wire.get("/socket.io/socket.io.js", a)).headers) == FIELDS
        for query in ("", "&sid=nobody"):
            answer = await wire.request("OPTIONS", polling + query, {**a, **ASKS})
            assert (answer.status, answer.body) == (204, b"")
            assert of_cors(answer.headers) == {
                **FIELDS,
                "vary": "Access-Control-Request-Headers, Origin",
                "access-control-allow-methods": "GET,POST",
                "access-control-allow-headers": "x-tenant",
                "access-control-max-age": "600",
            }


@pytest.mark.parametrize("version", ["3", "4"])
async def test_cors_is_no_gate_and_opens_none(version: str, make_server: MakeServer) -> None:
    """`origins` says who may connect, by WebSocket too, whatever `cors` says."""
    io = make_server(cors={"origin": True, "credentials": True}, origins=["https://a.example"])
    polling = f"/socket.io/?EIO={version}&transport=polling"
    evil = {"Origin": "https://evil.example"}
    async with served(io) as url, raw(url) as wire:
        for method, more in (("GET", {}), ("OPTIONS", ASKS)):
            response = await wire.request(method, polling, {**evil, **more})
            assert response.status == 403
            assert "access-control-allow-origin" not in response.headers
        websocket = await wire.websocket(polling.replace("polling", "websocket"), **evil)
        assert websocket.status == "HTTP/1.1 400 Bad Request"
        assert io.engine.sessions == {}
    io = make_server(cors={"origin": ["https://a.example"]})  # which lets everybody connect
    async with served(io) as url, raw(url) as wire:
        assert (await wire.get(polling, evil)).status == 200
        websocket = await wire.websocket(polling.replace("polling", "websocket"), **evil)
        assert websocket.status == "HTTP/1.1 101 Switching Protocols"


async def test_preflights_of_each_revision(make_server: MakeServer) -> None:
    asks = {**ASKS, "Origin": "https://a.example"}
    async with served(make_server()) as url, raw(url) as wire:
        for version, status, allowed in (("3", 200, "Content-Type"), ("4", 204, "x-tenant")):
            target = f"/socket.io/?EIO={version}&transport=polling"
            answer = await wire.request("OPTIONS", target, asks)
            assert (answer.status, answer.body) == (status, b"")
            assert answer.headers["access-control-allow-origin"] == "https://a.example"
            assert answer.headers["access-control-allow-credentials"] == "true"
            names = answer.headers["access-control-allow-headers"].split(", ")
            assert allowed in names
            assert ("x-tenant" in names) is (version == "4")
            assert "Origin" in answer.headers.get_all("vary")
