"""Every request comes through here: whose it is, whether it may in, and who answers it."""

import inspect
import logging
import secrets
from collections.abc import Callable
from typing import Protocol

import trio

from trio_sio.abc import Transport
from trio_sio.engine import cors
from trio_sio.engine.compression import choose, compress
from trio_sio.engine.cookie import set_cookie
from trio_sio.engine.http import HTTPConnection
from trio_sio.engine.message import BodyTooLarge, Request, Response
from trio_sio.engine.polling import Overlap, PollingTransport
from trio_sio.engine.session import Session
from trio_sio.engine.static import ClientFiles
from trio_sio.engine.upgrade import try_upgrade
from trio_sio.engine.websocket import handshake as websocket_handshake, library
from trio_sio.engine.websocket.transport import WebSocketTransport
from trio_sio.exceptions import RemoteProtocolError, RequestRefused
from trio_sio.options import EngineOptions, compression_threshold
from trio_sio.protocol.encoded import WS3, Encoded
from trio_sio.protocol.engineio.handshake import (
    ErrorCode,
    HandshakeRequest,
    OpenPacket,
    error_body,
    parse_query,
)
from trio_sio.protocol.engineio.session import State
from trio_sio.reasons import DisconnectReason

logger = logging.getLogger("trio_sio.engine")

ID_BYTES = 15
"""120 random bits; 20 characters, as the reference server's ids have."""


class Host(Protocol):
    """What the doorway needs of the engine."""

    options: EngineOptions
    closing: bool

    def find(self, sid: str) -> Session | None:
        """Return an open session."""

    def add(self, sid: str, request: Request, transport: Transport) -> Session:
        """Make a session."""

    def start(self, session: Session) -> None:
        """Run a session as a task of the engine."""

    async def run(self, session: Session) -> None:
        """Run a session in the present task."""


