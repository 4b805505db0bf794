"""Which requests are let in, in the reference server's order, and what the others are told."""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from trio.testing import MockClock

import trio_sio
from tests.engine.polling.test_endpoint import browsers, handshake
from tests.support.refusals import told
from trio_sio.testing.wire import open_wire
from trio_sio.testing.wire_websocket import handshake_headers, open_websocket

HANDSHAKE = "/engine.io/?EIO=3&transport=polling"
UNKNOWN = (400, told(b'{"code":0,"message":"Transport unknown"}'))
NO_SESSION = (400, told(b'{"code":1,"message":"Session ID unknown"}'))
METHOD = (400, told(b'{"code":2,"message":"Bad handshake method"}'))
BAD = (400, told(b'{"code":3,"message":"Bad request"}'))
FORBIDDEN = (403, told(b'{"code":4,"message":"Forbidden"}'))


async def listen(session: trio_sio.Session) -> None:
    while True:
        await session.receive()


@pytest.mark.parametrize(
    ("method", "target", "answer"),
    [
        ("GET", "/engine.io/", UNKNOWN),
        ("GET", "/engine.io/?transport=", UNKNOWN),
        ("GET", "/engine.io/?transport=carrier-pigeon", UNKNOWN),
        ("GET", "/engine.io/?transport=__proto__", UNKNOWN),
        ("GET", "/engine.io/?transport=constructor", UNKNOWN),
        ("GET", "/engine.io/?transport=polling&transport=polling", UNKNOWN),
        ("GET", HANDSHAKE + "&sid=nobody", NO_SESSION),
        ("POST", HANDSHAKE + "&sid=nobody", NO_SESSION),
        ("GET", HANDSHAKE + "&sid=__proto__", NO_SESSION),
        ("POST", HANDSHAKE, METHOD),
        ("PUT", HANDSHAKE, METHOD),
        ("DELETE", HANDSHAKE, METHOD),
        ("HEAD", HANDSHAKE, (400, b"")),
        ("GET", "/engine.io/?transport=websocket", BAD),
        ("GET", HANDSHAKE + "&a=b" * 1000, BAD),
    ],
)
async def test_refusals(
    method: str,
    target: str,
    answer: tuple[int, bytes],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "trio_sio")
    async with browsers() as (engine, (browser, _)):
        status, headers, body = await browser.ask(method, target, {"Origin": "http://a"})
        assert (status, body) == answer
        assert headers["content-type"] == "application/json"
        assert headers["access-control-allow-origin"] == "http://a"
        assert "set-cookie" not in headers
        assert engine.sessions == {}
    (record,) = (one for one in caplog.records if one.module != "watch")  # on a busy machine
    assert record.levelno == logging.WARNING
    assert "refused" in record.getMessage()


@pytest.mark.parametrize(
    "target",
    [
        HANDSHAKE,
        "/engine.io/foo/bar?transport=polling",
        "/engine.io/?transport=polling&EIO=",
        "/engine.io/?transport=polling",
        HANDSHAKE + "&sid=",
        HANDSHAKE + "&b64=1&t=x",
    ],
)
async def test_handshakes(target: str, autojump_clock: MockClock) -> None:
    async with browsers() as (engine, (browser, _)):
        status, _, body = await browser.ask("GET", target)
        (sid,) = engine.sessions
        assert status == 200
        opening = (
            f'0{{"sid":"{sid}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000}}'
        )
        assert body.decode() == f"{len(opening)}:{opening}"


@pytest.mark.parametrize(
    "target",
    ["/engine.io?transport=polling", "/ENGINE.IO/?transport=polling", "/", "/%65ngine.io/", "/x"],
)
async def test_other_paths_are_not_ours(target: str, autojump_clock: MockClock) -> None:
    async with browsers() as (_, (browser, _)):
        status, _, body = await browser.ask("GET", target)
        assert status == 404
        assert b"this server answers at /engine.io/" in body


