"""One client in one namespace (JS: `Socket`).

This is what the application sees of it. `lifecycle` runs its task: middleware, handlers, the end.
"""

import time
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, Protocol

import trio

from trio_sio.abc import EventWatch, Room, Session, SocketDetails
from trio_sio.disconnect import DisconnectDetail, DisconnectReason
from trio_sio.exceptions import LimitReached, Refused
from trio_sio.http import Request
from trio_sio.logs.events import EventLog
from trio_sio.logs.shown import ID_CHARACTERS, quoted
from trio_sio.protocol.socketio.packet import BACKLOG, JSON, PacketType
from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.recovery.session import RecoverySession
from trio_sio.router.acks import PendingAcks
from trio_sio.router.addressee import Addressee
from trio_sio.router.background import BackgroundTasks
from trio_sio.router.backlog import Backlog
from trio_sio.router.dialect import Auth, Dialect
from trio_sio.router.dispatch import Dispatcher
from trio_sio.router.emitter import Emitter
from trio_sio.router.handlers import Handler, HandlerTable
from trio_sio.router.handshake import Handshake
from trio_sio.router.inbox import Inbox
from trio_sio.router.invocation import Invoker
from trio_sio.router.limits import check_rooms
from trio_sio.router.namespace_base import JoinableNamespace
from trio_sio.router.order import EventOrder
from trio_sio.router.recovery import Holder, Kept
from trio_sio.router.sender import EventSender
from trio_sio.router.socket_handlers import SocketHandlers
from trio_sio.router.traced import TracedDispatcher, TracedInvoker
from trio_sio.statistics import SessionStatistics


class SocketOwner(Protocol):
    """The client that a socket belongs to.

    Attributes:
        id: the session id.
        session: the Engine.IO session (JS: `conn`).
        log: the client's own log; `None` unless that is enabled.
        order: the order of the client's events.
        dialect: the revision of the protocol that it speaks.
    """

    session: Session
    dialect: Dialect
    log: EventLog | None
    order: EventOrder

    @property
    def id(self) -> str:
        """The session id."""

    @property
    def sockets(self) -> Mapping[str, "Socket"]:
        """The client's sockets, by namespace, in the order they joined."""

    @property
    def conn(self) -> Session:
        """The session, by JavaScript's name."""

    @property
    def request(self) -> Request:
        """The handshake request."""

    def left(self, socket: "Socket") -> None:
        """Called when a socket begins to leave."""

    def disconnect(self) -> None:
        """Leave all namespaces and close the connection."""


class Phase(Enum):
    """Where a socket stands. It goes through these in order; a refused one is never connected."""

    JOINING = auto()
    CONNECTED = auto()
    ENDED = auto()


