"""Requests of HTTP, by applications written for ASGI itself."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.asgi import Fallback
from trio_sio.asgi.types import ASGIApplication, Message, Receive, Scope, Send
from trio_sio.testing.wire import WireClient, open_wire


async def _serve_nothing(session: trio_sio.abc.Session) -> None:
    await trio.sleep_forever()


@asynccontextmanager
async def wire_to(
    app: ASGIApplication, *, raise_errors: bool = False, grace: float = 5.0
) -> AsyncIterator[WireClient]:
    fallback = Fallback(app, lifespan="off")
    engine = trio_sio.Engine(
        fallback=fallback, raise_errors=raise_errors, grace=grace, body_timeout=7.0
    )
    async with open_wire(engine, _serve_nothing, streams=socket_pair) as wire:
        yield wire


def sends(*messages: Message) -> ASGIApplication:
    """Return an application that sends these, whatever it is asked."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(dict(message))

    return app


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}


def body(data: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_the_scope_says_what_the_request_was(autojump_clock: MockClock) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await sends(start(), body())(scope, receive, send)

    async with wire_to(app) as wire:
        await wire.connect().request("GET", "/a%20b/%C3%A9?q=%20", {"X-Name": "é"})
    (scope,) = seen
    headers = scope.pop("headers")
    assert (b"x-name", b"\xe9") in headers
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/a b/é",
        "raw_path": b"/a%20b/%C3%A9",
        "query_string": b"q=%20",
        "root_path": "",
        "client": None,
        "server": None,
        "state": {},
        "extensions": {},
    }


@pytest.mark.parametrize(
    "fields",
    [
        {b"Transfer-Encoding": b"chunked"},
        {b"transfer-encoding": b"identity"},
        {b"Keep-Alive": b"timeout=5"},
        {b"Upgrade": b"h2c", b"Connection": b"upgrade"},
        {b"Trailer": b"x"},
    ],
)
async def test_fields_about_the_connection_are_taken_out(
    fields: Mapping[bytes, bytes], autojump_clock: MockClock
) -> None:
    async with wire_to(sends(start(200, *fields.items()), body(b"abc"))) as wire:
        connection = wire.connect()
        for _ in range(2):  # the connection goes on
            response = await connection.request("GET", "/")
            assert response.text == "abc"
            assert not {name.decode().lower() for name in fields} & set(dict(response.headers))


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        ([start(200, (b"x", b"a\r\nSet-Cookie: b")), body()], "cannot be the value"),
        ([start(200, (b"x\r\ny", b"a")), body()], "cannot be the name"),
        ([start(200, (b"content-length", b"2")), body(b"abc")], "Content-Length is 2"),
        ([start(200, *[(b"content-length", b"3")] * 2), body(b"abc")], "one Content-Length"),
        ([start(99), body()], "from 200 to 599"),
        ([body(b"a")], "out of turn"),
        ([start(), start()], "out of turn"),
        ([start()], "without a whole response"),
        ([], "without a whole response"),
        ([{"type": "http.nonsense"}], "out of turn"),
    ],
)
async def test_what_cannot_be_sent_is_answered_500_and_told_once(
    messages: list[Message],
    told: str,
    caplog: pytest.LogCaptureFixture,
    autojump_clock: MockClock,
) -> None:
    async with wire_to(sends(*messages)) as wire:
        assert (await wire.connect().request("GET", "/here?secret")).status == 500
    (record,) = [one for one in caplog.records if one.levelno >= logging.WARNING]
    assert "GET /here" in record.getMessage()
    assert told in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("data", [b"a", b"abcdef"])
async def test_a_wrong_length_of_what_is_streamed_cuts_the_connection(
    data: bytes, autojump_clock: MockClock
) -> None:
    head = start(200, (b"content-length", b"4"))
    async with wire_to(sends(head, body(data, more=True), body())) as wire:
        connection = wire.connect()
        await connection.send(b"GET / HTTP/1.1\r\nHost: wire\r\n\r\n" * 2)
        rest = await connection.receive_rest()
    assert rest.count(b"HTTP/1.1") == 1
    assert len(rest.partition(b"\r\n\r\n")[2]) <= 4


async def test_with_raise_errors_a_failure_ends_the_server(autojump_clock: MockClock) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("of the application")

    with pytest.raises(KeyError):
        async with wire_to(app, raise_errors=True) as wire:
            await wire.connect().send_request("GET", "/")
            await trio.sleep_forever()


async def test_it_is_told_to_go_on_only_if_the_body_is_wanted(autojump_clock: MockClock) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        data = (await receive())["body"] if scope["path"] == "/wants" else b"no"
        await sends(start(), body(data))(scope, receive, send)

    expects = {"Content-Length": "2", "Expect": "100-continue"}
    async with wire_to(app) as wire:
        connection = wire.connect()
        await connection.send_request("POST", "/wants", expects)
        assert (await connection.receive_response()).status == 100
        await connection.send(b"ab")
        assert (await connection.receive_response()).text == "ab"
        await connection.send_request("POST", "/", expects)
        response = await connection.receive_response()
        assert (response.text, response.headers["connection"]) == ("no", "close")


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"4\r\nabcd\r\nzz\r\n", 400), (b"4\r\nabcd\r\n", 408), (None, None)],
)
async def test_a_body_that_does_not_come_is_no_failure_of_the_application(
    sent: bytes | None,
    status: int | None,
    caplog: pytest.LogCaptureFixture,
    autojump_clock: MockClock,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        assert message["type"] == "http.disconnect"
        await send(start())  # which raises OSError

    async with wire_to(app) as wire:
        connection = wire.connect()
        await connection.send_request("POST", "/", {"Transfer-Encoding": "chunked"})
        if sent is None:
            await wait_all_tasks_blocked()
            await connection.aclose()
            await wait_all_tasks_blocked()
        else:
            await connection.send(sent)
            assert (await connection.receive_response()).status == status
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_a_client_that_leaves_is_told_and_sending_raises(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((await receive())["type"])
        seen.append((await receive())["type"])
        with pytest.raises(OSError, match="left"):
            await send(start())
        seen.append("raised")

    async with wire_to(app) as wire:
        connection = wire.connect()
        await connection.send_request("GET", "/")
        await wait_all_tasks_blocked()
        await connection.aclose()
        await wait_all_tasks_blocked()
    assert seen == ["http.request", "http.disconnect", "raised"]
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


async def test_what_it_answers_at_shutdown_goes_out_within_grace(
    autojump_clock: MockClock,
) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await trio.sleep(3)
        await sends(start(), body(b"late"))(scope, receive, send)

    async with wire_to(app, grace=4.0) as wire:
        connection = wire.connect()
        await connection.send_request("GET", "/")
        await wait_all_tasks_blocked()
        await wire.engine.aclose()
        assert (await connection.receive_response()).text == "late"
