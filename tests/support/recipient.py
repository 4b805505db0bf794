"""Sockets without a client, as an adapter sees them, and what takes their answers."""

from collections.abc import Callable, Sequence

from trio_sio import DisconnectReason, LimitReached
from trio_sio.abc import AwaitedAnswer, SocketDetails
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.recovery.session import RecoverySession


class Bystander:
    """A recipient that keeps what it is given.

    Args:
        limit: answers that it may owe.
        can_take: whether it can take volatile events.

    Attributes:
        heard: the items.
        owed: answers, by the ids of the events.
        steps: what it was told to do.
        is_leaving: it answers no more.
    """

    def __init__(self, limit: int = 100, *, can_take: bool = True) -> None:
        self.heard: list[Encoded] = []
        self.owed: dict[int, AwaitedAnswer] = {}
        self.steps: list[object] = []
        self.is_leaving = False
        self._limit = limit
        self._can_take = can_take

    @property
    def recovery_session(self) -> RecoverySession | None:
        return None

    @property
    def is_over(self) -> bool:
        return False

    def deliver(self, item: Encoded) -> None:
        self.heard.append(item)

    def deliver_volatile(self, item: Encoded) -> object:
        if self._can_take:
            self.heard.append(item)
        return self._can_take

    async def join(self, *rooms: str) -> None:
        self.steps.append(("join", *rooms))
        if len(rooms) > self._limit:
            raise LimitReached("too many rooms", "max_rooms", self._limit)

    async def leave(self, room: str) -> None:
        self.steps.append(("leave", room))

    async def disconnect(self, close: bool = False) -> None:
        self.steps.append(("disconnect", close))

    def describe(self) -> SocketDetails:
        return SocketDetails("", {}, frozenset(), {})

    def notify_outgoing(self, event: str, args: Sequence[object]) -> None:
        self.steps.append(("notified", event, *args))

    def expect_answer(self, ack_id: int, awaited: AwaitedAnswer) -> bool:
        if len(self.owed) >= self._limit:
            raise LimitReached("it owes too much", "max_pending_acks", self._limit)
        if not self.is_leaving:
            self.owed[ack_id] = awaited
        return not self.is_leaving

    def forget_answer(self, ack_id: int) -> None:
        self.owed.pop(ack_id, None)

    def answer(self, *args: JSON) -> None:
        """Answer all that is owed."""
        self._settle(lambda awaited: awaited.fill([*args]))

    def go(self) -> None:
        """Leave, owing what is owed."""
        self.is_leaving = True
        self._settle(lambda awaited: awaited.close(DisconnectReason.TRANSPORT_CLOSE))

    def _settle(self, how: Callable[[AwaitedAnswer], None]) -> None:
        owed, self.owed = self.owed, {}
        for awaited in owed.values():
            how(awaited)


class Ledger:
    """Takes answers.

    Attributes:
        expected: who owes one.
        taken: the answers, by who gave them.
        lost: who will not answer.
    """

    timeout = 5.0

    def __init__(self) -> None:
        self.expected: list[str] = []
        self.taken: list[tuple[str, list[object]]] = []
        self.lost: list[str] = []

    def expect(self, *names: str) -> None:
        self.expected += names

    def take(self, name: str, args: list[JSON]) -> None:
        self.expected.remove(name)
        self.taken.append((name, [*args]))

    def drop(self, *names: str) -> None:
        for name in names:
            self.expected.remove(name)

    def give_up(self, *names: str) -> None:
        self.drop(*names)
        self.lost += names
