"""Answers a request that another server has read: `Responder` over `send`.

What waits for the other server can be given up, even if that shields its sends, as Hypercorn does:
they are made in a task of their own. So a client that does not read holds up nothing of ours.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import trio

from trio_sio.asgi.mounted_request import Receiver
from trio_sio.asgi.types import Message, Send
from trio_sio.engine.http.holding import HeldResponse
from trio_sio.engine.http.responder import MessageSocket, unless_hung_up
from trio_sio.engine.http.streaming import BodyLength, as_bytes
from trio_sio.engine.http.timeouts import ResponseTimeout
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.http import Response, sendable_fields
from trio_sio.protocol.http.response_check import WITHOUT_BODY

T = TypeVar("T")


class MountedResponder:
    """Answers one request.

    Args:
        send: the other server's.
        receiver: what the request brings.
        nursery: of the request.
        method: of the request.
        answer_timeout: seconds that the client may take for a response, or a piece of one.
        prefix: of the types of messages: "http", or "websocket.http" for a handshake.
        socket: the WebSocket that is asked for.
        is_http1: whether the response may say something of the connection.
    """

    def __init__(
        self,
        send: Send,
        receiver: Receiver,
        nursery: trio.Nursery,
        *,
        method: str,
        answer_timeout: float,
        prefix: str = "http",
        socket: MessageSocket | None = None,
        is_http1: bool = True,
    ) -> None:
        self.is_answered = False
        self.message_socket = socket
        self._send = send
        self._receiver = receiver
        self._nursery = nursery
        self._method = method
        self._answer_timeout = answer_timeout
        self._prefix = prefix
        self._is_http1 = is_http1
        self._is_cut = False
        self._waiting: trio.CancelScope | None = None

    @property
    def hung_up(self) -> bool:
        """Whether the client has left, as far as that has been received."""
        return self._receiver.hung_up

    async def wait_hung_up(self) -> None:
        """Return when the client has left."""
        await self._receiver.wait_hung_up()

    def cut(self) -> None:
        """Give the request up; the other server answers it with 500, if it has no response."""
        self._is_cut = True
        if self._waiting is not None:
            self._waiting.cancel()

    async def unless_cut(self, function: Callable[[], Awaitable[T]]) -> T:
        """Wait for something; raises `trio.ClosedResourceError` if the request is `cut`."""
        if not self._is_cut:
            with trio.CancelScope() as self._waiting:
                return await function()
        raise trio.ClosedResourceError("the request was given up")

    async def hold(self, held: HeldResponse) -> None:
        """Wait for a response, but not longer than the client stays; see `Responder`."""
        answered = trio.Event()
        held.begin(answered.set)
        if not held.is_over:
            await self.unless_cut(lambda: unless_hung_up(self, answered.wait()))

    # -- responses -------------------------------------------------------------------------

    async def send(self, response: Response) -> None:
        """Send a response; see `Responder`."""
        assert isinstance(response.body, bytes)  # `begin` is for the others
        fields = list(sendable_fields(response))
        names = {name.lower() for name, _ in fields}
        body = response.body
        if response.status in WITHOUT_BODY:
            body = b""
        elif "content-length" not in names:
            fields.append(("Content-Length", str(len(body))))
        if self._method == "HEAD":
            body = b""
        await self._transmit(self._head(response.status, fields), self._piece(body, more=False))

    def _head(self, status: int, fields: list[tuple[str, str]]) -> Message:
        names = {name.lower() for name, _ in fields}
        if not self._is_http1:
            fields = [one for one in fields if one[0].lower() != "connection"]
        elif not self._receiver.has_all and "connection" not in names:
            fields = [*fields, ("Connection", "close")]  # the body was not read
        encoded = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields
        ]
        self.is_answered = True
        return {"type": f"{self._prefix}.response.start", "status": status, "headers": encoded}

    def _piece(self, data: bytes, *, more: bool) -> Message:
        return {"type": f"{self._prefix}.response.body", "body": data, "more_body": more}

    async def _transmit(self, *messages: Message) -> None:
        """Have messages sent; returns when the other server has taken them."""
        await self.unless_cut(partial(self._transmit_in_time, messages))

    async def _transmit_in_time(self, messages: tuple[Message, ...]) -> None:
        sent, broken = trio.Event(), []

        async def push() -> None:
            try:
                for message in messages:
                    await self._send(message)
            except OSError as error:  # ASGI 2.4: the client has left
                broken.append(error)
            sent.set()

        self._nursery.start_soon(push)
        with trio.move_on_after(self._answer_timeout):
            await sent.wait()
            if broken:
                raise trio.BrokenResourceError("the client left") from broken[0]
            return
        self._is_cut = True
        raise ResponseTimeout(self._answer_timeout)

    async def begin(self, response: Response) -> "MountedBody":
        """Send the head of a response whose body comes piece by piece; see `Responder`."""
        fields = sendable_fields(response)
        await self._transmit(self._head(response.status, list(fields)))
        lengths = [int(value) for name, value in fields if name.lower() == "content-length"]
        has_content = self._method != "HEAD" and response.status not in WITHOUT_BODY
        return MountedBody(self._write, next(iter(lengths), None), has_content=has_content)

    async def _write(self, data: bytes, *, more: bool) -> None:
        await self._transmit(self._piece(data, more=more))

    async def send_raw(self, data: bytes) -> None:
        """Never called: nothing is rendered for another server."""
        raise RuntimeError("a mounted server renders no responses")

    def take_over(self) -> ByteStream:
        """Raise: the connection is another server's."""
        raise RuntimeError("the connection belongs to the ASGI server; it cannot be taken over")


class MountedBody:
    """The body of a response that has been begun; a `trio_sio.abc.ResponseBody`.

    Args:
        write: sends a piece.
        length: the response's Content-Length, `None` if it has none.
        has_content: whether anything of the body is sent.
    """

    def __init__(
        self,
        write: Callable[..., Awaitable[None]],
        length: int | None,
        *,
        has_content: bool,
    ) -> None:
        self.has_content = has_content
        self._write = write
        self._length = BodyLength(length)

    async def write(self, data: bytes) -> None:
        """Send a piece; see `trio_sio.abc.ResponseBody`."""
        await trio.lowlevel.checkpoint()
        view = as_bytes(data)
        if not self.has_content:
            return
        self._length.add(view)
        await self._write(bytes(view), more=True)

    async def finish(self) -> None:
        """Send the end; see `trio_sio.abc.ResponseBody`."""
        if self.has_content:
            self._length.end()
        await self._write(b"", more=False)
