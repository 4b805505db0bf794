"""The application's functions that see requests, and the fields of responses."""

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio import Engine, Request, RequestRefused, Response
from trio_sio.engine.hooks import Hooks
from trio_sio.http import RefusalReport
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import EngineOptions
from trio_sio.testing import WireClient, open_wire
from trio_sio.testing.wire import StreamPair
from trio_sio.testing.wire_http import WireResponse
from trio_sio.testing.wire_websocket import handshake_headers, open_websocket

VERSIONS = pytest.mark.parametrize("version", ["3", "4"])
STREAMS = pytest.mark.parametrize("streams", [memory_stream_pair, socket_pair])
PREFLIGHT = {"Origin": "http://a", "Access-Control-Request-Method": "POST"}


def target(version: str, transport: str = "polling", sid: str = "") -> str:
    return f"/engine.io/?EIO={version}&transport={transport}" + (f"&sid={sid}" if sid else "")


def packets(version: str, text: str) -> bytes:
    return text.encode() if version == "4" else f"{len(text)}:{text}".encode()


@asynccontextmanager
async def served(
    engine: Engine, streams: Callable[[], StreamPair] = memory_stream_pair
) -> AsyncIterator[WireClient]:
    async def echo(session: trio_sio.Session) -> None:
        while True:
            await session.send(await session.receive())

    async with open_wire(engine, echo, streams=streams) as wire:
        yield wire


async def begin(wire: WireClient, version: str) -> str:
    """Begin a session by polling; return the target of its requests."""
    response = await wire.request("GET", target(version))
    assert response.status == 200, response
    opening = response.text[response.text.index("{") : response.text.index("}") + 1]
    return target(version, sid=json.loads(opening)["sid"])


async def ask_websocket(wire: WireClient, where: str) -> WireResponse:
    """Ask for a WebSocket, and return the answer."""
    connection = wire.connect()
    await connection.send_request("GET", where, handshake_headers())
    return await connection.receive_response()


# -- use -----------------------------------------------------------------------------------------


@VERSIONS
@STREAMS
@pytest.mark.parametrize("is_async", [True, False])
async def test_each_request_of_both_kinds_is_shown(
    is_async: bool, streams: Callable[[], StreamPair], version: str, autojump_clock: MockClock
) -> None:
    engine, seen = Engine(raise_errors=True, serve_client=True), []

    def note(request: Request) -> None:
        kind = "websocket" if request.wants_websocket else request.method
        seen.append(f"{kind}{' sid' if 'sid=' in request.target else ''}")

    async def note_later(request: Request) -> None:
        await trio.sleep(0.01)
        note(request)

    if is_async:
        engine.use(note_later)
    else:
        engine.use(note)
    async with served(engine, streams) as wire:
        await begin(wire, version)
        assert seen == ["GET"]
        session = await begin(wire, version)
        assert (await wire.request("POST", session, body=packets(version, "4a"))).status == 200
        assert (await wire.request("GET", session)).body == packets(version, "4a")
        assert seen[2:] == ["POST sid", "GET sid"]
        websocket = await open_websocket(wire.connect(), session.replace("polling", "websocket"))
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        await open_websocket(wire.connect(), target(version, "websocket"))
        assert seen[4:] == ["websocket sid", "websocket"]
        await wire.request("OPTIONS", target(version), PREFLIGHT)
        assert (await wire.request("GET", target(version, "pigeon"))).status == 400
        assert (await wire.request("GET", target(version, sid="nobody"))).status == 400
        assert seen[6:] == ["OPTIONS", "GET", "GET sid"]  # before all checks
        await wire.request("GET", "/engine.io/socket.io.js")
        await wire.request("GET", "/elsewhere")
        assert len(seen) == 9


@VERSIONS
@STREAMS
async def test_what_it_returns_is_the_answer(
    streams: Callable[[], StreamPair], version: str, autojump_clock: MockClock
) -> None:
    engine, asked = Engine(raise_errors=True, origins=["http://a"]), []

    @engine.use
    async def let_some_in(request: Request) -> Response | None:
        if request.headers.get("authorization") == "yes":
            return None
        return Response.text(401, "who are you?", [("WWW-Authenticate", "Basic")])

    @engine.use
    async def only_asked_if_the_first_lets_it_go_on(request: Request) -> None:
        asked.append(request)

    async with served(engine, streams) as wire:
        for origin in ("http://a", "http://evil"):
            response = await wire.request("GET", target(version), {"Origin": origin})
            assert (response.status, response.text) == (401, "who are you?\n")
            assert response.headers["www-authenticate"] == "Basic"
            assert response.headers["cache-control"] == "no-store"
            readable = response.headers.get("access-control-allow-origin") == origin
            assert readable is (origin == "http://a")
        response = await ask_websocket(wire, target(version, "websocket"))
        assert (response.status, response.text) == (401, "who are you?\n")
        assert response.headers["connection"] == "close"
        assert asked == []
        assert engine.sessions == {}
        welcome = {"Authorization": "yes", "Origin": "http://a"}
        assert (await wire.request("GET", target(version), welcome)).status == 200
        assert len(asked) == 1


