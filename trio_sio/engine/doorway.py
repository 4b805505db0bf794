"""Every request comes through here: whose it is, whether it may in, and who answers it."""

import logging
from functools import partial

from trio_sio.engine import callbacks, cors
from trio_sio.engine.callbacks import CallbackTooSlow
from trio_sio.engine.connection import HTTPConnection, Sequel
from trio_sio.engine.hang_up import HungUp, unless_hung_up
from trio_sio.engine.host import Host, new_id, open_packet, turned_away
from trio_sio.engine.linger import linger
from trio_sio.engine.message import Request, Response
from trio_sio.engine.pipe import Pipe
from trio_sio.engine.poll_requests import PollRequests
from trio_sio.engine.polling import PollingTransport
from trio_sio.engine.refusal import Refusal, refusal_of
from trio_sio.engine.session import Session
from trio_sio.engine.static import ClientFiles
from trio_sio.engine.upgrade import try_upgrade
from trio_sio.engine.websocket import handshake as websocket_handshake, library
from trio_sio.engine.websocket.transport import WebSocketTransport
from trio_sio.exceptions import RemoteProtocolError, RequestRefused
from trio_sio.protocol.engineio.handshake import (
    ErrorCode,
    HandshakeRequest,
    error_body,
    parse_query,
)

logger = logging.getLogger("trio_sio.engine")


