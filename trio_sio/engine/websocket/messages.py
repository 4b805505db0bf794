"""The transport of a session whose WebSocket another server has: it takes messages, not frames."""

from collections.abc import Sequence

import trio

from trio_sio.abc import OutgoingQueue, TransportClosed
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.http.responder import MessageSocket
from trio_sio.engine.websocket.backends.base import Settings
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.protocol.engineio.version import EngineVersion
from trio_sio.protocol.websocket.errors import FrameError, WebSocketClosed
from trio_sio.sync import Condition, LazyEvent

CLOSE_TIMEOUT = 5.0
"""Seconds that the other server may take to send what is left and a close frame."""

NORMAL = 1000


class MessageTransport:
    """Sends and receives the messages of one WebSocket.

    Nothing is sent without waiting, so all of it leaves by the writer task: what one client does
    not take stays in its outbox.

    Args:
        socket: the WebSocket, which has been accepted.
        settings: of the engine.
        version: what the client speaks.
        base64: whether the client cannot take binary messages.

    Attributes:
        outbox: of the session that owns the connection; `None` during a probe.
        writable: whether it has not been closed.
    """

    __slots__ = (
        "_base64",
        "_closed",
        "_code",
        "_has_joined",
        "_heard",
        "_is_over",
        "_is_reading",
        "_settings",
        "_socket",
        "_version",
        "outbox",
        "writable",
    )

    name = "websocket"
    direct = False
    unsent = False

    def __init__(
        self,
        socket: MessageSocket,
        settings: Settings,
        version: EngineVersion,
        *,
        base64: bool = False,
    ) -> None:
        self.outbox: OutgoingQueue | None = None
        self.writable = True
        self._socket = socket
        self._settings = settings
        self._version = version
        self._base64 = base64
        self._code = NORMAL
        self._has_joined = settings.limit_before_join is None
        self._is_reading = False  # the session waits for what the client may send
        self._is_over = False
        self._heard: Condition | None = None  # made by the first `wait_heard`
        self._closed = LazyEvent()

    def speak(self, version: EngineVersion) -> None:
        """Speak another revision, from the next packet on."""
        self._version = version

    def attach(self, outbox: OutgoingQueue) -> None:
        """Belong to a session from now on."""
        self.outbox = outbox
        self._tell()

    def _tell(self) -> None:
        if self._heard is not None:
            self._heard.notify_all()

    # -- packets in ------------------------------------------------------------------------

    async def receive(self) -> EnginePacket:
        """Return the next packet; see `abc.Transport`."""
        self._is_reading = True
        self._tell()
        try:
            message = await self._socket.receive()
        except WebSocketClosed as end:
            raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE) from end
        self._is_reading = False
        self._check_size(message)
        if isinstance(message, str):
            return self._version.decode_text(message)
        return self._version.decode_binary(message)

    def _check_size(self, message: str | bytes) -> None:
        """Refuse a message over the limit that holds at present."""
        before_join, limits = self._settings.limit_before_join, self._settings.limits
        limit = limits.max_size
        if not self._has_joined and before_join is not None:
            limit = min(limit, before_join)
        size = len(message)
        if isinstance(message, str) and size <= limit < 4 * size and not message.isascii():
            size = len(message.encode("utf-8", "surrogatepass"))
        if size <= limit:
            return
        is_early = limit < limits.max_size
        end: FrameError = self._settings.too_big_before_join(size) if is_early else limits.too_big()
        self._code = end.code
        why = Explanation(end.sentence, end.option, end.limit, size)
        raise TransportClosed(DisconnectReason.TRANSPORT_ERROR, end.code, why)

    async def wait_heard(self) -> None:
        """Return when no message is unread; see `abc.Transport`.

        What the other server has received in part is not seen here.
        """
        self._heard = self._heard or Condition()
        await self._heard.wait_for(self._is_heard)

    def _is_heard(self) -> bool:
        return self._is_reading or self._is_over

    async def wait_caught_up(self) -> None:
        """Return when all that has come was read, or the connection belongs to a session."""
        self._heard = self._heard or Condition()
        await self._heard.wait_for(self._has_caught_up)

    def _has_caught_up(self) -> bool:
        return self._is_heard() or self.outbox is not None

    def is_gone(self, now: float, silence_limit: float) -> bool:
        """Whether the client is known to have left."""
        return self._socket.hung_up

    def lift_limits(self) -> None:
        """Apply the full limits: the client has joined a namespace."""
        self._has_joined = True

    # -- packets out -----------------------------------------------------------------------

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        """Never called: `direct` is not set."""
        raise trio.WouldBlock

    async def send(self, items: Sequence[Encoded]) -> None:
        """Send the items, a message for each part; see `abc.Transport`."""
        await trio.lowlevel.checkpoint_if_cancelled()
        for item in items:
            for part in item.parts_for(self._version.frames):
                await self._socket.send(self._message(part))

    def _message(self, part: str | bytes) -> str | bytes:
        if isinstance(part, str):
            return part
        version = self._version
        return version.base64_message(part) if self._base64 else version.binary_message(part)

    # -- the end ---------------------------------------------------------------------------

    def end_requests(self, *, orderly: bool) -> None:
        """Nothing to do: the one request that there was has become the connection."""

    async def part(self) -> None:
        """Nothing to do: what a client sends behind a close frame the other server keeps."""
        await trio.lowlevel.checkpoint()

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Have a close frame sent; the other server waits for the client to close."""
        self._stop_hearing()
        try:
            with trio.move_on_after(CLOSE_TIMEOUT):
                await self._socket.finish(self._code)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            self.abandon()

    def _stop_hearing(self) -> None:
        self.writable = False
        self._is_over = True
        self._tell()

    def abandon(self) -> None:
        """Neither send nor receive any more."""
        self._stop_hearing()
        self._socket.end()

    async def aclose(self) -> None:
        """Close the connection; see `abc.Transport`."""
        self.abandon()
        self._closed.set()
        await trio.lowlevel.checkpoint()

    async def wait_closed(self) -> None:
        """Return when the session has no more use for the connection."""
        await self._closed.wait()
