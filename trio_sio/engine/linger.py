"""Closing a connection without losing the answer on its way."""

import trio

from trio_sio.engine.pipe import Pipe

LINGER_TIME = 2.0
LINGER_BYTES = 256 * 1024
"""After a refusal the client may still be sending; what it sends is read and dropped for so many
seconds and bytes, since closing on unread bytes would reset the connection and take the answer
with it."""


async def linger(pipe: Pipe) -> None:
    """Say that nothing more comes, and wait a while for the client to hear that."""
    left = LINGER_BYTES
    with trio.move_on_after(LINGER_TIME):
        await pipe.send_eof()
        while left > 0:
            data = await pipe.read()
            if not data:
                return
            left -= len(data)
