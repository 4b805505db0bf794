"""The HTTP requests of long polling: the handshake, polls and POSTs.

What an answer says of caches and of its origin is added by the doorway, but for those that are
sent from here.
"""

from collections.abc import Awaitable
from functools import partial

import trio

from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.handshake import Host, new_id, open_packet, turned_away
from trio_sio.engine.http import cors
from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.engine.http.hang_up import unless_hung_up
from trio_sio.engine.http.holding import HeldResponse
from trio_sio.engine.http.timeouts import ResponseTimeout
from trio_sio.engine.polling.compression import choose
from trio_sio.engine.polling.responses import set_cookie
from trio_sio.engine.polling.shared_bodies import SHORT, Batch, SharedBodies, is_short
from trio_sio.engine.polling.transport import NOOP, Overlap, PollingTransport
from trio_sio.engine.refusal import Refusal
from trio_sio.engine.session.session import Session
from trio_sio.http import (
    BodyTooLarge,
    BodyTooSlow,
    EngineResponse,
    InvalidBody,
    Request,
    Response,
)
from trio_sio.options import compression_level, compression_threshold
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.handshake import ErrorCode, HandshakeRequest
from trio_sio.protocol.engineio.state import State

LOST = (trio.BrokenResourceError, trio.ClosedResourceError)
"""A connection is lost if its client left, and if the application closed the stream it gave us."""


