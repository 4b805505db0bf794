"""One client in one namespace (JS: `Socket`).

Its task runs the namespace's middleware, the "connection" handlers and then, one after the other,
the handlers of the events that the client sends. Events wait in a bounded inbox; when that is
full, the client's reader waits, and behind it the client.

The end, whoever brings it about: no more events come in, calls end with `Disconnected`, handlers
that are running get `grace` seconds, tasks in `nursery` are cancelled, "disconnecting" runs
while the rooms are still there, the rooms are left, "disconnect" runs.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import trio

from trio_sio.abc import Session
from trio_sio.disconnect import DisconnectDetail, DisconnectReason
from trio_sio.exceptions import Disconnected, LocalProtocolError
from trio_sio.failures import failed_leaves
from trio_sio.logs.shown import ID_CHARACTERS, quoted
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.handshake import Query
from trio_sio.protocol.socketio.packet import JSON, RESERVED_EVENTS, Packet, PacketType
from trio_sio.router.acks import PendingAcks
from trio_sio.router.broadcast import Flags, event_packet
from trio_sio.router.calls import Calls
from trio_sio.router.causes import function_name
from trio_sio.router.control import send_control
from trio_sio.router.departure import depart
from trio_sio.router.emitter import Emitter
from trio_sio.router.entrance import BROKEN, pass_middleware, welcome
from trio_sio.router.events import Events
from trio_sio.router.handlers import Handler, HandlerTable, Listens
from trio_sio.router.handshake import Handshake
from trio_sio.router.inbox import Inbox
from trio_sio.router.membership import Membership
from trio_sio.router.namespace import Namespace
from trio_sio.router.phase import Phase
from trio_sio.statistics import SessionStatistics

if TYPE_CHECKING:
    from trio_sio.router.backlog import Backlog
    from trio_sio.router.client import Client

logger = logging.getLogger("trio_sio.router")

_OF_OUR_DOING = frozenset(
    {DisconnectReason.SERVER_NAMESPACE_DISCONNECT, DisconnectReason.SERVER_SHUTTING_DOWN}
)
"""Ends after which events that still wait are not handled: nobody is there to hear them."""


class Socket(Emitter, Listens, Membership):
    """One client in one namespace.

    Attributes:
        id: the session id, in a namespace other than "/" with the name before it: "/chat#…".
        client: the client, with its sockets in other namespaces.
        session: the Engine.IO session (JS: `conn`).
        namespace: where it is (JS: `nsp`).
        deliver: sends one item of a broadcast (the adapter's door).
        data: the application's own; a dict that lives as long as the socket.
        inbox: the events that wait for the socket's task.
        events: handles them.
        reason: why it left, `None` while it is here.
    """

    def __init__(self, client: "Client", namespace: Namespace, query: Query) -> None:
        session = client.session
        self.id = session.id if namespace.name == "/" else f"{namespace.name}#{session.id}"
        self.client = client
        self.session: Session = session
        self.deliver: Callable[[Encoded], None] = session.deliver
        self.namespace = namespace
        self._handshake: Handshake | None = None
        self._query = query
        self._born = time.time()
        self.data: dict[str, Any] = {}
        self.handlers = HandlerTable()
        self.reason: DisconnectReason | None = None
        self.phase = Phase.JOINING
        self.calls = Calls(self)
        self.events = Events(self, client.router.max_inbox)
        limit = client.router.limits.max_pending_acks
        self.acks = PendingAcks(session, limit, self.events.beside)
        self._nursery: trio.Nursery | None = None
        self.inbox = Inbox(client.router.max_inbox, client.order)
        self._error: Exception | None = None
        self.after: trio.Event | None = None  # the departure that ours follows
        self.witnesses: Sequence[Socket] = ()  # whom our departure tells of an error first
        self.departed: trio.Event | None = None  # somebody follows ours
        self.gone: trio.Event | None = None  # somebody waits until the id is free
        self.backlog: Backlog | None = None  # nobody has to hear of one

    def __repr__(self) -> str:
        name, sid = quoted(self.namespace.name), quoted(self.session.id, ID_CHARACTERS)
        return f"<Socket {sid} in {name}, {self.phase.name.lower()}>"

    # -- what it is ------------------------------------------------------------------------

    @property
    def handshake(self) -> Handshake:
        """What is known from the handshake; put together when somebody asks for it."""
        if self._handshake is None:
            self._handshake = Handshake.of(self.session.request, self._query, self._born)
        return self._handshake

    @property
    def request(self) -> Any:  # noqa: ANN401 - the engine's Request, which this room cannot see
        """The handshake request; an upgrade does not change it."""
        return self.session.request

    @property
    def conn(self) -> Session:
        """The session, by JavaScript's name."""
        return self.session

    @property
    def nsp(self) -> Namespace:
        """The namespace, by JavaScript's name."""
        return self.namespace

    @property
    def detail(self) -> DisconnectDetail | None:
        """What is known about the end of its session; `None` if only the socket left, or nobody."""
        return self.session.detail

    def statistics(self) -> SessionStatistics:
        """Return what waits for the client, what was dropped, and when it was last seen."""
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
    def nursery(self) -> trio.Nursery:
        """For background work that belongs to this socket; it is cancelled when the socket ends.

        A task that raises closes the socket.
        """
        if self._nursery is None:
            raise RuntimeError("the socket's nursery is open from its middleware to its end")
        return self._nursery

    @property
    def is_serving(self) -> bool:
        """Whether tasks can begin in the nursery, and are wanted there."""
        nursery = self._nursery
        return not (nursery is None or nursery.cancel_scope.cancel_called or self.is_over)

    def use(self, function: Handler) -> Handler:
        """Register packet middleware (JS: `socket.use`); a decorator.

        The function gets each event's `Packet` (`packet.event`, `packet.args`). Returning
        another `Packet` changes the event, `None` leaves it, raising `PacketRefused` refuses it:
        the client gets an error, and no handler runs. Middleware that waits holds up the later
        events of this socket.
        """
        if not callable(function):
            raise TypeError(f"middleware must be callable, not {function!r}")
        self.events.middleware += (function,)
        return function

    # -- sending ---------------------------------------------------------------------------

    def _sender(self) -> "Socket":
        return self

    def encode(
        self, event: str, args: tuple[object, ...], flags: Flags, ack_id: int | None
    ) -> Encoded:
        """Return an event as an item for the session."""
        namespace = self.namespace
        packet = event_packet(event, args, RESERVED_EVENTS, namespace.name, ack_id)
        namespace.counters.events_out += 1
        return namespace.encode(packet, flags)

    @property
    def is_over(self) -> bool:
        """Whether the socket has left, or is about to learn that its session has ended."""
        return self.reason is not None or self.session.closed

    def check_open(self) -> None:
        """Raise `Disconnected` if the socket has left."""
        if self.reason is not None:
            raise Disconnected(self.reason)

    def deliver_volatile(self, item: Encoded) -> object:
        """Send one item of a volatile broadcast, if it can leave now (the adapter's door)."""
        return self.session.send_volatile(item)

    async def run_callback(self, function: Callable[..., object], args: Sequence[object]) -> None:
        """Call a function with the answer to an emit, in the socket's nursery; it begins here."""
        if self._nursery is not None:
            run = self.calls.run
            await self.events.beside.begin_callback(
                self._nursery, run, function, *args, name=function
            )

    def _send_control(self, kind: PacketType, data: JSON = None) -> None:
        """Send a packet of the protocol's own, about this namespace."""
        packet = Packet(kind, self.namespace.name, data)
        send_control(self.session, self.namespace.encoder, packet)

    async def disconnect(self, close: bool = False) -> None:
        """Leave (JS: `disconnect(close)`); "disconnect" handlers run soon after.

        Nothing happens if the socket has left already.

        Args:
            close: leave all namespaces and close the connection.
        """
        await trio.lowlevel.checkpoint()
        if self.reason is not None:
            return
        if close:
            self.client.disconnect()
        else:
            self.kick()

    def kick(self) -> None:
        """Tell the client that it has to leave this namespace, and end."""
        if self.phase is not Phase.ENDED and self.reason is None:
            self._send_control(PacketType.DISCONNECT)
            self.end(DisconnectReason.SERVER_NAMESPACE_DISCONNECT)

    # -- life ------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live: be let in, handle events, end."""
        failed: BaseException | None = None
        try:
            async with trio.open_nursery() as self._nursery:
                if self.reason is not None:  # it ended before it began
                    self._limit_end(self._nursery)
                await self._live()
                self._nursery.cancel_scope.cancel()
            if not self.is_over:
                self._cut_short()
        except* Disconnected as gone:
            if not self.is_over:
                failed = gone
                self._log_task_failure(gone)
        except* failed_leaves() as errors:
            failed = errors
            self._log_task_failure(errors)
        finally:
            self._nursery = None
            self.end(self.session.reason or DisconnectReason.SERVER_SHUTTING_DOWN)
            error, self._error = self._error, None
            self.inbox.clear()
            await depart(self, error)
        try:
            if failed is not None and self.session.raise_errors:
                raise failed
        finally:
            del failed  # its traceback holds us

    def _log_task_failure(self, errors: BaseException) -> None:
        """A task in the nursery failed, or a handler whose error is to be raised: we close."""
        if not self.session.raise_errors:
            log = self.client.router.log
            log.fail(logger, errors, "%r: a task in its nursery failed", self)
        self._cut_short()

    def _cut_short(self) -> None:
        """Tell the client that it is over here: a task failed, or its nursery was cancelled."""
        if self.phase is Phase.CONNECTED:
            self.kick()
        elif self.reason is None:
            self.refuse(BROKEN)

    async def _live(self) -> None:
        inbox = self.inbox
        await inbox.wait_turn()
        inbox.order.pass_on(inbox)  # what comes first begins now
        if self.phase is Phase.JOINING and not await pass_middleware(self):
            return
        if not await welcome(self):
            return
        while (packet := await inbox.get()) is not None:
            if self.reason in _OF_OUR_DOING:
                inbox.clear()
                return
            await self.events.handle(packet)
            del packet  # or it stays until the next one comes

    def enter(self) -> None:
        """Be in: its own room holds it, and the client is told."""
        if self.reason is None:
            self.phase = Phase.CONNECTED
            self.namespace.sockets[self.id] = self
            self._send_control(PacketType.CONNECT)
            self.client.joined(self)

    def refuse(self, answer: JSON) -> None:
        """Send an ERROR packet in place of the CONNECT packet, and end."""
        self.send_error(answer)
        self.end(DisconnectReason.SERVER_NAMESPACE_DISCONNECT)

    def send_error(self, answer: JSON) -> None:
        """Send an ERROR packet."""
        try:
            self._send_control(PacketType.ERROR, answer)
        except LocalProtocolError as error:  # data that JSON has no word for
            line = "%r: the data of a refusal %s"
            self.client.router.log.tell(logger, logging.ERROR, "refusal", line, self, error)
            self._send_control(PacketType.ERROR, BROKEN)

    def doing(self) -> str:
        """Say which of the application's functions was called last, for whom; `""` for none."""
        latest = self.events.latest
        return "" if latest is None else f"{function_name(latest)} for {self!r}"

    # -- the end ---------------------------------------------------------------------------

    def end(self, reason: DisconnectReason, error: Exception | None = None) -> None:
        """Begin to end; the first reason wins.

        Args:
            reason: for the handlers.
            error: what "error" handlers are to be told before: a packet that broke the protocol.
        """
        if self.reason is not None:
            return
        self.reason = reason
        self._error = error
        self.client.left(self)
        self.acks.close(reason)
        self.inbox.close()
        if self._nursery is not None:
            self._limit_end(self._nursery)

    def _limit_end(self, nursery: trio.Nursery) -> None:
        """Give handlers `grace` seconds; middleware of a client that left gets none."""
        if self.phase is Phase.CONNECTED:
            nursery.cancel_scope.deadline = trio.current_time() + self.client.router.grace
        elif self.reason is not DisconnectReason.SERVER_NAMESPACE_DISCONNECT:  # not refused by us
            nursery.cancel_scope.cancel()

    def mark_ended(self) -> None:
        """The last handlers but one have run."""
        self.phase = Phase.ENDED
