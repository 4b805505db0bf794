"""The server pings, and the client answers."""

import trio

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect, require
from trio_sio.testing.clients.transports import TRANSPORTS_4

area = Area("heartbeat", protocols=(5,))

BOTH = ("polling", "websocket")

_EARLY = 0.8
"""How much of an interval has passed at least before the server pings again."""


@area.check_with(TRANSPORTS_4)
async def the_server_pings(target: Target, how: str) -> None:
    """PING, without data, comes one interval behind OPEN."""
    async with open_client(target, how, heartbeat=False) as client:
        expect(await client.receive_beat(), "2", "the server's ping")


@area.check_with(BOTH)
async def a_ping_follows_the_pong(target: Target, how: str) -> None:
    """The next PING comes one interval behind the PONG, not behind the PING before."""
    async with open_client(target, how, heartbeat=False) as client:
        interval = client.opening["pingInterval"] / 1000
        await client.receive_beat()
        await trio.sleep(interval / 2)
        answered = trio.current_time()
        await client.send("3")
        expect(await client.receive_beat(), "2", "the next ping")
        waited = trio.current_time() - answered
        require(waited > interval * _EARLY, f"the next ping came after {waited:.2f} s")


@area.check_with(BOTH)
async def a_pong_with_data(target: Target, how: str) -> None:
    """A PONG may have data."""
    async with open_client(target, how, heartbeat=False) as client:
        await client.receive_beat()
        await client.send("3data")
        expect(await client.receive_beat(), "2", "the next ping")


@area.check_with(BOTH)
async def a_ping_of_the_client_ends_the_session(target: Target, how: str) -> None:
    """A client that pings speaks another revision, and is closed."""
    async with open_client(target, how, heartbeat=False) as client:
        await client.send("2")
        await client.receive_end()


@area.check_with(BOTH)
async def an_unasked_pong_does_not_postpone_pings(target: Target, how: str) -> None:
    """A client that sends PONG all the time is pinged nevertheless."""
    async with open_client(target, how, heartbeat=False) as client:
        interval = client.opening["pingInterval"] / 1000
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def pong() -> None:
                while True:
                    await trio.sleep(interval / 5)
                    await client.send("3")

            with trio.move_on_after(3 * interval) as silence:
                await client.receive_beat()
            nursery.cancel_scope.cancel()
        seconds = f"{3 * interval:g} s"
        require(not silence.cancelled_caught, f"no ping came within {seconds}")
