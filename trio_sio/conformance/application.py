"""The application that a server has to run, as far as its absence can be told at once.

Without it most checks wait for what will not come, and a run takes many minutes.
"""

from trio_sio.conformance.client import Client, open_client
from trio_sio.conformance.runner import what_is_wrong
from trio_sio.conformance.target import Target

INTERVAL = TIMEOUT = 1.0
"""Seconds between the application's pings, and for which they may be late."""


async def lacks(target: Target) -> list[str]:
    """Return what a server seems to lack of the application: a sentence each.

    Nothing is said of a server that does not even let a client in, since the checks tell why.

    Args:
        target: the server.
    """
    notes = list[str]()

    async def look() -> None:
        async with open_client(target) as client:
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
    return notes


async def _echoes(client: Client) -> None:
    await client.emit("echo", 1)
    await client.expect_event("echo", 1)