class Socket(Emitter, SocketHandlers, Addressee):
    """One client in one namespace.

    Args:
        client: the client.
        namespace: the namespace.
        auth: what the client said with the namespace's name.
        kept: what was kept of a former socket, or why nothing was; `None` if nobody asked.
        holder: who holds its pid; `None` for a new one.

    Attributes:
        id: of a 2.x client the session id, in a namespace other than "/" with the name before it:
            "/chat#…"; of others one of its own.
        client: the client, with its sockets in other namespaces.
        namespace: where it is (JS: `nsp`).
        data: the application's own; a dict that lives as long as the socket.
        handlers: those of this socket alone.
        deliver: sends one item of a broadcast; for the adapter.
        phase: where it stands.
        sender: the way to the client.
        inbox: the events that wait for the socket's task.
        background: the nursery, and what the router runs in it.
        invoker: calls the application's functions.
        dispatcher: handles the events.
    """

    def __init__(
        self,
        client: SocketOwner,
        namespace: JoinableNamespace["Socket"],
        auth: Auth,
        kept: Kept | None = None,
        holder: Holder | None = None,
    ) -> None:
        session, context = client.session, namespace.context
        former = kept if isinstance(kept, RecoverySession) else None
        if former is None:
            self.id = client.dialect.make_id(session.id, namespace.name)
        else:
            self.id = former.socket_id
        self.client = client
        self.namespace = namespace
        self.data: dict[str, Any] = {} if former is None else former.data
        self.handlers = HandlerTable()
        self.deliver = session.deliver
        self.phase = Phase.JOINING
        self.background = BackgroundTasks(context.options.max_inbox)
        acks = PendingAcks(session, context.options.max_pending_acks, self.background)
        self.sender = EventSender(session, namespace, acks, self)
        self.inbox = Inbox(context.options.max_inbox, client.order)
        make_tracer = context.tracing.make_tracer
        if make_tracer is None:
            self.invoker = Invoker(self, self.handlers, self.sender)
            self.dispatcher = Dispatcher(self.invoker, self.inbox, self.background, client.log)
        else:
            traced = TracedInvoker(self, self.handlers, self.sender, make_tracer(self))
            self.invoker = traced
            self.dispatcher = TracedDispatcher(traced, self.inbox, self.background, client.log)
        self._backlog: Backlog | None = None  # made when handlers have to hear of one
        self._handshake: Handshake | None = None
        self._auth = auth or None  # an empty table takes 64 bytes
        self._born = time.time()
        if namespace.recoveries is not None and client.dialect.can_recover:
            self.sender.allow_recovery(namespace.recoveries, kept, holder, self.id, self.end)

    def __repr__(self) -> str:
        name, sid = quoted(self.namespace.name), quoted(self.session.id, ID_CHARACTERS)
        return f"<Socket {sid} in {name}, {self.phase.name.lower()}>"

    # -- what it is ------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The Engine.IO session (JS: `conn`)."""
        return self.sender.session

    @property
    def conn(self) -> Session:
        """The session, by JavaScript's name."""
        return self.sender.session

    @property
    def _validates(self) -> bool:
        """Option `validate` of the server."""
        return self.namespace.context.options.validate

    @property
    def _watch(self) -> EventWatch:
        return self.namespace.watch

    @property
    def nsp(self) -> JoinableNamespace["Socket"]:
        """The namespace, by JavaScript's name."""
        return self.namespace

    @property
    def handshake(self) -> Handshake:
        """What is known from the handshake; put together when somebody asks for it."""
        if self._handshake is None:
            auth = self._auth or {}
            is_query = self.client.dialect.joins_root
            self._handshake = Handshake.of(self.request, auth, self._born, is_query=is_query)
        return self._handshake

    @property
    def protocol(self) -> int:
        """The revision of Socket.IO's protocol that the client speaks: 4 (2.x), or 5 (3.x, 4.x)."""
        return self.client.dialect.number

    @property
    def request(self) -> Request:
        """The handshake request; an upgrade does not change it."""
        return self.session.request

    @property
    def reason(self) -> DisconnectReason | None:
        """Why it left; `None` while it is here."""
        return self.sender.reason

    @property
    def detail(self) -> DisconnectDetail | None:
        """What is known about the end of its session; `None` if only the socket left, or nobody."""
        return self.session.detail

    def statistics(self) -> SessionStatistics:
        """Return what waits for the client, what was dropped, and when it was last seen."""
        self.namespace.home.check_while_serving("socket.statistics")
        return self.session.statistics()

    @property
    def connected(self) -> bool:
        """Whether it has been let in, and is here still."""
        return self.phase is Phase.CONNECTED

    @property
    def disconnected(self) -> bool:
        """The opposite of `connected` (JS)."""
        return not self.connected

    @property
    def recovered(self) -> bool:
        """Whether it is a former socket whose client has come back (JS: `recovered`).

        Its id, rooms and `data` are those of before, and the client gets the events that it missed.
        """
        return self.sender.recovery is not None and self.sender.recovery.recovered

    @property
    def recovery_failure(self) -> RecoveryFailure | None:
        """Why a client that asked for its former socket has a new one; `None` otherwise."""
        return None if self.sender.recovery is None else self.sender.recovery.failure

    # -- for the application ---------------------------------------------------------------

    @property
    def nursery(self) -> trio.Nursery:
        """For background work that belongs to this socket; it is cancelled when the socket ends.

        A task that raises closes the socket.
        """
        return self.background.nursery

    def use(self, function: Handler) -> Handler:
        """Register packet middleware (JS: `socket.use`); a decorator.

        The function gets each event's `Packet` (`packet.event`, `packet.args`). Returning
        another `Packet` changes the event, `None` leaves it, raising `PacketRefused` refuses it:
        the client gets an error, and no handler runs. Middleware that waits holds up the later
        events of this socket.
        """
        if not callable(function):
            raise TypeError(f"middleware must be callable, not {function!r}")
        self.dispatcher.use(function)
        return function

    @property
    def rooms(self) -> frozenset[Room]:
        """The rooms it is in: its own id, and those it joined. Empty once it has left."""
        return self.namespace.adapter.rooms_of(self.id)

    async def join(self, *rooms: Room) -> None:
        """Join rooms; when it returns, it holds. Nothing happens after the end (JS: `join`).

        Raises:
            LimitReached: it would be in more than `max_rooms`.
        """
        self.namespace.home.check("socket.join")
        try:
            check_rooms(rooms, self.rooms, self.namespace.context.options.max_rooms)
        except LimitReached as reached:
            self.session.count_limit(reached.option)
            raise
        if self.phase is Phase.ENDED or not rooms:
            await trio.lowlevel.checkpoint()
            return
        if self.client.log is not None:
            self.client.log.entered(self.namespace.name, rooms)
        await self.namespace.adapter.add_all(self.id, rooms)
        if self.phase is not Phase.CONNECTED and self.reason is not None:
            await self.namespace.adapter.remove_all(self.id)  # it left while the adapter waited

    async def leave(self, room: Room) -> None:
        """Leave a room; leaving one that it is not in is fine (JS: `leave`)."""
        self.namespace.home.check("socket.leave")
        await self.namespace.adapter.remove(self.id, room)

    async def disconnect(self, close: bool = False) -> None:
        """Leave (JS: `disconnect(close)`); "disconnect" handlers run soon after.

        Nothing happens if the socket has left already.

        Args:
            close: leave all namespaces and close the connection.
        """
        self.namespace.home.check("socket.disconnect")
        await trio.lowlevel.checkpoint()
        if self.reason is not None:
            return
        if close:
            self.client.disconnect()
        else:
            self.kick()

    # -- for the adapter -------------------------------------------------------------------

    def describe(self) -> SocketDetails:
        """Return what other servers are told of it."""
        return SocketDetails(self.id, self.handshake.as_json(), self.rooms, dict(self.data))

    # -- for the client --------------------------------------------------------------------

    async def acknowledge(self, ack_id: int | None, args: list[JSON]) -> None:
        """Take the client's answer to an event; a callback for it begins before this returns."""
        callback = self.sender.acks.resolve(ack_id, args)
        if callback is not None and self.background.is_open:
            run = self.invoker.run
            await self.background.begin_callback(run, callback, *args, name=callback)

    def change_backlog(self, is_behind: bool) -> None:
        """Tell the handlers, if there are any, that the client falls behind or has caught up."""
        if self._backlog is None:
            if not (is_behind and self.invoker.has_listeners(BACKLOG)):
                return
            self._backlog = Backlog(self.invoker, self.background)
        if self.background.is_serving and not self.is_over:
            self._backlog.change(is_behind)

    @property
    def is_idle(self) -> bool:
        """Whether no event waits or is handled, and no answer is waited for."""
        return self.inbox.is_idle and not self.sender.acks and not self.background.running

    async def wait_idle(self) -> None:
        """Wait until it is idle. (By the time this returns, it may be busy again.)"""
        await self.inbox.wait_idle()
        await self.sender.acks.wait_empty()
        await self.background.wait_done()

    # -- from its first step to its last ---------------------------------------------------

    def open(self, nursery: trio.Nursery) -> None:
        """Use a nursery for background work from now on."""
        self.background.open(nursery)
        if self.reason is not None:  # it ended before it began
            self._limit_end()

    def enter(self, *, is_told: bool = False) -> None:
        """Enter the namespace, and tell the client unless it has been told."""
        self.phase = Phase.CONNECTED
        self.namespace.add(self.id, self)
        pid = None if self.sender.recovery is None else self.sender.recovery.begin()
        if not is_told:
            self.sender.send_control(PacketType.CONNECT, self.client.dialect.opening(self.id, pid))

    def refuse(self, refusal: Refused) -> None:
        """Send an ERROR packet in place of the CONNECT packet, and end."""
        self.invoker.send_refusal(refusal, self.client.dialect)
        self.end(DisconnectReason.SERVER_NAMESPACE_DISCONNECT)

    def kick(self) -> None:
        """Tell the client that it has left this namespace, and end."""
        if self.phase is not Phase.ENDED and self.reason is None:
            self.sender.send_control(PacketType.DISCONNECT)
            self.end(DisconnectReason.SERVER_NAMESPACE_DISCONNECT)

    def end(self, reason: DisconnectReason) -> None:
        """Begin to end: receive and send no more events. Only the first call counts.

        Args:
            reason: what the handlers are told.
        """
        if self.reason is None:
            self.sender.close(reason)
            self.client.left(self)
            self.inbox.close()
            self._limit_end()

    def _limit_end(self) -> None:
        """Give handlers `grace` seconds; middleware of a client that left gets none."""
        if self.phase is Phase.CONNECTED:
            self.background.end_within(self.namespace.context.grace)
        elif self.reason is not DisconnectReason.SERVER_NAMESPACE_DISCONNECT:  # not refused by us
            self.background.cancel()

    def mark_ended(self) -> None:
        """Note that all handlers but those of "disconnect" have run."""
        self.phase = Phase.ENDED
