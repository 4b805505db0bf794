"""WebSocket by the library `trio-websocket`, over a stream of ours and by its public API alone.

It believes that it reads a whole connection: first comes a request for a WebSocket, always the
same one, since the client's has been read and answered by us; then come those frames that
`incoming` leaves to it. What it writes (pongs and close frames) goes through the session's outbox,
so that our shared frames and its own leave by one door.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.backends.base import Backend, Control, Reader
from trio_sio.engine.websocket.frame_parser import TOO_BIG, FrameParser
from trio_sio.http import Request
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded, WireFormat
from trio_sio.protocol.websocket.frame import unmask

ABNORMAL = 1006

_HEAD = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
"""What the library reads first."""

_CLOSE_FRAME = b"\x88"
_TOO_BIG_TEXT = "Exceeded maximum message size"


def check(options: EngineOptions) -> None:
    """Raise `ValueError` for what this library cannot do."""
    if options.per_message_deflate is not False:
        raise ValueError(
            "option 'per_message_deflate' needs ws_engine 'websockets', and it is"
            " 'trio-websocket'; pip install 'trio-sio[speed]' installs it"
        )


@dataclass(slots=True)
class Agreement:
    """Upon nothing: the library has no compression. See `library.Agreement`."""

    options: EngineOptions
    extensions: str = ""

    @asynccontextmanager
    async def open(self, pipe: ByteStream) -> AsyncIterator[Backend]:
        """Yield the connection; the library's reader task lives in here."""
        stream = _Replayed()
        async with trio.open_nursery() as nursery:
            offer = await wrap_server_stream(
                nursery, stream, max_message_size=self.options.max_http_buffer_size
            )
            connection = await offer.accept()
            stream.accepted = True
            yield TrioWebSocketConnection(pipe, self.options, connection, stream)
            nursery.cancel_scope.cancel()


def negotiate(request: Request, options: EngineOptions) -> Agreement:
    """Agree with a client; see `library.Agreement`."""
    return Agreement(options)


class _Replayed(trio.abc.Stream):
    """The stream that the library sees.

    Attributes:
        control: where what it sends goes.
        accepted: whether the handshake is over.
        close_sent: whether it has sent a close frame.
        stopped: whether it has closed the stream, or is to get nothing more.
    """

    def __init__(self) -> None:
        self.control: Control = lambda data: None
        self.accepted = False
        self.close_sent = False
        self.stopped = False
        self._piece: bytes | None = _HEAD
        self._fed = trio.Event()
        self._done = trio.Event()

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
        if not self.accepted:  # its answer to that request; the client has got ours
            return
        if bytes(data[:1]) == _CLOSE_FRAME:
            self.close_sent = True
        self.control(bytes(data))

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


class TrioWebSocketConnection(Reader):
    """One connection; see `library.Backend`."""

    compresses = False

    def __init__(
        self,
        pipe: ByteStream,
        options: EngineOptions,
        connection: WebSocketConnection,
        stream: _Replayed,
    ) -> None:
        incoming = FrameParser(options.max_http_buffer_size, options.max_fragments, unmask)
        super().__init__(pipe, incoming, options.handshake_buffer_size)
        self._connection = connection
        self._stream = stream

    @property
    def control(self) -> Control:
        """Where pongs and close frames go."""
        return self._stream.control

    @control.setter
    def control(self, control: Control) -> None:
        self._stream.control = control

    async def consult(self, piece: bytes) -> None:
        """Have the library's reader task read a piece, and get the message that it completes."""
        await self._stream.feed(piece)
        stream = self._stream
        if self.incoming.completes or stream.stopped or stream.close_sent:
            try:
                self.incoming.add(await self._connection.get_message())
            except ConnectionClosed as closed:
                self.incoming.end = self._end(closed)

    def _end(self, closed: ConnectionClosed) -> TransportClosed:
        """Tell whose doing the end was; the library gives peer and itself the same codes."""
        reason = closed.reason
        if reason is None or reason.code == ABNORMAL:
            return TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
        if not self._stream.close_sent:  # it could not parse, and leaves the answer to us
            why = Explanation(reason.reason or "a frame that breaks the protocol")
            return TransportClosed(DisconnectReason.TRANSPORT_ERROR, reason.code, why)
        if reason.code == TOO_BIG and (reason.reason or "").startswith(_TOO_BIG_TEXT):
            return TransportClosed(DisconnectReason.TRANSPORT_ERROR, None, self.incoming.too_big())
        return TransportClosed(DisconnectReason.TRANSPORT_CLOSE)

    def stop(self) -> None:
        """Give the library's reader task nothing more."""
        super().stop()
        self._stream.stop()

    def shared_frames(self, item: Encoded) -> bool:
        """Always: the library has no compression."""
        return True

    def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        """Never called."""
        raise NotImplementedError