async def test_other_paths_can_be_the_applications(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def pages(request: trio_sio.Request) -> trio_sio.Response:
        if request.path == "/boom":
            raise KeyError("a")
        if request.path == "/none":
            return None  # type: ignore[return-value]
        return trio_sio.Response(200, [], request.target.encode())

    async with browsers(raise_errors=False, fallback=pages) as (_, (browser, _)):
        assert (await browser.ask("GET", "/page?x"))[2] == b"/page?x"
        assert (await browser.ask("GET", "/boom"))[0] == 500
        assert (await browser.ask("GET", "/none"))[0] == 500
        assert (await browser.ask("GET", HANDSHAKE))[0] == 200
    assert caplog.text.count("fallback failed") == 2


@pytest.mark.parametrize("target", ["*", "http://here"])
async def test_what_the_server_can_do(target: str, autojump_clock: MockClock) -> None:
    """Whoever asks that does not ask the application."""

    async def pages(request: trio_sio.Request) -> trio_sio.Response:
        raise AssertionError

    async with browsers(raise_errors=True, fallback=pages) as (_, (browser, _)):
        for _ in range(2):
            status, headers, body = await browser.ask("OPTIONS", target)
            assert (status, body) == (200, b"")
            assert headers["allow"] == "GET, HEAD, POST, OPTIONS"
            assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("fields", "body", "status"),
    [
        ({}, b"x" * 11, 413),
        ({"Transfer-Encoding": "chunked"}, b"b\r\n" + b"x" * 11, 413),
        ({"Content-Length": "9"}, b"xx", 408),
        ({"Transfer-Encoding": "chunked"}, b"zz\r\n", 400),
    ],
)
async def test_a_body_that_a_page_does_not_get_is_its_clients_fault(
    fields: dict[str, str], body: bytes, status: int, autojump_clock: MockClock
) -> None:
    """The application did not fail: nothing comes out, and the client is told."""

    async def pages(request: trio_sio.Request) -> trio_sio.Response:
        return trio_sio.Response(200, [], await request.body(10))

    async with open_wire(trio_sio.Server(raise_errors=True, fallback=pages)) as wire:
        connection = wire.connect()
        await connection.send_request("POST", "/page", fields, body)
        response = await connection.receive_response()
        assert (response.status, response.headers["connection"]) == (status, "close")
        assert response.headers["cache-control"] == "no-store"
        assert response.text.endswith("\n")
        assert await connection.receive_rest() == b""


@pytest.mark.parametrize("path", ["/a", "/a/"])
async def test_the_path_is_an_option(path: str, autojump_clock: MockClock) -> None:
    async with browsers(path=path) as (_, (browser, _)):
        assert (await browser.ask("GET", "/a/?transport=polling"))[0] == 200
        assert (await browser.ask("GET", HANDSHAKE))[0] == 404


async def test_disabled_transports_are_unknown(autojump_clock: MockClock) -> None:
    async with browsers(transports=["websocket"]) as (_, (browser, _)):
        assert (await browser.ask("GET", HANDSHAKE))[::2] == UNKNOWN
    async with browsers(transports=["polling"]) as (_, (browser, _)):
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
        answer = await browser.ask("GET", "/engine.io/?transport=websocket", upgrade)
        assert answer[::2] == UNKNOWN
        assert b'"upgrades":[]' in (await browser.ask("GET", HANDSHAKE))[2]


async def test_upgrades_can_be_kept_quiet(autojump_clock: MockClock) -> None:
    async with browsers(allow_upgrades=False) as (_, (browser, _)):
        assert b'"upgrades":[]' in (await browser.ask("GET", HANDSHAKE))[2]


Allow = Callable[[trio_sio.Request], Awaitable[object] | object]


def refuse(*args: object) -> Allow:
    async def allow(request: trio_sio.Request) -> None:
        raise trio_sio.RequestRefused(*args)  # type: ignore[arg-type]

    return allow