@STREAMS
async def test_its_answer_may_be_streamed_and_has_its_own_fields(
    streams: Callable[[], StreamPair], autojump_clock: MockClock
) -> None:
    engine = Engine(raise_errors=True)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        await trio.sleep(1)
        yield b"two"

    @engine.use
    async def answer(request: Request) -> Response:
        return Response(200, [("Cache-Control", "max-age=5"), ("Vary", "X")], pieces())

    async with served(engine, streams) as wire:
        connection = wire.connect()
        for _ in range(2):  # on one connection
            response = await connection.request("GET", target("4"))
            assert (response.status, response.body) == (200, b"one two")
            assert response.headers.get_all("cache-control") == ["max-age=5"]
            assert response.headers.get_all("vary") == ["X"]


@VERSIONS
@pytest.mark.parametrize(
    ("refused", "status", "body", "websocket_body"),
    [
        (RequestRefused("too busy"), 403, {"code": 4, "message": "too busy"}, "too busy"),
        (RequestRefused(), 403, {"code": 4, "message": "Forbidden"}, ""),
        (RequestRefused(code=3), 400, {"code": 3, "message": "Bad request"}, "Bad request"),
    ],
)
async def test_it_refuses_by_raising(
    refused: RequestRefused,
    status: int,
    body: dict[str, object],
    websocket_body: str,
    version: str,
    autojump_clock: MockClock,
) -> None:
    engine, reports = Engine(raise_errors=True), []

    @engine.use
    async def refuse(request: Request) -> NoReturn:
        raise refused

    @engine.on_refusal
    def note(report: RefusalReport) -> None:
        reports.append((report.code, report.message))

    async with served(engine) as wire:
        response = await wire.request("GET", target(version), {"Origin": "http://a"})
        assert (response.status, json.loads(response.body)) == (status, body)
        assert response.headers["access-control-allow-origin"] == "http://a"
        answer = await ask_websocket(wire, target(version, "websocket"))
        assert (answer.status, answer.text) == (400, websocket_body)
    assert reports == [(body["code"], body["message"])] * 2


@pytest.mark.parametrize(
    "broken",
    [
        ZeroDivisionError("oh"),
        ExceptionGroup("two", [ValueError("a"), KeyError("b")]),
        RuntimeError("x"),
    ],
)
@VERSIONS
async def test_one_that_fails_costs_its_own_request_alone(
    version: str,
    broken: Exception,
    caplog: pytest.LogCaptureFixture,
    autojump_clock: MockClock,
) -> None:
    engine = Engine()

    @engine.use
    async def fail(request: Request) -> None:
        if "fail" in request.target:
            raise broken

    async with served(engine) as wire:
        session = await begin(wire, version)
        response = await wire.request("GET", target(version) + "&fail")
        assert response.status == 400
        detail = "a function of engine.use failed"
        assert json.loads(response.body) == {"code": 3, "message": "Bad request", "detail": detail}
        answer = await ask_websocket(wire, target(version, "websocket") + "&fail")
        assert answer.status == 400
        assert (await wire.request("POST", session + "&fail", body=b"4a")).status == 400
        assert (await wire.request("POST", session, body=packets(version, "4b"))).status == 200
        assert (await wire.request("GET", session)).body == packets(version, "4b")
    assert any(one.exc_info and "engine.use failed" in one.message for one in caplog.records)


async def test_errors_come_out_if_the_options_say_so(autojump_clock: MockClock) -> None:
    engine = Engine(raise_errors=True)

    @engine.use
    async def fail(request: Request) -> None:
        raise ZeroDivisionError("oh")

    with pytest.raises(ZeroDivisionError):
        async with served(engine) as wire:
            await wire.request("GET", target("4"))


