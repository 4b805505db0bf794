"""Noticing that a client leaves while its answer is waited for."""

import trio

from trio_sio.engine.connection import MAX_PIPELINED, HTTPConnection


async def wait_unless_hung_up(connection: HTTPConnection, event: trio.Event) -> None:
    """Wait for an event, but not longer than the client stays.

    What the client pipelines meanwhile is kept, up to a limit; then it is not read any more.

    Raises:
        trio.BrokenResourceError: it left.
    """
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def watch() -> None:
            try:
                while connection.ahead < MAX_PIPELINED:
                    await connection.read_ahead()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                nursery.cancel_scope.cancel()

        await event.wait()
        nursery.cancel_scope.cancel()
    if not event.is_set():
        raise trio.BrokenResourceError("the client closed the connection")