class PollingEndpoint:
    """Answers the requests of one engine's polling sessions.

    Args:
        host: the engine.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._options = host.options
        self._threshold = compression_threshold(host.options.http_compression)
        self._vary = "Origin" if self._threshold is None else "Origin, Accept-Encoding"
        level = compression_level(host.options.http_compression)
        self._bodies = SharedBodies(host.runtime.timers, host.runtime.fairness.wait, level)

    async def handshake(
        self, request: Request, connection: HTTPConnection, ask: HandshakeRequest
    ) -> Response | None:
        """Begin a session and answer with its OPEN packet, and what else there is to say."""
        sid = await new_id(self._host, request, connection)
        if response := turned_away(self._host, request):
            return response
        transport = PollingTransport(
            base64=ask.base64,
            jsonp=ask.jsonp,
            max_packets=self._options.max_payload_packets,
            turn=self._host.runtime.fairness.wait,
        )
        session = self._host.add(sid, request, transport)
        transport.outlet, transport.wire = session.outbox, session.log.wire
        can_upgrade = self._options.allow_upgrades and "websocket" in self._options.transports
        packet = open_packet(self._options, sid, ["websocket"] if can_upgrade else [])
        opening = session.start_with(packet)
        assert opening is not None
        self._host.start(session)
        items = await opening.wait()
        await self._send(request, connection, session, transport, items)
        return None

    async def answer(
        self, request: Request, connection: HTTPConnection, session: Session
    ) -> Response | None:
        """Answer a request of a session that polls; `None` if that has been done."""
        transport = session.transport
        if not isinstance(transport, PollingTransport):  # another one that calls itself so
            raise Refusal(ErrorCode.BAD_REQUEST, "the session's transport takes no requests")
        if request.method == "GET":
            return await self._poll(request, connection, session, transport)
        if request.method == "POST":
            return await self._post(request, connection, session, transport)
        # 500 in the reference server, as if that had failed.
        return Response(405, [("Allow", "GET, POST, OPTIONS")])

    async def _poll(
        self,
        request: Request,
        connection: HTTPConnection,
        session: Session,
        transport: PollingTransport,
    ) -> Response | None:
        try:
            items = transport.poll_nowait()
        except Overlap:
            session.overlap("GET")
            return Response(500)
        if items:
            await self._send(request, connection, session, transport, items)
        else:
            await self._hold(request, connection, session, transport)
        return None

    async def _hold(
        self,
        request: Request,
        connection: HTTPConnection,
        session: Session,
        transport: PollingTransport,
    ) -> None:
        """Hold a GET, but not longer than its client stays.

        On a plain socket the task itself reads, to notice that the client leaves; a task for the
        reading would cost 40 µs for each poll. Whoever emits answers at once: that spares waking
        this task, 20 µs, which goes on reading and finds the client's next request.
        """

        def respond(items: list[Encoded]) -> bool:
            found = self._find_body(request, transport, items)
            if found is None:
                return False  # it takes long to make, which is the task's
            if not connection.send_nowait(
                self._response(request, session, transport, items, *found)
            ):
                return False
            if connection.ahead:  # the next request is here already, and nothing more may come
                connection.pipe.interrupt_reader()
            return True

        answers_now = connection.answers_now
        answered = trio.Event()
        wake = connection.pipe.interrupt_reader if connection.pipe.direct else answered.set
        hold = HeldResponse(wake, respond if answers_now else None)
        transport.begin_hold(hold)
        try:
            if connection.pipe.direct:
                while not hold.is_over:
                    await connection.read_ahead()
            else:
                await unless_hung_up(connection, answered.wait())
            if hold.items and connection.is_answered:  # the kernel did not take all of it
                await _while_wanted(connection, transport, connection.send_rest())
        except LOST as error:
            if session.probe is not None:
                await session.probe.settle()
            if not hold.is_over or hold.items:  # what it was to get is lost
                _end(session, transport, hold.items, error)
            raise
        finally:
            transport.end_hold(hold)
        if hold.is_refused:
            raise _moved(session)
        if not connection.is_answered:
            await self._send(request, connection, session, transport, hold.items)

    async def _send(
        self,
        request: Request,
        connection: HTTPConnection,
        session: Session,
        transport: PollingTransport,
        items: list[Encoded],
    ) -> None:
        try:
            found = self._find_body(request, transport, items)
            body = found or await self._make_body(request, transport, items)
            response = self._response(request, session, transport, items, *body)
            if len(response.body) < SHORT:  # it holds less than its connection does
                await connection.send(response)
            else:
                await _while_wanted(connection, transport, connection.send(response))
        except LOST as error:
            _end(session, transport, items, error)  # what it was to get is lost
            raise

    def _response(
        self,
        request: Request,
        session: Session,
        transport: PollingTransport,
        items: list[Encoded],
        body: bytes,
        is_binary: bool,
        encoding: str | None,
    ) -> Response:
        if session.log.wire is not None:
            session.log.wire.outgoing(transport.name, items)
        kind = "application/octet-stream" if is_binary else "text/plain; charset=UTF-8"
        headers = [("Content-Type", kind), *cors.headers(request, self._vary)]
        headers += self._cookie(request, session, transport)
        agent = request.headers.get("user-agent")
        if ";MSIE" in agent or "Trident/" in agent:
            headers.append(("X-XSS-Protection", "0"))
        if encoding is not None:
            headers.append(("Content-Encoding", encoding))
        return EngineResponse(200, headers, body)

    def _cookie(
        self, request: Request, session: Session, transport: PollingTransport
    ) -> cors.Fields:
        """Return the session's cookie, which is made once."""
        if transport.cookie is None:
            transport.cookie = set_cookie(self._options, session.id, by_tls=request.secure)
        return transport.cookie

    # -- bodies, each made once ---------------------------------------------------------------

    def _find_body(
        self, request: Request, transport: PollingTransport, items: list[Encoded]
    ) -> tuple[bytes, bool, str | None] | None:
        """Return a body, whether it is binary and its encoding; `None` if it takes long to make."""
        is_binary = transport.is_binary(items)
        batch: Batch | None = None
        body: bytes | None
        short = is_short(items) if items[1:] else items[0].size < SHORT
        if short:
            body = transport.payload(items, is_binary=is_binary)
        else:
            batch = Batch(tuple(items), transport.jsonp, transport.base64)
            body = self._bodies.find(batch)
        if body is None:
            return None
        encoding = None
        if self._threshold is not None and len(body) >= self._threshold:
            encoding = self._encoding(request, items)
        if encoding is not None:
            batch = batch or Batch(tuple(items), transport.jsonp, transport.base64)
            body = self._bodies.find(batch._replace(encoding=encoding))
        return None if body is None else (body, is_binary, encoding)

    async def _make_body(
        self, request: Request, transport: PollingTransport, items: list[Encoded]
    ) -> tuple[bytes, bool, str | None]:
        """Do as `_find_body`, however long it takes."""
        batch = Batch(tuple(items), transport.jsonp, transport.base64)
        is_binary = transport.is_binary(items)
        make = partial(transport.payload, items, is_binary=is_binary)
        body = await self._bodies.join(batch, make)
        encoding = None
        if self._threshold is not None and len(body) >= self._threshold:
            encoding = self._encoding(request, items)
        if encoding is not None:
            body = await self._bodies.compress(batch._replace(encoding=encoding), body)
        return body, is_binary, encoding

    def _encoding(self, request: Request, items: list[Encoded]) -> str | None:
        """Return how a body that is large enough is to be compressed, if it is."""
        encoding = choose(request.headers.get("accept-encoding"))
        return encoding if any(item.compress for item in items) else None

    async def _post(
        self,
        request: Request,
        connection: HTTPConnection,
        session: Session,
        transport: PollingTransport,
    ) -> Response:
        headers = [("Content-Type", "text/html")]
        try:
            transport.begin_post(connection.cut, lambda: connection.pipe.hung_up)
        except Overlap:
            session.overlap("POST")
            return Response(500)
        try:
            try:
                body = await request.body(self._limit(session))
            finally:
                transport.end_upload()
            if session.transport is not transport:
                raise _moved(session)  # or its packets would be nobody's
            if session.state.state is not State.CLOSING:
                binary = request.headers.get("content-type") == "application/octet-stream"
                await transport.deliver(body, binary=binary)
        except BodyTooLarge as error:
            return self._too_large(session, transport, headers, error)
        except BodyTooSlow as error:
            _abort(session, transport, Explanation(str(error), "body_timeout", error.limit))
            return Response(408, [*headers, ("Connection", "close")], f"{error}\n".encode())
        except InvalidBody as error:
            _abort(session, transport, Explanation(str(error), error.option, error.limit))
            return Response(error.status, headers, f"{error}\n".encode())
        except LOST as error:
            if session.probe is not None:
                await session.probe.settle()
            was_cut = isinstance(error, trio.ClosedResourceError) and not session.state.is_open
            if not was_cut:
                _abort(session, transport)
            raise
        finally:
            transport.end_post()
        return EngineResponse(200, headers + self._cookie(request, session, transport), b"ok")

    def _limit(self, session: Session) -> int:
        """Return the bytes that a POST of a client may have."""
        limit, strangers = self._options.max_http_buffer_size, self._options.handshake_buffer_size
        return limit if session.trusted or strangers is None else min(limit, strangers)

    def _too_large(
        self,
        session: Session,
        transport: PollingTransport,
        headers: cors.Fields,
        error: BodyTooLarge,
    ) -> Response:
        option = "max_http_buffer_size" if session.trusted else "handshake_buffer_size"
        _abort(session, transport, Explanation(str(error), option, error.limit, error.size))
        return Response(413, headers, f"{error} ({option})\n".encode())


