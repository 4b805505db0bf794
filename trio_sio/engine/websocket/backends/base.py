"""What a WebSocket backend is, and the reading that all of them share.

A backend reads from the connection. `FrameParser` makes messages of what comes, as far as it can;
what it leaves, a library parses: pings, close frames, compressed frames, and whatever breaks the
protocol. A backend does not send messages: their frames are made once for all recipients, and
everything leaves through the session's outbox.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import ClassVar, NamedTuple, Protocol

import trio

from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.engine.runtime.stream import READ_SIZE, ByteStream
from trio_sio.http import Request
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded, WireFormat
from trio_sio.protocol.websocket.errors import TOO_BIG, FrameError, WebSocketClosed
from trio_sio.protocol.websocket.frame_parser import FrameLimits, FrameParser

Control = Callable[[bytes], None]
"""Takes a frame that the library answers with: a pong, or a close frame."""

Turn = Callable[[], Awaitable[object]]
"""Awaited before more is parsed than a first quantum, and before each item is compressed; it lets
other clients go first."""


class Backend(Protocol):
    """One connection.

    Attributes:
        parser: has the messages.
        compresses: whether some items go out in frames of this connection's own.
    """

    @property
    def parser(self) -> FrameParser:
        """The parser that has the messages."""

    @property
    def compresses(self) -> bool:
        """Whether some items go out in frames of this connection's own."""

    async def read(self) -> None:
        """Read from the connection, or parse more of what it has brought.

        Raises:
            WebSocketClosed: the client has closed the connection.
            FrameError: a client that has not joined a namespace has sent too much.
        """

    def lift_limit(self) -> None:
        """Apply the limits of a client that has joined a namespace."""

    def stop(self) -> None:
        """Read no more from the connection, and free what has been read.

        From now on somebody else reads. What is freed may be large, and would wait for the
        garbage collector, which looks at numbers of objects only.
        """

    def shared_frames(self, item: Encoded) -> bool:
        """Whether `item` goes out in the frames that everybody gets."""

    async def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        """Return frames for this connection alone: those of a format, compressed.

        Compressing takes time, so it waits for a turn.
        """


MakeBackend = Callable[[Control], Backend]


class Agreement(Protocol):
    """What a client and a backend agree upon in the opening handshake.

    The handshake itself is ours, so that no library reads the head of a request, and all backends
    accept and refuse the same.

    Attributes:
        has_tasks: whether tasks of the library live in the context of a connection.
    """

    has_tasks: ClassVar[bool]

    @property
    def extensions(self) -> str:
        """The value of `Sec-WebSocket-Extensions` in the answer, `""` for no such field."""

    def open(self, stream: ByteStream) -> AbstractAsyncContextManager[MakeBackend]:
        """Return the context of a connection whose handshake has been answered.

        It gives a function that makes the connection's backend. If it `has_tasks`, it lasts as long
        as that is used.
        """


Negotiate = Callable[[Request], Agreement]
"""Agrees with a client, whose request has no `handshake.problem`."""


class Settings(NamedTuple):
    """What is the same for all connections of an engine.

    Attributes:
        limits: of frames and messages.
        limit_before_join: bytes that a message may take before the client has joined a namespace
            (option `handshake_buffer_size`), `None` for no such limit.
        turn: lets other clients go first.
    """

    limits: FrameLimits
    limit_before_join: int | None
    turn: Turn

    @classmethod
    def of(cls, options: EngineOptions, turn: Turn) -> "Settings":
        """Return what the options ask for."""
        max_size, max_fragments = options.max_http_buffer_size, options.max_fragments
        limits = FrameLimits(max_size, max_fragments, FIRST_QUANTUM, QUANTUM)
        return cls(limits, options.handshake_buffer_size, turn)

    def too_big_before_join(self, size: int | None = None) -> FrameError:
        """Return the error for a message over `limit_before_join`.

        Args:
            size: its bytes, as far as they have come.
        """
        limit = self.limit_before_join
        sentence = f"a message of more than {limit} bytes from a client that has joined nothing"
        return FrameError(TOO_BIG, sentence, "handshake_buffer_size", limit, size)


class BaseBackend:
    """Reads from a connection; a subclass adds what its library makes of the parser's pieces.

    Args:
        stream: the connection.
        parser: makes messages of its bytes.
        settings: of the engine.
    """

    __slots__ = ("_has_joined", "_has_more", "_settings", "_spent", "_stream", "parser")

    def __init__(self, stream: ByteStream, parser: FrameParser, settings: Settings) -> None:
        self.parser = parser
        self._settings = settings
        self._stream = stream
        self._has_joined = settings.limit_before_join is None
        self._spent = 0  # bytes read since the last message
        self._has_more = False  # the last read brought more than a first quantum

    async def read(self) -> None:
        """Read from the connection, or parse more of what it has brought; see `Backend.read`."""
        parser = self.parser
        if parser.is_paused:
            self._has_more = True
            await self._settings.turn()
            piece = parser.resume()
        else:
            if self._has_more:  # perhaps it still has: then it gets nothing without a turn
                self._has_more = False
                await self._settings.turn()
            stream = self._stream
            descriptor = stream.descriptor
            data: bytes | None
            try:
                if descriptor >= 0:
                    await trio.lowlevel.wait_readable(descriptor)
                    data = stream.read_nowait()
                    if data is None:
                        data = await stream.read()
                else:
                    data = await stream.read()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            if not data:
                raise WebSocketClosed
            if not self._has_joined:
                self._spend(len(data))
            piece = parser.feed(data)
        while piece:
            await self.delegate(piece)
            piece = parser.go_on()
        if not self._has_joined and parser.has_message:
            self._spent = 0

    def _spend(self, size: int) -> None:
        """Count what a client that has not joined a namespace sends before a message is whole."""
        self._spent += size
        limit = self._settings.limit_before_join
        if limit is not None and self._spent > limit + READ_SIZE:
            raise self._settings.too_big_before_join(self._spent)

    def too_big(self) -> FrameError:
        """Return the error for a message over the limit that holds at present."""
        settings = self._settings
        before_join, max_size = settings.limit_before_join, settings.limits.max_size
        if self._has_joined or before_join is None or before_join >= max_size:
            return settings.limits.too_big()
        return settings.too_big_before_join()

    def lift_limit(self) -> None:
        """Apply the limits of a client that has joined a namespace."""
        self._has_joined = True

    def stop(self) -> None:
        """Free what has been read; a subclass adds what its library has of it."""
        self.parser.clear()

    async def delegate(self, piece: bytes) -> None:
        """Have the library parse a piece; add what it makes of it to the parser."""
        raise NotImplementedError
