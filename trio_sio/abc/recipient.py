"""A socket, as an adapter sees it."""

from collections.abc import Sequence
from typing import Protocol

from trio_sio.abc.gathered import AwaitedAnswer, SocketDetails
from trio_sio.protocol.encoded import Encoded
from trio_sio.recovery.session import RecoverySession

Room = str
SocketId = str


class EventWatch:
    """Whether a server's application has any handlers of every event; one for each server.

    Attributes:
        incoming: whether it had any of those that clients send.
        outgoing: whether it had any of those that are sent to clients.
    """

    __slots__ = ("incoming", "outgoing")

    def __init__(self) -> None:
        self.incoming = False
        self.outgoing = False

    def watch_incoming(self) -> None:
        """Look for such handlers at each event of a client, from now on."""
        self.incoming = True

    def watch_outgoing(self) -> None:
        """Look for such handlers at each event for a client, from now on."""
        self.outgoing = True


class Recipient(Protocol):
    """A socket, as an adapter sees it."""

    @property
    def recovery_session(self) -> RecoverySession | None:
        """What is kept for its client, which is told offsets; `None` if it cannot come back."""

    @property
    def is_over(self) -> bool:
        """Whether its connection is gone, or it has left."""

    def deliver(self, item: Encoded) -> None:
        """Send without waiting; a full outbox is dealt with as `on_overflow` says."""

    def deliver_volatile(self, item: Encoded) -> object:
        """Send if the item can leave now, otherwise drop it."""

    async def join(self, *rooms: Room) -> None:
        """Join rooms.

        Raises:
            LimitReached: it would be in more than `max_rooms`.
        """

    async def leave(self, room: Room) -> None:
        """Leave a room; leaving one that it is not in is fine."""

    async def disconnect(self, close: bool = False) -> None:
        """Leave the namespace, or with `close` end the whole connection."""

    def describe(self) -> SocketDetails:
        """Return what other servers are told of the socket."""

    def notify_outgoing(self, event: str, args: Sequence[object]) -> None:
        """Tell handlers of an event that is sent to it; called if `watch.outgoing` says so.

        Args:
            event: its name.
            args: its arguments.
        """

    def expect_answer(self, ack_id: int, awaited: AwaitedAnswer) -> bool:
        """Give the answer to an event of this id to `awaited`, or tell it that the socket leaves.

        Returns:
            Whether there can be an answer: the socket may be leaving.

        Raises:
            LimitReached: the client owes `max_pending_acks` answers.
        """

    def forget_answer(self, ack_id: int) -> None:
        """Nobody waits for the answer to this event any more."""
