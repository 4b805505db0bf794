"""The HTTP requests of long polling: the handshake, polls, POSTs and preflights."""

import trio

from trio_sio.compression_options import compression_level, compression_threshold
from trio_sio.detail import Explanation
from trio_sio.engine import cors
from trio_sio.engine.compression import choose, compress
from trio_sio.engine.connection import HTTPConnection
from trio_sio.engine.cookie import set_cookie
from trio_sio.engine.hang_up import wait_unless_hung_up
from trio_sio.engine.host import Host, new_id, open_packet, turned_away
from trio_sio.engine.message import (
    AnswerTooSlow,
    BodyTooLarge,
    BodyTooSlow,
    Request,
    Response,
)
from trio_sio.engine.polling import Hold, Overlap, PollingTransport
from trio_sio.engine.session import Session
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.handshake import HandshakeRequest
from trio_sio.protocol.engineio.session import State
from trio_sio.reasons import DisconnectReason


class PollRequests:
    """Answers the requests of one engine's polling sessions.

    Args:
        host: the engine.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._options = host.options
        self._threshold = compression_threshold(host.options.http_compression)
        self._level = compression_level(host.options.http_compression)

    async def handshake(
        self, request: Request, connection: HTTPConnection, ask: HandshakeRequest
    ) -> Response | None:
        """Begin a session and answer with its OPEN packet, and what else there is to say."""
        sid = await new_id(self._host, request)
        if response := turned_away(self._host, request):
            return response
        transport = PollingTransport(
            base64=ask.base64,
            jsonp=ask.jsonp,
            max_packets=self._options.max_payload_packets,
            turn=self._host.turns.wait,
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
        assert isinstance(transport, PollingTransport)
        if request.method == "GET":
            return await self._poll(request, connection, session, transport)
        if request.method == "POST":
            return await self._post(request, connection, session, transport)
        if request.method == "OPTIONS" and transport.jsonp is None:
            headers = cors.preflight_headers(request) + set_cookie(self._options, session.id)
            return Response(200, headers)
        return Response(500)

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
            if not connection.send_nowait(self._response(request, session, transport, items)):
                return False
            if connection.ahead:  # the next request is here already, and nothing more may come
                connection.pipe.interrupt_reader()
            return True

        answers_now = connection.answers_now
        answered = trio.Event()
        wake = connection.pipe.interrupt_reader if connection.pipe.direct else answered.set
        hold = Hold(wake, respond if answers_now else None)
        transport.begin_hold(hold)
        try:
            if connection.pipe.direct:
                while not hold.is_over:
                    await connection.read_ahead()
            else:
                await wait_unless_hung_up(connection, answered)
            await connection.send_rest()
        except trio.BrokenResourceError as error:
            if not hold.is_over or hold.items:  # what it was to get is lost
                _end(session, error)
            raise
        finally:
            transport.end_hold(hold)
        if not answers_now:
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
            await connection.send(self._response(request, session, transport, items))
        except trio.BrokenResourceError as error:
            _end(session, error)  # what it was to get is lost
            raise

    def _response(
        self,
        request: Request,
        session: Session,
        transport: PollingTransport,
        items: list[Encoded],
    ) -> Response:
        if session.log.wire is not None:
            session.log.wire.outgoing(transport.name, items)
        body, binary = transport.payload(items)
        kind = "application/octet-stream" if binary else "text/plain; charset=UTF-8"
        headers = [("Content-Type", kind)]
        if transport.jsonp is None:
            headers += cors.headers(request)
        headers += self._cookie(session, transport)
        agent = request.headers.get("user-agent")
        if ";MSIE" in agent or "Trident/" in agent:
            headers.append(("X-XSS-Protection", "0"))
        body = self._compress(request, headers, items, body)
        return Response(200, headers, body)

    def _cookie(self, session: Session, transport: PollingTransport) -> cors.Fields:
        """Return the session's cookie, which is made once."""
        if transport.cookie is None:
            transport.cookie = set_cookie(self._options, session.id)
        return transport.cookie

    def _compress(
        self, request: Request, headers: cors.Fields, items: list[Encoded], body: bytes
    ) -> bytes:
        if self._threshold is None or len(body) < self._threshold:
            return body
        encoding = choose(request.headers.get("accept-encoding"))
        if encoding is None or not any(item.compress for item in items):
            return body
        headers.append(("Content-Encoding", encoding))
        return compress(body, encoding, self._level)

    async def _post(
        self,
        request: Request,
        connection: HTTPConnection,
        session: Session,
        transport: PollingTransport,
    ) -> Response:
        headers = [("Content-Type", "text/html")]
        if transport.jsonp is None:
            headers += cors.headers(request)
        if "transfer-encoding" in request.headers:
            text = b"a POST must have a Content-Length; Transfer-Encoding is not accepted\n"
            return Response(411, headers, text)
        try:
            transport.begin_post(connection.cut, lambda: connection.pipe.hung_up)
        except Overlap:
            session.overlap("POST")
            return Response(500)
        try:
            body = await request.body(self._limit(session))
            if session.state.state is not State.CLOSING:
                binary = request.headers.get("content-type") == "application/octet-stream"
                await transport.deliver(body, binary=binary)
        except BodyTooLarge as error:
            return self._too_large(session, headers, error)
        except BodyTooSlow as error:
            session.explain(Explanation(str(error), "body_timeout", error.limit))
            session.abort(DisconnectReason.TRANSPORT_ERROR)
            return Response(408, [*headers, ("Connection", "close")], f"{error}\n".encode())
        except trio.BrokenResourceError:
            session.abort(DisconnectReason.TRANSPORT_ERROR)
            raise
        finally:
            transport.end_post()
        return Response(200, headers + self._cookie(session, transport), b"ok")

    def _limit(self, session: Session) -> int:
        """Return the bytes that a POST of a client may have."""
        limit, strangers = self._options.max_http_buffer_size, self._options.handshake_buffer_size
        return limit if session.trusted or strangers is None else min(limit, strangers)

    def _too_large(self, session: Session, headers: cors.Fields, error: BodyTooLarge) -> Response:
        option = "max_http_buffer_size" if session.trusted else "handshake_buffer_size"
        session.explain(Explanation(str(error), option, error.limit, error.size))
        session.abort(DisconnectReason.TRANSPORT_ERROR)
        return Response(413, headers, f"{error} ({option})\n".encode())


def _end(session: Session, error: trio.BrokenResourceError) -> None:
    """End a session whose connection broke, or whose client does not take an answer."""
    if isinstance(error, AnswerTooSlow):
        session.explain(Explanation(str(error), "answer_timeout", error.limit))
    session.abort(DisconnectReason.TRANSPORT_ERROR)
