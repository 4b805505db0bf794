"""Routes each HTTP request: checks it, finds its session, and picks who answers."""

import logging

import trio

from trio_sio.engine import proxy_faults, refusal
from trio_sio.engine.handshake import (
    CallbackTooSlow,
    check_allowed,
    check_origin,
    judge_protocol,
)
from trio_sio.engine.hooks import Hooks
from trio_sio.engine.http import cors
from trio_sio.engine.http.fallback import Fallback
from trio_sio.engine.http.responder import Responder, Sequel
from trio_sio.engine.http.static_files import StaticFiles
from trio_sio.engine.http.streaming import send_streamed
from trio_sio.engine.polling.endpoint import PollingEndpoint
from trio_sio.engine.proxies import ProxyTrust
from trio_sio.engine.refusal import Refusal, RefusalLog
from trio_sio.engine.session.registry import NoRoom, SessionRegistry
from trio_sio.engine.session.session import Session
from trio_sio.engine.websocket.endpoint import WebSocketEndpoint
from trio_sio.engine.websocket.handshake import absence
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.http import (
    BodyError,
    EngineResponse,
    Request,
    Response,
)
from trio_sio.logs import shown
from trio_sio.protocol.engineio.handshake import ErrorCode, HandshakeRequest, parse_query

_CLIENTS = {3: "3 (Socket.IO 2.x)", 4: "4 (Socket.IO 3.x and 4.x)"}


