"""Closes clients one after the other, each once what is under way for it is done.

When a deploy closes all clients at once, they all reconnect at once, to the servers that are left.
Here they are closed evenly over some seconds, each when its handlers have nothing to do.
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
    with trio.move_on_after(grace):
        while not client.session.closed:
            await client.wait_heard()
            busy = [socket for socket in client.sockets.values() if not socket.is_idle]
            if not busy:
                break
            await busy[0].wait_idle()
        client.session.close(DisconnectReason.SERVER_SHUTTING_DOWN)
        await client.session.wait_closed()  # a client that polls has to fetch the rest
    client.session.close(DisconnectReason.SERVER_SHUTTING_DOWN)
