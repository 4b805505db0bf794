"""What is answered to requests that cannot be served."""

import json

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import Unexpected, expect, require
from trio_sio.testing.wire_http import WireResponse
from trio_sio.testing.wire_websocket import handshake_headers

area = Area("refusals")


def _expect_error(response: WireResponse, code: int, message: str) -> None:
    expect(response.status, 400, "the status")
    kind = response.headers.get("content-type").partition(";")[0]
    expect(kind, "application/json", "Content-Type")
    try:
        error = json.loads(response.body)
        said = (error["code"], error["message"])
    except (ValueError, TypeError, KeyError) as unreadable:
        raise Unexpected(f"no error of Engine.IO: {response.body!r}") from unreadable
    expect(said, (code, message), "code and message")


@area.check
async def an_unknown_transport(target: Target) -> None:
    """An unknown transport: 400, code 0."""
    response = await target.request("GET", target.request_target("pigeon"))
    _expect_error(response, 0, "Transport unknown")


@area.check
async def no_transport(target: Target) -> None:
    """No transport: 400, code 0."""
    response = await target.request("GET", target.request_target())
    _expect_error(response, 0, "Transport unknown")


@area.check_with(("GET", "POST"), "method")
async def an_unknown_session(target: Target, method: str) -> None:
    """An unknown session id: 400, code 1."""
    body = b"1:2" if method == "POST" else b""
    request_target = target.request_target("polling", sid="nobody")
    response = await target.request(method, request_target, {}, body)
    _expect_error(response, 1, "Session ID unknown")


@area.check
async def a_websocket_for_an_unknown_session(target: Target) -> None:
    """A WebSocket for an unknown session is refused with 400."""
    request_target = target.request_target("websocket", sid="nobody")
    response = await target.request("GET", request_target, handshake_headers())
    expect(response.status, 400, "the status")


@area.check
async def a_handshake_by_post(target: Target) -> None:
    """A handshake by another method than GET: 400, code 2."""
    response = await target.request("POST", target.request_target("polling"), {}, b"1:2")
    _expect_error(response, 2, "Bad handshake method")


@area.check
async def a_websocket_without_an_upgrade(target: Target) -> None:
    """`transport=websocket` in a plain request: 400, code 3."""
    response = await target.request("GET", target.request_target("websocket"))
    _expect_error(response, 3, "Bad request")


@area.check
async def polling_for_a_session_by_websocket(target: Target) -> None:
    """A poll for a session that is on a WebSocket: 400, code 3, and the session goes on."""
    async with open_client(target) as client:
        response = await target.request("GET", target.request_target("polling", sid=client.sid))
        _expect_error(response, 3, "Bad request")
        await client.expect_quiet()


@area.check
async def a_websocket_of_an_unknown_version(target: Target) -> None:
    """A WebSocket of version 99 is refused with 4xx."""
    headers = handshake_headers({"Sec-WebSocket-Version": "99"})
    response = await target.request("GET", target.request_target("websocket"), headers)
    require(400 <= response.status < 500, f"the status is {response.status}")


@area.check
async def a_refusal_costs_the_connection_nothing(target: Target) -> None:
    """Behind a refused request the same connection serves the next one."""
    connection = await target.connect()
    try:
        first = await connection.request("GET", target.request_target("pigeon"))
        expect(first.status, 400, "the first status")
        second = await connection.request("GET", target.request_target("polling"))
        expect(second.status, 200, "the second status")
    finally:
        await connection.aclose()
