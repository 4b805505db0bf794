"""The HTTP requests of long polling: the handshake, polls and POSTs.

What a response says of caches and of its origin is added by `engine.endpoint`, except for those
that are sent from here.
"""

from functools import partial

import trio

from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.handshake import new_id, open_packet
from trio_sio.engine.hooks import Hooks
from trio_sio.engine.http.cors import CORS
from trio_sio.engine.http.responder import Responder
from trio_sio.engine.http.timeouts import ResponseTimeout
from trio_sio.engine.polling.held_poll import HeldPoll
from trio_sio.engine.polling.posts import Overlap
from trio_sio.engine.polling.responses import BINARY, PollResponses, set_cookie
from trio_sio.engine.polling.shared_bodies import SHORT
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.refusal import Refusal, refused_post
from trio_sio.engine.session.first_payload import FirstPayload
from trio_sio.engine.session.registry import SessionRegistry
from trio_sio.engine.session.session import Session
from trio_sio.http import (
    BodyTooLarge,
    BodyTooSlow,
    EngineResponse,
    InvalidBody,
    Request,
    Response,
)
from trio_sio.logs.wire import wire_log
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.handshake import ErrorCode, HandshakeRequest
from trio_sio.protocol.engineio.state import State
from trio_sio.protocol.engineio.version import VERSIONS

LOST = (trio.BrokenResourceError, trio.ClosedResourceError)
"""What is raised when the client leaves, and when the application closes the stream it gave us."""

NO_BINARY = f"a POST of {BINARY}, which Engine.IO 4 does not have: binary packets go as base64"
"""Why the body of such a POST is not taken."""


