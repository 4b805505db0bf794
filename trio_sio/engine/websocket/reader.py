"""Reading from a connection: bytes to messages, with a library's help."""

from typing import TYPE_CHECKING

import trio

from trio_sio.abc import TransportClosed
from trio_sio.detail import Explanation
from trio_sio.engine.pipe import READ_SIZE, Pipe
from trio_sio.engine.websocket.incoming import TOO_BIG, Incoming
from trio_sio.reasons import DisconnectReason

if TYPE_CHECKING:
    from trio_sio.engine.websocket.library import Turn


class Reader:
    """The half of `library.Library` that reads; a library adds what it makes of its pieces.

    Args:
        pipe: the connection.
        incoming: makes messages of its bytes.
        budget: bytes that a message may take while the client is a stranger.
    """

    def __init__(self, pipe: Pipe, incoming: Incoming, budget: int | None) -> None:
        self.budget = budget
        self.turn: Turn = trio.lowlevel.checkpoint
        self.incoming = incoming
        self._pipe = pipe
        self._spent = 0
        self._has_much = False  # sent at once: more than its first share

    @property
    def is_clear(self) -> bool:
        """Whether nothing of what has been read is left."""
        return self.incoming.is_clear

    def next(self) -> str | bytes | None:
        """Return the next message, if one is whole."""
        message = self.incoming.next()
        if message is not None:
            self._spent = 0
        return message

    async def read(self) -> None:
        """Read from the connection, or go on with what it has brought."""
        incoming = self.incoming
        if incoming.is_paused:
            self._has_much = True
            await self.turn()
            await self._consult_all(incoming.resume())
            return
        if self._has_much:  # perhaps it still has: then it gets nothing without a turn
            self._has_much = False
            await self.turn()
        pipe = self._pipe
        descriptor = pipe.descriptor
        data: bytes | None
        try:
            if descriptor >= 0:
                await trio.lowlevel.wait_readable(descriptor)
                data = pipe.read_nowait()
                if data is None:
                    data = await pipe.read()
            else:
                data = await pipe.read()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        if not data:
            raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
        if self.budget is not None:
            self._spent += len(data)
            if self._spent > self.budget + READ_SIZE:
                why = stranger_too_big(self.budget, self._spent)
                raise TransportClosed(DisconnectReason.TRANSPORT_ERROR, TOO_BIG, why)
        piece = incoming.feed(data)
        if piece:
            await self._consult_all(piece)

    async def _consult_all(self, piece: bytes) -> None:
        while piece:
            await self.consult(piece)
            piece = self.incoming.go_on()

    def stop(self) -> None:
        """Forget what has been read; a library adds what it has of it."""
        self.incoming.clear()

    async def consult(self, piece: bytes) -> None:
        """Have the library read a piece, and add what it makes of it to `incoming`."""
        raise NotImplementedError


def stranger_too_big(limit: int, size: int | None = None) -> Explanation:
    """Say that a message is over the limit of clients that have joined nothing yet."""
    text = f"a message of more than {limit} bytes from a stranger"
    return Explanation(text, "handshake_buffer_size", limit, size)