async def _while_wanted(
    connection: HTTPConnection, transport: PollingTransport, sending: Awaitable[None]
) -> None:
    """Send an answer, unless its session ends meanwhile."""
    transport.begin_answer(connection.cut)
    try:
        await sending
    finally:
        transport.end_answer(connection.cut)


def _end(
    session: Session,
    transport: PollingTransport,
    items: list[Encoded],
    error: Exception,
) -> None:
    """End a session whose connection broke, or whose client does not take an answer.

    Not if it has gone on by WebSocket, and nothing was to be had by this answer.
    """
    if session.transport is not transport and all(item is NOOP for item in items):
        return
    if isinstance(error, ResponseTimeout):
        session.explain(Explanation(str(error), "answer_timeout", error.limit))
    session.abort(DisconnectReason.TRANSPORT_ERROR)


def _abort(session: Session, transport: PollingTransport, why: Explanation | None = None) -> None:
    """End a session for what is wrong with its POST, if it has not gone on by WebSocket."""
    if session.transport is transport:
        if why is not None:
            session.explain(why)
        session.abort(DisconnectReason.TRANSPORT_ERROR)


def _moved(session: Session) -> Refusal:
    """Refuse what was under way by polling when the session went on otherwise."""
    text = f"the session's transport is {session.transport.name}, not polling"
    return Refusal(ErrorCode.BAD_REQUEST, text)
