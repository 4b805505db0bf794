"""Every request comes through here: whose it is, whether it may in, and who answers it."""

import logging
from functools import partial

from trio_sio.engine import cors
from trio_sio.engine.connection import HTTPConnection, Sequel
from trio_sio.engine.host import Host, ask_application, new_id, open_packet, turned_away
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
from trio_sio.logs import shown
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
        self._open_library = library.find(options)
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
            return await self._elsewhere(request)
        file = self._files.answer(request) if self._files is not None else None
        if file is not None:
            return file
        websocket = request.wants_websocket and "websocket" in self._options.transports
        try:
            return await self._enter(request, connection, websocket=websocket)
        except Refusal as refusal:
            return await self._refuse(refusal, request, connection, websocket=websocket)

    async def _elsewhere(self, request: Request) -> Response:
        """Answer a request for a path that is not ours."""
        if self._options.fallback is None:
            text = f"Nothing is at {request.path}; this server answers at {self._path}/"
            self._tell_wrong_path(request)
            headers = [("Content-Type", "text/plain; charset=utf-8")]
            return Response(404, headers, f"{text}\n".encode("utf-8", "replace"))
        try:
            response = await self._options.fallback(request)
            if not isinstance(response, Response):
                raise TypeError(f"fallback must return a Response, not {response!r}")
        except Exception as error:
            if self._options.raise_errors:
                raise
            line = "fallback failed for %s %s"
            path = shown.target(request.target)
            self._host.log.fail(logger, error, line, request.method, path)
            return Response(500)
        return response

    def _tell_wrong_path(self, request: Request) -> None:
        """Whoever asks for a transport is a client of ours that looks in the wrong place."""
        text = f"this server answers at {self._path}/; is that the client's option 'path'?"
        is_client = "transport=" in request.query_string
        self._tell(request, logging.WARNING if is_client else logging.INFO, "not_found", text)

    def _tell_refusal(self, request: Request, refusal: Refusal) -> None:
        message = shown.printable(refusal.message, 200)
        text = f"{message}: {refusal.detail or 'by the application'}"
        if refusal.code is ErrorCode.UNSUPPORTED_PROTOCOL:
            text += "; use socket.io-client 2.x there"
        self._tell(request, logging.WARNING, refusal.code.name.lower(), text)

    def _tell(self, request: Request, level: int, kind: str, text: str) -> None:
        method, target = shown.printable(request.method, 20), shown.target(request.target)
        line, remote = "refused %s %s from %s: %s", request.remote or "somewhere"
        self._host.counters.refused[kind] += 1
        self._host.log.tell(logger, level, kind, line, method, target, remote, text)

    async def _refuse(
        self, refusal: Refusal, request: Request, connection: HTTPConnection, *, websocket: bool
    ) -> Response | None:
        self._tell_refusal(request, refusal)
        if websocket:
            text = refusal.websocket_text
            if refusal.detail:  # behind the reference's text, on a line of its own
                text += f"\n{refusal.detail}\n"
            await connection.send_raw(websocket_handshake.refusal(text))
            return None
        headers = [("Content-Type", "application/json")]
        if refusal.status != 403:  # as the reference has it: a forbidden page learns nothing
            headers += cors.headers(request)
        return Response(refusal.status, headers, _body(refusal))

    # -- the checks, in the reference server's order -----------------------------------------

    async def _enter(
        self, request: Request, connection: HTTPConnection, *, websocket: bool
    ) -> Response | Sequel | None:
        try:
            ask = HandshakeRequest.from_query(parse_query(request.query_string))
        except RemoteProtocolError as error:
            raise Refusal(ErrorCode.BAD_REQUEST, error.hint) from None
        if ask.transport not in self._options.transports:
            enabled, seen = ", ".join(self._options.transports), shown.word(ask.transport)
            raise Refusal(
                ErrorCode.TRANSPORT_UNKNOWN,
                f"the query must have one 'transport' of {enabled}, not {seen!r}",
            )
        session = self._session_of(ask, websocket=websocket) if ask.sid else None
        if session is None and request.method != "GET":
            seen = shown.printable(request.method, 20)
            raise Refusal(ErrorCode.BAD_HANDSHAKE_METHOD, f"a handshake is a GET, not a {seen}")
        if session is None and ask.is_later:
            seen = ask.version[:9]
            text = f"this server speaks Engine.IO 3, to Socket.IO 2.x clients, not {seen}"
            raise Refusal(ErrorCode.UNSUPPORTED_PROTOCOL, text)
        if session is None and (response := turned_away(self._host, request)):
            return response
        await self._check_origin(request, handshake=session is None)
        if websocket:
            return await self._websocket(request, connection, ask, session)
        if ask.transport == "websocket":
            raise Refusal(ErrorCode.BAD_REQUEST, "transport=websocket without an upgrade")
        if session is None:
            return await self._polls.handshake(request, connection, ask)
        return await self._polls.answer(request, connection, session)

    def _session_of(self, ask: HandshakeRequest, *, websocket: bool) -> Session:
        session = self._host.find(ask.sid)
        if session is None:
            text = (
                f"no session {shown.short_id(ask.sid)!r} is here; it has ended, or its requests are"
                " not all sent to the same server"
            )
            raise Refusal(ErrorCode.SESSION_ID_UNKNOWN, text)
        if not websocket and session.transport.name != ask.transport:
            raise Refusal(
                ErrorCode.BAD_REQUEST,
                f"the session's transport is {session.transport.name}, not {ask.transport}",
            )
        return session

    async def _check_origin(self, request: Request, *, handshake: bool) -> None:
        """Ask `allow_request` once for each handshake, or check the origin of each request."""
        if self._is_open:
            return
        allow = self._options.allow_request
        try:
            if allow is not None:
                allowed = await ask_application(allow, request) if handshake else True
                detail = "allow_request refused"
            else:
                origin = cors.origin_of(request)
                allowed = await cors.is_allowed(self._options.origins, origin)
                detail = "" if allowed else cors.explain(self._options.origins, origin)
        except RequestRefused as refused:
            raise refusal_of(refused) from refused
        except Exception as error:
            if self._options.raise_errors:
                raise
            self._host.log.fail(logger, error, "allow_request or origins failed")
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
        sid = await new_id(self._host, request) if is_handshake else ""
        if sid and (response := turned_away(self._host, request)):
            return response
        wanted = "" if is_handshake else ask.transport
        return partial(self._speak, request, connection.take_over(), wanted, session, sid)

    async def _speak(
        self,
        request: Request,
        pipe: Pipe,
        wanted: str,
        session: Session | None,
        sid: str,
    ) -> None:
        async with self._open_library(pipe, request, self._options) as opened:
            transport = WebSocketTransport(pipe, opened, self._host.turns.wait)
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
            self._host.log.tell(logger, logging.ERROR, "generate_id", text, shown.short_id(sid))
            return None
        session = self._host.add(sid, request, transport)
        transport.outbox = session.outbox
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
            self._host.log.tell(logger, logging.WARNING, "WebSocket", text, sid)
            return False
        if not await try_upgrade(session, transport, self._options.upgrade_timeout):
            return False
        transport.outbox = session.outbox
        return True


def _body(refusal: Refusal) -> bytes:
    return error_body(refusal.code, refusal.message, refusal.detail)
