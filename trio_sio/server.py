"""`Server`: a Socket.IO server, which joins an engine and a router."""

import ssl
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import trio

from trio_sio.abc import Adapter, EventWatch, Session, WebApplication
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.engine import Engine, Listener, ListenerT
from trio_sio.engine.neighbour import Neighbour
from trio_sio.failures import ungrouped
from trio_sio.options import (
    EngineOptions,
    Origins,
    ParserOption,
    ServerOptions,
    recovery_of,
    takes,
)
from trio_sio.options.declaration import frozen
from trio_sio.protocol.socketio.parser import find_codec
from trio_sio.router.adapter_life import AdapterLife
from trio_sio.router.context import RouterContext, Tracing
from trio_sio.router.drain import drain
from trio_sio.router.namespace import Namespace
from trio_sio.router.router import Router
from trio_sio.router.server_namespaces import ServerNamespaces
from trio_sio.statistics import EngineStatistics

_NO_APPLICATION = (
    "this is a Trio server, not an ASGI application: run it alone, with `trio_sio.run(io)` or"
    " `io.serve_tcp`, or give `app = trio_sio.asgi.Application(io)` to an ASGI server on Trio:"
    " `hypercorn --worker-class trio module:app`"
)

AdapterFactory = Callable[[Namespace], Adapter]
"""Makes the adapter of a namespace; it may take any `trio_sio.abc.AdapterNamespace`."""


@frozen(kw_only=True)
class _Arguments(ServerOptions):
    """What `Server` can be called with, for `takes`: the options, and an engine."""

    engine: Engine | None = None