@pytest.mark.parametrize(
    ("allow", "answer"),
    [
        (lambda request: None, None),
        (lambda request: True, None),
        (lambda request: False, FORBIDDEN),
        (refuse(), FORBIDDEN),
        (refuse("no key"), (403, b'{"code":4,"message":"no key"}')),
        (refuse("", 1), NO_SESSION),
        (refuse("", 4), (400, told(b'{"code":4,"message":"Forbidden"}'))),
    ],
)
async def test_the_application_decides(
    allow: Allow, answer: tuple[int, bytes] | None, autojump_clock: MockClock
) -> None:
    async with browsers(allow_request=allow, origins=["http://only.example"]) as (_, (first, _)):
        status, headers, body = await first.ask("GET", HANDSHAKE, {"Origin": "http://a"})
        if answer is None:  # and origins are not looked at
            assert status == 200
        else:
            assert (status, body) == answer
            assert headers["access-control-allow-origin"] == "http://a"  # it was not the origin


async def test_a_check_that_fails_lets_nobody_in(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    def allow(request: trio_sio.Request) -> bool:
        raise KeyError("a")

    async with browsers(allow_request=allow, raise_errors=False) as (engine, (browser, _)):
        assert (await browser.ask("GET", HANDSHAKE))[::2] == FORBIDDEN
        assert engine.sessions == {}
    assert caplog.text.count("allow_request failed") == 1


async def test_the_origin_is_checked_on_every_request(autojump_clock: MockClock) -> None:
    good, bad = {"Origin": "http://a"}, {"Origin": "http://b"}
    async with browsers(origins=["http://a"]) as (engine, (browser, _)):
        assert (await browser.ask("GET", HANDSHAKE, bad))[::2] == FORBIDDEN
        assert (await browser.ask("GET", HANDSHAKE))[::2] == FORBIDDEN
        assert (await browser.ask("GET", HANDSHAKE, good))[0] == 200
        (sid,) = engine.sessions
        url = f"{HANDSHAKE}&sid={sid}"
        assert (await browser.ask("POST", url, bad, b"2:4a"))[::2] == FORBIDDEN
        assert list(engine.sessions) == [sid]


async def test_a_large_post_is_answered_and_ends_the_session(autojump_clock: MockClock) -> None:
    async with browsers(max_http_buffer_size=10) as (engine, (browser, other)):
        url = await handshake(engine, browser)
        assert (await browser.ask("POST", url, body=b"8:41234567"))[::2] == (200, b"ok")
        status, _, body = await browser.ask("POST", url, body=b"9:412345678")
        assert status == 413
        assert b"11 bytes; 10 are allowed (max_http_buffer_size)" in body
        assert (await other.ask("GET", url))[::2] == NO_SESSION


async def test_strangers_have_a_smaller_limit(autojump_clock: MockClock) -> None:
    async with browsers(handshake_buffer_size=10) as (engine, (browser, _)):
        url = await handshake(engine, browser)
        (session,) = engine.sessions.values()
        session.lift_limits()
        assert (await browser.ask("POST", url, body=b"9:412345678"))[::2] == (200, b"ok")
    async with browsers(handshake_buffer_size=10) as (engine, (browser, _)):
        url = await handshake(engine, browser)
        status, _, body = await browser.ask("POST", url, body=b"9:412345678")
        assert status == 413
        assert b"(handshake_buffer_size)" in body


# -- the path -------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3", "4"])
@pytest.mark.parametrize("path", ["/engine.io", "/engine.io/", "/a/b"])
async def test_the_path_as_it_is(path: str, version: str, autojump_clock: MockClock) -> None:
    base = path.removesuffix("/")
    query = f"?EIO={version}&transport=polling"
    for has_slash in (True, False):
        engine = trio_sio.Engine(path=path, add_trailing_slash=has_slash, serve_client=True)
        async with open_wire(engine, listen) as wire:
            for target, is_here in [
                (f"{base}/{query}", True),
                (f"{base}{query}", not has_slash),
                (f"{base}foo{query}", False),
                (f"{base}foo/{query}", False),
                (f"/x{base}{query}", False),
                (f"{base}/socket.io.js", True),
            ]:
                response = await wire.request("GET", target)
                assert response.status == (200 if is_here else 404), target
            options = await wire.request("OPTIONS", f"{base}{query}")
            assert (options.status != 404) is not has_slash


@pytest.mark.parametrize("version", ["3", "4"])
async def test_a_websocket_at_the_path_as_it_is(version: str, autojump_clock: MockClock) -> None:
    target = f"/engine.io?EIO={version}&transport=websocket"
    engine = trio_sio.Engine(add_trailing_slash=False)
    async with open_wire(engine, listen) as wire:
        websocket = await open_websocket(wire.connect(), target)
        assert str(await websocket.receive()).startswith("0{")


# -- who says one revision and speaks another -----------------------------------------------------


def judge(request: trio_sio.Request) -> int | None:
    judged = {"old": 3, "new": 4, "any": None}
    return next((judged[word] for word in judged if f"&{word}" in request.target), None)


@pytest.mark.parametrize(
    ("says", "query", "speaks"),
    [
        *(("4", "", 4), ("4", "&any", 4), ("4", "&old", 3), ("4", "&new", 4)),
        *(("3", "", 3), ("3", "&any", 3), ("3", "&old", 3), ("3", "&new", 4)),
        *(("5", "&old", 3), ("", "&new", 4)),
    ],
)
@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_the_application_says_what_a_client_speaks(
    transport: str, says: str, query: str, speaks: int, autojump_clock: MockClock
) -> None:
    engine = trio_sio.Engine(protocol_of=judge, raise_errors=True)
    target = f"/engine.io/?EIO={says}&transport={transport}{query}"
    async with open_wire(engine, listen) as wire:
        if transport == "polling":
            response = await wire.request("GET", target)
            assert response.text.startswith("0{" if speaks == 4 else "96:0{"), response.text
        else:
            websocket = await open_websocket(wire.connect(), target)
            assert ("maxPayload" in str(await websocket.receive())) is (speaks == 4)
            await websocket.send("2" if speaks == 3 else "3")
            if speaks == 3:
                assert await websocket.receive() == "3"
        (session,) = engine.sessions.values()
        assert session.protocol == speaks
        if transport == "polling":  # what it says later does not matter
            later = target + f"&sid={session.id}"
            body = b"4a" if speaks == 4 else b"2:4a"
            assert (await wire.request("POST", later, body=body)).status == 200
            moved = later.replace("polling", "websocket")
            websocket = await open_websocket(wire.connect(), moved)
            await websocket.send("2probe")
            assert await websocket.receive() == "3probe"


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_a_revision_that_is_switched_off_stays_off(
    transport: str, autojump_clock: MockClock
) -> None:
    engine = trio_sio.Engine(protocol_of=lambda request: 3, protocols=[4], raise_errors=True)
    async with open_wire(engine, listen) as wire:
        headers = handshake_headers() if transport == "websocket" else {}
        target = f"/engine.io/?EIO=4&transport={transport}"
        response = await wire.request("GET", target, headers)
        assert response.status == 400
        assert b"Unsupported protocol version" in response.body


@pytest.mark.parametrize("answer", [5, "3", True, 3.0, [3], ZeroDivisionError("oh")])
async def test_a_judge_that_fails_costs_its_own_request_alone(
    answer: object, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    def judge(request: trio_sio.Request) -> Any:  # noqa: ANN401 - what is wrong
        if "good" in request.target:
            return None
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with open_wire(trio_sio.Engine(protocol_of=judge), listen) as wire:
        response = await wire.request("GET", HANDSHAKE)
        assert (response.status, response.body) == BAD
        assert (await wire.request("GET", HANDSHAKE + "&good")).status == 200
    assert "protocol_of failed" in caplog.text
    with pytest.raises((TypeError, ZeroDivisionError)):
        async with open_wire(trio_sio.Engine(protocol_of=judge, raise_errors=True), listen) as wire:
            await wire.request("GET", HANDSHAKE)


async def test_a_judge_may_refuse(autojump_clock: MockClock) -> None:
    def judge(request: trio_sio.Request) -> None:
        raise trio_sio.RequestRefused("not you")

    engine = trio_sio.Engine(protocol_of=judge, raise_errors=True)
    async with open_wire(engine, listen) as wire:
        response = await wire.request("GET", HANDSHAKE)
        assert (response.status, json.loads(response.body)["message"]) == (403, "not you")
