"""Requests that say another revision than their session, or one that nobody knows."""

import json

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect
from trio_sio.testing.wire_websocket import handshake_headers

area = Area("revisions", protocols=(5,))


@area.check_with(("5", "04", "abc"), "revision")
async def an_unknown_revision(target: Target, revision: str) -> None:
    """A handshake of a revision that nobody knows: 400, code 5."""
    request_target = target.request_target("polling").replace("EIO=4", f"EIO={revision}")
    response = await target.request("GET", request_target)
    expect(response.status, 400, "the status")
    said = json.loads(response.body)
    wanted = {"code": 5, "message": "Unsupported protocol version"}
    expect({key: said.get(key) for key in wanted}, wanted, "code and message")


@area.check_with(("GET", "POST"), "method")
async def another_revision_than_that_of_the_session(target: Target, method: str) -> None:
    """A poll or a POST of Engine.IO 3 for a session of 4: 400, code 3, and the session goes on."""
    async with open_client(target, "polling") as client:
        request_target = target.request_target("polling", sid=client.sid)
        body = b"" if method == "GET" else b"1:6"
        response = await target.request(method, request_target.replace("EIO=4", "EIO=3"), {}, body)
        expect(response.status, 400, "the status")
        expect(json.loads(response.body)["code"], 3, "the code")
        await client.expect_quiet()


@area.check
async def an_upgrade_of_another_revision(target: Target) -> None:
    """A WebSocket of Engine.IO 3 for a session of 4 is refused: 400, and the session goes on."""
    async with open_client(target, "polling") as client:
        request_target = target.request_target("websocket", sid=client.sid)
        response = await target.request(
            "GET", request_target.replace("EIO=4", "EIO=3"), handshake_headers()
        )
        expect(response.status, 400, "the status")
        await client.expect_quiet()
