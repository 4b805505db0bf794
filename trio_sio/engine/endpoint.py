"""Every request comes through here: whose it is, whether it may in, and who answers it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from trio_sio.engine import callbacks
from trio_sio.engine.callbacks import CallbackTooSlow
from trio_sio.engine.http import cors
from trio_sio.engine.http.connection import HTTPConnection, Sequel
from trio_sio.engine.http.preflight import Preflight
from trio_sio.engine.http.responder import HungUp, unless_hung_up
from trio_sio.engine.http.static_files import StaticFiles
from trio_sio.engine.polling.endpoint import PollingEndpoint
from trio_sio.engine.refusal import Refusal, refusal_of
from trio_sio.engine.session.registry import NoRoom, SessionRegistry
from trio_sio.engine.session.session import Session
from trio_sio.engine.websocket import handshake as websocket_handshake
from trio_sio.engine.websocket.endpoint import WebSocketEndpoint
from trio_sio.exceptions import RemoteProtocolError, RequestRefused
from trio_sio.failures import Never, failures, sort, verdict
from trio_sio.http import (
    BodyTooLarge,
    BodyTooSlow,
    EngineResponse,
    InvalidBody,
    Request,
    Response,
)
from trio_sio.logs import shown
from trio_sio.protocol.engineio.handshake import (
    ErrorCode,
    HandshakeRequest,
    error_body,
    parse_query,
)
from trio_sio.protocol.http.response_check import check_length, check_response

logger = logging.getLogger("trio_sio.engine")

A = TypeVar("A")

_TEXT = "text/plain; charset=utf-8"


class Endpoint:
    """Answers the requests of one engine.

    Args:
        host: the engine's sessions.
    """

    def __init__(self, host: SessionRegistry) -> None:
        options = host.options
        self._host = host
        self._options = options
        self._path = options.path.removesuffix("/")
        self._websockets = WebSocketEndpoint(host)
        self._files: StaticFiles | None = None
        if options.serve_client is not False:
            self._files = StaticFiles(options.serve_client, self._path)
        self._polls = PollingEndpoint(host)
        self._preflight = Preflight(options.allow_headers)
        # Whoever gives `allow_request` decides of origins there.
        self._is_open = options.allow_request is not None or options.origins == "*"

    async def answer(
        self, request: Request, connection: HTTPConnection
    ) -> Response | Sequel | None:
        """Answer a request; `None` if that has been done."""
        if self._host.closing:
            self._tell(request, logging.INFO, "closing", "the server is shutting down")
            headers = [("Content-Type", _TEXT), ("Connection", "close")]
            return self._unasked(request, 503, headers, "the server is shutting down")
        if not request.target.startswith(self._path + "/"):
            return await self._elsewhere(request, connection)
        file = self._files.answer(request) if self._files is not None else None
        if file is not None:
            return file
        websocket = request.wants_websocket and "websocket" in self._options.transports
        response: Response | Sequel | None
        is_welcome = False
        try:
            if not self._is_open:
                await self._check_origin(request, connection)
            is_welcome = True
            response = await self._enter(request, connection, websocket=websocket)
        except Refusal as refusal:
            response = await self._refuse(refusal, request, connection, websocket=websocket)
        except NoRoom as error:
            response = Response.text(503, str(error), close=True)
        except CallbackTooSlow as error:
            response = self._too_slow(error, request)
        if isinstance(response, Response):  # for the pages of welcome origins to read
            more = cors.headers(request) if is_welcome else cors.refused_headers()
            return EngineResponse(response.status, response.headers + more, response.body)
        return response

    def _unasked(
        self, request: Request, status: int, headers: cors.Fields, sentence: str = ""
    ) -> Response:
        """Return an answer for which no function of the application is asked about the origin."""
        origin = cors.origin_of(request)
        is_welcome = self._is_open or cors.is_listed(self._options.origins, origin)
        more = cors.headers(request) if is_welcome else cors.refused_headers()
        text = f"{sentence}\n" if sentence else ""
        return Response(status, headers + more, text.encode("utf-8", "replace"))

    async def _elsewhere(self, request: Request, connection: HTTPConnection) -> Response:
        """Answer a request for a path that is not ours."""
        if request.target == "*":  # only OPTIONS can ask that: what the server as a whole can do
            return self._unasked(request, 200, [("Allow", "GET, HEAD, POST, OPTIONS")])
        if self._options.fallback is None:
            text = f"Nothing is at {request.path}; this server answers at {self._path}/"
            self._tell_wrong_path(request)
            return self._unasked(request, 404, [("Content-Type", _TEXT)], text)
        try:
            answering = self._options.fallback(request)
            if not request.has_body:  # which it may read, and nobody else meanwhile
                answering = unless_hung_up(connection, answering)
            response = await answering
            if not isinstance(response, Response):
                raise TypeError(f"fallback must return a Response, not {response!r}")
            # Its headers are a list, which may have grown since.
            check_response(response.status, response.headers, response.body)
            check_length(request.method, response.status, response.headers, response.body)
        except HungUp:
            raise
        except (BodyTooLarge, BodyTooSlow, InvalidBody) as error:  # the client's fault
            return self._unreadable(request, error)
        except failures() as error:
            found = sort(error, Never)
            if self._options.raise_errors:
                raise
            if found.failure is not None:
                line, path = "fallback failed for %s %s", shown.target(request.target)
                self._host.runtime.log.fail(logger, found.failure, line, request.method, path)
            if found.exits is not None:
                raise found.exits from None
            return Response(500, [cors.NO_STORE])
        return response

    def _unreadable(
        self, request: Request, error: BodyTooLarge | BodyTooSlow | InvalidBody
    ) -> Response:
        """Answer a request whose body the fallback did not get, and did nothing about that."""
        self._tell(request, logging.WARNING, "body", str(error))
        return Response.text(error.status, str(error), [cors.NO_STORE], close=True)

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
        self._host.runtime.counters.refused[kind] += 1
        self._host.runtime.log.tell(logger, level, kind, line, method, target, remote, text)

    async def _refuse(
        self, refusal: Refusal, request: Request, connection: HTTPConnection, *, websocket: bool
    ) -> Response | None:
        self._tell_refusal(request, refusal)
        if websocket:
            text = refusal.websocket_text
            if refusal.detail:  # behind the reference's text, on a line of its own
                text += f"\n{refusal.detail}\n"
            await connection.send_raw(websocket_handshake.refusal(text, request.method))
            return None
        return Response(refusal.status, [("Content-Type", "application/json")], _body(refusal))

    def _too_slow(self, error: CallbackTooSlow, request: Request) -> Response:
        """Answer a request of which the application could not make up its mind."""
        self._tell(request, logging.ERROR, "too_slow", str(error))
        self._host.counters.count_limit("handshake_timeout")
        headers = [("Content-Type", _TEXT), ("Connection", "close")]
        return Response(503, headers, f"{error}\n".encode())

    # -- the checks, in the reference server's order, behind that of the origin ---------------

    async def _enter(
        self, request: Request, connection: HTTPConnection, *, websocket: bool
    ) -> Response | Sequel | None:
        if request.method == "OPTIONS" and not websocket:
            return self._answer_preflight(request)
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
        session = self._session_of(ask, request, websocket=websocket) if ask.sid else None
        if session is not None and session.probe is not None and not websocket:
            await session.probe.settle()  # first what the client has asked for before
            session = self._session_of(ask, request, websocket=websocket)
        if ask.repeated and (session is None or (websocket and ask.repeated == "b64")):
            text = f"the query has {ask.repeated!r} more than once"
            raise Refusal(ask.repeated_code, text)
        if session is None and request.method != "GET":
            seen = shown.printable(request.method, 20)
            text = f"the method of a handshake is GET, not {seen}"
            raise Refusal(ErrorCode.BAD_HANDSHAKE_METHOD, text)
        if session is None and ask.is_later:
            seen = ask.version[:9]
            text = f"this server speaks Engine.IO 3, to Socket.IO 2.x clients, not {seen}"
            raise Refusal(ErrorCode.UNSUPPORTED_PROTOCOL, text)
        if session is None and self._options.allow_request is not None:
            self._host.check_room(request.remote)  # or the application need not be asked
            await self._ask_to_allow(self._options.allow_request, request, connection)
        if websocket:
            return await self._websockets.answer(request, connection, ask, session)
        if ask.transport == "websocket":
            raise Refusal(ErrorCode.BAD_REQUEST, websocket_handshake.absence(request))
        if session is None:
            return await self._polls.handshake(request, connection, ask)
        return await self._polls.answer(request, connection, session)

    def _session_of(self, ask: HandshakeRequest, request: Request, *, websocket: bool) -> Session:
        session = self._host.find(ask.sid)
        if session is None:
            text = (
                f"no session {shown.short_id(ask.sid)!r} is here; it has ended, or its requests are"
                " not all sent to the same server"
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

    def _answer_preflight(self, request: Request) -> Response:
        problem = self._preflight.explain(request)
        if problem:  # the browser sees to it, and its page learns nothing
            self._tell(request, logging.WARNING, "preflight", problem)
        return self._preflight.answer(request)

    async def _check_origin(self, request: Request, connection: HTTPConnection) -> None:
        """Refuse an origin that option `origins` does not accept."""
        origins, origin = self._options.origins, cors.origin_of(request)
        if callable(origins):
            is_welcome = await self._ask("origins", origins, origin, connection)
        else:
            is_welcome = cors.is_listed(origins, origin)
        if not is_welcome:
            detail = cors.explain(origins, origin)
            raise Refusal(ErrorCode.FORBIDDEN, detail, websocket_text="")

    async def _ask_to_allow(
        self, allow: Callable[[Request], object], request: Request, connection: HTTPConnection
    ) -> None:
        """Ask the application about a handshake.

        It lets the client in by returning nothing, or anything true (JS: `callback(err, success)`).
        """
        if await self._ask("allow_request", allow, request, connection) is False:
            raise Refusal(ErrorCode.FORBIDDEN, "allow_request refused", websocket_text="")

    async def _ask(
        self, name: str, function: Callable[[A], object], argument: A, connection: HTTPConnection
    ) -> bool | None:
        """Call a function of the application that may refuse; if it fails, nobody gets in."""
        limit = self._options.handshake_timeout
        try:
            answer = await callbacks.call(name, function, argument, connection, limit)
            return verdict(name, answer)
        except (HungUp, CallbackTooSlow):
            raise
        except failures() as error:
            found = sort(error, RequestRefused)
            if found.failure is not None:
                if self._options.raise_errors:
                    raise
                self._host.runtime.log.fail(logger, found.failure, "%s failed", name)
            if found.exits is not None:
                raise found.exits from None
            if found.refusal is not None:
                raise refusal_of(found.refusal) from found.refusal
            raise Refusal(ErrorCode.FORBIDDEN, "the check itself failed") from error


def _body(refusal: Refusal) -> bytes:
    return error_body(refusal.code, refusal.message, refusal.detail)
