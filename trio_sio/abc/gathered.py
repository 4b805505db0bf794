"""What is put together from several servers, or from several sockets."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.socketio.packet import JSON

T = TypeVar("T")


class Gathered(set[T], Generic[T]):
    """What the servers of a cluster have answered, put together; a set.

    Args:
        items: what has arrived.
        missing: the servers that have not answered in time.

    Attributes:
        missing: the same, as names for people; empty if all have answered.
    """

    def __init__(self, items: Iterable[T] = (), missing: Collection[str] = ()) -> None:
        super().__init__(items)
        self.missing = tuple(missing)

    @property
    def complete(self) -> bool:
        """Whether every server has answered."""
        return not self.missing


class GatheredList(list[T], Generic[T]):
    """As `Gathered`, a list.

    Args:
        items: what has arrived.
        missing: the servers that have not answered in time, and the ids of sockets of which
            nothing but these is known.

    Attributes:
        missing: the same; empty if all have answered.
    """

    def __init__(self, items: Iterable[T] = (), missing: Collection[str] = ()) -> None:
        super().__init__(items)
        self.missing = tuple(missing)

    @property
    def complete(self) -> bool:
        """Whether every server has answered."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class SocketDetails:
    """What one server tells another of a socket (JS: `RemoteSocket`).

    Attributes:
        id: the socket's.
        handshake: the nine members of JavaScript's `socket.handshake`.
        rooms: those it is in, its own among them.
        data: the application's `socket.data`; an adapter leaves out what it cannot send.
    """

    id: str
    handshake: Mapping[str, JSON]
    rooms: frozenset[str]
    data: Mapping[str, object]


class AwaitedAnswer:
    """One answer that a socket's client owes."""

    __slots__ = ()

    def fill(self, args: list[JSON]) -> None:
        """Take the answer's arguments; it is called once at most, and must not raise."""
        raise NotImplementedError

    def close(self, reason: DisconnectReason | None) -> None:
        """Take note that there will be no answer, as the socket has left."""
        raise NotImplementedError


class AnswerCollector(Protocol):
    """Takes what sockets answer to one event; whoever sends that event makes it.

    An adapter calls it, which must not raise. Sockets and servers that owe something have names:
    a socket its id, a server what people call it. A name may be expected several times.

    Attributes:
        timeout: seconds for which whoever has sent the event waits, from the beginning on. Another
            server that asks its sockets for this one can forget them then.
    """

    @property
    def timeout(self) -> float: ...

    def expect(self, *names: str) -> None:
        """Wait for an answer of each of these, until `take`, `drop` or `give_up`.

        A server is expected until it has said which of its sockets it has asked; then these are
        expected, and it is dropped.
        """

    def take(self, name: str, args: list[JSON]) -> None:
        """Take the arguments of an answer; one that is not expected is ignored."""

    def drop(self, *names: str) -> None:
        """Wait no longer for sockets that have left, or servers that have spoken."""

    def give_up(self, *names: str) -> None:
        """Wait no longer for these: they are missing, as they cannot answer."""
