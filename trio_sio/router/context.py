"""What the clients, namespaces and sockets of one server share."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from trio_sio.abc import EventWatch
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import Recovery, ServerOptions
from trio_sio.statistics import Counters
from trio_sio.sync import Home


class CallTracer(Protocol):
    """Is told of the calls of the application's functions for one socket."""

    def event(
        self, event: str, name: str, function: Callable[..., object]
    ) -> AbstractContextManager[object]:
        """Return what is entered while a handler of an event of the client runs.

        Args:
            event: the event for which the handler was registered; "*" for those of nobody else.
            name: what the client called it.
            function: the handler.
        """

    def call(self, role: str, function: Callable[..., object]) -> AbstractContextManager[object]:
        """Return what is entered while another function runs: middleware, "connection" and so on.

        Args:
            role: what it is there for, in short.
            function: the function.
        """

    def failed(self, error: BaseException) -> None:
        """Take note of what the function of the present task has raised, or what it returned."""

    def refused(self, error: BaseException) -> None:
        """Take note that it has refused, or that the client has sent the wrong arguments."""


class Tracing:
    """Whether the calls of handlers are traced; until somebody asks for it, they are not.

    Attributes:
        make_tracer: makes the tracer of a socket; `None` for none.
    """

    __slots__ = ("make_tracer",)

    def __init__(self) -> None:
        self.make_tracer: Callable[[Any], CallTracer] | None = None

    def begin(self, make_tracer: Callable[[Any], CallTracer]) -> None:
        """Trace the calls for all sockets that are made from now on."""
        self.make_tracer = make_tracer


class RouterContext(NamedTuple):
    """One for each server; nobody changes it.

    Attributes:
        options: the server's options. Those of the engine are not read here: a server that is
            given an engine does not have them.
        grace: seconds that handlers get at the end of their socket.
        home: the Trio run in which the server serves.
        log: the server's log.
        counters: the server's counters.
        tracing: whether calls of the application's functions are traced.
        watch: whether the application has handlers of every event.
        recovery: the option `connection_state_recovery`.
        silence: seconds after which the engine notices that a client is gone.
    """

    options: ServerOptions
    grace: float
    home: Home
    log: LogThrottle
    counters: Counters
    tracing: Tracing
    watch: EventWatch
    recovery: Recovery | None = None
    silence: float = 0.0
