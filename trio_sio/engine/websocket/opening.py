"""A WebSocket whose handshake has been answered: a stream of ours, or messages of another server.

The endpoint makes the session's transport of either.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from trio_sio.engine.http.responder import MessageSocket
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.backends.base import Agreement, Settings
from trio_sio.engine.websocket.messages import MessageTransport
from trio_sio.engine.websocket.transport import WebSocketTransport
from trio_sio.engine.websocket.upgrade import ProbedTransport
from trio_sio.protocol.engineio.version import EngineVersion


class Opening(Protocol):
    """Makes the transport of one WebSocket."""

    @property
    def has_tasks(self) -> bool:
        """Whether the context has to last as long as the transport is used."""

    def open(
        self, version: EngineVersion, *, base64: bool
    ) -> AbstractAsyncContextManager[ProbedTransport]:
        """Return the context of the transport.

        Args:
            version: what the client speaks.
            base64: whether the client cannot take binary messages.
        """


class FrameOpening:
    """A connection of ours.

    Args:
        stream: what the handshake came by.
        agreement: what was agreed upon with the client.
    """

    def __init__(self, stream: ByteStream, agreement: Agreement) -> None:
        self.has_tasks = agreement.has_tasks
        self._stream = stream
        self._agreement = agreement

    @asynccontextmanager
    async def open(
        self, version: EngineVersion, *, base64: bool
    ) -> AsyncIterator[WebSocketTransport]:
        """Open the connection; see `Opening`."""
        async with self._agreement.open(self._stream) as make_backend:
            yield WebSocketTransport(self._stream, make_backend, version, base64=base64)


class MessageOpening:
    """A WebSocket of another server.

    Args:
        socket: the WebSocket.
        settings: of the engine.
    """

    has_tasks = False

    def __init__(self, socket: MessageSocket, settings: Settings) -> None:
        self._socket = socket
        self._settings = settings

    @asynccontextmanager
    async def open(
        self, version: EngineVersion, *, base64: bool
    ) -> AsyncIterator[MessageTransport]:
        """Use the WebSocket; see `Opening`."""
        yield MessageTransport(self._socket, self._settings, version, base64=base64)
