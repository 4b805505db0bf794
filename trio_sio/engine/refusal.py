"""What a refused request is told, and what the log says of it.

    400, 403   Refusal.response             Engine.IO or the application does not accept it
    400        Refusal.websocket_response   so it is with a request for a WebSocket
    404        not_found                    its path is not this server's
    4xx        refused_post                 the body of a session's POST is not accepted
    4xx        unreadable_body              the body that the fallback wanted did not come
    503        unavailable                  the server is full, is closing, or cannot decide

A body is refused with 413 if it is too large, 408 if it is too slow, 400 or 431 if its chunks are
malformed or their lines too long.

What is refused before it is a whole request is answered by `http.connection`. 405, for a method
that a path does not have, and 500, for requests that overlap, are the endpoints' own.
"""

import logging

from trio_sio.exceptions import RequestRefused
from trio_sio.http import (
    NO_STORE,
    BodyError,
    EngineResponse,
    Request,
    Response,
)
from trio_sio.logs import shown
from trio_sio.logs.throttle import LogThrottle
from trio_sio.protocol.engineio.handshake import ErrorCode, error_body
from trio_sio.protocol.engineio.session_id import node_of
from trio_sio.statistics import Counters

logger = logging.getLogger("trio_sio.engine")


class Refusal(Exception):
    """A request that is refused.

    Args:
        code: the error code.
        detail: a sentence for the log, and for who asks by HTTP; `""` if the message says it.
        message: the application's own text, `None` for the code's.
        status: the HTTP status, `None` for the code's.
        websocket_text: what a refused WebSocket request gets, `None` for the message.
        kind: under which it is counted, `""` for the code's name.
    """

    def __init__(
        self,
        code: ErrorCode,
        detail: str,
        message: str | None = None,
        *,
        status: int | None = None,
        websocket_text: str | None = None,
        kind: str = "",
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.message = code.message if message is None else message
        self.status = code.status if status is None else status
        self.websocket_text = self.message if websocket_text is None else websocket_text
        self.kind = kind or code.name.lower()

    def response(self) -> Response:
        """Return the response to a request of polling: JSON, as the reference server's."""
        body = error_body(self.code, self.message, self.detail)
        return Response(self.status, [("Content-Type", "application/json")], body)

    def websocket_response(self) -> Response:
        """Return the response to a request for a WebSocket: 400, whatever the reason.

        The text is the reference server's; the detail follows it, on a line of its own.
        """
        text = self.websocket_text
        if self.detail:
            text += f"\n{self.detail}\n"
        headers = [NO_STORE, ("Connection", "close"), ("Content-type", "text/html")]
        return EngineResponse(400, headers, text.encode("utf-8", "replace"))


def refusal_of(refused: RequestRefused) -> Refusal:
    """Return what the client gets: the application's text, or a code with its own."""
    if refused.code is not None:
        return Refusal(ErrorCode(refused.code), "", status=400)
    return Refusal(
        ErrorCode.FORBIDDEN,
        "",
        refused.message or None,
        websocket_text=refused.message,
    )


def unknown_session(sid: str, node_id: str) -> Refusal:
    """Return the refusal of a request whose session is not here.

    Args:
        sid: the session id that it names.
        node_id: our own (option `node_id`).
    """
    node = node_of(sid) if node_id else ""
    if node and node != node_id:
        text = (
            f"this session belongs to node {node}; this is {node_id}: send all requests of a"
            " session to the same node (session affinity)"
        )
        return Refusal(ErrorCode.SESSION_ID_UNKNOWN, text, kind="other_node")
    text = f"no session {shown.short_id(sid)!r} is here; it has ended, or "
    text += (
        f"node {node_id} has been restarted"
        if node
        else "its requests are not all sent to the same server"
    )
    return Refusal(ErrorCode.SESSION_ID_UNKNOWN, text)


def unavailable(why: str) -> Response:
    """Return the response of a server that is full, closing, or cannot make up its mind."""
    return Response.text(503, why, close=True)


def not_found(path: str, here: str, fault: str = "") -> Response:
    """Return the response to a request for a path that is not the server's.

    Args:
        path: of the request.
        here: where the server answers.
        fault: what may have happened to the path, if there is a sign of it.
    """
    text = f"Nothing is at {path}; this server answers at {here}/"
    return Response.text(404, f"{text}; {fault}" if fault else text)


def refused_post(error: BodyError, option: str = "") -> Response:
    """Return the response to a session's POST whose body is not taken.

    Args:
        error: what is wrong with it.
        option: the limit that it goes beyond, where the error does not name it.
    """
    sentence = f"{error} ({option})" if option else str(error)
    return Response(error.status, [("Content-Type", "text/html")], f"{sentence}\n".encode())


def unreadable_body(error: BodyError) -> Response:
    """Return the response to a request whose body the fallback did not get, and let it be."""
    return Response.text(error.status, str(error), [NO_STORE], close=True)


class RefusalLog:
    """Logs and counts the refused requests of one engine.

    Args:
        log: the engine's, throttled.
        counters: the engine's.
    """

    def __init__(self, log: LogThrottle, counters: Counters) -> None:
        self._log = log
        self._counters = counters

    def tell(self, request: Request, level: int, kind: str, text: str) -> None:
        """Log and count a refused request.

        Args:
            request: the request.
            level: of the line.
            kind: under which it is counted; lines of one kind are throttled together.
            text: why it is refused.
        """
        method, target = shown.printable(request.method, 20), shown.target(request.target)
        line, remote = "refused %s %s from %s: %s", request.remote or "somewhere"
        self._counters.refused[kind] += 1
        self._log.tell(logger, level, kind, line, method, target, remote, text)

    def tell_refusal(self, request: Request, refusal: Refusal) -> None:
        """Log and count a request that Engine.IO or the application does not take."""
        message = shown.printable(refusal.message, 200)
        text = f"{message}: {refusal.detail or 'by the application'}"
        self.tell(request, logging.WARNING, refusal.kind, text)
