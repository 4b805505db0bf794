"""The server: ties the engine to the router, and is the face of both."""

import re
import ssl
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar, overload

import trio

from trio_sio.abc import Adapter, Session
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.engine import Engine, Listener, ListenerT
from trio_sio.options import EngineOptions, Origins, ParserOption, ServerOptions, takes
from trio_sio.options.declaration import frozen
from trio_sio.protocol.socketio.parser import find_codec
from trio_sio.router.adapter import MemoryAdapter
from trio_sio.router.broadcast import Broadcast, Targeting
from trio_sio.router.context import RouterContext
from trio_sio.router.drain import drain
from trio_sio.router.handlers import Handler, HandlerTable, Listens
from trio_sio.router.limits import Limits
from trio_sio.router.namespace import Namespace, ParentNamespace, Predicate
from trio_sio.router.router import Router
from trio_sio.statistics import EngineStatistics

M = TypeVar("M", bound=Handler)


@frozen(kw_only=True)
class _Arguments(ServerOptions):
    """What `Server` can be called with, for `takes`: the options, and an engine."""

    engine: Engine | None = None


class Server(Listens, Targeting):
    """A Socket.IO 2.x server (JS: `new Server(options)`).

    It can be used as `async with io:`, which owns every client and closes them at the end;
    `serve_tcp` and its sisters do that by themselves where nobody else has. All verbs of a
    namespace are here too, for the namespace "/".

    Args:
        engine: an engine of your own, in place of one made of the engine's options.
        **options: as the fields of `ServerOptions`, by keyword; docs/options.md explains them.

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
        codec = find_codec(self.options.parser, self.options.max_attachments)
        self._adapter: Callable[[Any], Adapter] = self.options.adapter or MemoryAdapter
        self.router = Router(
            encoder=codec.encoder,
            make_decoder=codec.make_decoder,
            make_adapter=self._adapter,
            cleanup=self.options.cleanup_empty_child_namespaces,
            context=RouterContext(
                limits=Limits(*[getattr(self.options, name) for name in Limits._fields]),
                max_inbox=self.options.max_inbox,
                grace=self.engine.options.grace,
                log=self.engine.runtime.log,
                counters=self.engine.runtime.counters,
            ),
        )

    def __repr__(self) -> str:
        return f"<Server at {self.path!r}, {len(self.router.clients)} clients>"

    # -- options that may be set until serving starts ----------------------------------------

    @property
    def path(self) -> str:
        """Where it answers (JS: `path`)."""
        return self.engine.options.path

    @path.setter
    def path(self, path: str) -> None:
        self.engine.set_options(path=path)

    @property
    def serve_client(self) -> bool | Path | str:
        """Whether the browser's client is served, or from which folder (JS: `serveClient`)."""
        return self.engine.options.serve_client

    @serve_client.setter
    def serve_client(self, serve_client: bool | Path | str) -> None:
        self.engine.set_options(serve_client=serve_client)

    @property
    def origins(self) -> Origins:
        """Which origins are welcome (JS: `origins`)."""
        return self.engine.options.origins

    @origins.setter
    def origins(self, origins: Origins) -> None:
        self.engine.set_options(origins=origins)

    @property
    def adapter(self) -> Callable[[Any], Adapter]:
        """What makes a namespace's adapter (JS: `adapter`)."""
        return self._adapter

    @adapter.setter
    def adapter(self, adapter: Callable[[Any], Adapter]) -> None:
        self._check_not_serving("adapter")
        self.options = self.options.changed({"adapter": adapter})
        self._adapter = adapter
        self.router.namespaces.change_adapter(adapter)

    @property
    def parser(self) -> ParserOption:
        """What encodes and decodes packets (JS: `parser`)."""
        return self.options.parser

    @parser.setter
    def parser(self, parser: ParserOption) -> None:
        self._check_not_serving("parser")
        options = self.options.changed({"parser": parser})
        self.router.change_codec(*find_codec(parser, options.max_attachments))
        self.options = options

    def _check_not_serving(self, option: str) -> None:
        if self.engine.serving:
            raise RuntimeError(f"{option}: options are fixed once serving has begun")

    # -- namespaces --------------------------------------------------------------------------

    @property
    def sockets(self) -> Namespace:
        """The namespace "/" (JS: `sockets`)."""
        return self.router.root

    @property
    def handlers(self) -> HandlerTable:  # type: ignore[override]  # those of "/"
        """The handlers of "/"."""
        return self.router.root.handlers

    def _target(self) -> Broadcast:
        return Broadcast(self.router.root)

    def use(self, function: M) -> M:
        """Register middleware of the namespace "/"; see `Namespace.use`."""
        return self.router.root.use(function)

    @overload
    def of(self, name: str) -> Namespace: ...

    @overload
    def of(self, name: re.Pattern[str] | Predicate) -> ParentNamespace: ...

    def of(self, name: str | re.Pattern[str] | Predicate) -> Namespace | ParentNamespace:
        """Return a namespace, made now if there is none (JS: `of`).

        Args:
            name: a name; or, for a namespace for each name that is accepted, a compiled pattern
                that has to match all of it, or a function `(name, query) -> bool`, async or not.
        """
        if isinstance(name, str):
            return self.router.namespaces.of(name)
        if isinstance(name, re.Pattern) or callable(name):
            return self.router.namespaces.of_matching(name)
        raise TypeError(f"of() takes a name, a compiled pattern or a function, not {name!r}")

    # -- life --------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.engine.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._close_clients()
        return await self.engine.__aexit__(kind, error, traceback)

    def _close_clients(self) -> None:
        for client in tuple(self.router.clients):
            client.session.close(DisconnectReason.SERVER_SHUTTING_DOWN)

    async def aclose(self) -> None:
        """Close every client (JS: `close`): "disconnect" handlers run, for `grace` seconds.

        Clients are not told to leave their namespaces, so they reconnect to a server that
        takes over. New ones are refused from now on.
        """
        self._close_clients()
        await self.engine.aclose()

    def statistics(self) -> EngineStatistics:
        """Return the engine's numbers; `len(io.of(name).connected)` says who is where."""
        return self.engine.statistics()

    async def drain(self, *, grace: float = 30.0, spread: float = 10.0) -> None:
        """Close in peace, for deploys: refuse new clients, let those that are here go, and close.

        Each client is closed when nothing that it sends is half here, no event of it waits or is
        handled, and no answer of it is waited for. It comes back by itself, to a server that takes
        over. If this is cancelled before all have gone, the others stay and new ones are welcome
        again; `aclose`, and the end of `async with`, close the rest.

        Args:
            grace: seconds that each client gets, from its turn on: for what it sends, its handlers,
                the calls that wait for its answer, and what it has yet to take.
            spread: seconds over which the turns are spread.
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
            port: the port, 0 for any that is free.
            host: the address to listen on, `None` for all.
            backlog: as for `trio.open_tcp_listeners`.
            ssl_context: serves TLS.
            task_status: for `nursery.start`, which returns the listeners.

        Raises:
            OSError: the port cannot be had.
        """
        await self.engine.serve_tcp(
            self.serve_session,
            port,
            host=host,
            backlog=backlog,
            ssl_context=ssl_context,
            task_status=task_status,
        )

    async def serve_listeners(
        self,
        listeners: Sequence[ListenerT],
        *,
        task_status: trio.TaskStatus[Sequence[ListenerT]] = trio.TASK_STATUS_IGNORED,
    ) -> NoReturn:
        """Serve on listeners of your own, forever; as `trio.serve_listeners`."""
        await self.engine.serve_listeners(self.serve_session, listeners, task_status=task_status)

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serve one connection of your own, until it is closed; needs `async with io`."""
        await self.engine.serve_stream(stream, self.serve_session)

    def serve_session(self, session: Session) -> Coroutine[Any, Any, None]:
        """Serve one session of any engine, to be awaited (JS: `onconnection(conn)`)."""
        return self.router.serve(session)


def _check_engine_alone(options: Iterable[str]) -> None:
    """Refuse options of the engine beside an engine, which has its own."""
    taken = EngineOptions.declarations().keys() & options
    if taken:
        raise TypeError(f"give {sorted(taken)} to the engine; Server(engine=…) cannot change it")
