"""WebSocket by the library `trio-websocket`, over a stream of ours and by its public API alone.

The library believes that it reads a whole connection: first comes a request for a WebSocket,
always the same one, since the client's has been read and answered by us; then come the frames that
`FrameParser` leaves to it. What it writes (pongs and close frames) goes through the session's
outbox, as our shared frames do.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.backends.base import (
    BaseBackend,
    Control,
    MakeBackend,
    Negotiate,
    Settings,
    Turn,
)
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded, WireFormat
from trio_sio.protocol.websocket.errors import TOO_BIG, FrameError, WebSocketClosed
from trio_sio.protocol.websocket.frame import unmask
from trio_sio.protocol.websocket.frame_parser import FrameParser

ABNORMAL = 1006

_HEAD = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
"""What the library reads first."""

_CLOSE_FRAME = b"\x88"
_TOO_BIG_TEXT = "Exceeded maximum message size"


def negotiator(options: EngineOptions, turn: Turn) -> Negotiate:
    """Return what agrees with clients; see `auto.choose`.

    Raises:
        ValueError: the options ask for compression, which this library has not.
    """
    if options.per_message_deflate is not False:
        raise ValueError(
            "option 'per_message_deflate' needs ws_engine 'websockets', and it is"
            " 'trio-websocket'; pip install 'trio-sio[speed]' installs it"
        )
    agreement = Agreement(Settings.of(options, turn))
    return lambda request: agreement


@dataclass(frozen=True, slots=True)
class Agreement:
    """Upon nothing, the same for all clients; see `base.Agreement`."""

    has_tasks: ClassVar[bool] = True

    settings: Settings
    extensions: str = ""

    @asynccontextmanager
    async def open(self, stream: ByteStream) -> AsyncIterator[MakeBackend]:
        """Return the context of a connection; the library's reader task lives in it."""
        replayed = _Replayed()
        async with trio.open_nursery() as nursery:
            offer = await wrap_server_stream(
                nursery, replayed, max_message_size=self.settings.limits.max_size
            )
            connection = await offer.accept()
            yield partial(TrioWebSocketBackend, stream, self.settings, connection, replayed)
            nursery.cancel_scope.cancel()


class _Replayed(trio.abc.Stream):
    """The stream that the library sees.

    Attributes:
        close_sent: whether the library has sent a close frame.
        stopped: whether it has closed the stream, or is to get nothing more.
    """

    def __init__(self) -> None:
        self.close_sent = False
        self.stopped = False
        self._control: Control | None = None  # as long as the handshake lasts
        self._piece: bytes | None = _HEAD
        self._fed = trio.Event()
        self._done = trio.Event()

    def accept(self, control: Control) -> None:
        """End the handshake; what the library sends from now on is for the client."""
        self._control = control

    async def feed(self, piece: bytes) -> None:
        """Give the library a piece; returns when it comes for the next one, or wants no more."""
        self._piece = piece
        self._done = trio.Event()
        self._fed.set()
        if self.stopped:
            await trio.lowlevel.checkpoint()
        else:
            await self._done.wait()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._piece is None:
            self._done.set()
            self._fed = trio.Event()
            await self._fed.wait()
        else:
            await trio.lowlevel.checkpoint()
        piece, self._piece = self._piece, None
        if self.stopped or piece is None:
            raise trio.ClosedResourceError
        return piece

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        if self._control is None:  # its answer to that request; the client has got ours
            return
        if bytes(data[:1]) == _CLOSE_FRAME:
            self.close_sent = True
        self._control(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Do nothing but note it: the session decides when the connection is closed."""
        self.stop()
        await trio.lowlevel.checkpoint()

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self.stopped = True
        self._fed.set()
        self._done.set()


class TrioWebSocketBackend(BaseBackend):
    """One connection; see `base.Backend`.

    Args:
        stream: the connection.
        settings: of the engine.
        connection: the library's.
        replayed: what the library reads from.
        control: gets pongs and close frames.
    """

    __slots__ = ("_connection", "_replayed")

    compresses = False

    def __init__(
        self,
        stream: ByteStream,
        settings: Settings,
        connection: WebSocketConnection,
        replayed: _Replayed,
        control: Control,
    ) -> None:
        super().__init__(stream, FrameParser(settings.limits, unmask), settings)
        self._connection = connection
        self._replayed = replayed
        replayed.accept(control)

    async def delegate(self, piece: bytes) -> None:
        """Have the library's reader task parse a piece, and get the message that it completes."""
        replayed = self._replayed
        await replayed.feed(piece)
        if self.parser.completes or replayed.stopped or replayed.close_sent:
            try:
                self.parser.add(await self._connection.get_message())
            except ConnectionClosed as closed:
                self.parser.end_with(self._end_of(closed))

    def _end_of(self, closed: ConnectionClosed) -> WebSocketClosed:
        """Tell whose doing the end was; the library gives peer and itself the same codes."""
        reason = closed.reason
        if reason is None or reason.code == ABNORMAL:
            return WebSocketClosed()
        if not self._replayed.close_sent:  # it could not parse, and leaves the answer to us
            return FrameError(reason.code, reason.reason or "a frame that breaks the protocol")
        if reason.code == TOO_BIG and (reason.reason or "").startswith(_TOO_BIG_TEXT):
            return self.parser.limits.too_big()
        return WebSocketClosed()

    def stop(self) -> None:
        """Give the library's reader task nothing more."""
        super().stop()
        self._replayed.stop()

    def shared_frames(self, item: Encoded) -> bool:
        """Always: the library has no compression."""
        return True

    async def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        """Never called."""
        raise NotImplementedError
