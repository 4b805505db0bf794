"""Messages and bodies at the fixture's limit of 100,000 bytes, and over it."""

from contextlib import suppress

import trio

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client, open_polling
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import Ended, expect, require

area = Area("limits")

LIMIT = 100_000
"""Bytes of a message by WebSocket, or of the body of a POST."""


def _event_of(size: int) -> str:
    """Return an event that has this many bytes as a packet of Engine.IO."""
    head, tail = '42["echo","', '"]'
    return f"{head}{'x' * (size - len(head) - len(tail))}{tail}"


def _body_of(target: Target, size: int) -> bytes:
    """Return a body of this many bytes, with one event."""
    # In Engine.IO 3 the packet's length stands before it, of five digits or six.
    prefix = len(f"{size - 6}:") if target.protocol == 4 else 0
    return target.payload(_event_of(size - prefix))


@area.check
async def a_message_at_the_limit(target: Target) -> None:
    """A message of exactly `maxHttpBufferSize` bytes by WebSocket comes back."""
    event = _event_of(LIMIT)
    async with open_client(target) as client:
        await client.send(event)
        expect(await client.receive(), event, "the same event")


@area.check
async def a_message_one_byte_over_the_limit(target: Target) -> None:
    """One more byte ends the session."""
    async with open_client(target, heartbeat=False) as client:
        with suppress(trio.BrokenResourceError):
            await client.send(_event_of(LIMIT + 1))
        await client.receive_end()


@area.check
async def a_body_at_the_limit(target: Target) -> None:
    """A body of exactly `maxHttpBufferSize` bytes is taken."""
    async with open_polling(target) as (_, polling):
        response = await polling.post(_body_of(target, LIMIT))
        expect(response.status, 200, "the status")


@area.check
async def a_body_one_byte_over_the_limit(target: Target) -> None:
    """One more byte is not taken, and ends the session."""
    await _expect_refused(target, _body_of(target, LIMIT + 1))


@area.check
async def a_message_that_is_too_large(target: Target) -> None:
    """A message over `maxHttpBufferSize` by WebSocket ends the session."""
    async with open_client(target, heartbeat=False) as client:
        with suppress(trio.BrokenResourceError):
            await client.send(_event_of(LIMIT * 3 // 2))
        await client.receive_end()


@area.check
async def a_body_that_is_too_large(target: Target) -> None:
    """A body over `maxHttpBufferSize` is not taken, and ends the session."""
    await _expect_refused(target, _body_of(target, LIMIT * 3 // 2))


async def _expect_refused(target: Target, body: bytes) -> None:
    async with open_polling(target) as (client, polling):
        try:
            status = (await polling.post(body)).status
        except trio.BrokenResourceError:  # closed without reading the rest
            status = 0
        require(status != 200, "it was answered 200")
        await client.receive_end()


@area.check
async def the_neighbours_of_one_too_large(target: Target) -> None:
    """A message over the limit costs the other clients nothing."""
    async with open_client(target) as neighbour:
        async with open_client(target, heartbeat=False) as client:
            with suppress(Ended, trio.BrokenResourceError):
                await client.send(_event_of(LIMIT * 3 // 2))
                await client.receive()
        await neighbour.expect_quiet()
