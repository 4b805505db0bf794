"""Requests for a WebSocket: the answer to the handshake, and what the connection is used for.

A request without `sid` begins a session. One with `sid` lets a polling session try to upgrade.
"""

import logging
from contextlib import nullcontext
from functools import partial

from trio_sio.engine.handshake import new_id, open_packet
from trio_sio.engine.hooks import Hooks
from trio_sio.engine.http.cors import CORS
from trio_sio.engine.http.responder import Responder, Sequel
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.refusal import Refusal
from trio_sio.engine.session.first_payload import FirstWord
from trio_sio.engine.session.registry import NoRoom, Reservation, SessionRegistry
from trio_sio.engine.session.session import Session
from trio_sio.engine.websocket import handshake
from trio_sio.engine.websocket.backends.auto import choose
from trio_sio.engine.websocket.backends.base import Settings
from trio_sio.engine.websocket.opening import FrameOpening, MessageOpening, Opening
from trio_sio.engine.websocket.upgrade import ProbedTransport, Upgrade
from trio_sio.http import Request
from trio_sio.logs import shown
from trio_sio.protocol.engineio.handshake import ErrorCode, HandshakeRequest
from trio_sio.protocol.engineio.version import EIO3, VERSIONS

logger = logging.getLogger("trio_sio.engine")


class WebSocketEndpoint:
    """Answers the WebSocket requests of one engine.

    Args:
        host: the engine's sessions.
        cors: makes the fields for pages of other origins.
        hooks: the application's functions that see header fields.
    """

    def __init__(self, host: SessionRegistry, cors: CORS, hooks: Hooks) -> None:
        self._cors = cors
        self._hooks = hooks
        self._host = host
        self._options = host.options
        self._negotiate = choose(host.options, host.runtime.fairness.wait)
        self._settings = Settings.of(host.options, host.runtime.fairness.wait)

    async def answer(
        self,
        request: Request,
        responder: Responder,
        ask: HandshakeRequest,
        session: Session | None,
    ) -> Sequel:
        """Answer an upgrade request that has passed the checks of every request.

        Args:
            request: the request.
            responder: answers it.
            ask: what its query asks for.
            session: the session it belongs to; `None` if it begins one.

        Returns:
            What becomes of the connection.

        Raises:
            Refusal: it is no handshake of RFC 6455, or `generate_id` failed.
            NoRoom: the server takes no further client.
            HungUp, CallbackTooSlow: as `call_function`.
        """
        problem = handshake.problem(request)
        if problem:
            raise Refusal(ErrorCode.BAD_REQUEST, problem, "Bad Request")
        is_handshake = session is None and ask.transport == "websocket"
        with self._host.reserve(request.remote) if is_handshake else nullcontext() as place:
            sid = ""
            if place is not None:
                sid = await new_id(self._host, request, responder)
                place.check()
            opening = await self._open(request, responder, initial=is_handshake)
            if place is not None:
                place.hand_over()
            return partial(self._serve, request, opening, ask, session, sid, place)

    async def _open(self, request: Request, responder: Responder, *, initial: bool) -> Opening:
        """Accept a handshake.

        Args:
            request: the request.
            responder: answers it.
            initial: whether a session begins.
        """
        fields = self._cors.upgrade_headers(request)
        if self._hooks.has_headers:
            fields = self._hooks.dress(fields, request, initial=initial)
        socket = responder.message_socket
        if socket is not None:
            await socket.accept(handshake.subprotocol(request), fields)
            return MessageOpening(socket, self._settings)
        agreement = self._negotiate(request)
        await responder.send_raw(handshake.acceptance(request, agreement.extensions, fields))
        return FrameOpening(responder.take_over(), agreement)

    async def _serve(
        self,
        request: Request,
        opening: Opening,
        ask: HandshakeRequest,
        session: Session | None,
        sid: str,
        place: Reservation | None,
    ) -> bool:
        """Use a WebSocket; return whether a session has it, and closes it at its end.

        The session has a task of its own, and this one ends when it has handed over the WebSocket.
        But a backend that has tasks needs this one as long as it is used.
        """
        with place or nullcontext():
            version = VERSIONS[ask.protocol] if session is None else session.state.version
            async with opening.open(version, base64=ask.base64) as transport:
                own = None
                if place is not None:
                    own = self._begin(place, sid, request, ask, transport)
                if own is not None and opening.has_tasks:
                    await self._host.run(own)
                elif own is not None:
                    self._host.start(own)
                elif session is None or not await self._upgrade(ask, session, transport):
                    await transport.finish(by_client=False, orderly=False)
                    return False
                if opening.has_tasks:
                    await transport.wait_closed()
        return True

    def _begin(
        self,
        place: Reservation,
        sid: str,
        request: Request,
        ask: HandshakeRequest,
        transport: ProbedTransport,
    ) -> Session | None:
        """Make a session that begins with a WebSocket; `None` if its id is not free any more.

        Or if the server began to end while the client took the answer to its handshake.
        """
        if self._host.find(sid) is not None:  # `generate_id` gave it to two at the same time
            text = "generate_id must return a new, unused text, not %s twice"
            self._host.runtime.log.tell(
                logger, logging.ERROR, "generate_id", text, shown.short_id(sid)
            )
            return None
        version = VERSIONS[ask.protocol]
        try:
            session = place.add(sid, request, transport, version)
        except NoRoom:
            return None
        may_speak_3 = EIO3.number in self._options.protocols and not ask.is_judged
        first = FirstWord(transport.speak) if may_speak_3 and version is not EIO3 else None
        session.start_with(open_packet(self._options, sid, [], version), first)
        return session

    async def _upgrade(
        self, ask: HandshakeRequest, session: Session, transport: ProbedTransport
    ) -> bool:
        """Let a session try the WebSocket, if it polls and tries no other."""
        polling = session.transport
        if (
            ask.transport != "websocket"
            or session.closed
            or session.probe is not None
            or not isinstance(polling, PollingTransport)
        ):
            text = "session %s: a WebSocket that it has no use for"
            sid = shown.short_id(session.id)
            self._host.runtime.log.tell(logger, logging.WARNING, "WebSocket", text, sid)
            return False
        upgrade = Upgrade(session, polling, transport)
        return await upgrade.run(self._options.upgrade_timeout)
