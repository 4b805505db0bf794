"""Pings of the client, pongs of the server, and silence; who pings depends on the revision."""

from dataclasses import replace

import trio

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect, require
from trio_sio.testing.clients.transports import TRANSPORTS

area = Area("heartbeat")

_SLACK = 3.0
"""Seconds that a server may take longer, on a busy machine."""


@area.only(4).check_with(TRANSPORTS)
async def a_ping_is_answered(target: Target, how: str) -> None:
    """PING is answered with PONG."""
    async with open_client(target, how, heartbeat=False) as client:
        await client.send("2")
        expect(await client.receive_beat(), "3", "the answer")


@area.only(4).check_with(("polling", "websocket"))
async def a_ping_with_data(target: Target, how: str) -> None:
    """PING with data is answered with a plain PONG; only a probe's has data."""
    async with open_client(target, how, heartbeat=False) as client:
        await client.send("2data")
        expect(await client.receive_beat(), "3", "the answer")


@area.check_with(("polling", "websocket"))
async def silence_ends_the_session(target: Target, how: str) -> None:
    """A silent client is given up when `pingInterval` and `pingTimeout` have passed."""
    patient = replace(target, patience=target.patience + _SLACK)
    async with open_client(patient, how, heartbeat=False) as client:
        begun = trio.current_time()
        await client.receive_end(seconds=client.silence_limit + _SLACK)
        lasted = trio.current_time() - begun
        wanted = client.opening["pingInterval"] / 1000
        require(lasted > wanted, f"it was given up after {lasted:.1f} s, within the interval")


@area.check_with(("polling", "websocket"))
async def pings_keep_the_session(target: Target, how: str) -> None:
    """A client that pings, or answers pings, is not given up."""
    async with open_client(target, how) as client:
        await trio.sleep(client.silence_limit * 1.5)
        await client.expect_quiet()
