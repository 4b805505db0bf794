"""The sessions of one engine, by id: who may come, and the tasks they run in."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import NoReturn, Protocol, Self

import trio

from trio_sio.abc import Transport
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.counters import SessionCounters
from trio_sio.engine.session.log import SessionLog, tapped
from trio_sio.engine.session.session import Handler, Session
from trio_sio.failures import KeptFailures, failed_leaves, raised
from trio_sio.http import Request
from trio_sio.logs.shown import short_id
from trio_sio.options import EngineOptions
from trio_sio.protocol.engineio.state import State
from trio_sio.protocol.engineio.version import EIO3, EngineVersion

logger = logging.getLogger("trio_sio.engine")


class SessionObserver(Protocol):
    """Hears of every session of an engine, for a view; its methods must not wait or raise."""

    def began(self, session: Session) -> None:
        """A session is there, and has not run yet."""

    def ended(self, session: Session) -> None:
        """A session has ended; `session.detail` says why."""


class NoRoom(Exception):
    """The server takes no further client at present; the text says why."""


class Reservation:
    """A place for one session that is not there yet; leaving the context gives it back.

    Args:
        registry: where the session will be.
        address: the client's address.
    """

    __slots__ = ("_address", "_is_handed_over", "_is_held", "_registry")

    def __init__(self, registry: "SessionRegistry", address: str) -> None:
        self._registry = registry
        self._address = address
        self._is_held = True
        self._is_handed_over = False

    def check(self) -> None:
        """Make sure that the place can still be used.

        Raises:
            NoRoom: the server has begun to drain or to close meanwhile.
        """
        self._registry.check_open(self._address)

    def add(
        self, sid: str, request: Request, transport: Transport, version: EngineVersion = EIO3
    ) -> Session:
        """Make the session that the place is for; the arguments are as for the registry's `add`.

        Raises:
            NoRoom: as `check`.
        """
        self.check()
        self.release()
        return self._registry.add(sid, request, transport, version)

    def hand_over(self) -> Self:
        """Keep the place beyond the context; whoever takes over enters it again, at once."""
        self._is_handed_over = True
        return self

    def release(self) -> None:
        """Give the place back, unless that has been done."""
        if self._is_held:
            self._is_held = False
            self._registry.release(self._address)

    def __enter__(self) -> Self:
        self._is_handed_over = False
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_handed_over:
            self.release()


class SessionRegistry(Mapping[str, Session]):
    """The sessions of one engine, by id.

    Args:
        options: the engine's.
        runtime: the engine's.
        counters: counts sessions and limits.

    Attributes:
        closing: whether the engine is about to close, or has been closed.
    """

    def __init__(self, options: EngineOptions, runtime: Runtime, counters: SessionCounters) -> None:
        self.options = options
        self.runtime = runtime
        self.counters = counters
        self.closing = False
        self._sessions: dict[str, Session] = {}
        self._reserved = 0
        self._by_address: Counter[str] = Counter()
        # Connections tell nothing of clients behind a proxy.
        is_behind = options.trusted_proxies is not None
        self._limit_each = options.max_connections_per_address if is_behind else None
        self._drains = 0
        self._log = SessionLog(runtime.log)
        self._nursery: trio.Nursery | None = None
        self._handler: Handler | None = None
        self._observers: Sequence[SessionObserver] = ()

    def __getitem__(self, sid: str) -> Session:
        return self._sessions[sid]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sessions)

    def __len__(self) -> int:
        return len(self._sessions)

    # -- who may come ------------------------------------------------------------------------

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Take no new sessions while the context lasts; those that are here go on."""
        self._drains += 1
        try:
            yield
        finally:
            self._drains -= 1

    def check_open(self, address: str) -> None:
        """Make sure that the server neither drains nor closes.

        Args:
            address: of the client that is about to be let in.

        Raises:
            NoRoom: it does.
        """
        if self._drains or self.closing:
            self.runtime.counters.refused["draining"] += 1
            text = "refused a handshake from %s: the server drains"
            self.runtime.log.tell(logger, logging.INFO, "drain", text, address)
            raise NoRoom("the server takes no new clients")

    def check_room(self, address: str) -> None:
        """Make sure that a client could be let in at this moment.

        Args:
            address: the client's.

        Raises:
            NoRoom: there are `max_sessions`, or too many of this address behind a trusted proxy, or
                the server drains or closes.
        """
        self.check_open(address)
        limit, count = self.options.max_sessions, len(self._sessions) + self._reserved
        if limit is not None and count >= limit:
            self._refuse("max_sessions", f"there are {count}", address)
        if address and self._limit_each is not None:
            count = self._by_address[address]
            if count >= self._limit_each:
                text = f"there are {count} from {address}"
                self._refuse("max_connections_per_address", text, address)

    def _refuse(self, option: str, text: str, address: str) -> NoReturn:
        why = f"{option}: {text}"
        self.counters.count_limit(option)
        self.runtime.counters.refused["full"] += 1
        line, where = "refused a client at %s: %s", address or "somewhere"
        self.runtime.log.tell(logger, logging.WARNING, option, line, where, why)
        raise NoRoom(f"too many clients ({why})")

    def reserve(self, address: str) -> Reservation:
        """Hold a place for a session; a context manager.

        Places count as sessions do, so there are never more than `max_sessions` of both.

        Args:
            address: the client's.

        Raises:
            NoRoom: there are `max_sessions`, or the server drains or closes.
        """
        self.check_room(address)
        self._reserved += 1
        self._count(address, 1)
        return Reservation(self, address)

    def release(self, address: str) -> None:
        """Count one place less; for `Reservation`."""
        self._reserved -= 1
        self._count(address, -1)

    def _count(self, address: str, change: int) -> None:
        if address and self._limit_each is not None:
            self._by_address[address] += change
            if not self._by_address[address]:
                del self._by_address[address]

    # -- who is here -------------------------------------------------------------------------

    def observe(self, observers: Sequence[SessionObserver]) -> None:
        """Tell these of every session that begins or ends, and nobody else."""
        self._observers = observers

    def find(self, sid: str) -> Session | None:
        """Return a session that is not over."""
        session = self._sessions.get(sid)
        if session is None or session.state.state is State.CLOSED:
            return None
        # By polling, the client has yet to fetch the end; by WebSocket, it is told at once.
        is_told = session.state.state is State.CLOSING and session.transport.name == "websocket"
        return None if is_told else session

    def add(
        self,
        sid: str,
        request: Request,
        transport: Transport,
        version: EngineVersion = EIO3,
        *,
        raise_errors: bool | None = None,
    ) -> Session:
        """Make a session; `run` or `start` makes it live.

        Args:
            sid: its id.
            request: the handshake request.
            transport: how the client speaks at first.
            version: what it speaks.
            raise_errors: instead of the option.
        """
        log = self._log.of(sid)
        transport = tapped(transport, log.wire)
        kept = request.without_body()  # which would keep what reads the connection
        session = Session(
            sid, kept, transport, self.options, self.runtime, log, raise_errors, version
        )
        if log.events is not None:
            log.events.connected(transport.name, request.remote)
        self._sessions[sid] = session
        self._count(request.remote, 1)
        self.runtime.counters.opened[session.protocol] += 1
        for observer in self._observers:
            observer.began(session)
        return session

    # -- tasks -------------------------------------------------------------------------------

    @contextmanager
    def serving(self, nursery: trio.Nursery) -> Iterator[None]:
        """Run sessions in a nursery while the context lasts."""
        self.closing, self._nursery = False, nursery
        try:
            yield
        finally:
            self.closing, self._nursery = True, None

    def close(self) -> None:
        """Take no new sessions: the engine is about to close."""
        self.closing = True

    def handle_with(self, handler: Handler) -> None:
        """Call this handler for each session that comes from now on."""
        self._handler = handler

    def start(self, session: Session) -> None:
        """Run a session as a task of the engine."""
        assert self._nursery is not None
        self._nursery.start_soon(self.run, session)

    async def run(self, session: Session, handler: Handler | None = None) -> None:
        """Run a session until it has ended; what its handler raises is logged.

        Args:
            session: the session.
            handler: instead of the engine's.
        """
        chosen = handler or self._handler
        assert chosen is not None
        kept: KeptFailures | None = None
        try:
            await session.run(chosen)
        except* failed_leaves() as errors:
            if session.raise_errors:
                kept = KeptFailures(errors)
            else:
                text = "the handler of session %s failed"
                self.runtime.log.fail(logger, errors, text, short_id(session.id))
        finally:
            with raised(kept):
                self.counters.add_ended(session)
                for observer in self._observers:
                    observer.ended(session)
                if self._sessions.get(session.id) is session:
                    del self._sessions[session.id]
                self._count(session.request.remote, -1)
                await session.transport.aclose()
