"""Pings around an upgrade."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import Client, open_polling
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect, require
from trio_sio.testing.clients.transports import Polling

area = Area("upgrade", protocols=(5,))


async def _move_with_a_ping_due(client: Client, polling: Polling) -> None:
    """Leave a ping without its answer, and go on by WebSocket."""
    while await polling.receive() != "2":
        pass
    websocket = await client.probe()
    packet = await polling.receive()
    require(packet == "6", f"a held poll is released by NOOP, not {packet!r}")
    await client.move(websocket)


@area.check
async def a_ping_is_answered_by_the_websocket(target: Target) -> None:
    """A PING that came by polling may be answered behind the upgrade, by the WebSocket."""
    async with open_polling(target) as (client, polling):
        await _move_with_a_ping_due(client, polling)
        await client.send("3")
        expect(await client.receive_beat(), "2", "the next ping")
        await client.send("3")
        await client.expect_quiet()


@area.check
async def a_ping_that_is_never_answered(target: Target) -> None:
    """A PING that is due when the client moves, and is never answered, ends the session."""
    async with open_polling(target) as (client, polling):
        await _move_with_a_ping_due(client, polling)
        await client.receive_end(seconds=client.silence_limit + target.patience)


@area.check
async def pings_come_by_the_websocket(target: Target) -> None:
    """Behind an upgrade the server pings by WebSocket, and goes on when it is answered."""
    async with open_polling(target) as (client, polling):
        websocket = await client.probe()
        while await polling.receive() != "6":
            pass
        await client.move(websocket)
        for _ in range(2):
            expect(await client.receive_beat(), "2", "a ping")
            await client.send("3")
        await client.expect_quiet()
