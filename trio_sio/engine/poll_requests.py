"""The HTTP requests of long polling: the handshake, polls, POSTs and preflights."""

import logging

import trio

from trio_sio.engine import cors
from trio_sio.engine.compression import choose, compress
from trio_sio.engine.cookie import set_cookie
from trio_sio.engine.host import Host, new_id, open_packet
from trio_sio.engine.http import HTTPConnection
from trio_sio.engine.message import BodyTooLarge, Request, Response
from trio_sio.engine.polling import Overlap, PollingTransport
from trio_sio.engine.session import Session
from trio_sio.options import compression_level, compression_threshold
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.handshake import HandshakeRequest
from trio_sio.protocol.engineio.session import State
from trio_sio.reasons import DisconnectReason

logger = logging.getLogger("trio_sio.engine")


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
    ) -> None:
        """Begin a session and answer with its OPEN packet, and what else there is to say."""
        sid = await new_id(self._host, request)
        transport = PollingTransport(base64=ask.base64, jsonp=ask.jsonp)
        session = self._host.add(sid, request, transport)
        transport.outlet = session.outbox
        can_upgrade = self._options.allow_upgrades and "websocket" in self._options.transports
        opening = open_packet(self._options, sid, ["websocket"] if can_upgrade else [])
        session.start_with(opening)
        self._host.start(session)
        items = await session.wait_opening()
        await self._send(request, connection, session, transport, items)

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
            logger.info("session %s: a second poll while one was held", session.id)
            session.overlap()
            return Response(500)
        if not items:
            try:
                items = await _hold(connection, transport)
            except trio.BrokenResourceError:
                session.abort(DisconnectReason.TRANSPORT_ERROR)
                raise
        await self._send(request, connection, session, transport, items)
        return None

    async def _send(
        self,
        request: Request,
        connection: HTTPConnection,
        session: Session,
        transport: PollingTransport,
        items: list[Encoded],
    ) -> None:
        body, binary = transport.payload(items)
        kind = "application/octet-stream" if binary else "text/plain; charset=UTF-8"
        headers = [("Content-Type", kind)]
        if transport.jsonp is None:
            headers += cors.headers(request)
        headers += set_cookie(self._options, session.id)
        agent = request.headers.get("user-agent")
        if ";MSIE" in agent or "Trident/" in agent:
            headers.append(("X-XSS-Protection", "0"))
        body = self._compress(request, headers, items, body)
        try:
            await connection.send(Response(200, headers, body))
        except trio.BrokenResourceError:
            session.abort(DisconnectReason.TRANSPORT_ERROR)  # what it was to get is lost
            raise

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
            transport.begin_post(connection.cut)
        except Overlap:
            logger.info("session %s: a second POST while one was under way", session.id)
            session.overlap()
            return Response(500)
        try:
            body = await request.body(session.message_limit)
            if session.state.state is not State.CLOSING:
                binary = request.headers.get("content-type") == "application/octet-stream"
                await transport.deliver(body, binary=binary)
        except BodyTooLarge as error:
            return self._too_large(session, headers, error)
        except trio.BrokenResourceError:
            session.abort(DisconnectReason.TRANSPORT_ERROR)
            raise
        finally:
            transport.end_post()
        return Response(200, headers + set_cookie(self._options, session.id), b"ok")

    def _too_large(self, session: Session, headers: cors.Fields, error: BodyTooLarge) -> Response:
        option = "max_http_buffer_size" if session.trusted else "handshake_buffer_size"
        logger.info("session %s: option %r: %s", session.id, option, error)
        session.abort(DisconnectReason.TRANSPORT_ERROR)
        return Response(413, headers, f"{error} ({option})\n".encode())


async def _hold(connection: HTTPConnection, transport: PollingTransport) -> list[Encoded]:
    """Hold a GET, but not longer than its client stays.

    On a plain socket the task itself reads, to notice that the client leaves, and is woken out of
    that; a task for the reading would cost 40 µs for each poll.

    Raises:
        trio.BrokenResourceError: the client left.
    """
    if not connection.pipe.direct:
        return await connection.run_unless_hung_up(transport.hold)
    transport.begin_hold(connection.pipe.interrupt_reader)
    try:
        while not transport.has_answer:
            await connection.read_ahead()
    finally:
        items = transport.end_hold()
    return items
