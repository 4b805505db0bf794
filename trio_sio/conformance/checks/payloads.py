"""The encodings of long polling."""

import trio

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client, open_polling
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect, require
from trio_sio.testing.clients.transports import POLLING
from trio_sio.testing.wire import BINARY_PAYLOAD, TEXT_PAYLOAD

area = Area("payloads")

ASTRAL = "é\u2028\U0001f600"
"""Two bytes, three bytes and a line end of JavaScript, and two UTF-16 code units."""


@area.check
async def a_post_is_answered_ok(target: Target) -> None:
    """A POST is answered with 200 and "ok"."""
    async with open_polling(target) as (_, polling):
        response = await polling.post(target.payload('42["nobody handles this"]'))
        expect((response.status, response.body.lower()), (200, b"ok"), "status and body")


@area.check_with(POLLING)
async def several_packets_in_one_post(target: Target, how: str) -> None:
    """The packets of one POST are handled in their order."""
    async with open_client(target, how) as client:
        await client.send(*(f'42["echo",{number}]' for number in range(10)))
        for number in range(10):
            await client.expect_event("echo", number)


@area.check_with(POLLING)
async def lengths_are_characters(target: Target, how: str) -> None:
    """Text that is no ASCII comes back as it went, with packets behind it."""
    async with open_client(target, how) as client:
        await client.send(f'42["echo","{ASTRAL}"]', '42["echo","behind"]')
        await client.expect_event("echo", ASTRAL)
        await client.expect_event("echo", "behind")


@area.only(4).check
async def lengths_count_utf_16_code_units(target: Target) -> None:
    """A packet's length in a text payload counts UTF-16 code units, as JavaScript does."""
    async with open_polling(target) as (client, polling):
        packet = '42["echo","\U0001f600"]'
        size = len(packet.encode("utf-16-le")) // 2
        body = f'{size}:{packet}17:42["echo","next"]'
        await polling.post(body.encode())
        await client.expect_event("echo", "\U0001f600")
        await client.expect_event("echo", "next")


@area.check_with(POLLING)
async def binary_data(target: Target, how: str) -> None:
    """Binary data comes back as it went, in each encoding."""
    data = bytes(range(256))
    async with open_client(target, how) as client:
        await client.emit("echo", data)
        await client.expect_event("echo", data)


@area.only(4).check
async def base64_packets_in_a_text_payload(target: Target) -> None:
    """A packet "b4…" is binary, in base64, whatever the session has asked for."""
    async with open_polling(target) as (client, polling):
        event = '451-["echo",{"_placeholder":true,"num":0}]'
        body = f"{len(event)}:{event}6:b4AQID".encode()
        response = await polling.post(body, TEXT_PAYLOAD)
        expect(response.status, 200, "the status")
        await client.expect_event("echo", b"\x01\x02\x03")


@area.only(4).check
async def a_client_without_binary_gets_base64(target: Target) -> None:
    """With `b64=1` the server sends no binary payload."""
    async with open_polling(target, "polling-base64") as (client, polling):
        await client.emit("echo", b"\x00\x01")
        text = (await polling.poll()).text
        if "b4" not in text:  # the attachment may have a poll of its own
            text += (await polling.poll()).text
        require("b4AAE=" in text, f"the payload: {text!r}")


@area.only(4).check
async def a_binary_payload(target: Target) -> None:
    """A payload of Content-Type application/octet-stream has binary and text packets."""
    async with open_polling(target) as (client, polling):
        packet = '42["echo","é"]'.encode()
        body = b"\x00" + bytes(map(int, str(len(packet)))) + b"\xff" + packet
        response = await polling.post(body, BINARY_PAYLOAD)
        expect(response.status, 200, "the status")
        await client.expect_event("echo", "é")


@area.only(4).check
async def jsonp_escapes(target: Target) -> None:
    """By JSONP a line end in a string survives both ways."""
    async with open_client(target, "polling-jsonp") as client:
        await client.emit("echo", "one\ntwo\\nthree")
        await client.expect_event("echo", "one\ntwo\\nthree")


@area.check
async def a_request_in_single_bytes(target: Target) -> None:
    """A request may arrive in pieces of any size."""
    async with open_polling(target) as (client, polling):
        connection = await target.connect()
        try:
            request = connection.request_bytes(
                "POST",
                polling.request_target,
                {"Content-Type": TEXT_PAYLOAD},
                target.payload('42["echo",1]'),
            )
            for byte in request:
                await connection.send(bytes((byte,)))
            response = await connection.receive_response()
        finally:
            await connection.aclose()
        expect(response.status, 200, "the status")
        await client.expect_event("echo", 1)


@area.check
async def a_malformed_payload_ends_the_session(target: Target) -> None:
    """A payload that is none ends the session, which is unknown from then on."""
    async with open_polling(target) as (client, polling):
        await polling.post(b"no length")
        await client.receive_end()
        response = await polling.poll()
        expect(response.status, 400, "the status of a poll behind the end")


@area.check
async def many_packets_in_one_post(target: Target) -> None:
    """A POST may have hundreds of packets, none of which is lost."""
    async with open_client(target, "polling") as client:
        await client.send(*(f'42["echo",{number}]' for number in range(500)))
        for number in range(500):
            await client.expect_event("echo", number)


@area.check
async def a_second_poll_while_one_is_held(target: Target) -> None:
    """A second poll while one is held is refused, and ends that session alone."""
    async with open_client(target) as neighbour:
        async with open_polling(target) as (client, polling):
            await polling.getting.send_request("GET", polling.request_target)
            await client.emit("nobody handles this")  # behind this the poll is held
            # A server that lets both wait, and gives up each after a while, gives up one first.
            await trio.sleep(client.silence_limit / 8)
            response = await target.request("GET", polling.request_target)
            require(response.status != 200, "the second poll was answered 200")
            response = await target.request("GET", polling.request_target)
            expect(response.status, 400, "the status of a poll behind the end")
        await neighbour.expect_quiet()
