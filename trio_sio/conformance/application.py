"""The application that a server has to run, as far as its absence can be told at once.

Without it most checks wait for what will not come, and a run takes many minutes.
"""

from dataclasses import replace

from trio_sio.conformance.client import Client, open_client
from trio_sio.conformance.runner import what_is_wrong
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.dialect import PROTOCOLS

INTERVAL = TIMEOUT = 1.0
"""Seconds between the application's pings, and for which they may be late."""


async def notes_on(target: Target) -> list[str]:
    """Return what can be said of a server before it is judged: a sentence for each thing.

    It may lack the application, or speak the other protocol.

    Nothing is said of a server that lets nobody in at all, since the checks tell why.

    Args:
        target: the server.
    """
    notes = list[str]()
    if not await _lets_in(target, notes):
        other = replace(target, protocol=sum(PROTOCOLS) - target.protocol)
        if await _lets_in(other, []):
            notes.append(
                f"no client of protocol {target.protocol} gets in, but one of {other.protocol} "
                f"does, whom --protocol {other.protocol} judges"
            )
    return notes


async def _lets_in(target: Target, notes: list[str]) -> bool:
    """Return whether a client gets in; take notes of what it does not find there."""
    opened = False

    async def look() -> None:
        nonlocal opened
        async with open_client(target, "polling") as client:
            opened = True
            if await what_is_wrong(lambda: _echoes(client), target.patience):
                notes.append(
                    'the server does not answer "echo"; most checks need the application that '
                    "docs/conformance.md describes"
                )
            interval, timeout = (
                client.opening[name] / 1000 for name in ("pingInterval", "pingTimeout")
            )
            if (interval, timeout) != (INTERVAL, TIMEOUT):
                notes.append(
                    f"its pings have {interval:g} s and {timeout:g} s, where the application "
                    f"has {INTERVAL:g} s each; what waits for them takes long, or fails"
                )

    await what_is_wrong(look, 2 * target.patience)
    return opened


async def _echoes(client: Client) -> None:
    await client.emit("echo", 1)
    await client.expect_event("echo", 1)
