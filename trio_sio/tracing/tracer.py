"""Spans for the calls of the application's functions; needs the extra `tracing`.

    trio_sio.tracing.instrument(io)

Each call of a handler or of middleware is the root of a trace of its own: a session may last for
days. If the handshake request says of which trace it is, as `traceparent` does, the span has a link
to that. Whatever a client chooses is in attributes, cut off, and never in the name of a span. Names
and attributes are OpenTelemetry's for messaging, where it has them.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import partial

try:
    from opentelemetry import propagate, trace
except ImportError as error:
    raise ImportError("tracing needs a library: pip install 'trio-sio[tracing]'") from error

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, TracerProvider
from opentelemetry.util.types import AttributeValue

from trio_sio.abc import Session
from trio_sio.http import Headers
from trio_sio.logs.shown import printable, short_id
from trio_sio.router.handlers import Handler
from trio_sio.router.invocation import function_name
from trio_sio.router.namespace import ParentNamespace
from trio_sio.router.socket import Socket
from trio_sio.server import Server

_OF_A_SERVER = frozenset({"middleware", "connect", "connection"})
"""What lets a client in, and so answers it. Events are messages, and all others are internal."""

_span: ContextVar[Span | None] = ContextVar("trio_sio.tracing.span", default=None)
"""The span of the present call; the application may have made others current."""


def instrument(io: Server, tracer_provider: TracerProvider | None = None) -> None:
    """Trace the calls of a server's handlers and middleware, with OpenTelemetry.

    Inside of a handler its span is the current one, so that spans of databases and HTTP clients
    become its children. A handler that fails has status ERROR, and the exception as an event. Who
    is refused, by `ConnectionRefused`, `Refused` or wrong arguments, has `trio_sio.refused`.

    Args:
        io: a server that does not serve yet.
        tracer_provider: makes the tracer; the global one by default.

    Raises:
        RuntimeError: the server serves already, or is being traced.
    """
    if io.engine.serving:
        raise RuntimeError("instrument() comes before serving")
    tracing = io.router.context.tracing
    if tracing.make_tracer is not None:
        raise RuntimeError("the server is instrumented already")
    tracer = trace.get_tracer("trio_sio", tracer_provider=tracer_provider)
    tracing.begin(partial(_SocketTracer, tracer))


class _SocketTracer:
    """Makes the spans of one socket."""

    def __init__(self, tracer: Tracer, socket: Socket) -> None:
        self._tracer = tracer
        self._socket = socket
        parent = socket.namespace.parent
        self._pattern = parent.label if isinstance(parent, ParentNamespace) else ""
        self._place = self._pattern or socket.namespace.name
        self._common: dict[str, AttributeValue] | None = None
        self._links: tuple[Link, ...] = ()

    def event(self, event: str, name: str, function: Handler) -> AbstractContextManager[None]:
        """Trace a handler of an event."""
        more = {
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "trio_sio.event": printable(name),
        }
        return self._call(f"process {self._place} {event}", SpanKind.CONSUMER, function, more)

    def call(self, role: str, function: Handler) -> AbstractContextManager[None]:
        """Trace another function."""
        kind = SpanKind.SERVER if role in _OF_A_SERVER else SpanKind.INTERNAL
        return self._call(f"{role} {self._place}", kind, function, {"trio_sio.event": role})

    @contextmanager
    def _call(
        self, name: str, kind: SpanKind, function: Handler, more: dict[str, str]
    ) -> Iterator[None]:
        if self._common is None:
            self._common, self._links = self._attributes(), _links(self._socket.request.headers)
        span = self._tracer.start_span(
            name,
            Context(),  # the task has that of whatever the server was started in
            kind,
            {
                **self._common,
                **more,
                "code.function.name": function_name(function),
                "trio_sio.transport": _transport(self._socket.session),
            },
            self._links,
        )
        token = _span.set(span)
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                yield
        finally:
            _span.reset(token)
            span.end()

    def _attributes(self) -> dict[str, AttributeValue]:
        """Return what all spans of the socket have."""
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "socket.io",
            "messaging.destination.name": printable(self._socket.namespace.name),
            "trio_sio.session": short_id(self._socket.session.id),
        }
        if self._pattern:
            attributes["messaging.destination.template"] = self._pattern
        return attributes

    def failed(self, error: BaseException) -> None:
        """Give the span of the present call an exception and status ERROR."""
        span = _span.get()
        if span is not None and span.is_recording():
            span.set_attribute("error.type", type(error).__qualname__)
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, str(error)))

    def refused(self, error: BaseException) -> None:
        """Say in the span of the present call that somebody was refused; that is no error."""
        span = _span.get()
        if span is not None and span.is_recording():
            span.set_attribute("trio_sio.refused", type(error).__qualname__)


def _links(headers: Headers) -> tuple[Link, ...]:
    """Return a link to the span that a handshake request names, if it does."""
    fields = {name: headers.get(name) for name, _ in headers}
    try:
        span = trace.get_current_span(propagate.extract(fields, Context())).get_span_context()
    except Exception:  # a propagator that does not like what a client has sent
        return ()
    return (Link(span),) if span.is_valid else ()


def _transport(session: Session) -> str:
    """Return the name of a session's present transport; `""` if its engine does not tell."""
    return getattr(getattr(session, "transport", None), "name", "")
