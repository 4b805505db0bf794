"""The engine: sessions by id, the tasks that keep them, and the ways to serve.

    async with engine:                           the engine's nursery
     ├─ runtime
     │   ├─ tick                                 flushes outboxes at the end of each tick
     │   ├─ timers                               wakes heartbeats, ends what takes too long
     │   ├─ fairness                             schedules readers that have much to read
     │   └─ arrivals                             schedules the first reads of new connections
     ├─ connection (one per TCP connection)      reads requests, or waits for its WebSocket's end
     └─ session (one per polling client)         outlives any one connection

Sessions that came by WebSocket run in their connection's task.
"""

import logging
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import trio

from trio_sio.abc import Transport
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.admission import Admission, turn_away
from trio_sio.engine.endpoint import Endpoint
from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.engine.http.timeouts import HTTPLimits, Phase
from trio_sio.engine.runtime.listeners import urls_of
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.counters import SessionCounters
from trio_sio.engine.session.log import SessionLog, tapped
from trio_sio.engine.session.session import Handler, Session
from trio_sio.failures import failed_leaves
from trio_sio.http import Request
from trio_sio.logs.shown import short_id
from trio_sio.options import EngineOptions, takes
from trio_sio.protocol.engineio.state import State
from trio_sio.statistics import EngineStatistics

logger = logging.getLogger("trio_sio.engine")

Listener = trio.abc.Listener[Any]
ListenerT = TypeVar("ListenerT", bound=Listener)

