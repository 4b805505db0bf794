"""One WebSocket of an ASGI application's own; wsproto makes and parses the frames (RFC 6455).

    answer                                    the connection's task: the application itself
     ├─ _read                                 hands over messages one by one, and answers pings
     ├─ _ping                                 asks whether a silent client is still there
     └─ _watch_server                         says goodbye when the server closes

A client whose messages the application does not ask for is not read, and feels a slow network.
"""

import base64
import binascii
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request as Opening,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from trio_sio.abc import WebReply, WebStream
from trio_sio.asgi.deflate import BoundedDeflate
from trio_sio.asgi.http import HTTPCycle, is_of_client
from trio_sio.asgi.scope import response_fields
from trio_sio.asgi.types import ASGIApplication, ClientGone, Message, Scope
from trio_sio.http import Request, Response
from trio_sio.protocol.http.response_check import check_response

CLOSE_TIMEOUT = 2.0
"""Seconds that a client has to agree to the end."""

NORMAL, GOING_AWAY, PROTOCOL_ERROR, NO_STATUS, ABNORMAL = 1000, 1001, 1002, 1005, 1006
TOO_BIG, INTERNAL = 1009, 1011
"""RFC 6455, 7.4.1."""


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """What holds for each WebSocket.

    Attributes:
        max_message_size: bytes that a message of the client's may have, inflated.
        ping_interval: seconds of silence after which a client is asked whether it is there.
        ping_timeout: seconds that it then has.
        answer_timeout: seconds that a client may take nothing of what is sent to it.
        compression: whether messages are compressed with clients that offer it.
    """

    max_message_size: int = 16 * 1024 * 1024
    ping_interval: float = 20.0
    ping_timeout: float = 20.0
    answer_timeout: float = 20.0
    compression: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for what would end every WebSocket."""
        names = ("max_message_size", "ping_interval", "ping_timeout", "answer_timeout")
        for name in names:
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"{name} must be more than 0, not {value!r}")


class WebSocketCycle:
    """A request for a WebSocket, and the WebSocket.

    Args:
        request: the request.
        reply: answers it, or gives the connection.
        limits: of the WebSocket.
        closing: set when the server closes.
    """

    def __init__(
        self, request: Request, reply: WebReply, limits: WebSocketLimits, closing: trio.Event
    ) -> None:
        self._request = request
        self._reply = reply
        self._limits = limits
        self._closing = closing
        self._protocol = WSConnection(ConnectionType.SERVER)
        self._refusal: HTTPCycle | None = None
        self._stream: WebStream | None = None
        self._sending = trio.Lock()
        self._is_told = False  # that there is a client
        self._over: tuple[int, str] | None = None  # code and reason of the end
        self._is_read = trio.Event()  # to its end
        self._nursery: trio.Nursery | None = None
        self._heard = trio.Event()
        self._partial = bytearray()  # a message that has begun to come
        self._messages, self._received = trio.open_memory_channel[Message](0)

    def open(self) -> list[str] | None:
        """Read the request; return the subprotocols, `None` if it is none for a WebSocket."""
        if not _is_key(self._request.headers.get("sec-websocket-key")):
            return None
        fields = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in self._request.headers]
        try:
            self._protocol.initiate_upgrade_connection(fields, self._request.target)
        except (RemoteProtocolError, ValueError):  # ValueError: a Host that is none
            return None
        for event in self._protocol.events():
            if isinstance(event, Opening):
                return list(event.subprotocols)
        return None

    async def run(self, app: ASGIApplication, scope: Scope) -> None:
        """Have the application serve the client; raises as `WebApplication.answer`."""
        failure: Exception | None = None
        async with trio.open_nursery() as self._nursery:
            try:
                await app(scope, self.receive, self.send)
            except Exception as error:
                failure = error
            if self._stream is not None:
                await self._finish(NORMAL if failure is None else INTERNAL)
            self._nursery.cancel_scope.cancel()
        if failure is not None and not (self._over is not None and is_of_client(failure)):
            raise failure
        if self._stream is None and self._over is None and not self._reply.is_answered:
            raise RuntimeError("the application returned without an answer to the handshake")

    # -- for the application -----------------------------------------------------------------

    async def receive(self) -> Message:
        """Return the next message, or that the client has left."""
        await trio.lowlevel.checkpoint()
        if not self._is_told:
            self._is_told = True
            return {"type": "websocket.connect"}
        if self._stream is None and self._over is None:
            await self._reply.wait_hung_up()
            self._over = (ABNORMAL, "")
        if self._over is None:
            try:
                return await self._received.receive()
            except (trio.EndOfChannel, trio.ClosedResourceError):
                pass
        code, reason = self._over or (ABNORMAL, "")
        return {"type": "websocket.disconnect", "code": code, "reason": reason}

    async def send(self, message: Message) -> None:
        """Accept or refuse the client, send a message, or close.

        Raises:
            ClientGone: the client has left.
            RuntimeError: it is not this message's turn.
            TypeError, ValueError: it cannot be sent.
        """
        await trio.lowlevel.checkpoint()
        if self._over is not None:
            raise ClientGone("the WebSocket has been closed")
        kind = message["type"]
        if self._stream is None:
            await self._answer(kind, message)
        elif kind == "websocket.send":
            text = message.get("text")
            whole = BytesMessage(bytes(message["bytes"])) if text is None else TextMessage(text)
            await self._write(whole)
        elif kind == "websocket.close":
            await self._close(message.get("code", NORMAL), message.get("reason") or "")
        else:
            raise RuntimeError(f"the application sent {kind!r} out of turn")

    async def _answer(self, kind: str, message: Message) -> None:
        """Answer the handshake."""
        if kind == "websocket.accept" and self._refusal is None:
            await self._accept(message.get("subprotocol"), message.get("headers") or ())
        elif kind == "websocket.close" and self._refusal is None:
            self._over = (message.get("code", NORMAL), message.get("reason") or "")
            await self._reply.send(Response.text(403, "The WebSocket was refused."))
        elif kind.startswith("websocket.http.response."):
            if self._refusal is None:
                self._refusal = HTTPCycle(self._request, self._reply)
            await self._refusal.send({**message, "type": kind.removeprefix("websocket.")})
        else:
            raise RuntimeError(f"the application sent {kind!r} out of turn")

    async def _accept(self, subprotocol: str | None, headers: Iterable[Iterable[bytes]]) -> None:
        fields = [
            (name, value)
            for name, value in response_fields(headers)
            if not name.lower().startswith(("sec-websocket-", "content-length", "connection"))
        ]
        check_response(200, fields, b"")
        extra = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        deflate = [BoundedDeflate(self._limits.max_message_size)]
        extensions = deflate if self._limits.compression else []
        event = AcceptConnection(subprotocol, list(extensions), extra)
        try:
            data = self._protocol.send(event)
        except LocalProtocolError as error:
            raise ValueError(str(error)) from error
        self._stream = self._reply.take_over()
        await self._write_bytes(data)
        assert self._nursery is not None
        self._nursery.start_soon(self._read, self._stream)
        self._nursery.start_soon(self._ping)
        self._nursery.start_soon(self._watch_server)

    # -- the connection ----------------------------------------------------------------------

    async def _write(self, event: Event) -> None:
        try:
            data = self._protocol.send(event)
        except LocalProtocolError as error:  # it has been closed
            raise ClientGone("the WebSocket has been closed") from error
        await self._write_bytes(data)

    async def _write_bytes(self, data: bytes) -> None:
        assert self._stream is not None
        try:
            with trio.fail_after(self._limits.answer_timeout):
                async with self._sending:
                    await self._stream.write(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError) as error:
            self._end(ABNORMAL)
            self._is_read.set()  # nothing more is expected of it
            raise ClientGone("the client has left") from error

    def _end(self, code: int, reason: str = "") -> None:
        """Let no more messages through: it is over for this reason, if for no other."""
        if self._over is None:
            self._over = (code, reason)
        self._messages.close()
        self._received.close()

    async def _close(self, code: int, reason: str) -> None:
        """Say goodbye, if nobody has."""
        if self._over is None:
            self._end(code, reason)
            await self._write(CloseConnection(code, reason))

    async def _finish(self, code: int) -> None:
        """Close, and let the client agree."""
        try:
            await self._close(code, "")
            with trio.move_on_after(CLOSE_TIMEOUT):
                await self._is_read.wait()
        except ClientGone:
            pass

    async def _read(self, stream: WebStream) -> None:
        """Read to the end."""
        try:
            while not self._is_read.is_set():
                data = await stream.read()
                self._heard.set()
                self._protocol.receive_data(data or None)
                await self._handle()
                if not data:
                    break
        except RemoteProtocolError:
            with suppress(ClientGone):
                await self._close(PROTOCOL_ERROR, "")
        except (ClientGone, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        self._end(ABNORMAL)
        self._is_read.set()

    async def _handle(self) -> None:
        for event in self._protocol.events():
            match event:
                case TextMessage() | BytesMessage():
                    await self._add(event)
                case Ping():
                    await self._write(event.response())
                case CloseConnection():
                    is_answer = self._over is not None
                    self._end(event.code or NO_STATUS, event.reason or "")
                    self._is_read.set()
                    if not is_answer:
                        await self._write(event.response())
                case Pong():
                    pass

    async def _add(self, event: TextMessage | BytesMessage) -> None:
        """Put a message together, and hand it over when it is whole."""
        is_text = isinstance(event, TextMessage)
        piece = event.data.encode() if isinstance(event, TextMessage) else bytes(event.data)
        limit = self._limits.max_message_size
        if len(self._partial) + len(piece) > limit:
            await self._close(TOO_BIG, f"a message may have {limit} bytes")
            return
        self._partial += piece
        if not event.message_finished:
            return
        data, self._partial = bytes(self._partial), bytearray()
        message: Message = {"type": "websocket.receive", "bytes": None, "text": None}
        if is_text:
            message["text"] = data.decode()
        else:
            message["bytes"] = data
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):  # it is over
            await self._messages.send(message)

    async def _ping(self) -> None:
        """Ask a silent client whether it is there; one that is not read cannot be asked."""
        while True:
            self._heard = trio.Event()
            await trio.sleep(self._limits.ping_interval)
            if self._is_alive():
                continue
            with suppress(ClientGone), trio.move_on_after(self._limits.ping_timeout):
                await self._write(Ping())
                await self._heard.wait()
            if not self._is_alive():
                self._end(ABNORMAL)
                self._is_read.set()
                return

    def _is_alive(self) -> bool:
        return self._heard.is_set() or self._messages.statistics().tasks_waiting_send > 0

    async def _watch_server(self) -> None:
        await self._closing.wait()
        with suppress(ClientGone):
            await self._close(GOING_AWAY, "the server closes")


def _is_key(text: str) -> bool:
    """Whether this is a Sec-WebSocket-Key (RFC 6455, 4.1), which wsproto does not check."""
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
