"""One request of HTTP, as an ASGI application sees it.

What the application sends goes out before its `send` returns, and a piece of the request's body is
read when the application asks for it: nothing is kept between the two.
"""

from typing import TYPE_CHECKING

import trio

from trio_sio.abc import ResponseBody, WebReply
from trio_sio.asgi.scope import response_fields
from trio_sio.asgi.types import ASGIApplication, ClientGone, Message, Scope
from trio_sio.failures import leaves
from trio_sio.http import BodyError, Request, Response
from trio_sio.protocol.http.response_check import WITHOUT_BODY

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class HTTPCycle:
    """A request and its response.

    Args:
        request: the request.
        reply: answers it.
    """

    def __init__(self, request: Request, reply: WebReply) -> None:
        self._reply = reply
        self._pieces: AsyncGenerator[bytes] = request.stream()
        self._has_body = request.has_body  # that has not been read to its end
        self._is_told = False  # that there is no body, or no more
        self._start: Response | None = None
        self._body: ResponseBody | None = None
        self._done = trio.Event()
        self._turn = trio.Lock()  # frameworks watch for the end beside whoever reads
        self._fault: Exception | None = None  # the client's

    async def run(self, app: ASGIApplication, scope: Scope) -> None:
        """Have the application answer; raises as `WebApplication.answer`."""
        try:
            await app(scope, self.receive, self.send)
            if not self._done.is_set() and self._fault is None:
                raise RuntimeError("the application returned without a whole response")
        except Exception as error:
            if self._fault is None or not is_of_client(error):
                raise
        finally:
            self._done.set()
            await self._pieces.aclose()
        if isinstance(self._fault, BodyError) and not self._reply.is_answered:
            raise self._fault

    async def receive(self) -> Message:
        """Return a part of the request, or that the client has left."""
        async with self._turn:
            if self._fault is None and not self._is_told:
                return await self._receive_body()
            if self._fault is None and not self._done.is_set():
                await self._wait_over()
        return {"type": "http.disconnect"}

    async def _receive_body(self) -> Message:
        try:
            piece = await anext(self._pieces, b"") if self._has_body else b""
        except (BodyError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._fault = error
            return {"type": "http.disconnect"}
        self._is_told = not piece
        return {"type": "http.request", "body": piece, "more_body": not self._is_told}

    async def _wait_over(self) -> None:
        """Wait until the client has left, or has its response."""
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def watch() -> None:
                await self._reply.wait_hung_up()
                self._leave(trio.BrokenResourceError("the client has left"))
                nursery.cancel_scope.cancel()

            await self._done.wait()
            nursery.cancel_scope.cancel()

    def _leave(self, error: Exception) -> None:
        if not self._done.is_set():
            self._fault = error

    async def send(self, message: Message) -> None:
        """Send a part of the response.

        Raises:
            ClientGone: the client has left.
            RuntimeError: it is not this part's turn.
            TypeError, ValueError: it cannot be sent.
        """
        if self._fault is not None:
            await trio.lowlevel.checkpoint()
            raise ClientGone("the client has left") from self._fault
        try:
            await self._send(message)
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._fault = error
            raise ClientGone("the client has left") from error

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start" and self._start is None:
            fields = response_fields(message.get("headers", ()))
            self._start = Response(message["status"], fields)
            await trio.lowlevel.checkpoint()
        elif kind == "http.response.body" and self._start is not None and not self._done.is_set():
            body, more = message.get("body", b""), message.get("more_body", False)
            await self._send_body(self._start, body, is_last=not more)
        else:
            raise RuntimeError(f"the application sent {kind!r} out of turn")

    async def _send_body(self, start: Response, body: bytes, *, is_last: bool) -> None:
        if self._body is None and is_last:
            content = b"" if start.status in WITHOUT_BODY else bytes(body)
            await self._reply.send(Response(start.status, start.headers, content))
        else:
            if self._body is None:
                self._body = await self._reply.begin(start)
            await self._body.write(body)
            if is_last:
                await self._body.finish()
        if is_last:
            self._done.set()


def is_of_client(error: BaseException) -> bool:
    """Whether an exception says that the client has left, as frameworks translate that."""
    return all(map(_tells_of_client, leaves(error)))


def _tells_of_client(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ClientGone) or "Disconnect" in type(cause).__name__:
            return True
        cause = cause.__cause__ or cause.__context__
    return False
