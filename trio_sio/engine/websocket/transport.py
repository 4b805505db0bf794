"""The transport of a session that speaks through a WebSocket."""

from collections.abc import Sequence

import trio

from trio_sio.abc import OutgoingQueue, TransportClosed
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.backends.base import Backend, Turn
from trio_sio.protocol.encoded import WS3, WS3_BASE64, Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, decode_binary, decode_text
from trio_sio.protocol.websocket.frame import CLOSE, EMPTY_CLOSE, frame
from trio_sio.sync import Condition, LazyEvent

CLOSE_TIMEOUT = 5.0
"""Seconds that a client may take to read what is left and to answer the close frame."""

CHUNK = 256 * 1024
"""A large item is written in pieces, so that one can see that it moves."""

_CLOSE_FRAME = b"\x88"
_NOTHING = memoryview(b"")


class WebSocketTransport:
    """Sends shared frames through a pipe and receives messages through a library.

    Args:
        pipe: the connection.
        library: what makes messages of its bytes.
        turn: gives it its turns beside others.
        base64: whether the client cannot take binary frames.

    Attributes:
        outbox: of the session that owns the connection; `None` during a probe.
    """

    __slots__ = (
        "_code",
        "_compresses",
        "_delayed",
        "_format",
        "_goodbye",
        "_heard",
        "_hung_up",
        "_is_over",
        "_is_reading",
        "_library",
        "_midway",
        "_pipe",
        "_released",
        "_rest",
        "_turn",
        "direct",
        "outbox",
        "unsent",
        "writable",
    )

    name = "websocket"

    def __init__(
        self,
        pipe: ByteStream,
        library: Backend,
        turn: Turn = trio.lowlevel.checkpoint,
        *,
        base64: bool = False,
    ) -> None:
        self.writable = True
        self.direct = pipe.direct
        self.unsent = False
        self.outbox: OutgoingQueue | None = None
        self._pipe = pipe
        self._library = library
        self._compresses = library.compresses
        self._format = WS3_BASE64 if base64 else WS3
        self._rest = _NOTHING
        self._delayed: Sequence[Encoded] = ()  # not compressed yet
        self._turn = turn
        self._midway = False  # inside a frame, where no other may begin
        self._code: int | None = None
        self._hung_up = False  # with a close frame, which is echoed, or without
        self._goodbye = b""
        self._is_reading = False  # the session waits for what the client may send
        self._is_over = False
        self._heard: Condition | None = None  # for somebody who waits until all has been read
        self._released = LazyEvent()
        library.control = self._control
        library.turn = turn

    # -- packets in ------------------------------------------------------------------------

    async def receive(self) -> EnginePacket:
        """Return the next packet; see `abc.Transport`.

        The reference server ignores a CLOSE packet on a WebSocket and waits for the WebSocket's
        own end. python-engineio 3 sends one and leaves the rest to the server, which then hears
        of the end by its heartbeat only; so here it is the end.
        """
        library = self._library
        try:
            while (message := library.next()) is None:
                self._is_reading = True
                if self._heard is not None:
                    self._heard.notify_all()
                await library.read()
        except TransportClosed as closed:
            self._code = closed.code
            self._hung_up = closed.reason is DisconnectReason.TRANSPORT_CLOSE
            raise
        self._is_reading = False
        return decode_text(message) if isinstance(message, str) else decode_binary(message)

    async def wait_heard(self) -> None:
        """Return when nothing is half here, or unread; see `abc.Transport`."""
        self._heard = self._heard or Condition()
        await self._heard.wait_for(self._is_heard)

    async def wait_caught_up(self) -> None:
        """Return when nothing that has come is unread, or a session has taken the connection."""
        self._heard = self._heard or Condition()
        await self._heard.wait_for(self._has_caught_up)

    def _has_caught_up(self) -> bool:
        has_all = self._is_reading and not self._pipe.has_unread
        return has_all or self._is_over or self.outbox is not None

    def attach(self, outbox: OutgoingQueue) -> None:
        """Belong to a session from now on."""
        self.outbox = outbox
        if self._heard is not None:
            self._heard.notify_all()

    def _is_heard(self) -> bool:
        has_all = self._is_reading and self._library.is_clear and not self._pipe.has_unread
        return has_all or self._is_over

    def _stop_hearing(self) -> None:
        self._is_over = True
        self._library.stop()
        if self._heard is not None:
            self._heard.notify_all()

    def _control(self, data: bytes) -> None:
        """Take a frame of the library's own; its close frame is kept for the end.

        A stream without a direct path cannot send during a probe, and a probing client has no
        need of a pong.
        """
        if data[:1] == _CLOSE_FRAME:
            self._goodbye = data
        elif self.outbox is not None:
            self.outbox.send_control(Encoded.raw(self._format, data))
        elif self.direct:
            self.send_nowait((Encoded.raw(self._format, data),))

    def is_gone(self, now: float, patience: float) -> bool:
        """Whether the client has hung up."""
        return self._pipe.hung_up

    def trust(self) -> None:
        """Apply the full limits: the client is a stranger no more."""
        self._library.budget = None

    # -- packets out -----------------------------------------------------------------------

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        """Hand the frames to the kernel; see `abc.Transport`.

        What has to be compressed for this client alone is left to `send`: a broadcast would hold
        the event loop until it had been done for everybody.
        """
        if self._compresses and not all(map(self._library.shared_frames, items)):
            self._delayed = items
            self.unsent = True
            self.direct = self.writable = False
            return
        data = self._format.join(items) if items[1:] else items[0].wire(self._format)
        sent = self._pipe.write_nowait(data)
        if sent < len(data):
            self._rest = memoryview(data)[sent:]
            self.unsent = self._midway = True
            self.direct = self.writable = False

    async def send(self, items: Sequence[Encoded]) -> None:
        """Send what is unsent, then the items; see `abc.Transport`."""
        self.unsent = True
        self.direct = False
        await self._send_all(self._rest)
        self._rest = _NOTHING
        delayed, self._delayed = self._delayed, ()
        items = (*delayed, *items)
        if items:
            await self._send_all(memoryview(await self._wire(items)))
        self.unsent = False
        self.writable = True
        self.direct = self._pipe.direct

    async def _send_all(self, data: memoryview) -> None:
        self._midway = True
        for start in range(0, len(data), CHUNK):
            await self._pipe.send_all(data[start : start + CHUNK])
        self._midway = False

    async def _wire(self, items: Sequence[Encoded]) -> bytes:
        """Return the frames of items; each that is this client's own is made in its own turn."""
        kind = self._format
        if not self._compresses:
            return kind.join(items)
        frames = []
        for item in items:
            if self._library.shared_frames(item):
                frames.append(item.wire(kind))
            else:
                await self._turn()
                frames.append(self._library.own_frames(item, kind))
        return b"".join(frames)

    # -- the end ---------------------------------------------------------------------------

    def end_requests(self, *, orderly: bool) -> None:
        """Nothing to do: the one request that there was has become the connection."""

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Say goodbye by a close frame, and wait a while for the client to agree."""
        self.direct = self.writable = False
        self._stop_hearing()
        try:
            with trio.move_on_after(CLOSE_TIMEOUT):
                if not self._midway and (self._goodbye or not self._hung_up):
                    await self._pipe.write(self._goodbye or self._close_frame())
                self._pipe.interrupt_reader()
                await self._pipe.send_eof()
                while await self._pipe.read():
                    pass
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
            pass
        finally:
            self.abandon()

    def _close_frame(self) -> bytes:
        if self._code is None:
            return EMPTY_CLOSE
        return frame(CLOSE, self._code.to_bytes(2, "big"))

    def abandon(self) -> None:
        """Have the connection closed."""
        self.direct = self.writable = False
        self._stop_hearing()
        self._rest = _NOTHING
        self._delayed = ()
        self._released.set()

    async def wait_released(self) -> None:
        """Return when the session has no more use for the connection."""
        await self._released.wait()
