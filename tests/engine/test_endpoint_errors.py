"""Requests that are refused once there is a session, or on the way to a WebSocket."""

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.engine.conftest import Recorder
from tests.support.refusals import told
from tests.support.served_connection import undated
from trio_sio.testing.wire import open_wire
from trio_sio.testing.wire_websocket import handshake_headers

UNKNOWN = (400, told('{"code":0,"message":"Transport unknown"}'))
METHOD = (400, told('{"code":2,"message":"Bad handshake method"}'))
BAD = (400, told('{"code":3,"message":"Bad request"}'))
FORBIDDEN = (403, told('{"code":4,"message":"Forbidden"}'))


def engine(**options: object) -> trio_sio.Engine:
    return trio_sio.Engine(raise_errors=True, **options)  # type: ignore[arg-type]


# -- plain HTTP ---------------------------------------------------------------------------------


async def test_a_session_that_polls_is_not_to_be_had_by_websocket_without_an_upgrade(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        response = await wire.request("GET", wire.target("websocket", sid=session.sid))
        assert (response.status, response.text) == BAD
        assert "there is no 'Upgrade: websocket' and no 'Connection: upgrade'" in response.text
        assert response.headers["access-control-allow-origin"] == "*"
        await session.post("4still here")
        assert await session.poll() == ["4still here"]


@pytest.mark.parametrize(
    ("method", "transport"), [("GET", "polling"), ("POST", "polling"), ("GET", "websocket")]
)
async def test_a_session_on_a_websocket_is_not_to_be_had_otherwise(
    method: str, transport: str, recorder: Recorder, autojump_clock: MockClock
) -> None:
    # The reference never answers the third.
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        websocket = await session.upgrade()
        response = await wire.request(method, wire.target(transport, sid=session.sid))
        assert (response.status, response.text) == BAD
        await websocket.send("4still here")
        assert await websocket.receive() == "4still here"


async def test_head_is_no_handshake_and_gets_no_body(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        connection = wire.connect()
        response = await connection.request("HEAD", wire.target("polling"))
        assert (response.status, response.body) == (METHOD[0], b"")
        length = response.headers["content-length"]
        assert int(length) > len(METHOD[1])
        response = await connection.request("PUT", wire.target("polling"))
        assert (response.status, response.text) == METHOD


async def test_a_refusal_of_403_tells_a_browser_nothing(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(origins=["http://a"]), recorder) as wire:
        response = await wire.request("GET", wire.target("polling"), {"Origin": "http://b"})
        assert (response.status, response.text) == FORBIDDEN
        assert sorted(name for name, _ in response.headers) == [
            *("cache-control", "content-length", "content-type", "date", "vary")
        ]


async def test_allow_request_is_asked_once_for_each_handshake(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    asked: list[tuple[str, str]] = []

    async def allow(request: trio_sio.Request) -> None:
        await trio.sleep(1)
        asked.append((request.method, request.target))

    async with open_wire(engine(allow_request=allow), recorder) as wire:
        session = await wire.handshake("user=anna")
        await session.post("4a")
        assert await session.poll() == ["4a"]
        await session.upgrade()
        assert trio.current_time() == 1.0
        assert asked == [("GET", "/engine.io/?EIO=3&transport=polling&user=anna")]


async def test_a_function_of_origins_may_refuse_in_words(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async def decide(origin: str) -> bool:
        if origin == "*":
            raise trio_sio.RequestRefused("whoever you are")
        return origin == "http://a"

    async with open_wire(engine(origins=decide), recorder) as wire:
        response = await wire.request("GET", wire.target("polling"))
        assert (response.status, response.text) == (403, '{"code":4,"message":"whoever you are"}')
        assert await wire.handshake(headers={"Origin": "http://a"})
        response = await wire.request("GET", wire.target("polling"), {"Origin": "http://b"})
        assert (response.status, response.text) == FORBIDDEN


async def test_words_of_any_language(recorder: Recorder, autojump_clock: MockClock) -> None:
    def allow(request: trio_sio.Request) -> None:
        raise trio_sio.RequestRefused('"nein" — 😀')

    async with open_wire(engine(allow_request=allow), recorder) as wire:
        response = await wire.request("GET", wire.target("polling"))
        assert response.text == '{"code":4,"message":"\\"nein\\" — 😀"}'
        response = await wire.request("GET", wire.target("websocket"), handshake_headers())
        assert response.text == '"nein" — 😀'


# -- requests for a WebSocket -----------------------------------------------------------------


def refuse(message: str = "", code: int | None = None) -> dict[str, object]:
    def allow(request: trio_sio.Request) -> None:
        raise trio_sio.RequestRefused(message, code)

    return {"allow_request": allow}


@pytest.mark.parametrize(
    ("options", "target", "headers", "text"),
    [
        ({}, "/engine.io/?transport=pigeon", {}, "Transport unknown"),
        ({}, "/engine.io/?transport=websocket&sid=nobody", {}, "Session ID unknown"),
        ({}, "/engine.io/?transport=websocket" + "&a=b" * 1000, {}, "Bad request"),
        ({}, "/engine.io/?transport=websocket", {"Sec-WebSocket-Version": "7"}, "Bad Request"),
        ({}, "/engine.io/?transport=websocket", {"Sec-WebSocket-Key": "short"}, "Bad Request"),
        ({"origins": ["http://a"]}, "/engine.io/?transport=websocket", {}, ""),
        ({"allow_request": lambda request: False}, "/engine.io/?transport=websocket", {}, ""),
        (refuse(), "/engine.io/?transport=websocket", {}, ""),
        (refuse("no key"), "/engine.io/?transport=websocket", {}, "no key"),
        (refuse("", 4), "/engine.io/?transport=websocket", {}, "Forbidden"),
    ],
)
async def test_a_refused_websocket_gets_a_raw_answer_and_the_end(
    options: dict[str, object],
    target: str,
    headers: dict[str, str],
    text: str,
    recorder: Recorder,
    autojump_clock: MockClock,
) -> None:
    async with open_wire(engine(**options), recorder) as wire:
        connection = wire.connect()
        await connection.send_request("GET", target, handshake_headers(headers))
        head, _, body = (await connection.receive_rest()).decode().partition("\r\n\r\n")
        assert undated(head.encode()).decode() == (
            "HTTP/1.1 400 Bad Request\r\nCache-Control: no-store\r\nConnection: close\r\n"
            f"Content-type: text/html\r\nContent-Length: {len(body)}"
        )
        assert body == told(text)
        assert wire.engine.sessions == {}


async def test_a_websocket_is_asked_for_by_get(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        response = await wire.request(
            "POST", wire.target("websocket", sid=session.sid), handshake_headers()
        )
        assert (response.status, response.text) == (400, told("Bad Request"))


async def test_the_origin_of_an_upgrade_is_checked_too(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(origins=["http://a"]), recorder) as wire:
        session = await wire.handshake(headers={"Origin": "http://a"})
        evil = handshake_headers({"Origin": "http://evil"})
        response = await wire.request("GET", wire.target("websocket", sid=session.sid), evil)
        assert (response.status, response.text) == (400, told(""))
        await session.upgrade()


async def test_without_the_transport_an_upgrade_is_plain_http(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(transports=["polling"]), recorder) as wire:
        response = await wire.request("GET", wire.target("websocket"), handshake_headers())
        assert (response.status, response.text) == UNKNOWN
        assert response.headers["content-type"] == "application/json"


# -- the server itself ------------------------------------------------------------------------


async def test_a_server_that_shuts_down_takes_nothing_new(autojump_clock: MockClock) -> None:
    async def handler(session: trio_sio.Session) -> None:
        try:
            await session.receive()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(3)

    async with open_wire(engine(), handler) as wire:
        await wire.handshake()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wire.engine.aclose)
            await trio.sleep(1)
            connection = wire.connect()
            response = await connection.request("GET", wire.target("polling"))
            assert (response.status, response.text) == (503, "the server is shutting down\n")
            assert await connection.receive_rest() == b""
