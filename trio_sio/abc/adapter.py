"""`Adapter`: which socket is in which room, and how a broadcast reaches it.

The values and the interfaces between an adapter, the namespace it belongs to and the server. An
adapter of another author needs these and `trio_sio.protocol` alone.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import trio

from trio_sio.abc.gathered import (
    AnswerCollector,
    Gathered,
    GatheredList,
    SocketDetails,
)
from trio_sio.abc.recipient import EventWatch, Recipient, Room, SocketId
from trio_sio.logs.throttle import LogThrottle
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.recovery.store import RecoveryStore
from trio_sio.statistics import AdapterStatistics, NamespaceCounters
from trio_sio.sync import Home


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


class AdapterNamespace(Protocol):
    """A namespace, as its adapter sees it.

    Attributes:
        name: such as "/chat".
        counters: what is counted of it; the adapter adds the events it sends to `events_out`.
        home: the Trio run in which the server serves.
        watch: whether recipients have to be told of events.
    """

    name: str
    counters: NamespaceCounters
    home: Home
    watch: EventWatch

    @property
    def connected(self) -> Mapping[SocketId, Recipient]:
        """The sockets of this server that are in the namespace, by id."""

    @property
    def recovery(self) -> RecoveryStore[Encoded] | None:
        """Where events and sessions may be kept for clients that come back.

        `None` if the option `connection_state_recovery` is off.
        """

    @property
    def json_default(self) -> Callable[[object], object] | None:
        """The option of that name, for custom requests; what `broadcast` gets has been replaced."""

    def next_ack_id(self) -> int:
        """Return an id for an event that asks for answers: no other of the namespace has had it."""

    async def hear_server(self, args: Sequence[JSON], answer: "AnswerServer | None") -> None:
        """Call the handlers of an event of another server, and raise what they raise.

        Args:
            args: the event's name and its arguments.
            answer: takes the answer, once at most; `None` if nobody wants it.
        """

    def encode(self, packet: Packet, flags: Flags, *, droppable: bool) -> Encoded:
        """Encode a packet once for all its recipients.

        Args:
            packet: the packet, with this namespace's name.
            flags: how it is sent.
            droppable: the overflow policy may drop it, as it may every event of a broadcast.

        Raises:
            LocalProtocolError: it cannot be encoded.
        """


AnswerServer = Callable[[JSON], Awaitable[None]]
"""Sends an answer to another server; raises `LocalProtocolError` if it cannot be sent."""

CustomHook = Callable[[JSON], object]
"""`(data) -> reply`, sync or async: what a server answers to a custom request."""

HookT = TypeVar("HookT", bound=CustomHook)


class Adapter(Protocol):
    """The rooms of one namespace (JS: socket.io-adapter 1.1, socket.io-redis 5.4).

    The option `adapter` makes one for each namespace: it is called with an `AdapterNamespace`. One
    that lacks a method serves all but what needs it.

    Most methods are async because an adapter may have to ask other servers. An error that one
    raises goes to whoever called it: a socket that could not join a room stays connected.
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

    def broadcast_nowait(self, packet: Packet, target: Target) -> None:
        """Do what `broadcast` does, unless it would have to wait; `io.emit_nowait` calls it.

        Events of both arrive in the order in which they were sent. An adapter that has no such
        method serves all but `emit_nowait`; so does a subclass that overrides `broadcast` alone.

        Args:
            packet: as of `broadcast`.
            target: as of `broadcast`.

        Raises:
            trio.WouldBlock: it would have to wait; nobody gets the event.
            LocalProtocolError: the event cannot be encoded.
        """

    def broadcast_with_ack(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AbstractAsyncContextManager[None]:
        """Send an event to every socket that the target names, and have each of them answer it.

            async with adapter.broadcast_with_ack(packet, target, answers):
                ...  # meanwhile `answers` is told who is asked, who answers and who has left

        At the beginning the event is sent. At the end what has not been answered is forgotten; the
        adapter itself does not look at the time. With `volatile`, sockets that are skipped are not
        asked.

        Args:
            packet: the event; its namespace and its id are to be replaced.
            target: which sockets get it, and how it is sent.
            answers: is told.

        Raises:
            LocalProtocolError: the event cannot be encoded; nobody is asked.
        """

    async def clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; without rooms, all sockets."""

    async def fetch_sockets(self, target: Target) -> GatheredList[Recipient | SocketDetails]:
        """Return the sockets that a target names; of other servers, what these tell of them.

        Args:
            target: with the flag `local`, other servers are not asked.
        """

    async def add_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names join rooms (JS: `addSockets`).

        Raises:
            LimitReached: one of this server's would be in more than `max_rooms`; the others have
                joined.
            NoAnswer: some server did not answer.
        """

    async def remove_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names leave rooms (JS: `delSockets`).

        Raises:
            NoAnswer: as `add_sockets`.
        """

    async def disconnect_sockets(self, target: Target, close: bool = False) -> None:
        """Have the sockets that a target names leave the namespace (JS: `disconnectSockets`).

        Args:
            target: which sockets.
            close: end their whole connections.

        Raises:
            NoAnswer: as `add_sockets`.
        """

    async def server_count(self) -> int:
        """Return how many servers have the namespace, this one among them."""

    async def server_side_emit(self, args: Sequence[JSON]) -> None:
        """Send an event to the other servers that have the namespace (JS: `serverSideEmit`).

        Args:
            args: the event's name and its arguments.

        Raises:
            LocalProtocolError: an argument cannot be sent.
        """

    async def server_side_call(self, args: Sequence[JSON], seconds: float) -> list[JSON]:
        """Send an event to the other servers, and return what they answer, as it has arrived.

        Args:
            args: the event's name and its arguments.
            seconds: how long they have.

        Raises:
            NoAnswer: some server did not answer; `replies` has what has arrived.
            LocalProtocolError: an argument cannot be sent.
        """

    async def client_rooms(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket, of any server."""

    def rooms_of(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket of this server."""

    async def all_rooms(self) -> Gathered[Room]:
        """Return the rooms of all servers; sockets' own are among them (JS: `allRooms`)."""

    async def remote_join(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of any server join a room (JS: `remoteJoin`).

        Raises:
            NoAnswer: no server has the socket, or the one that has it did not answer.
        """

    async def remote_leave(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of any server leave a room (JS: `remoteLeave`).

        Raises:
            NoAnswer: as `remote_join`.
        """

    async def remote_disconnect(self, socket_id: SocketId, close: bool = False) -> None:
        """Have a socket of any server leave the namespace (JS: `remoteDisconnect`).

        Args:
            socket_id: the socket.
            close: end its whole connection.

        Raises:
            NoAnswer: as `remote_join`.
        """

    async def custom_request(self, data: JSON = None) -> list[JSON]:
        """Ask every server, this one too, and return their replies (JS: `customRequest`).

        Args:
            data: what their hooks are given.

        Raises:
            NoAnswer: some server did not answer; `replies` has what has arrived.
        """

    def on_custom_request(self, function: HookT) -> HookT:
        """Register what answers custom requests; a decorator (JS: `customHook`).

        There is one for each namespace and server; without one, the reply is `None`.
        """

    def close(self) -> None:
        """Forget the namespace: it is dropped, and its last socket has left."""


class AdapterHost(Protocol):
    """The server, as a factory of adapters sees it.

    Attributes:
        log: the server's log, which tells of repetitions with a count.
    """

    @property
    def log(self) -> LogThrottle: ...

    def report(self, error: BaseException, line: str, *args: object) -> None:
        """Deal with what a function of the application raised: log it, as every other failure.

        Args:
            error: what it raised.
            line: says which function failed, as for `logging`.
            *args: the line's arguments.

        Raises:
            BaseException: the error, if the server's `raise_errors` is on, or if it has to go on
                out, as `KeyboardInterrupt`.
        """


@runtime_checkable
class AdapterService(Protocol):
    """A factory of adapters that has tasks of its own, for the option `adapter`.

    The server runs it for as long as it serves: `run` has started before the first client comes,
    and goes on until the last one has left. A failure of `run` is logged and counted, and `run` is
    called again after a while; the server goes on.
    """

    def __call__(self, namespace: AdapterNamespace) -> Adapter:
        """Make the adapter of one namespace."""

    async def run(
        self,
        host: AdapterHost,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run until cancelled.

        Args:
            host: the server.
            task_status: to be told when clients may come.
        """

    async def aclose(self) -> None:
        """Send what is queued: the last client has left. It is cut off after 0.25 seconds."""

    def statistics(self) -> AdapterStatistics:
        """Return the adapters' state, and what they have counted."""