class PollingEndpoint:
    """Answers the requests of one engine's polling sessions.

    Args:
        host: the engine's sessions.
        cors: makes the fields for pages of other origins.
        hooks: the application's functions that see header fields.
    """

    def __init__(self, host: SessionRegistry, cors: CORS, hooks: Hooks) -> None:
        self._hooks = hooks
        self._host = host
        self._options = host.options
        runtime = host.runtime
        self._responses = PollResponses(host.options, runtime.timers, runtime.fairness.wait, cors)

    async def handshake(
        self, request: Request, responder: Responder, ask: HandshakeRequest
    ) -> Response | None:
        """Begin a session, and answer with its OPEN packet and whatever goes with it.

        Raises:
            NoRoom: the server takes no further client.
        """
        with self._host.reserve(request.remote) as place:
            sid = await new_id(self._host, request, responder)
            version = VERSIONS[ask.protocol]
            transport = PollingTransport(
                version=version,
                base64=ask.base64,
                jsonp=ask.jsonp if version.has_jsonp else None,
                max_packets=self._options.max_payload_packets,
                turn=self._host.runtime.fairness.wait,
                cookie=set_cookie(self._options, sid, version.number, by_tls=request.secure),
                wire=wire_log(sid),
            )
            session = place.add(sid, request, transport, version)
        can_upgrade = self._options.allow_upgrades and "websocket" in self._options.transports
        packet = open_packet(self._options, sid, ["websocket"] if can_upgrade else [], version)
        opening = session.start_with(packet)
        assert isinstance(opening, FirstPayload)
        self._host.start(session)
        items = await opening.wait()
        await self._send(request, responder, session, transport, items, initial=True)
        return None

    async def answer(
        self, request: Request, responder: Responder, session: Session
    ) -> Response | None:
        """Answer a request of a session that polls; return `None` if that has been done."""
        transport = session.transport
        if not isinstance(transport, PollingTransport):  # another one that calls itself so
            raise Refusal(ErrorCode.BAD_REQUEST, "the session's transport takes no requests")
        if request.method == "GET":
            return await self._poll(request, responder, session, transport)
        if request.method == "POST":
            return await self._post(request, responder, session, transport)
        # 500 in the reference server, as if that had failed.
        return Response(405, [("Allow", "GET, POST, OPTIONS")])

    async def _poll(
        self,
        request: Request,
        responder: Responder,
        session: Session,
        transport: PollingTransport,
    ) -> Response | None:
        try:
            items = transport.poll_nowait()
        except Overlap:
            session.overlap("GET")
            return Response(session.state.version.overlap_status)
        if items:
            await self._send(request, responder, session, transport, items)
        else:
            await self._hold(request, responder, session, transport)
        return None

    async def _hold(
        self,
        request: Request,
        responder: Responder,
        session: Session,
        transport: PollingTransport,
    ) -> None:
        """Hold a GET until there are packets for it, but not longer than its client stays."""
        if self._hooks.has_headers:  # they are the application's, and fail in this task alone
            poll = HeldPoll()
        else:
            poll = HeldPoll(partial(self._responses.find, request, transport))
        transport.begin_hold(poll)
        try:
            await responder.hold(poll)
            if poll.response is not None:
                await _send_while_wanted(responder, transport, poll.response)
        except LOST as error:
            if session.probe is not None:
                await session.probe.settle()
            if not poll.is_over or poll.items:  # its packets are lost
                _end(session, transport, poll.items, error)
            raise
        finally:
            transport.end_hold(poll)
        if poll.is_refused:
            raise _moved(session)
        if poll.response is None and not poll.is_sent:
            await self._send(request, responder, session, transport, poll.items)

    async def _send(
        self,
        request: Request,
        responder: Responder,
        session: Session,
        transport: PollingTransport,
        items: list[Encoded],
        *,
        initial: bool = False,
    ) -> None:
        try:
            found = self._responses.find(request, transport, items, initial=initial)
            if found is None:
                found = await self._responses.make(request, transport, items, initial=initial)
            response = found
            if self._hooks.has_headers:
                response = self._hooks.dressed(found, request, initial=initial)
            await _send_while_wanted(responder, transport, response)
        except LOST as error:
            _end(session, transport, items, error)  # its packets are lost
            raise

    async def _post(
        self,
        request: Request,
        responder: Responder,
        session: Session,
        transport: PollingTransport,
    ) -> Response:
        try:
            transport.posts.begin(responder.cut, lambda: responder.hung_up)
        except Overlap:
            session.overlap("POST")
            return Response(session.state.version.overlap_status)
        binary = request.headers.get("content-type") == BINARY
        try:
            try:
                if binary and not session.state.version.has_binary_bodies:
                    raise InvalidBody(NO_BINARY)  # before anything of it is read
                body = await request.body(self._limit(session))
            finally:
                transport.posts.end_upload()
            if session.transport is not transport:
                raise _moved(session)  # or its packets would be nobody's
            if session.state.state is not State.CLOSING:
                await transport.posts.deliver(body, binary=binary)
        except BodyTooLarge as error:
            option = "max_http_buffer_size" if session.limits_lifted else "handshake_buffer_size"
            _abort(session, transport, Explanation(str(error), option, error.limit, error.size))
            return refused_post(error, option)
        except BodyTooSlow as error:
            _abort(session, transport, Explanation(str(error), "body_timeout", error.limit))
            return refused_post(error)
        except InvalidBody as error:
            _abort(session, transport, Explanation(str(error), error.option, error.limit))
            return refused_post(error)
        except LOST as error:
            if session.probe is not None:
                await session.probe.settle()
            was_cut = isinstance(error, trio.ClosedResourceError) and not session.state.is_open
            if not was_cut:
                _abort(session, transport)
            raise
        finally:
            transport.posts.end()
        headers = [("Content-Type", "text/html")]
        if session.state.version.repeats_cookie:
            headers += transport.cookie
        response = EngineResponse(200, headers, b"ok")
        if self._hooks.has_headers:
            return self._hooks.dressed(response, request, initial=False)
        return response

    def _limit(self, session: Session) -> int:
        """Return the bytes that a POST of a client may have."""
        limit, before = self._options.max_http_buffer_size, self._options.handshake_buffer_size
        return limit if session.limits_lifted or before is None else min(limit, before)


async def _send_while_wanted(
    responder: Responder, transport: PollingTransport, response: Response
) -> None:
    """Send a response; if its session ends meanwhile, end the connection."""
    size = len(response.body)  # type: ignore[arg-type]  # polling streams nothing
    if size < SHORT:  # it holds less than its connection does
        await responder.send(response)
        return
    transport.begin_answer(responder.cut)
    try:
        await responder.send(response)
    finally:
        transport.end_answer(responder.cut)


def _end(
    session: Session,
    transport: PollingTransport,
    items: list[Encoded],
    error: Exception,
) -> None:
    """End a session whose connection broke, or whose client does not receive its response.

    If it has gone on by WebSocket, a response without packets is no loss.
    """
    noop = transport.form.version.noop
    if session.transport is not transport and all(item is noop for item in items):
        return
    if isinstance(error, ResponseTimeout):
        session.explain(Explanation(str(error), "answer_timeout", error.limit))
    session.abort(DisconnectReason.TRANSPORT_ERROR)


def _abort(session: Session, transport: PollingTransport, why: Explanation | None = None) -> None:
    """End a session whose POST failed, unless it has gone on by WebSocket."""
    if session.transport is transport:
        if why is not None:
            session.explain(why)
        session.abort(DisconnectReason.TRANSPORT_ERROR)


def _moved(session: Session) -> Refusal:
    """Return the refusal of a request that was under way when its session went on by WebSocket."""
    text = f"the session's transport is {session.transport.name}, not polling"
    return Refusal(ErrorCode.BAD_REQUEST, text)
