"""WebSocket by the library `trio-websocket`, over a stream of ours and by its public API alone.

It believes that it reads a whole connection: the request head that h11 has read is replayed to
it, and what it writes (pongs and close frames) goes through the session's outbox, so that our
shared frames and its own leave by one door.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

from trio_sio.abc import TransportClosed
from trio_sio.engine.message import Request
from trio_sio.engine.pipe import READ_SIZE, Pipe
from trio_sio.engine.websocket.handshake import subprotocol
from trio_sio.engine.websocket.library import Control, Library
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded
from trio_sio.reasons import DisconnectReason

ABNORMAL = 1006
TOO_BIG = 1009

_CLOSE_FRAME = b"\x88"
_TOO_BIG_TEXT = "Exceeded maximum message size"


def check(options: EngineOptions) -> None:
    """Raise `ValueError` for what this library cannot do."""
    if options.per_message_deflate is not False:
        raise ValueError(
            "option 'per_message_deflate' needs ws_engine 'websockets', and it is"
            " 'trio-websocket'; pip install 'trio-sio[speed]' installs it"
        )


@asynccontextmanager
async def open_library(
    pipe: Pipe, request: Request, options: EngineOptions
) -> AsyncIterator[Library]:
    """Accept the handshake and yield the connection; its reader task lives in here."""
    stream = _Replayed(pipe, _head(request), options.handshake_buffer_size)
    async with trio.open_nursery() as nursery:
        offer = await wrap_server_stream(
            nursery, stream, max_message_size=options.max_http_buffer_size
        )
        try:
            connection = await offer.accept(subprotocol=subprotocol(request))
        except ConnectionClosed as closed:
            raise trio.BrokenResourceError("the client left during the handshake") from closed
        stream.accepted.set()
        yield TrioWebSocketConnection(connection, stream)
        nursery.cancel_scope.cancel()


def _head(request: Request) -> bytes:
    """Write the request down again; version 8 has the frames of 13, and 13 is what it takes."""
    lines = [f"GET {request.target} HTTP/1.1"]
    for name, value in request.headers:
        lines.append(f"{name}: {'13' if name == 'sec-websocket-version' else value}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class _Replayed(trio.abc.Stream):
    """The stream that the library sees."""

    def __init__(self, pipe: Pipe, head: bytes, budget: int | None) -> None:
        self.control: Control = lambda data: None
        self.accepted = trio.Event()
        self.close_sent = False
        self.budget = budget
        self.spent = 0
        self.too_big = False
        self._pipe = pipe
        self._head = head
        self.stopped = False

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._head:
            await trio.lowlevel.checkpoint()
            head, self._head = self._head, b""
            return head
        # The library cannot take frames yet while it still answers the handshake.
        await self.accepted.wait()
        if self.stopped:
            raise trio.ClosedResourceError
        data = await self._pipe.read()
        self.spent += len(data)
        if self.budget is not None and self.spent > self.budget + READ_SIZE:
            self.too_big = True
            return b""
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()
        if not self.accepted.is_set():
            await self._pipe.send_all(bytes(data))
            return
        if bytes(data[:1]) == _CLOSE_FRAME:
            self.close_sent = True
        self.control(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        """Do nothing but note it: the session decides when the connection is closed."""
        self.stopped = True
        await trio.lowlevel.checkpoint()


class TrioWebSocketConnection:
    """One connection; see `library.Library`."""

    compresses = False

    def __init__(self, connection: WebSocketConnection, stream: _Replayed) -> None:
        self._message: str | bytes | None = None
        self._connection = connection
        self._stream = stream

    @property
    def control(self) -> Control:
        """Where pongs and close frames go."""
        return self._stream.control

    @control.setter
    def control(self, control: Control) -> None:
        self._stream.control = control

    @property
    def budget(self) -> int | None:
        """What a stranger's message may take."""
        return self._stream.budget

    @budget.setter
    def budget(self, budget: int | None) -> None:
        self._stream.budget = budget

    def next(self) -> str | bytes | None:
        """Return the message that `read` got."""
        message, self._message = self._message, None
        return message

    async def read(self) -> None:
        """Wait for the library's reader task to have a message."""
        try:
            self._message = await self._connection.get_message()
        except ConnectionClosed as closed:
            raise self._end(closed) from None
        self._stream.spent = 0

    def _end(self, closed: ConnectionClosed) -> TransportClosed:
        """Tell whose doing the end was; the library gives peer and itself the same codes."""
        reason = closed.reason
        if self._stream.too_big:
            return TransportClosed(DisconnectReason.TRANSPORT_ERROR, TOO_BIG)
        if reason is None or reason.code == ABNORMAL:
            return TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
        if not self._stream.close_sent:  # it could not parse, and leaves the answer to us
            return TransportClosed(DisconnectReason.TRANSPORT_ERROR, reason.code)
        if reason.code == TOO_BIG and (reason.reason or "").startswith(_TOO_BIG_TEXT):
            return TransportClosed(DisconnectReason.TRANSPORT_ERROR)
        return TransportClosed(DisconnectReason.TRANSPORT_CLOSE)

    def stop(self) -> None:
        """Give the library's reader task nothing more."""
        self._stream.stopped = True

    def shared_frames(self, item: Encoded) -> bool:
        """Always: the library has no compression."""
        return True

    def own_frames(self, item: Encoded) -> bytes:
        """Never called."""
        raise NotImplementedError
