"""The application's functions that see the requests of an engine, and the fields of its responses.

    use          before all checks: may answer a request, or refuse it        engine.use of JS
    on_headers   may add header fields to responses that are no errors        "headers"
    on_refusal   hears of each request that is refused                        "connection_error"

One that fails is logged, or raised (option `raise_errors`), and costs its own request alone.
"""

import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from inspect import iscoroutinefunction

from trio_sio.engine.handshake import call_function, refusing
from trio_sio.engine.http.fallback import check_answer
from trio_sio.engine.http.responder import Responder
from trio_sio.engine.refusal import Refusal
from trio_sio.failures import Never, failures, sort
from trio_sio.http import EngineResponse, RefusalReport, Request, Response
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import EngineOptions
from trio_sio.protocol.engineio.handshake import ErrorCode
from trio_sio.protocol.http.response_check import check_response

logger = logging.getLogger("trio_sio.engine")

Fields = list[tuple[str, str]]

RequestMiddleware = Callable[[Request], Awaitable[Response | None] | Response | None]
"""Answers a request by what it returns; `None` lets it go on."""

HeadersFunction = Callable[[Fields, Request, bool], object]
"""Changes the list of header fields; the last argument says whether a session begins."""

RefusalFunction = Callable[[RefusalReport], object]

_OURS = frozenset({"connection", "content-length", "transfer-encoding", "upgrade"})
"""Fields that say where a response ends; whoever changes them breaks the connection."""


class Hooks:
    """The functions of one engine's application.

    Args:
        log: the engine's, throttled.
        options: returns the engine's options, as they are at present.

    Attributes:
        has_middleware: whether requests have to be shown to somebody.
        has_headers: whether responses have to be.
    """

    def __init__(self, log: LogThrottle, options: Callable[[], EngineOptions]) -> None:
        self.has_middleware = self.has_headers = False
        self._log = log
        self._options = options
        self._middleware: list[RequestMiddleware] = []
        self._headers: list[HeadersFunction] = []
        self._refusals: list[RefusalFunction] = []

    def use(self, function: RequestMiddleware) -> None:
        """Call a function with each request."""
        _check_callable("use", function)
        self._middleware.append(function)
        self.has_middleware = True

    def on_headers(self, function: HeadersFunction) -> None:
        """Call a function with the header fields of responses."""
        _check_plain("on_headers", function)
        self._headers.append(function)
        self.has_headers = True

    def on_refusal(self, function: RefusalFunction) -> None:
        """Call a function with each refusal."""
        _check_plain("on_refusal", function)
        self._refusals.append(function)

    async def ask(self, request: Request, responder: Responder) -> Response | None:
        """Show a request to the middleware; return the response, if that answers.

        Raises:
            Refusal: it refuses the request, or failed.
            HungUp, CallbackTooSlow: as `call_function`.
        """
        options = self._options()
        name = "engine.use"
        broken = Refusal(ErrorCode.BAD_REQUEST, f"a function of {name} failed")
        for function in self._middleware:
            with refusing(options, self._log, name, broken):
                limit = options.handshake_timeout
                answer = await call_function(name, function, request, responder, limit)
                if answer is not None:
                    return check_answer(name, request, answer)
        return None

    def dressed(self, response: Response, request: Request, *, initial: bool) -> Response:
        """Return a response with the fields that the application wants."""
        headers = self.dress(response.headers, request, initial=initial)
        return EngineResponse(response.status, headers, response.body)

    def dress(
        self, headers: Sequence[tuple[str, str]], request: Request, *, initial: bool
    ) -> Fields:
        """Return header fields as the application has changed them.

        Args:
            headers: the engine's.
            request: what is answered.
            initial: whether a session begins.
        """
        settled = [*headers]
        for function in self._headers:
            with self._reporting("engine.on_headers"):
                changed = [*settled]
                function(changed, request, initial)
                _check_fields(settled, changed)
                settled = changed
        return settled

    def tell(self, request: Request, refusal: Refusal) -> None:
        """Tell the application of a request that is refused."""
        if not self._refusals:
            return
        kept = request.without_body()  # which would keep what reads the connection
        report = RefusalReport(kept, int(refusal.code), refusal.message, refusal.detail)
        for function in self._refusals:
            with self._reporting("engine.on_refusal"):
                function(report)

    @contextmanager
    def _reporting(self, name: str) -> Iterator[None]:
        """Log what a function raises, or let it out if the options say so."""
        try:
            yield
        except failures() as error:
            found = sort(error, Never)
            if self._options().raise_errors:
                raise
            if found.failure is not None:
                self._log.fail(logger, found.failure, "a function of %s failed", name)
            if found.exits is not None:
                raise found.exits from None


def _check_fields(before: Fields, after: Fields) -> None:
    """Check what a function has made of header fields.

    Raises:
        TypeError, ValueError: it cannot be sent, or has what is up to the server.
    """
    check_response(200, after, b"")
    ours = [field for field in before if field[0].lower() in _OURS]
    if ours != [field for field in after if field[0].lower() in _OURS]:
        raise ValueError(f"the fields {sorted(_OURS)} are up to the server: {after!r}")


def _check_callable(name: str, function: object) -> None:
    if not callable(function):
        raise TypeError(f"engine.{name} takes a function, not {function!r}")


def _check_plain(name: str, function: object) -> None:
    _check_callable(name, function)
    if iscoroutinefunction(function):
        raise TypeError(f"engine.{name} takes a function that is not async, not {function!r}")
