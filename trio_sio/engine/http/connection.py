"""One TCP connection: requests and responses with keep-alive, pipelining, `Expect` and limits.

The loop gives each request to a handler and sends the response that it returns. A handler that
returns `None` has sent the response itself; one that takes the connection over (a WebSocket)
returns what to do with it, or has done it. While a request is held, the connection is watched, so
that a client that leaves is noticed at once.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from trio_sio.engine.http.exchange import Exchange, render_refusal
from trio_sio.engine.http.h11 import BadRequest
from trio_sio.engine.http.holding import HeldResponse
from trio_sio.engine.http.request_reader import RequestReader
from trio_sio.engine.http.responder import HungUp, Sequel, unless_hung_up
from trio_sio.engine.http.streaming import StreamedBody
from trio_sio.engine.http.timeouts import NO_LIMITS, HTTPLimits, Phase, ResponseTimeout, Timeouts
from trio_sio.engine.runtime.stream import ByteStream, linger
from trio_sio.engine.runtime.timers import Timers
from trio_sio.http import Ends, Headers, Request, Response

logger = logging.getLogger("trio_sio.engine")

RequestHandler = Callable[[Request, "HTTPConnection"], Awaitable[Response | Sequel | None]]
"""Answers a request by its result, or by itself, or takes the connection over."""

NO_ENDS = Ends()

MAX_PIPELINED = 64 * 1024
"""Bytes that a client may send ahead while a response is due."""


class HTTPConnection:
    """Speaks HTTP/1.1 over a stream, and is the responder for each of its requests.

    Args:
        stream: a connected byte stream.
        ends: the peer's address and the server's, for `Request.remote` and its like.
        secure: whether the stream is TLS.
        timers: of the engine; without them there are no time limits.
        limits: of each request.
        turn: awaited before its first request, and before one that came along with another.
    """

    __slots__ = (
        "_closing",
        "_exchange",
        "_has_waited",
        "_is_cut",
        "_is_reading",
        "_is_sending",
        "_limits",
        "_reader",
        "_rest",
        "_served",
        "_stream",
        "_timeouts",
        "_turn",
        "ends",
        "secure",
    )

    def __init__(
        self,
        stream: trio.abc.Stream,
        ends: Ends = NO_ENDS,
        secure: bool = False,
        timers: Timers | None = None,
        limits: HTTPLimits = NO_LIMITS,
        turn: Callable[[], Awaitable[object]] = trio.lowlevel.checkpoint,
    ) -> None:
        self._stream = ByteStream(stream, limits.counters)
        self.ends = ends
        self.secure = secure
        self._exchange: Exchange | None = None  # the present one
        self._has_waited = False  # the present request, for the response to the one before
        self._closing = False
        self._is_cut = False
        self._is_reading = False  # a request, of which there may be nothing yet
        self._is_sending = False  # a response, or the rest of one
        self._rest = b""  # of a response
        self._served = False  # at least one request
        self._limits = limits
        self._turn = turn
        self._timeouts = Timeouts(self._stream, timers, limits.seconds)
        self._reader = RequestReader(self._stream, self._timeouts, limits)

    async def serve(self, handler: RequestHandler) -> bool:
        """Answer requests until one side has had enough.

        Returns:
            Whether the stream has been handed over, for somebody else to close; else it is closed.
        """
        is_handed_over = False
        try:
            sequel = await self._serve(handler)
            if sequel is not None:
                going_on = sequel()
                del sequel  # whatever it holds has been handed over
                is_handed_over = await going_on
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client went away; what that means is up to its session
        finally:
            self._timeouts.stop()
            if not is_handed_over:
                await self._stream.aclose()
        return is_handed_over

    def when_closed(self, function: Callable[[], object]) -> None:
        """Have a function called once, when the stream is closed, whoever closes it."""
        self._stream.when_closed(function)

    async def _serve(self, handler: RequestHandler) -> Sequel | None:
        while True:
            try:
                request = await self._next_request()
            except BadRequest as error:
                self._tell(error.option, f"no request: {error.shown}")
                await self._refuse(error.status, str(error))
                return None
            if request is None:
                return None
            response = await handler(request, self)
            if isinstance(response, Response):
                if self._exchange is None:  # it failed with the connection that it took over
                    return None
                await self._send_and_tell(self.send(response))
            elif response is not None or not self.is_answered:
                return response
            if not self._go_on():
                await linger(self._stream)
                return None

    def _go_on(self) -> bool:
        """Make ready for the next request; return whether there may be one."""
        self._served = True
        exchange, self._exchange = self._exchange, None
        return exchange is not None and not (exchange.closes or exchange.is_streaming)

    @property
    def is_new(self) -> bool:
        """Whether it waits for its first request, or reads its head."""
        return self._is_reading and not self._served

    def close_when_idle(self) -> None:
        """Take no further request: end now if none is being answered, or else after that one.

        A connection that is new ends after its first request, which may be on its way.
        """
        self._closing = True
        if self.is_new:
            return
        if self._is_reading or (self.is_answered and not self._is_sending):
            self._timeouts.interrupt()

    # -- requests ----------------------------------------------------------------------------

    async def _next_request(self) -> Request | None:
        clock = self._timeouts.clock
        if (self._closing and self._served) or clock.expired is not None:
            return None
        self._is_reading = True
        clock.begin(Phase.IDLE if self._served else Phase.HEAD)
        try:
            return await self._timeouts.run(self._read_request)
        except trio.ClosedResourceError:
            if clock.expired is Phase.HEAD and not self._closing:
                await self._refuse_slow_head()
            elif not self._closing and clock.expired is None:
                raise
        finally:
            self._is_reading = False
            clock.pause()
        return None

    async def _read_request(self) -> Request | None:
        buffer = self._reader.buffer
        has_waited, self._has_waited = self._has_waited or not buffer.data, False
        if not buffer.data:
            await buffer.read()
        if not (self._served and has_waited):
            await self._turn()
        exchange = self._reader.next_plain() or await self._reader.next(self._begin_head)
        if exchange is None:
            return None
        self._exchange = exchange
        make, ends = Headers.of_lower if exchange.is_fast else Headers, self.ends
        return Request(
            exchange.method,
            exchange.target,
            make(exchange.fields),
            ends.remote,
            self.secure,
            exchange.version,
            ends.remote_port,
            ends.local,
            partial(self._reader.read_body, exchange),
            partial(self._reader.read_piece, exchange),
        )

    def _begin_head(self) -> None:
        if self._served:  # the first one has its time from the start
            self._timeouts.clock.begin(Phase.HEAD)

    async def _refuse_slow_head(self) -> None:
        limit = self._timeouts.clock.limit(Phase.HEAD)
        self._tell(Phase.HEAD.value, f"a request's head took over {limit} s (head_timeout)")
        if self._reader.buffer.data:  # else nothing was said, and nothing is answered
            await self._refuse(408, f"a request's head may take {limit} s (head_timeout)")

    async def _refuse(self, status: int, sentence: str) -> None:
        """Answer what is no request, or not a whole one, and close."""
        method = "HEAD" if self._reader.buffer.data.startswith(b"HEAD ") else "GET"
        await self._write(render_refusal(status, sentence, method))
        await linger(self._stream)

    def _tell(self, option: str, text: str) -> None:
        """Log a refusal, and count it if it is by a limit."""
        kind, remote = option or "no request", self.ends.remote or "somewhere"
        self._limits.log.tell(logger, logging.WARNING, kind, "%s: %s", remote, text)
        self._limits.count_refusal(option)

    # -- responses ---------------------------------------------------------------------------

    @property
    def is_answered(self) -> bool:
        """Whether the response to the present request has been sent, or has begun to be."""
        return self._exchange is not None and self._exchange.is_answered

    async def send(self, response: Response) -> None:
        """Send the response to the present request, or what `hold` left of it."""
        if self._is_cut:
            raise trio.BrokenResourceError("the connection was cut")
        rest, self._rest = self._rest, b""
        if not rest:
            assert self._exchange is not None
            rest = await self._stream.begin_write(self._exchange.render(response))
        if rest:
            await self._send_in_time(rest)

    async def begin(self, response: Response) -> StreamedBody:
        """Send the head of a response whose body comes piece by piece; see `Responder`."""
        assert self._exchange is not None
        body = StreamedBody(self._exchange, response, self._write_piece)
        await body.begin(response)
        return body

    async def _write_piece(self, data: bytes) -> None:
        try:
            if self._is_cut:
                raise trio.ClosedResourceError
            await self._send_and_tell(self._write(data))
        except ResponseTimeout:
            raise
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise HungUp("the client closed the connection") from error

    async def send_raw(self, data: bytes) -> None:
        """Send a response that has been rendered already; see `Responder`."""
        assert self._exchange is not None
        self._exchange.end()
        await self._send_and_tell(self._write(data))

    async def _send_and_tell(self, sending: Awaitable[None]) -> None:
        """Send a response that belongs to no session, which would report its failure."""
        try:
            await sending
        except ResponseTimeout as error:
            self._tell(Phase.ANSWER.value, str(error))
            raise

    async def _write(self, data: bytes) -> None:
        rest = await self._stream.begin_write(data)
        if rest:
            await self._send_in_time(rest)

    async def _send_in_time(self, data: bytes) -> None:
        """Send what the kernel did not take at once; raises as `send`."""
        self._is_sending = True
        try:
            send = partial(self._stream.send_all, data)
            await self._timeouts.within(Phase.ANSWER, send, ResponseTimeout)
        finally:
            self._is_sending = False

    # -- requests that are held --------------------------------------------------------------

    async def hold(self, held: HeldResponse) -> None:
        """Wait for a response, but not longer than the client stays; see `Responder`.

        On a plain socket the task itself reads, to notice that the client leaves: a task for the
        reading would cost 40 µs for each request. Whoever sets the response sends it: that spares
        waking this task, 20 µs, which goes on reading and finds the client's next request.
        """
        if not self._stream.direct:
            answered = trio.Event()
            held.begin(answered.set)
            if not held.is_over:
                await unless_hung_up(self, answered.wait())
            return
        assert self._exchange is not None
        sends = self._exchange.is_fast and not self._is_cut
        held.begin(self._stream.interrupt_reader, self._send_held if sends else None)
        while not held.is_over:
            await self._read_ahead()

    def _send_held(self, response: Response) -> bool:
        """Send a response from where it was set; return whether all of it left.

        If not, or if the connection is broken, `send` does the rest.
        """
        assert self._exchange is not None
        data = self._exchange.render(response)
        sent = self._stream.write_nowait(data)
        self._timeouts.clock.begin(Phase.IDLE)
        self._rest = data if self._stream.broken else data[sent:]
        if self._rest:
            return False
        if self._reader.buffer.data or self._exchange.closes:  # there is something to do
            self._stream.interrupt_reader()
        return True

    async def wait_hung_up(self) -> None:
        """Return when the client has left.

        What it pipelines meanwhile is kept, up to a limit; then nothing more is read.
        """
        try:
            while len(self._reader.buffer.data) < MAX_PIPELINED:
                await self._read_ahead()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return
        await trio.sleep_forever()

    async def _read_ahead(self) -> None:
        """Keep what the client sends behind its request; returns early if it is interrupted.

        Raises:
            trio.BrokenResourceError: the client left, or sends far too much.
        """
        try:
            data = await self._stream.read()
        except trio.ClosedResourceError:
            if not self._stream.direct or self._is_cut:
                raise
            return
        buffer = self._reader.buffer
        if not data or len(buffer.data) > MAX_PIPELINED:
            raise trio.BrokenResourceError("the client closed the connection, or sends ahead")
        if self._exchange is not None:
            self._has_waited = self._exchange.is_answered and not buffer.data
        buffer.keep(data)

    @property
    def hung_up(self) -> bool:
        """Whether the client has left, as far as that is seen without reading."""
        return self._stream.hung_up

    def cut(self) -> None:
        """End the connection without a response to the present request, or in the middle of it."""
        self._is_cut = True
        self._timeouts.interrupt()

    @property
    def message_socket(self) -> None:
        """None: frames are made here, for the stream that `take_over` returns."""
        return None

    def take_over(self) -> ByteStream:
        """Return the stream, with what the client sent behind its request put back."""
        self._exchange = None
        self._timeouts.stop()
        self._stream.unread(self._reader.stop())
        return self._stream


async def turn_away(stream: trio.abc.Stream, sentence: str) -> None:
    """Answer a connection that is one too many, as far as that needs no waiting, and close it."""
    below = ByteStream(stream)
    try:
        if below.direct:
            below.write_nowait(render_refusal(503, f"too many connections ({sentence})"))
            await below.send_eof()
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass
    finally:
        await below.aclose()
