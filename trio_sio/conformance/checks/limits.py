"""Messages that are too large for the fixture's limit of 100,000 bytes."""

from contextlib import suppress

import trio

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client, open_polling
from trio_sio.conformance.expectation import Ended, require
from trio_sio.conformance.target import Target
from trio_sio.testing.wire import text_payload

area = Area("limits")


@area.check
async def a_message_that_is_too_large(target: Target) -> None:
    """A message over `maxHttpBufferSize` by WebSocket ends the session."""
    async with open_client(target, heartbeat=False) as client:
        with suppress(trio.BrokenResourceError):
            await client.emit("echo", "x" * 150_000)
        await client.receive_end()


@area.check
async def a_body_that_is_too_large(target: Target) -> None:
    """A body over `maxHttpBufferSize` is not taken, and ends the session."""
    async with open_polling(target) as (client, polling):
        body = text_payload([f'42["echo","{"x" * 150_000}"]'])
        try:
            status = (await polling.post(body)).status
        except trio.BrokenResourceError:
            status = 0
        require(status != 200, "it was answered 200")
        await client.receive_end()


@area.check
async def the_neighbours_of_one_too_large(target: Target) -> None:
    """A message over the limit costs the other clients nothing."""
    async with open_client(target) as neighbour:
        async with open_client(target, heartbeat=False) as client:
            with suppress(Ended, trio.BrokenResourceError):
                await client.emit("echo", "x" * 150_000)
                await client.receive()
        await neighbour.expect_quiet()
