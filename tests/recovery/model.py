"""What clients ought to get back, told naively: a list of what is meant for each, and no log."""

from dataclasses import dataclass, field
from typing import NamedTuple

from trio_sio.recovery.session import RecoverySession


class Event(NamedTuple):
    """What was sent, as its sender sees it."""

    namespace: str
    rooms: frozenset[str] = frozenset()
    excepted: frozenset[str] = frozenset()
    sender: str | None = None


class Sent(NamedTuple):
    """An event on its way; without a position it is a volatile one."""

    position: int | None
    offset: str


@dataclass
class ModelClient:
    """One client.

    Attributes:
        session: what the store knows of it.
        rooms: in which it is, as far as the server knows.
        due: the positions of all events that were meant for it, in their order.
        got: how many of these have arrived.
        offset: what it would say when it comes back.
        had: the position that this stands for.
        handed: the position of the last event that was handed to its connection.
        left: the newest position when it left.
        deadline: until when it may come back.
        is_lost: whether its connection is gone, and the socket still here.
        broken: the position before the first event that was meant for it since then.
        transit: what is on its way to it.
    """

    session: RecoverySession
    rooms: set[str]
    had: int
    state: str = "here"
    due: list[int] = field(default_factory=list)
    got: int = 0
    offset: str | None = None
    handed: int = 0
    left: int = 0
    deadline: float = 0.0
    is_lost: bool = False
    broken: int | None = None
    transit: list[Sent] = field(default_factory=list)

    def is_meant(self, event: Event) -> bool:
        """Whether an event is for it at this moment."""
        if event.namespace != self.session.namespace or event.sender == self.session.socket_id:
            return False
        if self.rooms & event.excepted:
            return False
        return not event.rooms or bool(self.rooms & event.rooms)

    def hand(self, sent: Sent) -> None:
        """Hand an event to its connection."""
        self.transit.append(sent)
        if sent.position is not None:
            self.handed = max(self.handed, sent.position)

    def receive(self) -> None:
        """Receive the next event; what is meant for it comes once, and in order."""
        position, self.offset = self.transit.pop(0)
        if position is not None:
            assert position == self.due[self.got]
            self.got += 1
        self.had = int(self.offset.rpartition(".")[2])

    @property
    def missed(self) -> list[int]:
        """What has not arrived."""
        return self.due[self.got :]

    @property
    def safe(self) -> int:
        """Up to which position it has certainly missed nothing."""
        return max(self.had, self.left) if self.had >= self.handed else self.had
