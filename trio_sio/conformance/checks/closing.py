"""The ends of sessions, and what ends them."""

from contextlib import suppress

import trio

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect
from trio_sio.testing.clients.transports import TRANSPORTS, WebSocket

area = Area("closing")
BOTH = ("polling", "websocket")


@area.check_with(TRANSPORTS)
async def the_client_closes(target: Target, how: str) -> None:
    """Behind the client's CLOSE the session is unknown; it closes its WebSocket by itself."""
    async with open_client(target, how, heartbeat=False) as client:
        await client.send("1")
        if isinstance(client.transport, WebSocket):
            with suppress(trio.BrokenResourceError):  # the server was quicker
                await client.transport.wire.send_close(1000)
        await client.receive_end()
        response = await target.request("GET", target.request_target("polling", sid=client.sid))
        expect(response.status, 400, "the status of a poll")


@area.check_with(BOTH)
async def the_server_closes(target: Target, how: str) -> None:
    """The server's `disconnect` with `close` ends the session, maybe behind a DISCONNECT."""
    async with open_client(target, how, heartbeat=False) as client:
        await client.emit("close")
        await client.receive_end(behind=("41",))


@area.only(4).check_with(BOTH)
async def the_client_leaves_the_root(target: Target, how: str) -> None:
    """Behind DISCONNECT for "/" its events are ignored; another namespace goes on."""
    async with open_client(target, how) as client:
        await client.join_namespace("/chat")
        await client.send("41")
        await client.emit("echo", 1)
        answer = await client.call("ack", namespace="/chat")
        expect(answer, [], "an acknowledgement in /chat, with nothing before it")


@area.check_with(("9", "x", "4", "42{", '42"text"', '451["x"]', "45-1[]"), "packet")
async def what_is_no_packet_ends_the_session(target: Target, packet: str) -> None:
    """A packet that breaks the protocol ends the session, and no other."""
    async with open_client(target) as neighbour:
        async with open_client(target, heartbeat=False) as client:
            await client.send(packet)
            await client.receive_end()
        await neighbour.expect_quiet()


@area.check
async def a_vanished_client(target: Target) -> None:
    """A connection that ends without a word costs the others nothing."""
    async with open_client(target) as neighbour:
        async with open_client(target) as gone:
            await gone.emit("burst", 100)
        await neighbour.expect_quiet()
