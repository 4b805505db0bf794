"""The transport of a session that speaks by WebSocket."""

from collections.abc import Sequence
from contextlib import suppress

import trio

from trio_sio.abc import OutgoingQueue, TransportClosed
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.backends.base import MakeBackend
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.protocol.engineio.version import EngineVersion
from trio_sio.protocol.websocket.close_search import CloseSearch
from trio_sio.protocol.websocket.errors import FrameError, WebSocketClosed
from trio_sio.protocol.websocket.frame import CLOSE, EMPTY_CLOSE, frame
from trio_sio.sync import Condition, LazyEvent

CLOSE_TIMEOUT = 5.0
"""Seconds that a client may take to read what is left and to answer the close frame."""

ANSWER_TIMEOUT = 1.0
"""Seconds of those for which our sending half stays open until the client has answered. A proxy
that sees it closed closes both connections: on one from a client that is sending, the kernel then
drops what the client has not read."""

CHUNK = 256 * 1024
"""Bytes that are written at a time, so that a slow client is seen to take some of a large item."""

_CLOSE_BYTE = b"\x88"
_NOTHING = memoryview(b"")


class WebSocketTransport:
    """Sends shared frames through a stream, and receives what a backend reads from it.

    Args:
        stream: the connection.
        make_backend: makes the backend that reads from it.
        version: what the client speaks.
        base64: whether the client cannot take binary frames.

    Attributes:
        outbox: of the session that owns the connection; `None` during a probe.
    """

    __slots__ = (
        "_backend",
        "_close_frame",
        "_closed",
        "_delayed",
        "_format",
        "_heard",
        "_is_over",
        "_is_reading",
        "_midway",
        "_rest",
        "_stream",
        "_version",
        "direct",
        "outbox",
        "unsent",
        "writable",
    )

    name = "websocket"

    def __init__(
        self,
        stream: ByteStream,
        make_backend: MakeBackend,
        version: EngineVersion,
        *,
        base64: bool = False,
    ) -> None:
        self.writable = True
        self.direct = stream.direct
        self.unsent = False
        self.outbox: OutgoingQueue | None = None
        self._stream = stream
        self._backend = make_backend(self._control)
        self._version = version
        self._format = version.base64_frames if base64 else version.frames
        self._rest = _NOTHING
        self._delayed: Sequence[Encoded] = ()  # not compressed yet
        self._midway = False  # inside a frame, where no other may begin
        self._close_frame: bytes | None = None  # as far as it is known; `b""` for none
        self._is_reading = False  # the session waits for what the client may send
        self._is_over = False
        self._heard: Condition | None = None  # made by the first `wait_heard`
        self._closed = LazyEvent()

    # -- packets in ------------------------------------------------------------------------

    async def receive(self) -> EnginePacket:
        """Return the next packet; see `abc.Transport`.

        The reference server ignores a CLOSE packet on a WebSocket and waits for the WebSocket's
        own end. python-engineio 3 sends one and leaves the rest to the server, which then hears
        of the end by its heartbeat only; so here it is the end.
        """
        backend = self._backend
        parser = backend.parser
        try:
            while (message := parser.next_message()) is None:
                self._is_reading = True
                if self._heard is not None:
                    self._heard.notify_all()
                await backend.read()
        except WebSocketClosed as end:
            self._is_over = True
            if self._heard is not None:
                self._heard.notify_all()
            raise self._closed_by(end) from end
        self._is_reading = False
        if isinstance(message, str):
            return self._version.decode_text(message)
        return self._version.decode_binary(message)

    def _closed_by(self, end: WebSocketClosed) -> TransportClosed:
        """Return what the session is told of the end, and choose the close frame for the client.

        If the library has answered with a close frame, that one is sent.
        """
        if not isinstance(end, FrameError):
            if self._close_frame is None:
                self._close_frame = b""
            return TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
        if self._close_frame is None:
            self._close_frame = frame(CLOSE, end.code.to_bytes(2, "big"))
        why = Explanation(end.sentence, end.option, end.limit, end.seen)
        return TransportClosed(DisconnectReason.TRANSPORT_ERROR, end.code, why)

    async def wait_heard(self) -> None:
        """Return when no message is incomplete or unread; see `abc.Transport`."""
        self._heard = self._heard or Condition()
        await self._heard.wait_for(self._is_heard)

    async def wait_caught_up(self) -> None:
        """Return when all that has come was read, or the connection belongs to a session."""
        self._heard = self._heard or Condition()
        await self._heard.wait_for(self._has_caught_up)

    def _has_caught_up(self) -> bool:
        has_all = self._is_reading and not self._stream.has_unread
        return has_all or self._is_over or self.outbox is not None

    def speak(self, version: EngineVersion) -> None:
        """Speak another revision, from the next packet on."""
        is_base64 = self._format is self._version.base64_frames
        self._version = version
        self._format = version.base64_frames if is_base64 else version.frames

    def attach(self, outbox: OutgoingQueue) -> None:
        """Belong to a session from now on."""
        self.outbox = outbox
        if self._heard is not None:
            self._heard.notify_all()

    def _is_heard(self) -> bool:
        has_all = self._is_reading and self._backend.parser.is_idle and not self._stream.has_unread
        return has_all or self._is_over

    def _stop_hearing(self) -> None:
        self._is_over = True
        self._backend.stop()
        if self._heard is not None:
            self._heard.notify_all()

    def _control(self, data: bytes) -> None:
        """Send a frame that the library answers with; a close frame is kept for the end.

        A stream without a direct path cannot send during a probe, and a probing client has no
        need of a pong.
        """
        if data[:1] == _CLOSE_BYTE:
            if self._close_frame is None:  # or we have sent one
                self._close_frame = data
        elif self.outbox is not None:
            self.outbox.send_control(Encoded.raw(self._format, data))
        elif self.direct:
            self.send_nowait((Encoded.raw(self._format, data),))

    def is_gone(self, now: float, silence_limit: float) -> bool:
        """Whether the client has hung up."""
        return self._stream.hung_up

    def lift_limits(self) -> None:
        """Apply the full limits: the client has joined a namespace."""
        self._backend.lift_limit()

    # -- packets out -----------------------------------------------------------------------

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        """Hand the frames to the kernel; see `abc.Transport`.

        What has to be compressed for this client alone is left to `send`: a broadcast would hold
        the event loop until it had been done for everybody.
        """
        backend = self._backend
        if backend.compresses and not all(map(backend.shared_frames, items)):
            self._delayed = items
            self.unsent = True
            self.direct = self.writable = False
            return
        data = self._format.join(items) if items[1:] else items[0].wire(self._format)
        sent = self._stream.write_nowait(data)
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
        self.direct = self._stream.direct

    async def _send_all(self, data: memoryview) -> None:
        self._midway = True
        for start in range(0, len(data), CHUNK):
            await self._stream.send_all(data[start : start + CHUNK])
        self._midway = False

    async def _wire(self, items: Sequence[Encoded]) -> bytes:
        """Return the frames of items."""
        kind, backend = self._format, self._backend
        if not backend.compresses:
            return kind.join(items)
        frames = []
        for item in items:
            is_shared = backend.shared_frames(item)
            frames.append(item.wire(kind) if is_shared else await backend.own_frames(item, kind))
        return b"".join(frames)

    # -- the end ---------------------------------------------------------------------------

    def end_requests(self, *, orderly: bool) -> None:
        """Nothing to do: the one request that there was has become the connection."""

    async def part(self) -> None:
        """Send a close frame, and wait for the answer; see `abc.Transport`.

        What the client has sent before that answer it sent before it knew.
        """
        self.direct = self.writable = False
        if self._midway or self._close_frame is not None:
            return
        self._close_frame = b""
        self._heard = self._heard or Condition()
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            with trio.move_on_after(CLOSE_TIMEOUT):
                await self._stream.write(EMPTY_CLOSE)
                await self._heard.wait_for(lambda: self._is_over)
            await self._stream.send_eof()

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Send a close frame, and wait `CLOSE_TIMEOUT` seconds at most for the client to close."""
        self.direct = self.writable = False
        is_first = self._close_frame is None and not self._midway
        waits = orderly and is_first and self._backend.parser.is_idle
        self._stop_hearing()
        try:
            with trio.move_on_after(CLOSE_TIMEOUT):
                closing = EMPTY_CLOSE if self._close_frame is None else self._close_frame
                if closing and not self._midway:
                    await self._stream.write(closing)
                self._stream.interrupt_reader()
                if waits:
                    await self._wait_answered()
                await self._stream.send_eof()
                while await self._stream.read():
                    pass
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError):
            pass
        finally:
            self.abandon()

    async def _wait_answered(self) -> None:
        """Wait until the client has answered the close frame, or has closed."""
        search = CloseSearch()
        with trio.move_on_after(ANSWER_TIMEOUT):
            while data := await self._stream.read():
                if search.feed(data):
                    return

    def abandon(self) -> None:
        """Neither send nor receive any more."""
        self.direct = self.writable = False
        self._stop_hearing()
        self._rest = _NOTHING
        self._delayed = ()

    async def aclose(self) -> None:
        """Close the connection; see `abc.Transport`."""
        self.abandon()
        self._closed.set()
        await self._stream.aclose()

    async def wait_closed(self) -> None:
        """Return when the session has no more use for the connection."""
        await self._closed.wait()