GOODBYE = 0.25
"""Seconds that clients get at shutdown, once the application is done, to take what is queued and
to agree to the end. Nobody can hold the server longer."""


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
        """Make an engine of options that have been checked already."""
        engine = cls.__new__(cls)
        engine._setup(options)
        return engine

    def _setup(self, options: EngineOptions) -> None:
        self.sessions: dict[str, Session] = {}
        self.closing = False
        self._drains = 0
        self.runtime = Runtime()
        self._session_log = SessionLog(self.runtime.log)
        self.handler: Handler | None = None
        self._ledger = SessionCounters(self.runtime.counters)
        self._apply(options)
        self._connections: set[HTTPConnection] = set()
        self._nursery: trio.Nursery | None = None
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
        self._doorway = Endpoint(self)
        count = self._ledger.count_limit
        self._admission = Admission(
            options.max_connections,
            options.max_connections_per_address,
            options.max_sessions,
            count,
            self.runtime.log,
            self.runtime.counters,
        )
        self._http_limits = HTTPLimits(
            {phase: getattr(options, phase.value) for phase in Phase},
            options.max_headers,
            options.max_header_size,
            count,
            self.runtime.log,
            self.runtime.counters,
        )

    # -- life --------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._life is not None:
            raise RuntimeError("the engine is open already")
        self._life = self._live()
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
            return await self._life.__aexit__(kind, error, traceback)
        finally:
            self._life = None

    @asynccontextmanager
    async def _live(self) -> AsyncIterator[None]:
        self.closing = False
        try:
            async with trio.open_nursery() as self._nursery:
                await self._nursery.start(self.runtime.run)
                yield
                await self.aclose()
                self._nursery.cancel_scope.cancel()
        finally:
            self._nursery = None
            self.closing = True
            self.runtime.log.flush()

    def statistics(self) -> EngineStatistics:
        """Return numbers: what there is, and what has happened since the engine was made."""
        admission = self._admission
        return self._ledger.statistics(
            self.sessions.values(), admission.count, admission.refused, self.runtime.stalls
        )

    @contextmanager
    def refusing_handshakes(self) -> Iterator[None]:
        """Answer handshakes with 503, meanwhile; sessions that are here go on."""
        self._drains += 1
        try:
            yield
        finally:
            self._drains -= 1

    async def aclose(self) -> None:
        """End all sessions: handlers get `grace` seconds, clients a moment to hear of it."""
        self.closing = True
        for connection in tuple(self._connections):
            connection.close_when_idle()
        sessions = tuple(self.sessions.values())
        for session in sessions:
            session.close(DisconnectReason.SERVER_SHUTTING_DOWN)
        with trio.move_on_after(self.options.grace):
            for session in sessions:
                await session.wait_application_done()
        with trio.move_on_after(GOODBYE):
            for session in sessions:
                await session.wait_closed()
        await trio.lowlevel.checkpoint()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[trio.Nursery]:
        """Be open for as long as something is served, if nobody else opened us."""
        if self._nursery is not None:
            yield self._nursery
            return
        async with self:
            assert self._nursery is not None
            yield self._nursery

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
            OSError: the port cannot be had.
        """
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
        async with self._opened() as nursery:
            for url in urls_of(listeners, self.options.path):
                logger.info("listening on %s", url)
            await trio.serve_listeners(
                partial(self.serve_stream, handler=handler),
                list(listeners),
                handler_nursery=nursery,
                task_status=task_status,
            )
        raise AssertionError("trio.serve_listeners does not return")

    async def serve_stream(self, stream: trio.abc.Stream, handler: Handler) -> None:
        """Serve one connection, until it is closed; the engine must be open."""
        if self._nursery is None:
            raise RuntimeError("serve_stream needs an open engine: use `async with`")
        self.handler = handler
        address, secure = _peer_of(stream)
        refusal = self._admission.enter(address)
        if refusal:
            await turn_away(stream, refusal)
            return
        connection = HTTPConnection(
            stream,
            address,
            secure,
            self.runtime.timers,
            self._http_limits,
            self.runtime.arrivals.wait,
        )
        self._connections.add(connection)
        try:
            await connection.serve(self._doorway.answer)
        except* failed_leaves() as errors:
            if self.options.raise_errors:
                raise
            self.runtime.log.fail(logger, errors, "a connection failed")
        finally:
            self._connections.discard(connection)
            self._admission.leave(address)

    # -- sessions, for the doorway and for who brings transports of his own --------------------

    def find(self, sid: str) -> Session | None:
        """Return a session that is not over."""
        session = self.sessions.get(sid)
        if session is None or session.state.state is State.CLOSED:
            return None
        # By polling, the end has yet to be fetched; a WebSocket is told at once.
        is_told = session.state.state is State.CLOSING and session.transport.name == "websocket"
        return None if is_told else session

    def count_limit(self, option: str) -> None:
        """Note that a limit was reached outside of sessions."""
        self._ledger.count_limit(option)

    def why_no_session(self, address: str) -> str:
        """Return why no client can be taken at present, `""` if one can."""
        if self._drains or self.closing:
            self.runtime.counters.refused["draining"] += 1
            text = "refused a handshake from %s: the server drains"
            self.runtime.log.tell(logger, logging.INFO, "drain", text, address)
            return "the server takes no new clients"
        why = self._admission.why_no_session(len(self.sessions), address)
        return f"too many clients ({why})" if why else ""

    def add(self, sid: str, request: Request, transport: Transport) -> Session:
        """Make a session; `run` or `start` makes it live."""
        log = self._session_log.of(sid)
        transport = tapped(transport, log.wire)
        session = Session(sid, request, transport, self.options, self.runtime, log)
        if log.events is not None:
            log.events.connected(transport.name, request.remote)
        self.sessions[sid] = session
        self.runtime.counters.sessions += 1
        return session

    def start(self, session: Session) -> None:
        """Run a session as a task of the engine."""
        assert self._nursery is not None
        self._nursery.start_soon(self.run, session)

    async def run(self, session: Session, handler: Handler | None = None) -> None:
        """Run a session until it has ended; what its handler raises is logged."""
        chosen = handler or self.handler
        assert chosen is not None
        try:
            await session.run(chosen)
        except* failed_leaves() as errors:
            if session.raise_errors:
                raise
            text = "the handler of session %s failed"
            self.runtime.log.fail(logger, errors, text, short_id(session.id))
        finally:
            self._ledger.enter(session)
            if self.sessions.get(session.id) is session:
                del self.sessions[session.id]


def _peer_of(stream: trio.abc.Stream) -> tuple[str, bool]:
    """Return the peer's address and whether the stream is TLS."""
    secure = isinstance(stream, trio.SSLStream)
    below: object = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    if isinstance(below, trio.SocketStream):
        try:
            peer = below.socket.getpeername()
        except OSError:  # it has gone already
            return "", secure
        return (str(peer[0]) if isinstance(peer, tuple) else ""), secure
    return "", secure
