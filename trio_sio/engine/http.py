"""One TCP connection: requests and answers with keep-alive, pipelining, `Expect` and limits.

The loop gives each request to a handler and writes its answer. A handler that returns `None` has
sent the answer itself; one that takes the connection over (a WebSocket) returns what to do with it,
or has done it. While a poll is held, the
connection is watched, so that a client that goes away is noticed at once.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import h11
import trio

from trio_sio.engine.message import BodyTooLarge, Headers, Request, Response
from trio_sio.engine.pipe import Pipe
from trio_sio.engine.plain_http import NO_FIELDS, PlainRequest, answer, phrase, read_head

T = TypeVar("T")

Sequel = Callable[[], Awaitable[object]]
"""What to do with a connection that was taken over, when everything above has been left: a session
lives long, and each coroutine that it would keep waiting takes 250 bytes and some time."""

RequestHandler = Callable[[Request, "HTTPConnection"], Awaitable[Response | Sequel | None]]
"""Answers a request by its result, or by itself, or takes the connection over."""

MAX_PIPELINED = 64 * 1024
"""Bytes that a client may send ahead while an answer is due."""

LINGER_TIME = 2.0
LINGER_BYTES = 256 * 1024
"""After a refusal the client may still be sending; what it sends is read and dropped for so many
seconds and bytes, since closing on unread bytes would reset the connection and take the answer
with it."""


class HTTPConnection:
    """Speaks HTTP/1.1 over a stream.

    Args:
        stream: a connected byte stream.
        remote: the peer's address, for `Request.remote`.
        secure: whether the stream is TLS.
    """

    __slots__ = (
        "_buffer",
        "_closing",
        "_fields",
        "_is_cut",
        "_is_head",
        "_is_reading",
        "_made",
        "_plain",
        "_reading",
        "_rest",
        "pipe",
        "remote",
        "secure",
    )

    def __init__(self, stream: trio.abc.Stream, remote: str = "", secure: bool = False) -> None:
        self.pipe = Pipe(stream)
        self.remote = remote
        self.secure = secure
        self._made: h11.Connection | None = None
        self._plain: PlainRequest | None = None
        self._fields = NO_FIELDS
        self._buffer = b""  # what neither h11 nor a plain request has taken
        self._is_head = False
        self._closing = False
        self._is_cut = False
        self._is_reading = False  # a request, of which there may be nothing yet
        self._reading: trio.CancelScope | None = None
        self._rest = b""  # of an answer

    @property
    def _h11(self) -> h11.Connection:
        """Made when there is something for it to do."""
        if self._made is None:
            self._made = h11.Connection(h11.SERVER)
        return self._made

    async def serve(self, handler: RequestHandler) -> None:
        """Answer requests until one side has had enough; returns when the stream is closed."""
        try:
            sequel = await self._serve(handler)
            if sequel is not None:
                going_on = sequel()
                del sequel  # whatever it holds has been handed over
                await going_on
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client went away; what that means is up to its session
        finally:
            await self.pipe.aclose()

    async def _serve(self, handler: RequestHandler) -> Sequel | None:
        while True:
            try:
                request = await self._next_request()
            except h11.RemoteProtocolError as error:
                await self._refuse(error)
                return None
            if request is None:
                return None
            response = await handler(request, self)
            if isinstance(response, Response):
                await self.send(response)
            elif response is not None or not self.is_answered:
                return response
            if not self._go_on():
                await self._linger()
                return None

    @property
    def is_answered(self) -> bool:
        """Whether the answer to the present request has been made."""
        if self._plain is not None:
            return self._plain.answered
        return self._h11.our_state is not h11.SEND_RESPONSE

    def _go_on(self) -> bool:
        """Make ready for the next request; return whether there may be one."""
        if self._plain is not None:
            if self._plain.closes:
                return False
            self._plain = None
            return True
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        behind = bytes(self._h11.trailing_data[0])
        if behind:
            self._made, self._buffer = None, behind
        else:
            self._h11.start_next_cycle()
        return True

    def close_when_idle(self) -> None:
        """Take no further request: end now if none is being answered, or else behind it."""
        self._closing = True
        if not self._is_reading and not (self._plain is not None and self._plain.answered):
            return
        if self._reading is not None:
            self._reading.cancel()
        self.pipe.interrupt_reader()

    def cut(self) -> None:
        """End the connection without an answer to the present request."""
        self._is_cut = True
        self.pipe.interrupt_reader()

    async def _next_request(self) -> Request | None:
        if self._closing:
            return None
        self._is_reading = True
        try:
            if self.pipe.direct:  # reading from it can be interrupted; a scope costs 5 µs
                return await self._read_request()
            with trio.CancelScope() as self._reading:
                return await self._read_request()
        except trio.ClosedResourceError:
            if not self._closing:
                raise
        finally:
            self._is_reading = False
            self._reading = None
        return None

    async def _read_request(self) -> Request | None:
        if not self._buffer:
            self._buffer = await self.pipe.read()
        found = read_head(self._buffer, self._fields)
        if found is None:
            data, self._buffer = self._buffer, b""
            self._h11.receive_data(data)
            return await self._read_by_h11()
        plain, self._fields, end = found
        self._plain = plain
        self._buffer = self._buffer[end:]
        return Request(
            plain.method,
            plain.target,
            Headers.of_lower(plain.fields),
            self.remote,
            self.secure,
            _read_body=self._read_plain_body,
        )

    async def _read_plain_body(self, limit: int) -> bytes:
        plain = self._plain
        assert plain is not None
        if plain.announced > limit:
            raise BodyTooLarge(plain.announced, limit)
        size, parts = len(self._buffer), [self._buffer]
        while size < plain.unread:
            data = await self.pipe.read()
            if not data:
                raise trio.BrokenResourceError("the client left in the middle of a body")
            parts.append(data)
            size += len(data)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        body, self._buffer = data[: plain.unread], data[plain.unread :]
        plain.unread = 0
        return body

    async def _read_by_h11(self) -> Request | None:
        self._is_head = False
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                self._h11.receive_data(await self.pipe.read())
            elif isinstance(event, h11.Request):
                self._is_head = event.method == b"HEAD"
                self._skip_empty_body(event)
                return self._request(event)
            else:  # the client is done
                return None

    def _skip_empty_body(self, event: h11.Request) -> None:
        """Bring h11 to the end of a request that has no body, so that it may be answered."""
        if not _announced(event) and all(n != b"transfer-encoding" for n, _ in event.headers):
            self._h11.next_event()

    def _request(self, event: h11.Request) -> Request:
        fields = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers.raw_items()]
        return Request(
            method=event.method.decode("ascii"),
            target=event.target.decode("latin-1"),
            headers=Headers(fields),
            remote=self.remote,
            secure=self.secure,
            http_version=event.http_version.decode("ascii"),
            _read_body=partial(self._read_body, _announced(event)),
        )

    async def _read_body(self, announced: int, limit: int) -> bytes:
        if announced > limit:
            raise BodyTooLarge(announced, limit)
        parts: list[bytes] = []
        size = 0
        while self._h11.their_state is h11.SEND_BODY:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                raise trio.BrokenResourceError(str(error)) from error
            if event is h11.NEED_DATA:
                await self._receive_body()
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
                size += len(event.data)
                if size > limit:
                    raise BodyTooLarge(size, limit)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _receive_body(self) -> None:
        if self._h11.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await self.pipe.send_all(self._h11.send(go_on) or b"")
        self._h11.receive_data(await self.pipe.read())

    async def send(self, response: Response) -> None:
        """Send the answer to the present request; raises `BrokenResourceError`."""
        if self._is_cut:
            raise trio.BrokenResourceError("the connection was cut")
        data = self._answer(response) if self._plain is None else answer(self._plain, response)
        await self.pipe.write(data)

    @property
    def answers_now(self) -> bool:
        """Whether `send_nowait` can be used for the present request."""
        return self._plain is not None and self.pipe.direct and not self._is_cut

    def send_nowait(self, response: Response) -> bool:
        """Send the answer to the present request, if `answers_now`; return whether all of it left.

        If not, or if the connection is broken, `send_rest` does what there is to do.
        """
        assert self._plain is not None
        data = answer(self._plain, response)
        sent = self.pipe.write_nowait(data)
        self._rest = data if self.pipe.broken else data[sent:]
        return not self._rest

    async def send_rest(self) -> None:
        """Send what `send_nowait` left; raises `BrokenResourceError`."""
        rest, self._rest = self._rest, b""
        if rest:
            await self.pipe.send_all(rest)

    def _answer(self, response: Response) -> bytes:
        names = {name.lower() for name, _ in response.headers}
        # As Latin-1, as they came: a client's Origin is echoed, and may have such letters.
        headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in response.headers]
        if "content-length" not in names:
            headers.append((b"Content-Length", b"%d" % len(response.body)))
        if self._h11.their_state is h11.SEND_BODY and "connection" not in names:
            # The body was never read: the rest of it cannot be told from the next request.
            headers.append((b"Connection", b"close"))
        head = h11.Response(
            status_code=response.status, headers=headers, reason=phrase(response.status).encode()
        )
        data = self._h11.send(head) or b""
        if not self._is_head:
            data += self._h11.send(h11.Data(data=response.body)) or b""
        return data + (self._h11.send(h11.EndOfMessage()) or b"")

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        """Answer what is no HTTP request, if an answer can still be given."""
        if self._h11.our_state is h11.IDLE:
            text = f"{error}\n".encode("utf-8", "replace")
            headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
            await self.send(Response(error.error_status_hint, headers, text))
        await self._linger()

    async def _linger(self) -> None:
        """Close without losing the answer on its way."""
        await self.pipe.send_eof()
        left = LINGER_BYTES
        with trio.move_on_after(LINGER_TIME):
            while left > 0:
                data = await self.pipe.read()
                if not data:
                    return
                left -= len(data)

    async def send_raw(self, data: bytes) -> None:
        """Send an answer outside of h11, and close: for refused WebSocket requests."""
        await self.pipe.send_all(data)
        await self._linger()

    async def run_unless_hung_up(self, wait: Callable[[], Awaitable[T]]) -> T:
        """Await `wait()`, but not longer than the client stays.

        Raises:
            trio.BrokenResourceError: the client closed the connection meanwhile.
        """
        outcome: list[T] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch, nursery.cancel_scope)
            outcome.append(await wait())
            nursery.cancel_scope.cancel()
        if not outcome:
            raise trio.BrokenResourceError("the client closed the connection")
        return outcome[0]

    async def read_ahead(self) -> None:
        """Keep what the client sends behind its request; returns early if it is interrupted.

        Raises:
            trio.BrokenResourceError: the client left, or sends far too much.
        """
        try:
            data = await self.pipe.read()
        except trio.ClosedResourceError:
            if not self.pipe.direct or self._is_cut:
                raise
            return
        if not data or self._ahead > MAX_PIPELINED:
            raise trio.BrokenResourceError("the client closed the connection, or sends ahead")
        self._keep(data)

    def _keep(self, data: bytes) -> None:
        if self._plain is not None:
            self._buffer += data
        else:
            self._h11.receive_data(data)

    async def _watch(self, scope: trio.CancelScope) -> None:
        """Cancel `scope` when the client closes; keep what it pipelines, up to a limit."""
        while self._ahead < MAX_PIPELINED:
            try:
                data = await self.pipe.read()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            if not data:
                scope.cancel()
                return
            self._keep(data)

    @property
    def _ahead(self) -> int:
        """Bytes that the client has sent behind its request."""
        return len(self._buffer if self._plain is not None else self._h11.trailing_data[0])

    def take_over(self) -> Pipe:
        """Return the stream, with what the client sent behind its request put back."""
        behind = self._buffer if self._plain is not None else self._h11.trailing_data[0]
        self._plain, self._fields, self._buffer = None, NO_FIELDS, b""
        self.pipe.unread(bytes(behind))
        return self.pipe


def _announced(event: h11.Request) -> int:
    """Return the length that a request says its body has; 0 if it does not say."""
    for name, value in event.headers:
        if name == b"content-length":
            return int(value)
    return 0
