"""The engine: its life, and the ways to serve connections.

async with engine:                           the engine's nursery
 ├─ runtime
 │   ├─ tick                                 flushes outboxes at the end of each tick
 │   ├─ timers                               notices silence, and what takes too long
 │   ├─ fairness                             schedules readers that have much to read
 │   └─ arrivals                             schedules the first reads of new connections
 ├─ connection (one per TCP connection)      reads requests; hands over a WebSocket, and ends
 ├─ application                              of the other paths, if it has a life of its own
 └─ session (one per client)                 outlives a poll's connection, closes a WebSocket
"""

import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from functools import partial
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import trio

from trio_sio.abc import Transport
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.connections import Connections
from trio_sio.engine.endpoint import Endpoint
from trio_sio.engine.hooks import HeadersFunction, Hooks, RefusalFunction, RequestMiddleware
from trio_sio.engine.http.responder import Responder, Sequel
from trio_sio.engine.runtime.listeners import accept_forever, urls_of
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.counters import SessionCounters
from trio_sio.engine.session.registry import SessionObserver, SessionRegistry
from trio_sio.engine.session.session import Handler, Session
from trio_sio.failures import failed_leaves, ungrouped
from trio_sio.http import Request, Response
from trio_sio.options import EngineOptions, takes
from trio_sio.protocol.engineio.version import EIO3, EngineVersion
from trio_sio.statistics import EngineStatistics

logger = logging.getLogger("trio_sio.engine")

Listener = trio.abc.Listener[Any]
ListenerT = TypeVar("ListenerT", bound=Listener)
MiddlewareT = TypeVar("MiddlewareT", bound=RequestMiddleware)
HeadersT = TypeVar("HeadersT", bound=HeadersFunction)
RefusalT = TypeVar("RefusalT", bound=RefusalFunction)

GOODBYE = 0.25
"""Seconds that clients get at shutdown, once the application is done, to take what is queued and
to agree to the end, or to send the first request of a connection. No client can hold the server
longer."""


