"""The one encoding of long polling: packets, and 0x1E between them."""

import trio

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import Client, open_client, open_polling
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect
from trio_sio.testing.clients.transports import Polling
from trio_sio.testing.wire import BINARY_PAYLOAD

area = Area("payloads", protocols=(5,))

EVENT = '451-["echo",{"_placeholder":true,"num":0}]'


@area.check
async def packets_are_joined_by_0x1e(target: Target) -> None:
    """Between two packets of a payload stands the byte 0x1E, both ways."""
    async with open_polling(target) as (client, polling):
        await polling.post(b'42["echo",1]\x1e42["echo",2]')
        await client.expect_event("echo", 1)
        await client.expect_event("echo", 2)
        await client.emit("burst", 3)
        body = b""
        while body.count(b'42["number",') < 3:
            response = await polling.poll()
            body += (b"\x1e" if body else b"") + response.body
        packets = [one for one in body.split(b"\x1e") if one != b"2"]
        expect(packets, [b'42["number",%d]' % number for number in range(3)], "the packets")


@area.check
async def binary_packets_are_base64_without_a_type(target: Target) -> None:
    """Binary data travels as "b" and base64, an attachment behind its event."""
    async with open_polling(target) as (client, polling):
        await polling.post(f"{EVENT}\x1ebAAH/".encode())
        await client.expect_event("echo", b"\x00\x01\xff")
        await client.emit("echo", b"\x00\x01\xff")
        text = (await polling.poll()).text
        if "b" not in text.split("\x1e")[-1][:1]:  # the attachment may have a poll of its own
            text += "\x1e" + (await polling.poll()).text
        packets = [one for one in text.split("\x1e") if one != "2"]
        expect(packets, [EVENT, "bAAH/"], "the packets")


@area.check_with(("bAAH_", "bAAH/", "bAA==", "bAA", "b"), "attachment")
async def base64_is_read_leniently(target: Target, attachment: str) -> None:
    """Base64 may lack its padding, and may have the alphabet of URLs."""
    data = {"bAAH_": b"\x00\x01\xff", "bAAH/": b"\x00\x01\xff", "b": b""}.get(attachment, b"\x00")
    async with open_polling(target) as (client, polling):
        await polling.post(f"{EVENT}\x1e{attachment}".encode())
        await client.expect_event("echo", data)


@area.check
async def a_binary_body(target: Target) -> None:
    """A body of Content-Type application/octet-stream is refused with 400, and ends the session."""
    async with open_polling(target) as (client, polling):
        response = await polling.post(b"\x00\x01\xff6", BINARY_PAYLOAD)
        expect(response.status, 400, "the status")
        await client.receive_end()


@area.check_with(
    ("empty", "an empty packet at the end", "an empty packet at the beginning", "another type"),
    "body",
)
async def what_is_no_packet_in_a_payload(target: Target, body: str) -> None:
    """A payload with an empty packet, or one of an unknown type, ends the session."""
    bodies = {
        "empty": b"",
        "an empty packet at the end": b'42["ack"]\x1e',
        "an empty packet at the beginning": b'\x1e42["ack"]',
        "another type": b"7",
    }
    async with open_polling(target) as (client, polling):
        await _post(target, polling, bodies[body])
        await client.receive_end()
        response = await target.request("GET", polling.request_target)
        expect(response.status, 400, "the status of a poll behind the end")


async def _post(target: Target, polling: Polling, body: bytes) -> None:
    """Send a body, which may be empty, and any answer will do."""
    headers = {"Content-Type": "text/plain;charset=UTF-8", "Content-Length": str(len(body))}
    await target.request("POST", polling.request_target, headers, body)


@area.check
async def an_overlap_is_refused_with_400(target: Target) -> None:
    """A second poll while one is held is refused with 400, and the first is answered CLOSE."""
    async with open_client(target) as neighbour:
        async with open_polling(target) as (client, polling):
            await _hold(client, polling)
            response = await target.request("GET", polling.request_target)
            expect(response.status, 400, "the status of the second poll")
            held = await polling.getting.receive_response()
            expect((held.status, held.body), (200, b"1"), "the answer to the first")
        await neighbour.expect_quiet()


@area.check
async def the_client_closes_while_a_poll_is_held(target: Target) -> None:
    """A client that sends CLOSE has its held poll answered with NOOP."""
    async with open_polling(target) as (client, polling):
        await _hold(client, polling)
        await client.send("1")
        held = await polling.getting.receive_response()
        expect((held.status, held.body), (200, b"6"), "the answer to the held poll")


async def _hold(client: Client, polling: Polling) -> None:
    """Have a poll held; no PING may come before the check goes on."""
    await polling.getting.send_request("GET", polling.request_target)
    await client.emit("nobody handles this")  # behind this the poll is held
    await trio.sleep(client.silence_limit / 8)
