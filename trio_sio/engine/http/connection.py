"""One TCP connection: requests and answers with keep-alive, pipelining, `Expect` and limits.

The loop gives each request to a handler and writes its answer. A handler that returns `None` has
sent the answer itself; one that takes the connection over (a WebSocket) returns what to do with it,
or has done it. While a poll is held, the connection is watched, so that a client that goes away is
noticed at once.

What h11 has to do with it is in `http`; most requests never come to that. Whoever reads a head,
what follows it on the connection is kept here, and a body is read here: with the same limits of
size and time.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from trio_sio.engine.http.fast_path import NO_FIELDS, PlainRequest, answer, read_head, refusal
from trio_sio.engine.http.h11 import BadRequest, H11Exchange
from trio_sio.engine.http.received import Received
from trio_sio.engine.http.timeouts import NO_LIMITS, HTTPLimits, Phase, ResponseTimeout, Timed
from trio_sio.engine.runtime.stream import ByteStream, linger
from trio_sio.engine.runtime.timers import Timers
from trio_sio.http import (
    BodyTooLarge,
    BodyTooSlow,
    Headers,
    Request,
    Response,
)
from trio_sio.protocol.http.chunked import ChunkedBody

logger = logging.getLogger("trio_sio.engine")

Sequel = Callable[[], Awaitable[object]]
"""What to do with a connection that was taken over, when everything above has been left: a session
lives long, and each coroutine that it would keep waiting takes 250 bytes and some time."""

RequestHandler = Callable[[Request, "HTTPConnection"], Awaitable[Response | Sequel | None]]
"""Answers a request by its result, or by itself, or takes the connection over."""

MAX_PIPELINED = 64 * 1024
"""Bytes that a client may send ahead while an answer is due."""


class HTTPConnection:
    """Speaks HTTP/1.1 over a stream.

    Args:
        stream: a connected byte stream.
        remote: the peer's address, for `Request.remote`.
        secure: whether the stream is TLS.
        alarm: the clock of the time limits; without one there are none.
        limits: of its requests.
        turn: awaited before its first request, and before one that came along with another.
    """

    __slots__ = (
        "_closing",
        "_exchange",
        "_fields",
        "_has_waited",
        "_is_cut",
        "_is_reading",
        "_is_sending",
        "_limits",
        "_plain",
        "_received",
        "_rest",
        "_served",
        "_timed",
        "_turn",
        "pipe",
        "remote",
        "secure",
    )

    def __init__(
        self,
        stream: trio.abc.Stream,
        remote: str = "",
        secure: bool = False,
        timers: Timers | None = None,
        limits: HTTPLimits = NO_LIMITS,
        turn: Callable[[], Awaitable[object]] = trio.lowlevel.checkpoint,
    ) -> None:
        self.pipe = ByteStream(stream, limits.counters)
        self.remote = remote
        self.secure = secure
        self._exchange: H11Exchange | None = None  # of the present request, if it is not plain
        self._plain: PlainRequest | None = None
        self._fields = NO_FIELDS
        self._received = Received(self.pipe.read)
        self._has_waited = False  # for the last answer, before it sent on
        self._closing = False
        self._is_cut = False
        self._is_reading = False  # a request, of which there may be nothing yet
        self._is_sending = False  # an answer, or what is left of one
        self._rest = b""  # of an answer
        self._served = False  # at least one request
        self._limits = limits
        self._turn = turn
        self._timed = Timed(self.pipe, timers, limits.seconds)

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
            self._timed.stop()
            await self.pipe.aclose()

    async def _serve(self, handler: RequestHandler) -> Sequel | None:
        while True:
            try:
                request = await self._next_request()
            except BadRequest as error:
                await self._refuse(error)
                return None
            if request is None:
                return None
            response = await handler(request, self)
            if isinstance(response, Response):
                await self._answer(self.send(response))
            elif response is not None or not self.is_answered:
                return response
            if not self._go_on():
                await linger(self.pipe)
                return None

    async def _answer(self, sending: Awaitable[None]) -> None:
        """Send what is no session's; if it is not taken, nobody else would tell."""
        try:
            await sending
        except ResponseTimeout as error:
            self._tell(Phase.ANSWER.value, str(error))
            raise

    @property
    def is_answered(self) -> bool:
        """Whether the answer to the present request has been made."""
        if self._plain is not None:
            return self._plain.answered
        return self._exchange is not None and self._exchange.is_answered

    def _go_on(self) -> bool:
        """Make ready for the next request; return whether there may be one."""
        self._served = True
        present = self._plain or self._exchange
        self._plain = self._exchange = None
        return present is not None and not present.closes

    def close_when_idle(self) -> None:
        """Take no further request: end now if none is being answered, or else behind it."""
        self._closing = True
        is_answered = self._plain is not None and self._plain.answered
        if self._is_reading or (is_answered and not self._is_sending):
            self._timed.interrupt()

    def cut(self) -> None:
        """End the connection without an answer to the present request, or in the middle of it."""
        self._is_cut = True
        self._timed.interrupt()

    async def _next_request(self) -> Request | None:
        clock = self._timed.clock
        if self._closing or clock.expired is not None:
            return None
        self._is_reading = True
        clock.begin(Phase.IDLE if self._served else Phase.HEAD)
        try:
            return await self._timed.run(self._read_request)
        except trio.ClosedResourceError:
            if clock.expired is Phase.HEAD and not self._closing:
                await self._refuse_slow_head()
            elif not self._closing and clock.expired is None:
                raise
        finally:
            self._is_reading = False
            clock.pause()
        return None

    async def _refuse_slow_head(self) -> None:
        limit = self._timed.clock.limit(Phase.HEAD)
        self._tell(Phase.HEAD.value, f"a request's head took over {limit} s (head_timeout)")
        if not self._received.data:
            return  # nothing was said, nothing is answered
        await self._send_refusal(408, f"a request's head may take {limit} s (head_timeout)")

    async def _read_request(self) -> Request | None:
        has_waited, self._has_waited = self._has_waited or not self._received.data, False
        if not self._received.data:
            await self._received.read()
        if not (self._served and has_waited):
            await self._turn()
        found = read_head(self._received.data, self._fields, self._limits.max_header_size)
        if found is None:
            return await self._read_other_request()
        plain, self._fields, end = found
        self._plain = plain
        self._received.take(end)
        self._check_headers(len(plain.fields))
        return Request(
            plain.method,
            plain.target,
            Headers.of_lower(plain.fields),
            self.remote,
            self.secure,
            _read_body=self._read_body,
        )

    async def _read_other_request(self) -> Request | None:
        """Read on until there is a head for h11; `None` if the client is done."""
        received, limit = self._received, self._limits.max_header_size
        end = await received.next_head(limit, self._begin_head)
        if not end:
            return None
        exchange = H11Exchange(received.data[:end])
        head = exchange.head
        self._check_headers(len(head.fields))
        received.take(end)  # and not before: who is refused gets an answer to its method
        self._exchange = exchange
        read_body = self._read_body
        if exchange.is_chunked:
            chunks = ChunkedBody(limit, self._limits.max_headers)
            read_body = partial(self._read_chunks, chunks)
        return Request(
            head.method,
            head.target,
            Headers(head.fields),
            self.remote,
            self.secure,
            head.version,
            read_body,
        )

    def _begin_head(self) -> None:
        if self._served:  # the first one has its time from the start
            self._timed.clock.begin(Phase.HEAD)

    def _check_headers(self, count: int) -> None:
        limit = self._limits.max_headers
        if count > limit:
            text = f"a request may have {limit} header fields (max_headers), not {count}"
            raise BadRequest(text, 431, "max_headers")

    async def _read_body(self, limit: int) -> bytes:
        """Read a body of a known length; what `Request.body` does."""
        request = self._plain or self._exchange
        assert request is not None
        if request.announced > limit:
            raise BodyTooLarge(request.announced, limit)
        if len(self._received.data) < request.unread:
            await self._in_time(partial(self._received.fill, request.unread))
        body = self._received.take(request.unread)
        request.unread = 0
        return body

    async def _read_chunks(self, body: ChunkedBody, limit: int) -> bytes:
        """Read a body that comes in chunks; what `Request.body` does."""
        assert self._exchange is not None
        await self._in_time(partial(self._received.fill_chunks, body, limit))
        self._exchange.unread = 0
        return bytes(body.data)

    async def _in_time(self, read: Callable[[], Awaitable[None]]) -> None:
        """Read a body; raises `BodyTooSlow` if that takes too long."""

        async def go_on_and_read() -> None:
            if self._exchange is not None and (interim := self._exchange.go_on()):
                await self.pipe.send_all(interim)
            await read()

        await self._timed.within(Phase.BODY, go_on_and_read, BodyTooSlow)

    async def send(self, response: Response) -> None:
        """Send the answer to the present request.

        Raises:
            AnswerTooSlow: the client did not take it in time.
            trio.BrokenResourceError: the connection broke.
        """
        if self._is_cut:
            raise trio.BrokenResourceError("the connection was cut")
        plain = self._plain
        if plain is not None:
            data = answer(plain, response)
        else:
            assert self._exchange is not None
            data = self._exchange.answer(response)
        rest = await self.pipe.begin_write(data)
        if rest:
            await self._send_in_time(rest)

    async def _send_in_time(self, data: bytes) -> None:
        """Send what the kernel did not take at once; raises as `send`."""
        self._is_sending = True
        try:
            send = partial(self.pipe.send_all, data)
            await self._timed.within(Phase.ANSWER, send, ResponseTimeout)
        finally:
            self._is_sending = False

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
        self._timed.clock.begin(Phase.IDLE)
        self._rest = data if self.pipe.broken else data[sent:]
        return not self._rest

    async def send_rest(self) -> None:
        """Send what `send_nowait` left; raises as `send`."""
        rest, self._rest = self._rest, b""
        if rest:
            await self._send_in_time(rest)

    async def _refuse(self, error: BadRequest) -> None:
        """Answer what is no HTTP request."""
        self._tell(error.option, f"no request: {error.shown}")
        await self._send_refusal(error.status, str(error))

    async def _send_refusal(self, status: int, text: str) -> None:
        """Answer what is no request, or not a whole one, and close."""
        method = "HEAD" if self._received.data.startswith(b"HEAD ") else "GET"
        await self._write(refusal(status, f"{text}\n", method))
        await linger(self.pipe)

    def _tell(self, option: str, text: str) -> None:
        """Log a refusal, and count it if it is by a limit."""
        kind, remote = option or "no request", self.remote or "somewhere"
        self._limits.log.tell(logger, logging.WARNING, kind, "%s: %s", remote, text)
        self._limits.count_refusal(option)

    async def _write(self, data: bytes) -> None:
        rest = await self.pipe.begin_write(data)
        if rest:
            await self._send_in_time(rest)

    async def send_raw(self, data: bytes) -> None:
        """Send an answer outside of h11, to a request for a WebSocket; raises as `send`."""
        await self._answer(self._write(data))

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
        if not data or self.ahead > MAX_PIPELINED:
            raise trio.BrokenResourceError("the client closed the connection, or sends ahead")
        self._keep(data)

    def _keep(self, data: bytes) -> None:
        if self._plain is not None:
            self._has_waited = self._plain.answered and not self._received.data
        self._received.keep(data)

    @property
    def ahead(self) -> int:
        """Bytes that the client has sent behind its request."""
        return len(self._received.data)

    def take_over(self) -> ByteStream:
        """Return the stream, with what the client sent behind its request put back."""
        behind = self._received.take(self.ahead)
        self._plain, self._exchange, self._fields = None, None, NO_FIELDS
        self._timed.stop()
        self.pipe.unread(behind)
        return self.pipe