class Refusal(Exception):  # noqa: N818 - the request's, not ours
    """A request that is refused.

    Args:
        code: the error code.
        detail: a sentence for the log.
        message: the application's own text, `None` for the code's.
        status: the HTTP status, `None` for the code's.
        websocket_text: what a refused WebSocket request gets, `None` for the message.
    """

    def __init__(
        self,
        code: ErrorCode,
        detail: str,
        message: str | None = None,
        *,
        status: int | None = None,
        websocket_text: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.message = code.message if message is None else message
        self.status = code.status if status is None else status
        self.websocket_text = self.message if websocket_text is None else websocket_text


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
        self._threshold = compression_threshold(options.http_compression)

    async def answer(self, request: Request, connection: HTTPConnection) -> Response | None:
        """Answer a request; `None` if that has been done, or the connection was taken over."""
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
            text = f"Nothing is at {request.path}; this server answers at {self._path}/\n"
            headers = [("Content-Type", "text/plain; charset=utf-8")]
            return Response(404, headers, text.encode("utf-8", "replace"))
        try:
            response = await self._options.fallback(request)
        except Exception:
            if self._options.raise_errors:
                raise
            logger.exception("fallback failed for %s %s", request.method, request.target)
            return Response(500)
        assert isinstance(response, Response), "fallback must return a Response"
        return response

    async def _refuse(
        self, refusal: Refusal, request: Request, connection: HTTPConnection, *, websocket: bool
    ) -> Response | None:
        logger.info(
            "refused %s %s from %s: %s (%s)",
            request.method,
            request.target,
            request.remote or "somewhere",
            refusal.message,
            refusal.detail,
        )
        if websocket:
            await connection.send_raw(websocket_handshake.refusal(refusal.websocket_text))
            return None
        headers = [("Content-Type", "application/json")]
        if refusal.status != 403:  # as the reference has it: a forbidden page learns nothing
            headers += cors.headers(request)
        return Response(refusal.status, headers, error_body(refusal.code, refusal.message))

    # -- the checks, in the reference server's order -----------------------------------------

    async def _enter(
        self, request: Request, connection: HTTPConnection, *, websocket: bool
    ) -> Response | None:
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
        session = self._session_of(ask, websocket=websocket) if ask.sid else None
        if session is None and request.method != "GET":
            raise Refusal(
                ErrorCode.BAD_HANDSHAKE_METHOD, f"a handshake is a GET, not a {request.method}"
            )
        await self._check_origin(request, handshake=session is None)
        if websocket:
            return await self._websocket(request, connection, ask, session)
        if ask.transport == "websocket":
            raise Refusal(ErrorCode.BAD_REQUEST, "transport=websocket without an upgrade")
        if session is None:
            return await self._polling_handshake(request, connection, ask)
        return await self._polling(request, connection, session)

    def _session_of(self, ask: HandshakeRequest, *, websocket: bool) -> Session:
        session = self._host.find(ask.sid)
        if session is None:
            raise Refusal(ErrorCode.SESSION_ID_UNKNOWN, f"no session {ask.sid!r}")
        if not websocket and session.transport.name != ask.transport:
            raise Refusal(
                ErrorCode.BAD_REQUEST,
                f"the session's transport is {session.transport.name}, not {ask.transport}",
            )
        return session

    async def _check_origin(self, request: Request, *, handshake: bool) -> None:
        """Ask `allow_request` once for each handshake, or check the origin of each request."""
        allow = self._options.allow_request
        try:
            if allow is not None:
                allowed = await _call(allow, request) if handshake else True
                detail = "allow_request refused"
            else:
                origin = cors.origin_of(request)
                allowed = await cors.is_allowed(self._options.origins, origin)
                detail = f"option 'origins' does not have origin {origin!r}"
        except RequestRefused as refused:
            raise _refusal_of(refused) from refused
        except Exception as error:
            if self._options.raise_errors:
                raise
            logger.exception("allow_request or origins failed")
            raise Refusal(ErrorCode.FORBIDDEN, "the check itself failed") from error
        if allowed is False:
            raise Refusal(ErrorCode.FORBIDDEN, detail, websocket_text="")

    # -- polling -----------------------------------------------------------------------------

    async def _polling_handshake(
        self, request: Request, connection: HTTPConnection, ask: HandshakeRequest
    ) -> Response | None:
        sid = await self._new_id(request)
        transport = PollingTransport(base64=ask.base64, jsonp=ask.jsonp)
        session = self._host.add(sid, request, transport)
        transport.outlet = session.outbox
        can_upgrade = self._options.allow_upgrades and "websocket" in self._options.transports
        session.start_with(self._open_packet(sid, ["websocket"] if can_upgrade else []))
        self._host.start(session)
        items = await session.wait_opening()
        await self._send_poll(request, connection, session, items)
        return None

    async def _polling(
        self, request: Request, connection: HTTPConnection, session: Session
    ) -> Response | None:
        transport = session.transport
        assert isinstance(transport, PollingTransport)
        if request.method == "GET":
            return await self._poll(request, connection, session, transport)
        if request.method == "POST":
            return await self._post(request, session, transport)
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
                items = await connection.run_unless_hung_up(transport.hold)
            except trio.BrokenResourceError:
                session.abort(DisconnectReason.TRANSPORT_ERROR)
                raise
        await self._send_poll(request, connection, session, items)
        return None

    async def _send_poll(
        self,
        request: Request,
        connection: HTTPConnection,
        session: Session,
        items: list[Encoded],
    ) -> None:
        transport = session.transport
        if not isinstance(transport, PollingTransport):
            transport = PollingTransport(base64=True)  # it moved on; what is left is a noop
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
        return compress(body, encoding)

    async def _post(
        self, request: Request, session: Session, transport: PollingTransport
    ) -> Response:
        headers = [("Content-Type", "text/html")]
        if transport.jsonp is None:
            headers += cors.headers(request)
        if "transfer-encoding" in request.headers:
            text = b"a POST must have a Content-Length; Transfer-Encoding is not accepted\n"
            return Response(411, headers, text)
        try:
            transport.begin_post()
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

    # -- websocket ---------------------------------------------------------------------------

    async def _websocket(
        self,
        request: Request,
        connection: HTTPConnection,
        ask: HandshakeRequest,
        session: Session | None,
    ) -> None:
        problem = websocket_handshake.problem(request)
        if problem:
            raise Refusal(ErrorCode.BAD_REQUEST, problem, "Bad Request")
        is_handshake = session is None and ask.transport == "websocket"
        sid = await self._new_id(request) if is_handshake else ""
        pipe = connection.take_over()
        async with self._open_library(pipe, request, self._options) as opened:
            transport = WebSocketTransport(pipe, opened)
            if is_handshake:
                await self._direct(sid, request, transport)
            elif session is None or not await self._upgrade(ask, session, transport):
                await transport.finish(by_client=False, orderly=False)
            await transport.wait_released()

    async def _direct(self, sid: str, request: Request, transport: WebSocketTransport) -> None:
        session = self._host.add(sid, request, transport)
        transport.set_control(_control(session))
        session.start_with(self._open_packet(sid, []))
        await self._host.run(session)

    async def _upgrade(
        self, ask: HandshakeRequest, session: Session, transport: WebSocketTransport
    ) -> bool:
        """Let a session try the WebSocket, if it polls and tries no other."""
        if (
            ask.transport != "websocket"
            or session.is_upgrading
            or not isinstance(session.transport, PollingTransport)
        ):
            logger.info("session %s: a WebSocket that it has no use for", session.id)
            return False
        transport.set_control(transport.write_control)
        if not await try_upgrade(session, transport, self._options.upgrade_timeout):
            return False
        transport.set_control(_control(session))
        return True

    # -- new sessions ------------------------------------------------------------------------

    async def _new_id(self, request: Request) -> str:
        """Return an id for a new session: ours, or the application's `generate_id`."""
        generate = self._options.generate_id
        if generate is None:
            return secrets.token_urlsafe(ID_BYTES)
        try:
            sid = await _call(generate, request)
            if not isinstance(sid, str) or not sid or self._host.find(sid) is not None:
                raise ValueError(f"generate_id must return a new, unused text, not {sid!r}")
        except Exception as error:
            if self._options.raise_errors:
                raise
            logger.exception("generate_id failed")
            raise Refusal(ErrorCode.BAD_REQUEST, "generate_id failed") from error
        return sid

    def _open_packet(self, sid: str, upgrades: list[str]) -> Encoded:
        options = self._options
        packet = OpenPacket(sid, upgrades, options.ping_interval, options.ping_timeout)
        return Encoded((packet.encode(),))


def _control(session: Session) -> Callable[[bytes], None]:
    outbox = session.outbox
    return lambda data: outbox.put_control(Encoded.raw(WS3, data))


async def _call(function: Callable[[Request], object], request: Request) -> object:
    answer = function(request)
    return await answer if inspect.isawaitable(answer) else answer


def _refusal_of(refused: RequestRefused) -> Refusal:
    """Return what the client gets: the application's text, or a code with its own."""
    if refused.code is not None:
        return Refusal(ErrorCode(refused.code), "refused by the application", status=400)
    return Refusal(
        ErrorCode.FORBIDDEN,
        "refused by the application",
        refused.message or None,
        websocket_text=refused.message,
    )
