"""What a WebSocket library does for us, and which one it is (option `ws_engine`).

A library turns the bytes of a connection into messages and answers pings and close frames. It
does not send our messages: their frames are made once for all recipients, and everything leaves
through the session's outbox.
"""

import importlib
import importlib.util
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import trio

from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.runtime.stream import READ_SIZE, ByteStream
from trio_sio.engine.websocket.frame_parser import TOO_BIG, FrameParser
from trio_sio.http import Request
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded, WireFormat

_BACKENDS = "trio_sio.engine.websocket.backends"

Control = Callable[[bytes], None]
"""Where a library's own frames go: pongs, and close frames."""

Turn = Callable[[], Awaitable[object]]
"""Awaited by who has taken its share of what has come, and wants to take more."""


class Backend(Protocol):
    """One connection, as a library sees it.

    Attributes:
        control: set by whoever owns the connection's door out, before anything is received.
        compresses: whether some items go out in frames of this connection's own.
        budget: bytes that a message may take while the client is a stranger; `None` afterwards.
        turn: set by whoever knows of other clients.
        is_clear: whether all that has been read was whole messages, and `next` has returned them.
    """

    control: Control
    budget: int | None
    turn: Turn
    compresses: bool

    @property
    def is_clear(self) -> bool:
        """Whether nothing of what has been read is left."""

    def next(self) -> str | bytes | None:
        """Return the next message of what has been read, `None` if there is none yet.

        Raises:
            TransportClosed: with a code if the peer is owed a close frame that says it.
        """

    async def read(self) -> None:
        """Read on, for `next`; raises `TransportClosed` as that does."""

    def stop(self) -> None:
        """Read no more from the connection, and forget what has been read.

        From now on somebody else reads. What is forgotten may be large, and would wait for the
        garbage collector, which looks at numbers of objects only.
        """

    def shared_frames(self, item: Encoded) -> bool:
        """Whether `item` goes out in the frames that everybody gets."""

    def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        """Return frames for this connection alone: those of a format, compressed."""


class Agreement(Protocol):
    """What a client and a library agree upon in the opening handshake.

    The handshake itself is ours, so that no library reads a stranger's head, and all of them
    accept and refuse the same.
    """

    @property
    def extensions(self) -> str:
        """The value of `Sec-WebSocket-Extensions` in the answer, `""` for no such field."""

    def open(self, pipe: ByteStream) -> AbstractAsyncContextManager[Backend]:
        """Return the connection, for whose time the context lasts; the answer has been sent."""


Negotiate = Callable[[Request, EngineOptions], Agreement]
"""Agrees with a client, whose request has no `handshake.problem`."""


def find(options: EngineOptions) -> Negotiate:
    """Return the `negotiate` function of the library that the options ask for.

    Raises:
        ValueError: the library is not installed, or it cannot do what other options ask for.
    """
    name = options.ws_engine
    if name == "auto":
        name = "websockets" if importlib.util.find_spec("websockets") else "trio-websocket"
    try:
        module = importlib.import_module(
            "trio_sio.engine.websocket.backends." + name.replace("-", "_")
        )
    except ImportError as error:
        raise ValueError(
            f"option 'ws_engine' is {options.ws_engine!r}, which cannot be imported ({error});"
            " pip install 'trio-sio[speed]' installs websockets"
        ) from error
    module.check(options)
    negotiate: Negotiate = module.negotiate
    return negotiate


class Reader:
    """The half of `library.Backend` that reads; a library adds what it makes of its pieces.

    Args:
        pipe: the connection.
        incoming: makes messages of its bytes.
        budget: bytes that a message may take while the client is a stranger.
    """

    def __init__(self, pipe: ByteStream, incoming: FrameParser, budget: int | None) -> None:
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
