"""One client: a session and its sockets in the namespaces it has joined (JS: `Client`).

`run` is the reader: it receives messages, decodes packets from them and routes each to its socket.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import cast
from weakref import WeakKeyDictionary

import trio

from trio_sio.abc import BoundedDecoder, PacketDecoder, Session
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.exceptions import Disconnected, RemoteProtocolError
from trio_sio.http import Request
from trio_sio.logs.events import event_log
from trio_sio.logs.shown import quoted, short_id
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.router.context import RouterContext
from trio_sio.router.dialect import Dialect, dialect_of
from trio_sio.router.handshake import split_namespace
from trio_sio.router.inbound_limits import InboundLimits
from trio_sio.router.joining import Joins
from trio_sio.router.namespaces import Namespaces
from trio_sio.router.order import EventOrder
from trio_sio.router.rate_limit import OPTION, EventRateLimit, Outcome
from trio_sio.router.socket import Socket

logger = logging.getLogger("trio_sio.router")

_EVENTS = (PacketType.EVENT, PacketType.BINARY_EVENT, PacketType.ERROR)
_ACKS = (PacketType.ACK, PacketType.BINARY_ACK)

_IS_BOUNDED: WeakKeyDictionary[type[PacketDecoder], bool] = WeakKeyDictionary()
"""Which classes of decoders are bounded; `isinstance` takes 15 µs, too long for each client."""


class Client:
    """One client.

    Args:
        session: the Engine.IO session.
        namespaces: the server's namespaces.
        context: what the server's clients share.

    Attributes:
        session: the Engine.IO session (JS: `conn`).
        log: its own log; `None` unless that is enabled.
        order: the order of its events.
        dialect: the revision of the protocol that it speaks.
        joins: the namespaces that it joins and leaves.
    """

    def __init__(self, session: Session, namespaces: Namespaces, context: RouterContext) -> None:
        self.session = session
        self.log = event_log(session.id)
        self.order = EventOrder()
        self.dialect = dialect_of(session.protocol)
        self._sockets: dict[str, Socket] = {}
        self._context = context
        self._limits = InboundLimits(session, context.options, self._sockets, context.log)
        self._rate_limit = _rate_limit(context)
        self.joins = Joins(self, self._sockets, namespaces, context, self._limits)
        session.on_backlog(self._change_backlog)

    @property
    def id(self) -> str:
        """The session id."""
        return self.session.id

    @property
    def conn(self) -> Session:
        """The session, by JavaScript's name."""
        return self.session

    @property
    def request(self) -> Request:
        """The handshake request."""
        return self.session.request

    @property
    def sockets(self) -> Mapping[str, Socket]:
        """The client's sockets, by namespace, in the order they joined."""
        return self._sockets

    async def run(
        self, make_decoder: Callable[[Dialect], PacketDecoder], clients: "set[Client]"
    ) -> None:
        """Read and route, until the session ends.

        Args:
            make_decoder: makes what decodes the client's packets.
            clients: those that are here; this one is among them meanwhile.
        """
        limits, session = self._limits, self.session
        clients.add(self)
        error: RemoteProtocolError | None = None
        try:
            if not self.dialect.joins_root:
                await self._settle()
            decoder = make_decoder(self.dialect)
            del make_decoder  # perhaps a method object, which would stay with each client
            bounded = _as_bounded(decoder)
            if self.dialect.joins_root:
                await self.joins.join_root()
            while True:
                message = await session.receive()
                packet = decoder.feed(message)
                if packet is None or limits.is_checking:
                    self._check(message, packet, bounded)
                if packet is not None and packet.type is PacketType.CONNECT:
                    limits.check_connect(message)
                    await self._connect(packet)
                elif packet is not None:
                    await self._route(packet)
                del message, packet  # or they stay, 100 MB perhaps, until the next one comes
        except Disconnected:
            pass
        except RemoteProtocolError as broken:
            session.explain(Explanation(str(broken)))
            error = broken
        finally:
            limits.close()
            self._end(error)
            clients.discard(self)
            del error  # its traceback holds us, and the message that it is about

    def _check(
        self, message: str | bytes, packet: Packet | None, decoder: BoundedDecoder | None
    ) -> None:
        """Check a message; a packet of which only the head has come has to have a namespace."""
        stray = self._limits.check(message, packet, decoder)
        if stray is not None and self.dialect.is_strict:
            self._check_joined(stray)

    async def _settle(self) -> None:
        """Wait until it is sure which revision of the protocol the client speaks."""
        await self.session.settle()
        dialect = dialect_of(self.session.protocol)
        if dialect is not self.dialect:
            self.dialect = dialect
            self.joins = self.joins.anew()

    async def wait_heard(self) -> None:
        """Wait until nothing that the client has sent is incomplete or unread."""
        session, limits = self.session, self._limits
        await session.wait_heard()
        while limits.is_incomplete and not session.closed:
            await limits.wait_complete()
            await session.wait_heard()

    def _end(self, error: RemoteProtocolError | None) -> None:
        if error is not None:
            self.session.close(DisconnectReason.FORCED_CLOSE)
        joins = self.joins
        joins.stop()
        reason = self.session.reason or DisconnectReason.SERVER_SHUTTING_DOWN
        leaving = joins.all()
        for socket in leaving:
            socket.end(reason)
        if error is not None and leaving:
            joins.departures[leaving[0]].announce(error, leaving)

    # -- routing ---------------------------------------------------------------------------

    async def _route(self, packet: Packet) -> None:
        kind = packet.type
        socket = self._sockets.get(packet.namespace)
        if socket is None:
            if self.dialect.is_strict:
                self._check_joined(packet)
            if self.log is not None:
                name = split_namespace(packet.namespace)[0]
                self.log.ignored(name, f"{kind.name} is ignored: the client has not joined it")
            return  # not joined, or not yet: the reference ignores it too
        if kind in _EVENTS:
            socket.namespace.counters.events_in += 1
            if self._rate_limit is not None and not await self._may_send(self._rate_limit, socket):
                return
            if kind is not PacketType.ERROR and not _is_for_handlers(packet, self.dialect.reserved):
                if self.log is not None:
                    self.log.ignored(packet.namespace, "EVENT is ignored: its name is reserved")
                return
            try:
                try:
                    socket.inbox.send_nowait(packet)
                except trio.WouldBlock:
                    await socket.inbox.send(packet)
            except trio.ClosedResourceError:
                return  # the socket has ended meanwhile
        elif kind in _ACKS:
            if self.log is not None:
                self.log.acknowledged(packet.namespace, packet.id, by_client=True)
            await socket.acknowledge(packet.id, [*packet.args])
        else:
            socket.end(DisconnectReason.CLIENT_NAMESPACE_DISCONNECT)

    def _check_joined(self, packet: Packet) -> None:
        """Check that a client may send something to a namespace that it is not in.

        The end of its socket may have been on its way to it, or the answer to its joining.

        Raises:
            RemoteProtocolError: it has not asked for the namespace.
        """
        name = packet.namespace
        if not (self.joins.has(name) or self.joins.had(name)):
            text = f"{packet.type.name} for {quoted(name)}, which the client has not joined"
            raise RemoteProtocolError("invalid state", text)

    async def _connect(self, packet: Packet) -> None:
        name, auth = self.dialect.read_connect(packet)
        joins, limit = self.joins, self._rate_limit
        if joins.has(name):
            return  # the reference makes a second socket of the same id
        if limit is None or await self._admits(limit, partial(joins.refuse, name)):
            await joins.request(name, auth)
        else:
            text = f"{limit} ({OPTION})"
            self._log_excess(f"{text}: a namespace is refused")
            joins.refuse(name, text)

    # -- the rate limit --------------------------------------------------------------------

    async def _may_send(self, limit: EventRateLimit, socket: Socket) -> bool:
        """Whether an event may be handled, now or after a while."""
        tell = socket.invoker.send_error
        if await self._admits(limit, tell):
            return True
        text = f"{limit} ({OPTION}): some are dropped"
        self._log_excess(text)
        if limit.is_telling_due(trio.current_time()):
            tell(text)
        return False

    async def _admits(self, limit: EventRateLimit, tell: Callable[[str], object]) -> bool:
        """Whether one more event or request may pass, now or after a while.

        Args:
            limit: the client's rate limit.
            tell: tells the client why it is closed.

        Raises:
            RemoteProtocolError: the client is to be closed.
        """
        verdict = limit.admit(trio.current_time())
        if verdict.outcome is Outcome.ADMIT:
            return True
        if verdict.outcome is Outcome.DISCONNECT:
            tell(f"{limit} ({OPTION})")
            self.session.explain(Explanation(str(limit), OPTION, limit.rate))
            raise RemoteProtocolError("too much", f"{limit} ({OPTION} is {limit.rate})")
        self.session.count_limit(OPTION)
        if verdict.outcome is Outcome.DROP:
            return False
        await trio.sleep_until(verdict.until)
        return True

    def _log_excess(self, text: str) -> None:
        line, sid = "session %s: %s", short_id(self.id)
        self._context.log.tell(logger, logging.WARNING, OPTION, line, sid, text)

    # -- for its sockets -------------------------------------------------------------------

    def left(self, socket: Socket) -> None:
        """Take note that a socket begins to leave."""
        self.joins.left(socket)

    def _change_backlog(self, is_behind: bool) -> None:
        for socket in tuple(self._sockets.values()):
            socket.change_backlog(is_behind)

    def disconnect(self) -> None:
        """Leave all namespaces, in the order they were joined, and close the connection."""
        for socket in tuple(self._sockets.values()):
            socket.kick()
        self.session.close(DisconnectReason.SERVER_NAMESPACE_DISCONNECT)


def _as_bounded(decoder: PacketDecoder) -> BoundedDecoder | None:
    """Return a decoder that says what it keeps, `None` if it is none."""
    kind = type(decoder)
    if kind not in _IS_BOUNDED:
        _IS_BOUNDED[kind] = isinstance(decoder, BoundedDecoder)
    return cast("BoundedDecoder", decoder) if _IS_BOUNDED[kind] else None


def _rate_limit(context: RouterContext) -> EventRateLimit | None:
    """Return a client's rate limit; `None` if its events are not limited."""
    options = context.options
    rate = options.max_events_per_second
    if rate is None:
        return None
    return EventRateLimit(rate, options.event_burst, options.on_flood, trio.current_time())


def _is_for_handlers(packet: Packet, reserved: frozenset[str]) -> bool:
    """Whether an event is one that the application's handlers may hear.

    A client must not be able to set off `disconnect` handlers by a name.
    """
    data = packet.data
    if not isinstance(data, list) or not data:
        return False
    name = data[0]  # or a number, of which none is reserved
    return not isinstance(name, str) or name not in reserved
