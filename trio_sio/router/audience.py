"""What a broadcast needs of the namespace that it is for, and what it gets from there."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager
from typing import Any, Protocol

from trio_sio.abc import (
    Adapter,
    AnswerCollector,
    Gathered,
    Room,
    SocketDetails,
    SocketId,
    Target,
)
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.router.handshake import Handshake
from trio_sio.sync import Home


class FetchedSocket(Protocol):
    """What a `Socket` of this server and a `RemoteSocket` of another one have in common.

    Attributes:
        id: its own, a room, too.
    """

    @property
    def id(self) -> SocketId: ...

    @property
    def handshake(self) -> Handshake:
        """What is known from the handshake."""

    @property
    def rooms(self) -> frozenset[Room]:
        """The rooms it is in."""

    @property
    def data(self) -> Mapping[str, Any]:
        """The application's own."""

    async def emit(self, event: str, /, *args: Any) -> None:  # noqa: ANN401 - JSON, or foreign
        """Send an event to its client."""

    async def call(
        self,
        event: str,
        /,
        *args: Any,  # noqa: ANN401 - as above
        timeout: float = ...,  # noqa: ASYNC109 - an answer is always bounded
    ) -> Any:  # noqa: ANN401 - whatever the client says
        """Send an event and wait for the client's answer, for so many seconds."""

    async def join(self, *rooms: Room) -> None:
        """Join rooms."""

    async def leave(self, room: Room) -> None:
        """Leave a room."""

    async def disconnect(self, close: bool = False) -> None:
        """Leave the namespace, or end the whole connection."""


class Part(Protocol):
    """A namespace that sockets join.

    Attributes:
        adapter: knows which sockets are in which room.
    """

    adapter: Adapter

    def acquire(self) -> None:
        """Stay until `let_go`, though everybody may leave."""

    def let_go(self) -> None:
        """Go, if nobody is here any more and it need not stay."""

    def represent(self, details: SocketDetails) -> FetchedSocket:
        """Return what stands for a socket of another server."""


@contextmanager
def held(parts: Sequence[Part]) -> Iterator[None]:
    """Have namespaces stay as long as this lasts: their adapters ask other servers, or will.

    Otherwise a dynamic namespace would lose a child, and the rest with it, when the last socket
    leaves that; and it could not disconnect its own sockets.
    """
    with ExitStack() as stack:
        for part in parts:
            part.acquire()
            stack.callback(part.let_go)
        yield


class Audience(Protocol):
    """The namespace, or the dynamic namespace, that a broadcast is for.

    Attributes:
        home: the Trio run in which the server serves.
    """

    home: Home

    async def publish(self, packet: Packet, target: Target) -> None:
        """Send to every socket that the target names."""

    def publish_nowait(self, packet: Packet, target: Target) -> None:
        """Do so without waiting; raises `trio.WouldBlock` if it would have to."""

    def ask(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AbstractAsyncContextManager[None]:
        """Send to every socket that the target names, and tell of answers as long as this lasts."""

    async def find_clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; without rooms, all sockets."""

    def parts(self) -> Sequence[Part]:
        """Return the namespace, or those that the dynamic one has made."""
