"""The TCP connections of an engine: counted, served, and closed with it."""

import logging
from collections.abc import Callable
from functools import partial

import trio

from trio_sio.engine.admission import Admission
from trio_sio.engine.endpoint import Endpoint
from trio_sio.engine.http.connection import HTTPConnection, turn_away
from trio_sio.engine.http.timeouts import HTTPLimits, Phase
from trio_sio.engine.proxy_protocol import read_peer
from trio_sio.engine.runtime.listeners import ends_of
from trio_sio.engine.session.registry import SessionRegistry
from trio_sio.engine.session.session import Handler
from trio_sio.failures import failed_leaves
from trio_sio.http import Ends
from trio_sio.sync import Condition

logger = logging.getLogger("trio_sio.engine")


class Connections:
    """Serves the connections of one engine, as many as its options allow.

    Args:
        sessions: the engine's.
        endpoint: answers the requests.

    Attributes:
        admission: how many connections there are, and how many were refused.
    """

    def __init__(self, sessions: SessionRegistry, endpoint: Endpoint) -> None:
        options, runtime, count = sessions.options, sessions.runtime, sessions.counters.count_limit
        self._sessions = sessions
        self._endpoint = endpoint
        self._options = options
        self._runtime = runtime
        self._open: set[HTTPConnection] = set()
        self._starting: set[trio.abc.Stream] = set()  # accepted; HTTP has not begun
        self._late: set[HTTPConnection] = set()  # were new when the engine closed
        self._late_changed = Condition()
        self.admission = Admission(
            options.max_connections,
            options.max_connections_per_address,
            count,
            runtime.log,
            runtime.counters,
        )
        self._leave = self.admission.leave  # one method object for all of them
        self._http_limits = HTTPLimits(
            {phase: getattr(options, phase.value) for phase in Phase},
            options.max_headers,
            options.max_header_size,
            count,
            runtime.log,
            runtime.counters,
        )

    def close_when_idle(self) -> None:
        """Have each connection end, as soon as it answers no request.

        Those that are new may have a request on its way, which is answered, by 503: a client that
        is told nothing cannot know whether the server has done what it asked for.
        """
        self._late = {connection for connection in self._open if connection.is_new}
        for connection in tuple(self._open):
            connection.close_when_idle()

    async def wait_late(self) -> None:
        """Wait until all have ended that were new when they were told to close, or came later."""
        await self._late_changed.wait_for(lambda: not self._starting and not self._late)

    def cut_late(self) -> None:
        """End those for which nobody waits any longer."""
        for connection in tuple(self._late):
            connection.cut()

    def start(self, nursery: trio.Nursery, handler: Handler, stream: trio.abc.Stream) -> None:
        """Start a task that serves a connection, or refuses it.

        Args:
            nursery: the engine's.
            handler: called once for each client.
            stream: the connection.
        """
        ends, proxied = ends_of(stream), self._options.proxy_protocol
        counted = "" if proxied else self._counted(ends.remote)  # the proxy's does not count
        if refusal := self.admission.enter(counted):
            nursery.start_soon(turn_away, stream, refusal)
            return
        self._starting.add(stream)
        if proxied:
            nursery.start_soon(self._serve_proxied, stream, ends, handler)
        else:
            leave = partial(self._leave, counted)
            nursery.start_soon(self._serve, stream, ends, None, handler, leave)

    async def _serve_proxied(self, stream: trio.abc.Stream, own: Ends, handler: Handler) -> None:
        """Serve a connection that begins with a header of the PROXY protocol."""
        count, patience = self._sessions.counters.count_limit, self._options.head_timeout
        try:
            peer = await read_peer(stream, own.remote, patience, self._runtime.log, count)
        finally:
            self.admission.leave("")
            self._starting.discard(stream)
            self._late_changed.notify_all()
        if peer is None:
            return
        ends = own if peer.address is None else Ends(peer.address, peer.port, own.local)
        counted = self._counted(ends.remote)
        if refusal := self.admission.enter(counted):
            await turn_away(stream, refusal)
        else:
            leave = partial(self._leave, counted)
            await self._serve(stream, ends, peer.secure or None, handler, leave)

    async def serve(
        self, stream: trio.abc.Stream, handler: Handler, *, address: str | None, secure: bool | None
    ) -> None:
        """Serve a connection until it is closed; see `Engine.serve_stream`."""
        seen = ends_of(stream)
        ends = seen if address is None else Ends(address, 0, seen.local)
        counted = self._counted(ends.remote)
        refusal = self.admission.enter(counted)
        if refusal:
            await turn_away(stream, refusal)
            return
        closed = trio.Event()
        try:
            if await self._serve(stream, ends, secure, handler, closed.set):
                await closed.wait()
        finally:
            try:
                if not closed.is_set():  # a session has the stream, and hears of that
                    await trio.aclose_forcefully(stream)
            finally:
                self.admission.leave(counted)

    def _counted(self, address: str) -> str:
        """Return the address whose connections are limited; `""` for a trusted proxy's."""
        return "" if self._endpoint.trusts(address) else address

    async def _serve(
        self,
        stream: trio.abc.Stream,
        ends: Ends,
        secure: bool | None,
        handler: Handler,
        on_closed: Callable[[], object],
    ) -> bool:
        """Serve a connection; return whether a session has it now, and closes it."""
        self._sessions.handle_with(handler)
        connection = HTTPConnection(
            stream,
            ends,
            isinstance(stream, trio.SSLStream) if secure is None else secure,
            self._runtime.timers,
            self._http_limits,
            self._runtime.arrivals.wait,
        )
        connection.when_closed(on_closed)
        self._open.add(connection)
        self._starting.discard(stream)
        if self._sessions.closing:
            self._late.add(connection)
            connection.close_when_idle()
        try:
            return await connection.serve(self._endpoint.answer)
        except* failed_leaves() as errors:
            if self._options.raise_errors:
                raise
            self._runtime.log.fail(logger, errors, "a connection failed")
        finally:
            self._open.discard(connection)
            if connection in self._late:
                self._late.remove(connection)
                self._late_changed.notify_all()
        return False
