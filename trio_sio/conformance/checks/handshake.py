"""How a session begins."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client, open_polling
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect, require
from trio_sio.testing.clients.transports import TRANSPORTS, WebSocket

area = Area("handshake")


@area.only(4).check_with(TRANSPORTS)
async def the_root_namespace_is_joined(target: Target, how: str) -> None:
    """A session begins with OPEN, and CONNECT for "/" follows without being asked for."""
    async with open_client(target, how) as client:
        await client.expect_quiet()


@area.check
async def polling_offers_the_upgrade(target: Target) -> None:
    """OPEN names "websocket" among the upgrades of a session that polls."""
    async with open_client(target, "polling") as client:
        expect(client.opening.get("upgrades"), ["websocket"], "upgrades")


@area.check
async def a_websocket_offers_no_upgrade(target: Target) -> None:
    """OPEN has an empty list of upgrades for a session by WebSocket."""
    async with open_client(target) as client:
        expect(client.opening.get("upgrades"), [], "upgrades")


@area.check
async def open_has_the_times_in_milliseconds(target: Target) -> None:
    """OPEN says `pingInterval` and `pingTimeout`, in milliseconds."""
    async with open_client(target) as client:
        times = (client.opening["pingInterval"], client.opening["pingTimeout"])
        expect(times, (1000, 1000), "pingInterval and pingTimeout of the fixture")


@area.check
async def ids_are_unique(target: Target) -> None:
    """Each session has an id of its own."""
    async with open_client(target) as one, open_client(target, "polling") as other:
        require(one.sid != other.sid, f"both have the id {one.sid}")


@area.check
async def an_empty_sid_is_a_handshake(target: Target) -> None:
    """A request with an empty `sid` begins a session."""
    response = await target.request("GET", f"{target.request_target('polling')}&sid=")
    expect(response.status, 200, "the status")


@area.only(4).check
async def the_first_payload_is_text(target: Target) -> None:
    """The handshake by polling is answered with a text payload, and its length in characters."""
    response = await target.request("GET", target.request_target("polling", "b64=1"))
    kind = response.headers.get("content-type").lower().replace(" ", "")
    expect(kind, "text/plain;charset=utf-8", "Content-Type")
    length, colon, rest = response.text.partition(":")
    require(colon and length.isdecimal(), f"no length: {response.text!r}")
    packet = rest[: int(length)]
    require(packet[:1] == "0", f"no OPEN packet: {packet!r}")
    require('"sid"' in packet, f"no sid: {packet!r}")


@area.only(4).check
async def jsonp_calls_the_function_of_its_number(target: Target) -> None:
    """With `j=7` the response calls `___eio[7]` with the payload as a string."""
    response = await target.request("GET", target.request_target("polling", "j=7"))
    require(response.body.startswith(b"___eio[7]("), f"the body: {response.body!r}")
    require(response.body.endswith(b");"), f"the body: {response.body!r}")


@area.only(4).check
async def cross_origin_with_credentials(target: Target) -> None:
    """Any origin may read the response, with credentials, and is named in it."""
    response = await target.request(
        "GET", target.request_target("polling"), {"Origin": "http://elsewhere.example"}
    )
    origin = response.headers.get("access-control-allow-origin")
    expect(origin, "http://elsewhere.example", "Access-Control-Allow-Origin")
    credentials = response.headers.get("access-control-allow-credentials")
    expect(credentials, "true", "Access-Control-Allow-Credentials")


@area.check
async def the_query_reaches_the_application(target: Target) -> None:
    """What else is in the query of the handshake is the application's, unescaped."""
    async with open_client(target, "polling", query="token=a%20b%26c") as client:
        expect(await client.call("token"), ["a b&c"], "the value")


@area.check
async def other_fields_of_the_request_do_not_matter(target: Target) -> None:
    """A cache buster and unknown keys of the query are ignored."""
    response = await target.request(
        "GET", f"{target.request_target('polling')}&t=Q86akaL&unknown=1"
    )
    expect(response.status, 200, "the status")


@area.check
async def a_session_polls_by_any_connection(target: Target) -> None:
    """A session belongs to no connection: each request may come by another one."""
    async with open_polling(target) as (client, polling):
        body = target.payload('42["echo",1]')
        response = await target.request("POST", polling.request_target, {}, body)
        expect(response.status, 200, "the status of a POST")
        await client.expect_event("echo", 1)


@area.check
async def no_subprotocol(target: Target) -> None:
    """A WebSocket without subprotocols has none in its answer."""
    websocket = await WebSocket.open(target)
    try:
        chosen = websocket.wire.headers.get("sec-websocket-protocol")
        expect(chosen, "", "Sec-WebSocket-Protocol")
    finally:
        await websocket.aclose()
