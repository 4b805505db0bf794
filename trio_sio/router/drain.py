"""Closes clients one after the other, each once what is under way for it is done.

When a deploy closes all clients at once, they all reconnect at once, to the servers that are left.
Here they are closed evenly over some seconds, each when its handlers have nothing to do. What a
client has sent by the time it hears of the end is handled, too.
"""

from collections.abc import Collection

import trio

from trio_sio.disconnect import DisconnectReason
from trio_sio.router.client import Client


async def drain(clients: Collection[Client], *, grace: float, spread: float) -> None:
    """Close clients. They are not told to leave their namespaces, so they reconnect elsewhere.

    Args:
        clients: those that are here.
        grace: seconds that each client gets, from its turn on: for what it sends, its handlers,
            the calls that wait for its answer, and its outbox.
        spread: seconds between the first client's turn and the last one's.
    """
    begun = trio.current_time()
    present = list(clients)
    async with trio.open_nursery() as nursery:
        for number, client in enumerate(present):
            turn = begun + spread * number / max(1, len(present) - 1)
            nursery.start_soon(_let_go, client, turn, grace)


async def _let_go(client: Client, turn: float, grace: float) -> None:
    await trio.sleep_until(turn)
    session = client.session
    with trio.move_on_after(grace):
        await _wait_done(client)
        if session.closed:  # it went by itself
            await session.wait_closed()
            return
        try:
            await session.let_go(DisconnectReason.SERVER_SHUTTING_DOWN)
            await _wait_done(client)
        finally:
            session.close(DisconnectReason.SERVER_SHUTTING_DOWN)
        await session.wait_closed()  # a client that polls has to fetch the rest
    session.close(DisconnectReason.SERVER_SHUTTING_DOWN)


async def _wait_done(client: Client) -> None:
    """Wait until all that a client has sent is handled, and nothing of it is waited for."""
    while client.session.detail is None:
        await client.wait_heard()
        busy = [socket for socket in client.sockets.values() if not socket.is_idle]
        if not busy:
            return
        await busy[0].wait_idle()
