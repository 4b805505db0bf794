"""From long polling to WebSocket."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import Client, open_client, open_polling
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import Ended, expect, require
from trio_sio.testing.clients.transports import WebSocket

area = Area("upgrade")


@area.check
async def a_probe_is_answered(target: Target) -> None:
    """PING "probe" is answered with PONG "probe", by WebSocket."""
    async with open_client(target, "polling") as client:
        await (await client.probe()).aclose()


@area.check
async def a_held_poll_is_released(target: Target) -> None:
    """After the probe a held poll is answered with NOOP, so that the client can move."""
    async with open_polling(target) as (client, polling):
        await polling.getting.send_request("GET", polling.request_target)
        websocket = await client.probe()
        try:
            response = await polling.getting.receive_response()
            expect(response.status, 200, "the status of the held poll")
            noops = (b"1:6", b"\x00\x01\xff6") if target.protocol == 4 else (b"6",)
            require(response.body in noops, f"no NOOP: {response.body!r}")
        finally:
            await websocket.aclose()


@area.check
async def the_session_goes_on_by_websocket(target: Target) -> None:
    """Behind UPGRADE, packets go both ways by WebSocket, text and binary."""
    async with open_client(target, "upgraded") as client:
        await client.emit("echo", "text", b"bytes")
        await client.expect_event("echo", "text", b"bytes")
        expect(await client.call("ack", 1), [1], "an acknowledgement")


@area.check
async def events_before_and_behind_keep_their_order(target: Target) -> None:
    """What is sent by polling, and behind the upgrade by WebSocket, arrives in that order."""
    async with open_client(target, "polling", heartbeat=False) as client:
        await client.emit("echo", "by polling")
        await client.expect_event("echo", "by polling")
        await client.upgrade()
        for number in range(10):
            await client.emit("echo", number)
        for number in range(10):
            await client.expect_event("echo", number)


@area.check
async def an_upgrade_that_is_given_up(target: Target) -> None:
    """A client that closes the WebSocket behind its probe goes on polling."""
    async with open_client(target, "polling") as client:
        websocket = await client.probe()
        await websocket.wire.send_close(1000)
        await websocket.aclose()
        await client.emit("echo", "still here")
        await client.expect_event("echo", "still here")


@area.check
async def another_packet_than_a_probe(target: Target) -> None:
    """A WebSocket that begins with another packet is closed, and the session goes on polling."""
    async with open_client(target, "polling") as client:
        websocket = await WebSocket.open(target, sid=client.sid)
        try:
            await websocket.send('42["echo","too early"]')
            try:
                packet: object = await websocket.receive()
            except Ended:
                packet = None
            expect(packet, None, "the answer by WebSocket")
        finally:
            await websocket.aclose()
        await client.expect_quiet()


@area.check
async def a_second_websocket(target: Target) -> None:
    """A second WebSocket for a session that has one is closed, and the first goes on."""
    async with open_client(target, "upgraded") as client:
        try:
            websocket = await WebSocket.open(target, sid=client.sid)
        except Ended:
            pass  # refused at once
        else:
            try:
                await websocket.send("2probe")
                packet: object = await websocket.receive()
            except Ended:
                packet = None
            finally:
                await websocket.aclose()
            expect(packet, None, "the answer by the second WebSocket")
        await client.expect_quiet()


@area.check
async def polling_behind_the_upgrade(target: Target) -> None:
    """A poll behind the upgrade is refused, and the session goes on."""
    async with open_client(target, "upgraded") as client:
        response = await target.request("GET", target.request_target("polling", sid=client.sid))
        expect(response.status, 400, "the status")
        await client.expect_quiet()


@area.check
async def what_waits_comes_by_websocket(target: Target) -> None:
    """Packets that wait for a poll when the client moves come by WebSocket, none twice."""
    async with open_polling(target) as (client, polling):
        websocket = await client.probe()
        await client.emit("burst", 5)
        released = await polling.receive()
        numbers: list[object] = []
        while released not in ("6", "3"):
            if released != "2":  # the server's ping
                numbers.append(released)
            released = await polling.receive()
        await client.move(websocket)
        while len(numbers) < 5:
            numbers.append(await client.receive())
        expect(numbers, [f'42["number",{number}]' for number in range(5)], "the numbers")
        await client.expect_quiet()


@area.check
async def a_post_behind_the_upgrade(target: Target) -> None:
    """A POST behind the upgrade is refused, its packets are ignored, and the session goes on."""
    async with open_client(target, "upgraded") as client:
        request_target = target.request_target("polling", sid=client.sid)
        body = target.payload('42["echo","by polling"]')
        response = await target.request("POST", request_target, {}, body)
        expect(response.status, 400, "the status")
        await client.expect_quiet()


@area.check
async def the_client_closes_during_the_upgrade(target: Target) -> None:
    """CLOSE by polling behind a probe ends the session, and the WebSocket with it."""
    async with open_polling(target) as (client, polling):
        websocket = await client.probe()
        await client.send("1")
        response = await target.request("GET", polling.request_target)
        expect(response.status, 400, "the status of a poll behind the end")
        await Client(target, websocket).receive_end()


@area.check
async def the_server_closes_during_the_upgrade(target: Target) -> None:
    """The server's `disconnect` with `close` behind a probe ends the session."""
    async with open_polling(target) as (client, _):
        await client.probe()
        await client.emit("close")
        await client.receive_end(behind=("41",))