@pytest.mark.parametrize("answer", [5, "text", True, Response, trio_sio.Headers()])
async def test_what_is_no_response_is_a_failure(
    answer: object, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    engine: Any = Engine()
    engine.use(lambda request: answer)
    async with served(engine) as wire:
        assert (await wire.request("GET", target("4"))).status == 400
    assert "engine.use must return a Response" in caplog.text


@VERSIONS
async def test_it_has_its_time_and_its_client(version: str, autojump_clock: MockClock) -> None:
    engine, cancelled = Engine(raise_errors=True, handshake_timeout=5), []

    @engine.use
    async def think(request: Request) -> None:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.append(trio.current_time())

    async with served(engine) as wire:
        start = trio.current_time()
        response = await wire.request("GET", target(version))
        assert response.status == 503
        assert "engine.use took over 5 s (handshake_timeout)" in response.text
        assert cancelled.pop() - start == pytest.approx(5)
        assert engine.statistics().limits["handshake_timeout"] == 1
        connection = wire.connect()
        await connection.send_request("GET", target(version))
        await wait_all_tasks_blocked()
        await connection.aclose()
        await wait_all_tasks_blocked()
        assert cancelled


# -- on_headers ----------------------------------------------------------------------------------


@VERSIONS
@STREAMS
async def test_fields_of_responses(
    streams: Callable[[], StreamPair], version: str, autojump_clock: MockClock
) -> None:
    engine, seen = Engine(raise_errors=True), []

    @engine.on_headers
    def add(headers: list[tuple[str, str]], request: Request, initial: bool) -> None:
        kind = "websocket" if request.wants_websocket else request.method
        seen.append((kind, initial))
        headers.append(("X-Node", "n1"))

    @engine.on_headers
    def add_another(headers: list[tuple[str, str]], request: Request, initial: bool) -> None:
        assert ("X-Node", "n1") in headers
        headers.append(("Set-Cookie", "a=b"))

    async with served(engine, streams) as wire:
        responses = [await wire.request("GET", target(version))]
        session = await begin(wire, version)
        assert seen == [("GET", True)] * 2
        poll = wire.connect()
        await poll.send_request("GET", session)
        await wait_all_tasks_blocked()  # it is held
        responses.append(await wire.request("POST", session, body=packets(version, "4a")))
        responses.append(await poll.receive_response())
        assert responses[-1].body == packets(version, "4a")
        await wire.request("POST", session, body=packets(version, "4b"))
        responses.append(await poll.request("GET", session))
        assert responses[-1].body == packets(version, "4b")
        assert sorted(seen[2:]) == [("GET", False)] * 2 + [("POST", False)] * 2
        upgrade = session.replace("polling", "websocket")
        responses.append(await ask_websocket(wire, upgrade))
        responses.append(await ask_websocket(wire, target(version, "websocket")))
        assert [one.status for one in responses[-2:]] == [101, 101]
        assert seen[6:] == [("websocket", False), ("websocket", True)]
        for response in responses:
            assert response.headers.get_all("x-node") == ["n1"]
            assert "a=b" in response.headers.get_all("set-cookie")
        await wire.request("OPTIONS", target(version), PREFLIGHT)
        refused = await wire.request("GET", target(version, "pigeon"))
        assert "x-node" not in refused.headers
        assert len(seen) == 8


@VERSIONS
async def test_one_that_fails_changes_nothing_and_costs_nobody_else_anything(
    version: str, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    engine = Engine()

    @engine.on_headers
    def fail(headers: list[tuple[str, str]], request: Request, initial: bool) -> None:
        headers.append(("X-Half", "done"))
        if "fail" in request.target:
            raise ZeroDivisionError("oh")

    async def announce(session: trio_sio.Session) -> None:
        await session.receive()
        for one in engine.sessions.values():
            await one.send("news")
        await trio.sleep_forever()

    async with open_wire(engine, announce) as wire:
        polls = []
        for query in ("&fail", "", "&fail", ""):
            session = await begin(wire, version)
            poll = wire.connect()
            await poll.send_request("GET", session + query)
            polls.append((query, poll))
        await wait_all_tasks_blocked()
        assert (await wire.request("POST", session, body=packets(version, "4go"))).status == 200
        for query, poll in polls:
            response = await poll.receive_response()
            assert response.body == packets(version, "4news")
            assert ("x-half" in response.headers) is not bool(query)
        assert (await ask_websocket(wire, target(version, "websocket") + "&fail")).status == 101
        assert len(engine.sessions) == 5
    assert caplog.text.count("Traceback") == 1
    assert "engine.on_headers failed … and 2 more like it" in caplog.text


async def test_errors_of_on_headers_come_out_if_the_options_say_so(
    autojump_clock: MockClock,
) -> None:
    engine = Engine(raise_errors=True)

    @engine.on_headers
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oh")

    with pytest.raises(ZeroDivisionError):
        async with served(engine) as wire:
            await wire.request("GET", target("4"))


def hooks(function: Callable[..., object]) -> Hooks:
    made = Hooks(LogThrottle(), EngineOptions)
    made.on_headers(function)
    return made


BEFORE = [("Content-Type", "text/plain"), ("Connection", "close")]


@pytest.mark.parametrize(
    "change",
    [
        lambda headers: headers.append(("Content-Length", "5")),
        lambda headers: headers.append(("transfer-encoding", "chunked")),
        lambda headers: headers.append(("Connection", "Upgrade")),
        lambda headers: headers.append(("X", "a\r\nEvil: b")),
        lambda headers: headers.append(("X Y", "a")),
        lambda headers: headers.append(("X", "€")),
        lambda headers: headers.append("X: y"),
        lambda headers: headers.append(("X", 5)),
        lambda headers: headers.clear(),
    ],
)
async def test_what_would_break_the_response_is_not_sent(change: Callable[[Any], object]) -> None:
    made = hooks(lambda headers, request, initial: change(headers))
    assert made.dress(BEFORE, Request("GET", "/"), initial=True) == BEFORE


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["X-A", "Connection", "Content-Length", "a\r\nb: c", "\0", " ", "upgrade"]
)


@given(fields=st.lists(st.tuples(TEXTS, TEXTS), max_size=3))
def test_fields_are_sent_as_they_are_or_not_at_all(fields: list[tuple[str, str]]) -> None:
    async def dressed() -> Response:
        made = hooks(lambda headers, request, initial: headers.extend(fields))
        before = Response(200, [*BEFORE], b"body")
        return made.dressed(before, Request("GET", "/"), initial=False)

    response = trio.run(dressed)
    assert response.body == b"body"
    assert response.headers in (BEFORE, BEFORE + fields)
    head = "".join(f"{name}: {value}\r\n" for name, value in response.headers)
    assert head.count("\n") == head.count("\r") == len(response.headers)
    head.encode("latin-1")
    ours = ("connection", "content-length", "transfer-encoding", "upgrade")
    found = [one for one in response.headers if one[0].lower() in ours]
    assert found == [("Connection", "close")]


# -- on_refusal ----------------------------------------------------------------------------------


@VERSIONS
async def test_refusals_are_told(version: str, autojump_clock: MockClock) -> None:
    def allow(request: Request) -> None:
        if "busy" in request.target:
            raise RequestRefused("busy")

    engine = Engine(raise_errors=True, allow_request=allow)
    reports: list[RefusalReport] = []
    engine.on_refusal(reports.append)
    async with served(engine) as wire:
        session = await begin(wire, version)
        for method, where, code, message in [
            ("GET", target(version, "pigeon"), 0, "Transport unknown"),
            ("GET", target(version, sid="nobody"), 1, "Session ID unknown"),
            ("POST", target(version), 2, "Bad handshake method"),
            ("GET", target(version, "websocket"), 3, "Bad request"),
            ("GET", target(version) + "&busy", 4, "busy"),
            ("GET", target("5"), 5, "Unsupported protocol version"),
            ("GET", session.replace(f"EIO={version}", f"EIO={7 - int(version)}"), 3, "Bad request"),
        ]:
            response = await wire.request(method, where)
            told = json.loads(response.body)
            report = reports.pop()
            assert report == RefusalReport(report.request, code, message, told.get("detail", ""))
            assert (report.request.method, report.request.target) == (method, where)
            assert (told["code"], told["message"]) == (code, message)
        await ask_websocket(wire, target(version, "websocket", "nobody"))
        (report,) = reports
        assert report.code == 1


async def test_one_that_fails_does_not_change_the_answer(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    engine, reports = Engine(), list[RefusalReport]()

    @engine.on_refusal
    def fail(report: RefusalReport) -> None:
        raise ZeroDivisionError("oh")

    engine.on_refusal(reports.append)
    async with served(engine) as wire:
        assert (await wire.request("GET", target("4", "pigeon"))).status == 400
        assert (await ask_websocket(wire, target("4", "websocket", "nobody"))).status == 400
    assert len(reports) == 2
    assert "a function of engine.on_refusal failed" in caplog.text
    assert logging.ERROR in {one.levelno for one in caplog.records}


# -- registering ---------------------------------------------------------------------------------


def test_decorators_return_the_function() -> None:
    engine = Engine()

    async def middleware(request: Request) -> None: ...

    def function(*_: object) -> None: ...

    assert engine.use(middleware) is middleware
    assert engine.on_headers(function) is function
    assert engine.on_refusal(function) is function


@pytest.mark.parametrize("name", ["use", "on_headers", "on_refusal"])
def test_what_is_no_function(name: str) -> None:
    with pytest.raises(TypeError, match=f"engine.{name} takes a function, not 5"):
        getattr(Engine(), name)(5)


@pytest.mark.parametrize("name", ["on_headers", "on_refusal"])
def test_what_must_not_wait(name: str) -> None:
    async def later(*_: object) -> None: ...

    with pytest.raises(TypeError, match=f"engine.{name} takes a function that is not async"):
        getattr(Engine(), name)(later)


async def test_they_stay_when_options_change(autojump_clock: MockClock) -> None:
    engine = Engine(raise_errors=True)
    seen: list[str] = []
    engine.use(lambda request: seen.append(request.method))
    engine.set_options(path="/other")
    async with served(engine) as wire:
        await wire.request("GET", "/other/?EIO=4&transport=polling")
    assert seen == ["GET"]