class Engine:
    """An Engine.IO 3 server, with Socket.IO above it or alone.

    Alone it calls `await handler(session)` once for each client (JS: `engine.on('connection')`);
    the handler pulls messages with `session.receive()` and answers with `session.send()`. It is
    cancelled, and `receive` raises `Disconnected`, when the session ends.

    Args:
        **options: see `docs/options.md`.

    Raises:
        TypeError: an option that does not exist, or a value of a wrong type.
        ValueError: a value that is not allowed.
    """

    @takes(EngineOptions)
    def __init__(self, **options: object) -> None:
        self._setup(EngineOptions.of(options))

    @classmethod
    def from_options(cls, options: EngineOptions) -> "Engine":
        """Make an engine with options that have been checked already."""
        engine = cls.__new__(cls)
        engine._setup(options)
        return engine

    def _setup(self, options: EngineOptions) -> None:
        self.runtime = Runtime()
        self._counters = SessionCounters(self.runtime.counters)
        self._observers: tuple[SessionObserver, ...] = ()
        self._hooks = Hooks(self.runtime.log, lambda: self.options)
        self._apply(options)
        self._nursery: trio.Nursery | None = None
        self._goodbyes_said = False
        self._life: AbstractAsyncContextManager[None] | None = None

    @property
    def serving(self) -> bool:
        """Whether the engine has been entered and not left."""
        return self._nursery is not None

    @takes(EngineOptions)
    def set_options(self, **changes: object) -> None:
        """Change some options; possible until the engine is entered.

        Raises:
            RuntimeError: it has been.
            TypeError: an option that does not exist, or a value of a wrong type.
            ValueError: a value that is not allowed.
        """
        if self.serving:
            raise RuntimeError(f"{', '.join(changes)}: options are fixed once serving has begun")
        self._apply(self.options.changed(changes))

    def _apply(self, options: EngineOptions) -> None:
        self.options = options
        self.runtime.stalls.set_limit(options.slow_step)
        self.sessions = SessionRegistry(options, self.runtime, self._counters)
        self.sessions.observe(self._observers)
        self.endpoint = Endpoint(self.sessions, self._hooks)
        self._connections = Connections(self.sessions, self.endpoint)

    def observe(self, observer: SessionObserver) -> None:
        """Tell a view for operators of every session that begins or ends."""
        self._observers += (observer,)
        self.sessions.observe(self._observers)

    # -- the application's functions -----------------------------------------------------------

    def use(self, function: MiddlewareT) -> MiddlewareT:
        """Show each request to a function, before all checks (JS: `engine.use`); a decorator.

        Args:
            function: `async def (request)`, which need not be async. The `Response` that it returns
                is the answer, `None` lets the request go on; it raises `RequestRefused` to refuse.
                It has `handshake_timeout` seconds. If it fails, the request is refused.
        """
        self._hooks.use(function)
        return function

    def on_headers(self, function: HeadersT) -> HeadersT:
        """Show the header fields of responses to a function (JS: `headers`); a decorator.

        Args:
            function: `def (headers, request, initial)`: a list of names and values, which it may
                change; the request; and whether a session begins (JS: `initial_headers`). It is
                called for responses that carry packets or take them, and for each 101.
        """
        self._hooks.on_headers(function)
        return function

    def on_refusal(self, function: RefusalT) -> RefusalT:
        """Tell a function of each refused request (JS: `connection_error`); a decorator.

        Args:
            function: `def (report)`, of a `RefusalReport`.
        """
        self._hooks.on_refusal(function)
        return function

    # -- life --------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self.runtime.home.check("engine.__aenter__")
        if self._life is not None:
            raise RuntimeError("the engine is open already")
        self._life = self._live()
        with ungrouped():
            await self._life.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        assert self._life is not None
        try:
            with ungrouped():
                return await self._life.__aexit__(kind, error, traceback)
        finally:
            self._life = None

    @asynccontextmanager
    async def _live(self) -> AsyncIterator[None]:
        try:
            async with trio.open_nursery() as nursery:
                with self.sessions.serving(nursery):
                    self._nursery, self._goodbyes_said = nursery, False
                    await nursery.start(self.runtime.run)
                    await nursery.start(self.endpoint.run)
                    yield
                    if not self._goodbyes_said:
                        await self.aclose()
                nursery.cancel_scope.cancel()
        finally:
            self._nursery = None
            self.runtime.log.flush()

    def statistics(self) -> EngineStatistics:
        """Return what there is, and what has happened since the engine was made, in numbers."""
        self.runtime.home.check_while_serving("io.statistics")
        admission = self._connections.admission
        return self._counters.statistics(
            self.sessions.values(), admission.count, admission.refused, self.runtime.stalls
        )

    def refusing_handshakes(self) -> AbstractContextManager[None]:
        """Answer handshakes with 503 while the context lasts; sessions that are here go on."""
        self.runtime.home.check_sync("engine.refusing_handshakes")
        return self.sessions.refusing()

    async def aclose(self) -> None:
        """End all sessions: handlers get `grace` seconds, and clients a moment to hear of it."""
        self.runtime.home.check("engine.aclose")
        self.sessions.close()
        self.endpoint.close()
        self._connections.close_when_idle()
        sessions = tuple(self.sessions.values())
        for session in sessions:
            session.close(DisconnectReason.SERVER_SHUTTING_DOWN)
        with trio.move_on_after(self.options.grace):
            for session in sessions:
                await session.wait_application_done()
            await self.endpoint.wait_idle()
        with trio.move_on_after(GOODBYE):
            for session in sessions:
                await session.wait_closed()
            await self._connections.wait_late()
        self._connections.cut_late()
        self._goodbyes_said = True
        await trio.lowlevel.checkpoint()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[trio.Nursery]:
        """Open the engine while something is served, unless it is open already."""
        self.runtime.home.check("engine.serve_listeners")
        if self._nursery is not None:
            yield self._nursery
            return
        async with self:
            assert self._nursery is not None
            yield self._nursery

    def _check_open(self, name: str) -> None:
        self.runtime.home.check(f"engine.{name}")
        if self._nursery is None:
            raise RuntimeError(f"{name} needs an open engine: use `async with`")

    # -- serving -----------------------------------------------------------------------------

    async def serve_tcp(
        self,
        handler: Handler,
        port: int,
        *,
        host: str | bytes | None = None,
        backlog: int | None = None,
        ssl_context: ssl.SSLContext | None = None,
        task_status: trio.TaskStatus[Sequence[Listener]] = trio.TASK_STATUS_IGNORED,
    ) -> NoReturn:
        """Listen on a port and serve, forever; as `trio.serve_tcp`.

        Args:
            handler: called once for each client.
            port: the port, 0 for any that is free.
            host: the address to listen on, `None` for all.
            backlog: as for `trio.open_tcp_listeners`.
            ssl_context: serves TLS.
            task_status: for `nursery.start`, which returns the listeners.

        Raises:
            OSError: the port is taken, or not allowed.
        """
        self.runtime.home.check("engine.serve_tcp")
        tcp = await trio.open_tcp_listeners(port, host=host, backlog=backlog)
        listeners: Sequence[Listener] = tcp
        if ssl_context is not None:
            listeners = [trio.SSLListener(one, ssl_context, https_compatible=True) for one in tcp]
        await self.serve_listeners(handler, listeners, task_status=task_status)
        raise AssertionError("trio.serve_listeners does not return")

    async def serve_listeners(
        self,
        handler: Handler,
        listeners: Sequence[ListenerT],
        *,
        task_status: trio.TaskStatus[Sequence[ListenerT]] = trio.TASK_STATUS_IGNORED,
    ) -> NoReturn:
        """Serve on listeners of your own, forever; as `trio.serve_listeners`."""
        with ungrouped():
            await self._serve_listeners(handler, listeners, task_status)
        raise AssertionError("listeners accept until they are cancelled")

    async def _serve_listeners(
        self,
        handler: Handler,
        listeners: Sequence[ListenerT],
        task_status: trio.TaskStatus[Sequence[ListenerT]],
    ) -> None:
        async with self._opened() as nursery:
            for url in urls_of(listeners, self.options.path):
                logger.info("listening on %s", url)

            start = partial(self._connections.start, nursery, handler)
            await accept_forever(list(listeners), start, task_status)

    async def serve_stream(
        self,
        stream: trio.abc.Stream,
        handler: Handler,
        *,
        address: str | None = None,
        secure: bool | None = None,
    ) -> None:
        """Serve one connection, until it is closed; the engine must be open.

        Args:
            stream: the connection.
            handler: called once for each client.
            address: the peer's, `""` for none; `None` for what the stream says.
            secure: whether the peer uses TLS; `None` for what the stream says.
        """
        self._check_open("serve_stream")
        with ungrouped():
            await self._connections.serve(stream, handler, address=address, secure=secure)

    async def answer(
        self, request: Request, responder: Responder, handler: Handler
    ) -> Response | Sequel | None:
        """Have a request answered for another server, which sends what is returned.

        Args:
            request: the request.
            responder: answers it.
            handler: called once for each client.
        """
        self.sessions.handle_with(handler)
        return await self.endpoint.answer(request, responder)

    async def serve_request(self, request: Request, responder: Responder, handler: Handler) -> None:
        """Answer a request that another server has read; the engine must be open.

        Returns when the request has been answered, or a session has its WebSocket.

        Args:
            request: the request.
            responder: answers it.
            handler: called once for each client.
        """
        self._check_open("serve_request")
        try:
            answer = await self.answer(request, responder, handler)
            if isinstance(answer, Response):
                await responder.send(answer)
            elif answer is not None:
                await answer()
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the client went away; what that means is up to its session
        except* failed_leaves() as errors:
            if self.options.raise_errors:
                raise
            self.runtime.log.fail(logger, errors, "a request failed")

    async def open_session(
        self,
        sid: str,
        request: Request,
        transport: Transport,
        handler: Handler,
        *,
        version: EngineVersion = EIO3,
        raise_errors: bool | None = None,
        task_status: trio.TaskStatus[Session] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve a client that speaks by a transport of its own; return when its session has ended.

        Args:
            sid: the id of the session.
            request: what its handshake would have been.
            transport: how the client speaks.
            handler: called for this session.
            version: the revision of Engine.IO that the client speaks.
            raise_errors: instead of the option.
            task_status: for `nursery.start`, which returns the session.
        """
        self.runtime.home.check("engine.open_session")
        session = self.sessions.add(sid, request, transport, version, raise_errors=raise_errors)
        task_status.started(session)
        await self.sessions.run(session, handler)
