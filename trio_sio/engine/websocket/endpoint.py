"""Requests for a WebSocket: the answer to the handshake, and what the connection is used for.

A request without `sid` begins a session. One with `sid` lets a polling session try to upgrade.
"""

import logging
from functools import partial

from trio_sio.engine.handshake import Host, new_id, open_packet, turned_away
from trio_sio.engine.http.connection import HTTPConnection, Sequel
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.refusal import Refusal
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.session.session import Session
from trio_sio.engine.websocket import handshake
from trio_sio.engine.websocket.backends import base as library
from trio_sio.engine.websocket.transport import WebSocketTransport
from trio_sio.engine.websocket.upgrade import try_upgrade
from trio_sio.http import Request, Response
from trio_sio.logs import shown
from trio_sio.protocol.engineio.handshake import ErrorCode, HandshakeRequest

logger = logging.getLogger("trio_sio.engine")


class WebSocketEndpoint:
    """Answers the WebSocket requests of one engine.

    Args:
        host: the engine.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._options = host.options
        self._negotiate = library.find(host.options)

    async def answer(
        self,
        request: Request,
        connection: HTTPConnection,
        ask: HandshakeRequest,
        session: Session | None,
    ) -> Sequel | Response:
        """Answer an upgrade request that has passed the checks of every request.

        Args:
            request: the request.
            connection: where it came, and where the answer is sent.
            ask: what its query asks for.
            session: the session it belongs to; `None` if it begins one.

        Returns:
            What becomes of the connection, or the answer to a client that the server cannot take.

        Raises:
            Refusal: it is no handshake of RFC 6455, or `generate_id` failed.
            HungUp, CallbackTooSlow: as `callbacks.call`.
        """
        problem = handshake.problem(request)
        if problem:
            raise Refusal(ErrorCode.BAD_REQUEST, problem, "Bad Request")
        is_handshake = session is None and ask.transport == "websocket"
        sid = await new_id(self._host, request, connection) if is_handshake else ""
        if sid and (response := turned_away(self._host, request)):
            return response
        agreement = self._negotiate(request, self._options)
        await connection.send_raw(handshake.acceptance(request, agreement.extensions))
        wanted = "" if is_handshake else ask.transport
        stream = connection.take_over()
        return partial(
            self._serve, request, stream, agreement, wanted, session, sid, base64=ask.base64
        )

    async def _serve(
        self,
        request: Request,
        stream: ByteStream,
        agreement: library.Agreement,
        wanted: str,
        session: Session | None,
        sid: str,
        *,
        base64: bool,
    ) -> None:
        async with agreement.open(stream) as backend:
            transport = WebSocketTransport(
                stream, backend, self._host.runtime.fairness.wait, base64=base64
            )
            own = self._begin(sid, request, transport) if sid else None
            if own is not None:
                await self._host.run(own)
            elif session is None or not await self._upgrade(wanted, session, transport):
                await transport.finish(by_client=False, orderly=False)
            await transport.wait_released()

    def _begin(self, sid: str, request: Request, transport: WebSocketTransport) -> Session | None:
        """Make a session that begins with a WebSocket; `None` if its id is not free any more.

        Or if the server began to end, or was filled by others, while the client took the answer
        to its handshake.
        """
        if turned_away(self._host, request):
            return None
        if self._host.find(sid) is not None:  # `generate_id` gave it to two at the same time
            text = "generate_id must return a new, unused text, not %s twice"
            self._host.runtime.log.tell(
                logger, logging.ERROR, "generate_id", text, shown.short_id(sid)
            )
            return None
        session = self._host.add(sid, request, transport)
        transport.take_outbox(session.outbox)
        session.start_with(open_packet(self._options, sid, []))
        return session

    async def _upgrade(self, wanted: str, session: Session, transport: WebSocketTransport) -> bool:
        """Let a session try the WebSocket, if it polls and tries no other."""
        if (
            wanted != "websocket"
            or session.closed
            or session.probe is not None
            or not isinstance(session.transport, PollingTransport)
        ):
            text = "session %s: a WebSocket that it has no use for"
            sid = shown.short_id(session.id)
            self._host.runtime.log.tell(logger, logging.WARNING, "WebSocket", text, sid)
            return False
        if not await try_upgrade(session, transport, self._options.upgrade_timeout):
            return False
        transport.take_outbox(session.outbox)
        return True