class Server(ServerNamespaces):
    """A Socket.IO 2.x server (JS: `new Server(options)`).

    `async with io:` closes all clients at its end. `serve_tcp` and `serve_listeners` enter it
    by themselves unless it has been entered already. All methods of a namespace are here too, for
    the namespace "/".

    Args:
        engine: an engine to use instead of making one; its options cannot be given then.
        **options: see `docs/options.md`.

    Raises:
        TypeError: an option that does not exist, or a value of a wrong type.
        ValueError: a value that is not allowed.
    """

    @takes(_Arguments)
    def __init__(self, *, engine: Engine | None = None, **options: object) -> None:
        self.options = ServerOptions.of(options)
        if engine is not None:
            _check_engine_alone(options)
        self.engine = Engine.from_options(self.options) if engine is None else engine
        codec = find_codec(
            self.options.parser, self.options.max_attachments, self.options.json_default
        )
        self._adapter: AdapterFactory = self.options.adapter or MemoryAdapter
        self._adapter_life = AdapterLife(self._adapter, self.engine.runtime.log)
        self._life: AbstractAsyncContextManager[None] | None = None
        self.router = Router(
            codec=codec,
            make_adapter=self._adapter,
            cleanup=self.options.cleanup_empty_child_namespaces,
            context=RouterContext(
                options=self.options,
                grace=self.engine.options.grace,
                home=self.engine.runtime.home,
                log=self.engine.runtime.log,
                counters=self.engine.runtime.counters,
                tracing=Tracing(),
                watch=EventWatch(),
                recovery=recovery_of(self.options.connection_state_recovery),
                silence=self.engine.options.silence_of(4),
            ),
        )

    def __repr__(self) -> str:
        return f"<Server at {self.path!r}, {len(self.router.clients)} clients>"

    # -- options that may be set until serving starts ----------------------------------------

    @property
    def path(self) -> str:
        """The URL path at which the server answers (JS: `path`)."""
        return self.engine.options.path

    @path.setter
    def path(self, path: str) -> None:
        self.engine.set_options(path=path)

    @property
    def serve_client(self) -> bool | Path | str:
        """Whether, and which, browser clients are served, or a folder (JS: `serveClient`)."""
        return self.engine.options.serve_client

    @serve_client.setter
    def serve_client(self, serve_client: bool | Path | str) -> None:
        self.engine.set_options(serve_client=serve_client)

    @property
    def origins(self) -> Origins:
        """The origins that may connect (JS: `origins`)."""
        return self.engine.options.origins

    @origins.setter
    def origins(self, origins: Origins) -> None:
        self.engine.set_options(origins=origins)

    @property
    def adapter(self) -> AdapterFactory:
        """The factory of the namespaces' adapters (JS: `adapter`)."""
        return self._adapter

    @adapter.setter
    def adapter(self, adapter: AdapterFactory) -> None:
        self._check_not_serving("adapter")
        self.options = self.options.changed({"adapter": adapter})
        self._adapter = adapter
        self._adapter_life.change(adapter)
        self.router.namespaces.change_adapter(adapter)

    @property
    def parser(self) -> ParserOption:
        """What encodes and decodes packets (JS: `parser`)."""
        return self.options.parser

    @parser.setter
    def parser(self, parser: ParserOption) -> None:
        self._check_not_serving("parser")
        options = self.options.changed({"parser": parser})
        codec = find_codec(parser, options.max_attachments, options.json_default)
        self.router.change_codec(codec)
        self.options = options

    def _check_not_serving(self, option: str) -> None:
        if self.engine.serving:
            raise RuntimeError(f"{option}: options are fixed once serving has begun")

    # -- life --------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        life = self._live()
        with ungrouped():
            await life.__aenter__()
        self._life = life
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        assert self._life is not None
        self._close_clients()
        with ungrouped():
            return await self._life.__aexit__(kind, error, traceback)

    def _run_adapter(self) -> AbstractAsyncContextManager[None]:
        self.engine.runtime.home.check("io.serve_tcp")
        return self._adapter_life.running(raise_errors=self.engine.options.raise_errors)

    @asynccontextmanager
    async def _live(self) -> AsyncIterator[None]:
        async with self._run_adapter(), self.engine:
            yield

    def _close_clients(self) -> None:
        self.engine.runtime.home.check("io.aclose")
        for client in tuple(self.router.clients):
            client.session.close(DisconnectReason.SERVER_SHUTTING_DOWN)

    async def aclose(self) -> None:
        """Close all clients (JS: `close`) and refuse new ones.

        "disconnect" handlers run, for at most `grace` seconds. Clients are not told to leave their
        namespaces, so they reconnect, to whichever server takes over.
        """
        self._close_clients()
        await self.engine.aclose()

    def statistics(self) -> EngineStatistics:
        """Return the server's statistics, those of its namespaces among them."""
        found = self.engine.statistics()
        namespaces = self.router.namespaces.statistics()
        return found.with_server(namespaces, self._adapter_life.statistics())

    async def drain(self, *, grace: float = 30.0, spread: float = 10.0) -> None:
        """Close gracefully, for deploys: refuse new clients, close each one when idle, then close.

        A client is idle when nothing that it sends has arrived in part, none of its events is
        queued or being handled, and nothing waits for its acknowledgement. It reconnects by itself,
        to whichever server takes over. If this is cancelled, the clients that are left stay and new
        ones are accepted again; `aclose` and the end of `async with` close the rest.

        Args:
            grace: seconds that each client gets, from its turn on, to become idle and to receive
                what is queued for it.
            spread: seconds over which the clients' turns are spread.
        """
        with self.engine.refusing_handshakes():
            await drain(self.router.clients, grace=grace, spread=spread)
            await self.aclose()

    # -- serving -----------------------------------------------------------------------------

    async def serve_tcp(
        self,
        port: int,
        host: str | bytes | None = None,
        *,
        backlog: int | None = None,
        ssl_context: ssl.SSLContext | None = None,
        task_status: trio.TaskStatus[Sequence[Listener]] = trio.TASK_STATUS_IGNORED,
    ) -> NoReturn:
        """Listen on a port and serve, forever (JS: `listen`, `attach`); as `trio.serve_tcp`.

        Args:
            port: the port, 0 for any free one.
            host: the address to listen on, `None` for all.
            backlog: as for `trio.open_tcp_listeners`.
            ssl_context: serves TLS.
            task_status: for `nursery.start`, which returns the listeners.

        Raises:
            OSError: the port cannot be opened.
        """
        with ungrouped():
            async with self._run_adapter():
                await self.engine.serve_tcp(
                    self.serve_session,
                    port,
                    host=host,
                    backlog=backlog,
                    ssl_context=ssl_context,
                    task_status=task_status,
                )
        raise AssertionError("the engine serves until it is cancelled")

    async def serve_listeners(
        self,
        listeners: Sequence[ListenerT],
        *,
        task_status: trio.TaskStatus[Sequence[ListenerT]] = trio.TASK_STATUS_IGNORED,
    ) -> NoReturn:
        """Serve on listeners that you opened, forever; as `trio.serve_listeners`."""
        with ungrouped():
            async with self._run_adapter():
                await self.engine.serve_listeners(
                    self.serve_session, listeners, task_status=task_status
                )
        raise AssertionError("the engine serves until it is cancelled")

    async def serve_stream(
        self, stream: trio.abc.Stream, *, address: str | None = None, secure: bool | None = None
    ) -> None:
        """Serve one connection that you accepted, until it is closed; needs `async with io`.

        Args:
            stream: the connection.
            address: the peer's, for `handshake.address`; `None` for what the stream says.
            secure: whether the peer uses TLS; `None` for what the stream says.
        """
        serve = self.engine.serve_stream
        await serve(stream, self.serve_session, address=address, secure=secure)

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Tell an ASGI server that this is no application; `trio_sio.asgi.Application(io)` is one.

        Raises:
            RuntimeError: it asks for more than a start, which fails.
        """
        if scope["type"] != "lifespan":
            raise RuntimeError(_NO_APPLICATION)
        await receive()
        await send({"type": "lifespan.startup.failed", "message": _NO_APPLICATION})

    def as_fallback(self) -> WebApplication:
        """Return this server for another one's `fallback`: two servers on one port.

        It answers at its own `path`, and gives other requests to a `fallback` of its own. It opens
        and closes with the other server, whose limits of connections and requests hold for both.
        """
        answer = partial(self.engine.answer, handler=self.serve_session)
        return Neighbour(lambda: self, answer, self.engine.options.grace)

    def serve_session(self, session: Session) -> Coroutine[Any, Any, None]:
        """Serve a session of any engine; to be awaited (JS: `onconnection(conn)`)."""
        if self._adapter_life.is_missing:
            self._adapter_life.tell_missing()
        return self.router.serve(session)


def _check_engine_alone(options: Iterable[str]) -> None:
    """Raise if options of the engine are given along with an engine, which has its own."""
    taken = EngineOptions.declarations().keys() & options
    if taken:
        raise TypeError(f"give {sorted(taken)} to the engine; Server(engine=…) cannot change it")