class Endpoint:
    """Answers the requests of one engine.

    Args:
        sessions: the engine's.
        hooks: the application's functions that see each request.
    """

    def __init__(self, sessions: SessionRegistry, hooks: Hooks) -> None:
        options, runtime = sessions.options, sessions.runtime
        self._sessions = sessions
        self._options = options
        self._path = options.path.removesuffix("/")
        self._beginning = self._path + "/"
        self._log = RefusalLog(runtime.log, runtime.counters)
        self._hooks = hooks
        self._cors = cors.cors_of(options.cors)
        self._polling = PollingEndpoint(sessions, self._cors, hooks)
        self._websockets = WebSocketEndpoint(sessions, self._cors, hooks)
        self._trust = ProxyTrust(options, runtime.log)
        self._preflight = cors.Preflight(options.allow_headers)
        self._files: StaticFiles | None = None
        if options.serve_client is not False:
            self._files = StaticFiles(options.serve_client, self._path, self._cors.file_headers)
        self._fallback: Fallback | None = None
        if options.fallback is not None:
            raise_errors = options.raise_errors
            self._fallback = Fallback(
                options.fallback, runtime.log, raise_errors=raise_errors, timers=runtime.timers
            )
        # An application that gives `allow_request` decides about origins there.
        self._is_open = options.allow_request is not None or options.origins == "*"

    def trusts(self, address: str) -> bool:
        """Whether the peer at an address is a proxy that is believed who its clients are."""
        return self._trust.trusts(address)

    async def answer(self, request: Request, responder: Responder) -> Response | Sequel | None:
        """Answer a request; return `None` if that has been done."""
        if self._trust.is_needed or "sid=" not in request.target:
            request = self._trust.resolve(request)
        if self._sessions.closing:
            sentence = "the server is shutting down"
            self._log.tell(request, logging.INFO, "closing", sentence)
            return self._unasked(request, refusal.unavailable(sentence))
        if not request.target.startswith(self._beginning) and not self._is_bare(request):
            return await self._answer_elsewhere(request, responder)
        file = self._files.answer(request) if self._files is not None else None
        if file is not None:
            return file
        websocket = request.wants_websocket and "websocket" in self._options.transports
        response: Response | Sequel | None
        is_welcome = False
        try:
            if self._hooks.has_middleware:
                is_welcome = self._is_listed(request)
                answer = await self._hooks.ask(request, responder)
                if answer is not None:
                    return await self._answer_for(request, responder, answer, websocket=websocket)
            if not self._is_open:
                await check_origin(self._sessions, request, responder)
            is_welcome = True
            response = await self._route(request, responder, websocket=websocket)
        except Refusal as error:
            self._log.tell_refusal(request, error)
            self._hooks.tell(request, error)
            if websocket:  # no page reads the response
                return error.websocket_response()
            response = error.response()
        except NoRoom as error:
            response = refusal.unavailable(str(error))
        except CallbackTooSlow as error:
            self._log.tell(request, logging.ERROR, "too_slow", str(error))
            self._sessions.counters.count_limit("handshake_timeout")
            response = refusal.unavailable(str(error))
        if isinstance(response, Response):
            return self._readable(request, response, is_welcome=is_welcome)
        return response

    def _is_bare(self, request: Request) -> bool:
        """Whether a request is for the path as it is, which option `add_trailing_slash` allows."""
        return not self._options.add_trailing_slash and request.path == self._path

    async def _answer_for(
        self, request: Request, responder: Responder, response: Response, *, websocket: bool
    ) -> Response | None:
        """Send a response of the application's middleware."""
        more = self._unasked(request, EngineResponse(response.status)).headers
        if websocket:
            more = [*more, ("Connection", "close")]
        given = {name.lower() for name, _ in response.headers}
        headers = [*response.headers, *(one for one in more if one[0].lower() not in given)]
        response = EngineResponse(response.status, headers, response.body)
        if isinstance(response.body, bytes):
            return response
        await send_streamed(responder, response)
        return None

    async def _answer_elsewhere(
        self, request: Request, responder: Responder
    ) -> Response | Sequel | None:
        """Answer a request for a path that is not ours."""
        if request.target == "*":  # only OPTIONS can ask that: what the server as a whole can do
            return self._unasked(request, Response(200, [("Allow", "GET, HEAD, POST, OPTIONS")]))
        if self._fallback is None:
            # A request that names a transport is from a client that looks in the wrong place.
            level = logging.WARNING if "transport=" in request.query_string else logging.INFO
            fault = proxy_faults.of_path(request, self._path)
            text = f"this server answers at {self._path}/; "
            text += fault or "is that the client's option 'path'?"
            self._log.tell(request, level, "not_found", text)
            return self._unasked(request, refusal.not_found(request.path, self._path, fault))
        try:
            return await self._fallback.answer(request, responder)
        except BodyError as error:
            self._log.tell(request, logging.WARNING, "body", str(error))
            return refusal.unreadable_body(error)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Let the application for other paths live."""
        if self._fallback is not None:
            await self._fallback.run(task_status=task_status)
        else:
            task_status.started()

    def close(self) -> None:
        """Tell the application for other paths that the server closes."""
        if self._fallback is not None:
            self._fallback.close()

    async def wait_idle(self) -> None:
        """Wait until the application answers no request for a path of its own."""
        if self._fallback is not None:
            await self._fallback.wait_idle()

    def _unasked(self, request: Request, response: Response) -> Response:
        """Return a response for which no function of the application is asked about the origin."""
        return self._readable(request, response, is_welcome=self._is_listed(request))

    def _is_listed(self, request: Request) -> bool:
        """Whether an origin is welcome as far as no function of the application has to say it."""
        origin = cors.origin_of(request)
        return self._is_open or cors.is_listed(self._options.origins, origin)

    # -- the checks, in the reference server's order; that of the origin comes first ----------

    async def _route(
        self, request: Request, responder: Responder, *, websocket: bool
    ) -> Response | Sequel | None:
        if request.method == "OPTIONS" and not websocket:
            return self._answer_preflight(request)
        ask = self._read_query(request)
        session = self._session_of(ask, request, websocket=websocket) if ask.sid else None
        probe = None if session is None else session.lifecycle.probe
        if probe is not None and not websocket:
            await probe.settle()  # first what the client has asked for before
            session = self._session_of(ask, request, websocket=websocket)
        if ask.repeated and (session is None or (websocket and ask.repeated == "b64")):
            text = f"the query has {ask.repeated!r} more than once"
            raise Refusal(ask.repeated_code, text)
        if session is None:
            ask = judge_protocol(self._sessions, request, ask)
            await self._check_handshake(ask, request, responder)
        if websocket:
            return await self._websockets.answer(request, responder, ask, session)
        if ask.transport == "websocket":
            raise Refusal(ErrorCode.BAD_REQUEST, absence(request))
        if session is None:
            return await self._polling.handshake(request, responder, ask)
        return await self._polling.answer(request, responder, session)

    def _answer_preflight(self, request: Request) -> Response:
        given = self._cors.preflight(request)
        if given is not None:
            return given
        protocol = _protocol_of(request)
        problem = self._preflight.explain(request, protocol)
        if problem:  # the browser sees to it, and its page learns nothing
            self._log.tell(request, logging.WARNING, "preflight", problem)
        return self._preflight.answer(request, protocol)

    def _read_query(self, request: Request) -> HandshakeRequest:
        try:
            ask = HandshakeRequest.from_query(parse_query(request.query_string))
        except RemoteProtocolError as error:
            raise Refusal(ErrorCode.BAD_REQUEST, error.hint) from None
        if ask.transport not in self._options.transports:
            enabled, seen = ", ".join(self._options.transports), shown.word(ask.transport)
            text = f"the query must have one 'transport' of {enabled}, not {seen!r}"
            text += proxy_faults.of_query(request)
            raise Refusal(ErrorCode.TRANSPORT_UNKNOWN, text)
        return ask

    async def _check_handshake(
        self, ask: HandshakeRequest, request: Request, responder: Responder
    ) -> None:
        """Refuse a client that may not begin a session."""
        if request.method != "GET":
            seen = shown.printable(request.method, 20)
            text = f"the method of a handshake is GET, not {seen}"
            text += proxy_faults.of_missing_sid(request)
            raise Refusal(ErrorCode.BAD_HANDSHAKE_METHOD, text)
        if ask.protocol not in self._options.protocols:
            raise Refusal(ErrorCode.UNSUPPORTED_PROTOCOL, self._explain_protocols(ask.version))
        if self._options.allow_request is not None:
            self._sessions.check_room(request.remote)  # or the application need not be asked
            await check_allowed(self._sessions, request, responder)

    def _explain_protocols(self, seen: str) -> str:
        spoken = " and ".join(_CLIENTS[number] for number in sorted(self._options.protocols))
        said = f"EIO={shown.word(seen, 'EIO')}" if seen else "nothing of EIO, which means 3"
        speaks = f"this server speaks Engine.IO {spoken}, by its option 'protocols'"
        return f"{speaks}; the query says {said}"

    def _session_of(self, ask: HandshakeRequest, request: Request, *, websocket: bool) -> Session:
        session = self._sessions.find(ask.sid)
        if session is None:
            raise refusal.unknown_session(ask.sid, self._options.node_id)
        if not websocket and ask.transport == "websocket":
            raise Refusal(ErrorCode.BAD_REQUEST, absence(request))
        # Clients of 2.x may say anything but 4, as ever; one that was judged otherwise, that too.
        is_judged = self._options.protocol_of is not None
        if not is_judged and (ask.protocol == 4) is not (session.protocol == 4):
            seen = shown.word(ask.version, "EIO")
            text = f"the session speaks Engine.IO {session.protocol}, the query says EIO={seen}"
            raise Refusal(ErrorCode.BAD_REQUEST, text)
        if not websocket and session.transport.name != ask.transport:
            text = f"the session's transport is {session.transport.name}, not {ask.transport}"
            raise Refusal(ErrorCode.BAD_REQUEST, text)
        return session

    def _readable(self, request: Request, response: Response, *, is_welcome: bool) -> Response:
        """Return a response that the page which asked may read, if its origin is welcome."""
        more = self._cors.headers(request) if is_welcome else cors.refused_headers()
        return EngineResponse(response.status, response.headers + more, response.body)


def _protocol_of(request: Request) -> int:
    """Return the revision that the query of a preflight says; 3 if it says none that is known."""
    try:
        ask = HandshakeRequest.from_query(parse_query(request.query_string))
    except RemoteProtocolError:
        return 3
    return 4 if ask.protocol == 4 else 3