class Doorway:
    """Answers the requests of one engine.

    Args:
        host: the engine.
    """

    def __init__(self, host: Host) -> None:
        options = host.options
        self._host = host
        self._options = options
        self._path = options.path.removesuffix("/")
        self._negotiate = library.find(options)
        self._files: ClientFiles | None = None
        if options.serve_client is not False:
            self._files = ClientFiles(options.serve_client, self._path)
        self._polls = PollRequests(host)
        self._is_open = options.allow_request is None and options.origins == "*"

    async def answer(
        self, request: Request, connection: HTTPConnection
    ) -> Response | Sequel | None:
        """Answer a request; `None` if that has been done."""
        if not request.target.startswith(self._path + "/"):
            return await self._elsewhere(request, connection)
        file = self._files.answer(request) if self._files is not None else None
        if file is not None:
            return file
        websocket = request.wants_websocket and "websocket" in self._options.transports
        try:
            return await self._enter(request, connection, websocket=websocket)
        except Refusal as refusal:
            return await self._refuse(refusal, request, connection, websocket=websocket)
        except CallbackTooSlow as error:
            return self._too_slow(error, request)

    async def _elsewhere(self, request: Request, connection: HTTPConnection) -> Response:
        """Answer a request for a path that is not ours."""
        if self._options.fallback is None:
            text = f"Nothing is at {request.path}; this server answers at {self._path}/"
            _log_refusal(request, "Not Found", text)
            headers = [("Content-Type", "text/plain; charset=utf-8")]
            return Response(404, headers, f"{text}\n".encode("utf-8", "replace"))
        try:
            answering = self._options.fallback(request)
            if not request.has_body:  # which it may read, and nobody else meanwhile
                answering = unless_hung_up(connection, answering)
            response = await answering
            if not isinstance(response, Response):
                raise TypeError(f"fallback must return a Response, not {response!r}")
        except HungUp:
            raise
        except Exception:
            if self._options.raise_errors:
                raise
            logger.exception("fallback failed for %s %s", request.method, request.target)
            return Response(500)
        return response

    async def _refuse(
        self, refusal: Refusal, request: Request, connection: HTTPConnection, *, websocket: bool
    ) -> Response | None:
        _log_refusal(request, refusal.message, refusal.detail or "by the application")
        if websocket:
            text = refusal.websocket_text
            if refusal.detail:  # behind the reference's text, on a line of its own
                text += f"\n{refusal.detail}\n"
            await connection.send_raw(websocket_handshake.refusal(text))
            await linger(connection.pipe)
            return None
        headers = [("Content-Type", "application/json")]
        if refusal.status != 403:  # as the reference has it: a forbidden page learns nothing
            headers += cors.headers(request)
        return Response(refusal.status, headers, _body(refusal))

    def _too_slow(self, error: CallbackTooSlow, request: Request) -> Response:
        """Answer a request of which the application could not make up its mind."""
        logger.error("%s for %s %s, which is answered 503", error, request.method, request.path)
        self._host.count_limit("handshake_timeout")
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
        return Response(503, headers, f"{error}\n".encode())

    # -- the checks, in the reference server's order -----------------------------------------

    async def _enter(
        self, request: Request, connection: HTTPConnection, *, websocket: bool
    ) -> Response | Sequel | None:
        try:
            ask = HandshakeRequest.from_query(parse_query(request.query_string))
        except RemoteProtocolError as error:
            raise Refusal(ErrorCode.BAD_REQUEST, error.hint) from None
        if ask.transport not in self._options.transports:
            enabled = ", ".join(self._options.transports)
            raise Refusal(
                ErrorCode.TRANSPORT_UNKNOWN,
                f"the query must have one 'transport' of {enabled}, not {ask.transport!r}",
            )
        session = self._session_of(ask, request, websocket=websocket) if ask.sid else None
        if session is not None and session.probe is not None and not websocket:
            await session.probe.settle()  # first what the client has asked for before
            session = self._session_of(ask, request, websocket=websocket)
        if ask.repeated and (session is None or (websocket and ask.repeated == "b64")):
            text = f"the query has {ask.repeated!r} more than once"
            raise Refusal(ask.repeated_code, text)
        if session is None and request.method != "GET":
            raise Refusal(
                ErrorCode.BAD_HANDSHAKE_METHOD, f"a handshake is a GET, not a {request.method}"
            )
        if session is None and ask.is_later:
            text = f"this server speaks Engine.IO 3, to Socket.IO 2.x clients, not {ask.version}"
            raise Refusal(ErrorCode.UNSUPPORTED_PROTOCOL, text)
        if session is None and (response := turned_away(self._host, request)):
            return response
        await self._check_origin(request, connection, handshake=session is None)
        if session is not None and not self._is_open:  # it may have moved, or ended, meanwhile
            session = self._session_of(ask, request, websocket=websocket)
        if websocket:
            return await self._websocket(request, connection, ask, session)
        if ask.transport == "websocket":
            raise Refusal(ErrorCode.BAD_REQUEST, websocket_handshake.absence(request))
        if session is None:
            return await self._polls.handshake(request, connection, ask)
        return await self._polls.answer(request, connection, session)

    def _session_of(self, ask: HandshakeRequest, request: Request, *, websocket: bool) -> Session:
        session = self._host.find(ask.sid)
        if session is None:
            text = (
                f"no session {ask.sid[:40]!r} is here; it has ended, or its requests are not all"
                " sent to the same server"
            )
            raise Refusal(ErrorCode.SESSION_ID_UNKNOWN, text)
        if not websocket and ask.transport == "websocket":
            raise Refusal(ErrorCode.BAD_REQUEST, websocket_handshake.absence(request))
        if not websocket and session.transport.name != ask.transport:
            raise Refusal(
                ErrorCode.BAD_REQUEST,
                f"the session's transport is {session.transport.name}, not {ask.transport}",
            )
        return session

    async def _check_origin(
        self, request: Request, connection: HTTPConnection, *, handshake: bool
    ) -> None:
        """Ask `allow_request` once for each handshake, or check the origin of each request."""
        if self._is_open:
            return
        allow, origins = self._options.allow_request, self._options.origins
        limit = self._options.handshake_timeout
        origin = cors.origin_of(request)
        allowed: object
        try:
            if allow is not None:
                detail = "allow_request refused"
                allowed = not handshake or await callbacks.call(
                    "allow_request", allow, request, connection, limit
                )
            else:
                if callable(origins):
                    allowed = bool(
                        await callbacks.call("origins", origins, origin, connection, limit)
                    )
                else:
                    allowed = await cors.is_allowed(origins, origin)
                detail = "" if allowed else cors.explain(origins, origin)
        except (HungUp, CallbackTooSlow):
            raise
        except RequestRefused as refused:
            raise refusal_of(refused) from refused
        except Exception as error:
            if self._options.raise_errors:
                raise
            logger.exception("allow_request or origins failed")
            raise Refusal(ErrorCode.FORBIDDEN, "the check itself failed") from error
        if allowed is False:
            raise Refusal(ErrorCode.FORBIDDEN, detail, websocket_text="")

    # -- websocket ---------------------------------------------------------------------------

    async def _websocket(
        self,
        request: Request,
        connection: HTTPConnection,
        ask: HandshakeRequest,
        session: Session | None,
    ) -> Sequel | Response:
        problem = websocket_handshake.problem(request)
        if problem:
            raise Refusal(ErrorCode.BAD_REQUEST, problem, "Bad Request")
        is_handshake = session is None and ask.transport == "websocket"
        sid = await new_id(self._host, request, connection) if is_handshake else ""
        if sid and (response := turned_away(self._host, request)):
            return response
        agreement = self._negotiate(request, self._options)
        await connection.send_raw(websocket_handshake.acceptance(request, agreement.extensions))
        wanted = "" if is_handshake else ask.transport
        pipe = connection.take_over()
        return partial(
            self._speak, request, pipe, agreement, wanted, session, sid, base64=ask.base64
        )

    async def _speak(
        self,
        request: Request,
        pipe: Pipe,
        agreement: library.Agreement,
        wanted: str,
        session: Session | None,
        sid: str,
        *,
        base64: bool,
    ) -> None:
        async with agreement.open(pipe) as opened:
            transport = WebSocketTransport(pipe, opened, self._host.turns.wait, base64=base64)
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
            logger.error("generate_id must return a new, unused text, not %r", sid)
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
            logger.info("session %s: a WebSocket that it has no use for", session.id)
            return False
        if not await try_upgrade(session, transport, self._options.upgrade_timeout):
            return False
        transport.take_outbox(session.outbox)
        return True


def _log_refusal(request: Request, message: str, detail: str) -> None:
    what = f"{request.method} {request.target} from {request.remote or 'somewhere'}"
    logger.info("refused %s: %s (%s)", what, message, detail)


def _body(refusal: Refusal) -> bytes:
    return error_body(refusal.code, refusal.message, refusal.detail)
