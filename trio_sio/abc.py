"""The interfaces between the parts of the package, some of which applications may implement.

Transport   how a session's packets travel: polling, WebSocket, memory
Session     one Engine.IO client; all that the router asks of the engine
Adapter     which socket is in which room, and how a broadcast reaches it
Parser      encodes packets and decodes messages

An adapter of another author needs this module and `trio_sio.protocol` alone.
"""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import trio

from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation
from trio_sio.http import Request
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.protocol.socketio.parser import (
    BoundedDecoder as BoundedDecoder,
    PacketDecoder as PacketDecoder,
    PacketEncoder as PacketEncoder,
    Parser as Parser,
)
from trio_sio.statistics import Counters, SessionStatistics

Room = str
SocketId = str


class TransportClosed(Exception):
    """A transport has no more packets. The engine handles it; nobody else sees it.

    Attributes:
        reason: the reason for the end of the session.
        code: the WebSocket close code to answer with, if any.
        why: further details.
    """

    def __init__(
        self, reason: DisconnectReason, code: int | None = None, why: Explanation | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.why = why


class OutgoingQueue(Protocol):
    """The outbox of a session, as far as its transport is concerned."""

    def take(self, limit: int) -> list[Encoded]:
        """Return queued items in their order: one at least, further ones up to `limit` bytes."""

    def send_control(self, item: Encoded) -> None:
        """Send or queue one of the engine's own packets, even if the outbox is full."""

    def flush(self) -> None:
        """Send what is queued, as far as that can be done without waiting."""


class Transport(Protocol):
    """How the packets of one session travel.

    Attributes:
        name: "polling" or "websocket".
        writable: whether a batch could leave at this moment; what `volatile` asks.
        direct: whether `send_nowait` may be called at this moment.
        unsent: whether bytes that `send_nowait` took still wait for the kernel; `send` is due.
    """

    @property
    def name(self) -> str: ...
    @property
    def writable(self) -> bool: ...
    @property
    def direct(self) -> bool: ...
    @property
    def unsent(self) -> bool: ...

    def attach(self, outbox: OutgoingQueue) -> None:
        """Belong to a session from now on.

        Args:
            outbox: the session's, which sends by this transport.
        """

    async def receive(self) -> EnginePacket:
        """Return the client's next packet.

        Raises:
            RemoteProtocolError: it could not be decoded.
            TransportClosed: there is none, and why.
        """

    async def wait_heard(self) -> None:
        """Return when everything that the client has sent is received: `receive` waits, and no
        packet has arrived in part; or when there will be nothing more."""

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        """Send without waiting (the direct path); needs `direct`, may set `unsent`."""

    async def send(self, items: Sequence[Encoded]) -> None:
        """Send what is unsent, then `items`, however long that takes; for the writer task.

        Raises:
            trio.BrokenResourceError: the peer is gone.
        """

    def is_gone(self, now: float, silence_limit: float) -> bool:
        """Whether the client has left, as far as can be told while nobody receives.

        Args:
            now: the time (`trio.current_time()`).
            silence_limit: seconds for which a client without a request under way may be silent.
        """

    def lift_limits(self) -> None:
        """Apply the full limits from now on: the client has joined a namespace."""

    def end_requests(self, *, orderly: bool) -> None:
        """End the requests that are no longer needed: the session has just ended.

        Args:
            orderly: what was queued before the end is being sent, and may still arrive.
        """

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Tell the client that the session is over, and end; the queue is empty.

        Args:
            by_client: the client itself ended the session.
            orderly: the server ended it, and the client may still fetch that.
        """

    def abandon(self) -> None:
        """End at once: the session has moved to another transport, or its time is up."""

    async def aclose(self) -> None:
        """Close the connection that belongs to the session alone, if there is one: it is over."""


class Timer(Protocol):
    """A function that will be called at a certain time."""

    def cancel(self) -> None:
        """Cancel the call."""


class Timers(Protocol):
    """Calls functions at certain times."""

    def call_at(self, deadline: float, function: Callable[[], object]) -> Timer:
        """Have a function called once.

        Args:
            deadline: when, by `trio.current_time()`.
            function: must neither wait nor raise.
        """


class Waiter(Protocol):
    """An item that waits for room in an outbox."""

    async def wait(self) -> None:
        """Return when the item is in the outbox; a task that is cancelled withdraws it.

        Raises:
            Disconnected: the session has ended first.
        """

    def withdraw(self) -> None:
        """Stop waiting, if the item still does; no task may be in `wait`."""


class Session(Protocol):
    """One Engine.IO session (JS: `conn`), as the router sees it.

    Attributes:
        id: the session id.
        request: the handshake request.
        raise_errors: errors of handlers are raised, and not only logged.
    """

    id: str
    request: Request
    raise_errors: bool

    @property
    def timers(self) -> Timers:
        """Calls functions at certain times, for this session among others."""

    @property
    def nursery(self) -> trio.Nursery:
        """For the tasks of this client; they may outlive `receive`."""

    @property
    def closed(self) -> bool:
        """Whether the session takes no more messages."""

    @property
    def reason(self) -> DisconnectReason | None:
        """Why it ended; `None` while it is open."""

    @property
    def detail(self) -> DisconnectDetail | None:
        """What is known about its end; `None` while it is open."""

    def explain(self, why: Explanation) -> None:
        """Record why the session is about to end; the first explanation counts."""

    @property
    def writable(self) -> bool:
        """Whether something sent now would leave at once; what `volatile` asks."""

    async def receive(self) -> str | bytes:
        """Return the client's next message.

        Raises:
            Disconnected: the session has ended.
        """

    async def wait_heard(self) -> None:
        """Return when `receive` waits, and nothing that the client has sent has arrived in part."""

    @property
    def send(self) -> Callable[[Encoded], Coroutine[Any, Any, None]]:
        """Send, waiting for room in the outbox; to be awaited.

        Raises:
            Disconnected: the session has ended, or ends meanwhile.
        """

    def send_nowait(self, item: Encoded) -> None:
        """Send without waiting.

        Raises:
            trio.WouldBlock: the outbox is full, or others wait for room in it.
            Disconnected: the session has ended.
        """

    @property
    def enqueue(self) -> Callable[[Encoded], Waiter | None]:
        """Send, or wait for room in the outbox behind those who wait already.

        The function returns `None` if the item was sent, otherwise what waits with it, and raises
        `Disconnected` if the session has ended.
        """

    @property
    def deliver(self) -> Callable[[Encoded], None]:
        """Send an item of a broadcast; at a full outbox the overflow policy decides."""

    def send_volatile(self, item: Encoded) -> bool:
        """Send if the item can leave at once, otherwise drop it; return whether it left."""

    def statistics(self) -> SessionStatistics:
        """Return what is queued, what was dropped, and when the client was last seen."""

    def on_backlog(self, function: Callable[[bool], object]) -> None:
        """Have a function called when the client falls behind (True) or has caught up (False)."""

    def count_limit(self, option: str) -> None:
        """Count that a limit was reached without ending the session."""

    def lift_limits(self) -> None:
        """Apply the full limits from now on: the client has joined a namespace."""

    def close(self, reason: DisconnectReason = DisconnectReason.FORCED_CLOSE) -> None:
        """End the session after what is queued has been sent."""

    def abort(self, reason: DisconnectReason) -> None:
        """End the session now; what is queued is dropped."""

    async def wait_closed(self) -> None:
        """Return when the session has ended and its client has been told."""


@dataclass(frozen=True, slots=True)
class Flags:
    """How an event is sent.

    Attributes:
        volatile: skip clients that cannot take it at this moment.
        local: send to the clients of this server only.
        compress: transports may compress it.
        binary: look for binary values; `False` writes them as JavaScript's Buffer in JSON.
        on_overflow: what happens at a full outbox; `""` for what the option says.
    """

    volatile: bool = False
    local: bool = False
    compress: bool = True
    binary: bool = True
    on_overflow: str = ""


NO_FLAGS = Flags()


@dataclass(frozen=True, slots=True)
class Target:
    """Which sockets of a namespace a broadcast is sent to, and how.

    Attributes:
        rooms: sockets in any of these rooms; all sockets, if there are none.
        excepted: but no socket in any of these rooms.
        sender: nor this socket.
        flags: how it is sent.
    """

    rooms: frozenset[Room] = frozenset()
    excepted: frozenset[Room] = frozenset()
    sender: SocketId | None = None
    flags: Flags = NO_FLAGS


class Recipient(Protocol):
    """A socket, as an adapter sees it."""

    def deliver(self, item: Encoded) -> None:
        """Send without waiting; a full outbox is dealt with as `on_overflow` says."""

    def deliver_volatile(self, item: Encoded) -> object:
        """Send if the item can leave now, otherwise drop it."""


class AdapterNamespace(Protocol):
    """A namespace, as its adapter sees it.

    Attributes:
        name: such as "/chat".
        counters: what the server counts; the adapter adds the events it sends to `events_out`.
    """

    name: str
    counters: Counters

    @property
    def connected(self) -> Mapping[SocketId, Recipient]:
        """The sockets of this server that are in the namespace, by id."""

    def encode(self, packet: Packet, flags: Flags, *, droppable: bool) -> Encoded:
        """Encode a packet once for all its recipients.

        Args:
            packet: the packet, with this namespace's name.
            flags: how it is sent.
            droppable: the overflow policy may drop it, as it may every event of a broadcast.

        Raises:
            LocalProtocolError: it cannot be encoded.
        """


class Adapter(Protocol):
    """The rooms of one namespace (JS: socket.io-adapter 1.1).

    The option `adapter` makes one for each namespace: it is called with an `AdapterNamespace`.
    Most methods are async because an adapter may have to ask other servers.
    """

    async def add_all(self, socket_id: SocketId, rooms: Collection[Room]) -> None:
        """Put a socket into rooms; being in one of them already is not an error."""

    async def remove(self, socket_id: SocketId, room: Room) -> None:
        """Take a socket out of a room; not being in it is not an error."""

    async def remove_all(self, socket_id: SocketId) -> None:
        """Take a socket out of all its rooms: it leaves the namespace."""

    async def broadcast(self, packet: Packet, target: Target) -> None:
        """Send an event to every socket that the target names.

        Args:
            packet: the event; its namespace is to be replaced by that of the adapter.
            target: which sockets get it, and how it is sent.

        Raises:
            LocalProtocolError: the event cannot be encoded.
        """

    async def clients(self, rooms: Collection[Room]) -> set[SocketId]:
        """Return the sockets that are in any of the rooms; without rooms, all sockets."""

    async def client_rooms(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket, of any server."""

    def rooms_of(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket of this server."""
