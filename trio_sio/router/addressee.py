"""A socket as an adapter sees it: what it sends to, and asks for answers."""

from collections.abc import Sequence

from trio_sio.abc import AwaitedAnswer, Session
from trio_sio.protocol.encoded import Encoded
from trio_sio.recovery.session import RecoverySession
from trio_sio.router.any_outgoing import tell_outgoing
from trio_sio.router.background import BackgroundTasks
from trio_sio.router.invocation import Invoker
from trio_sio.router.sender import EventSender


class Addressee:
    """Methods of a `Recipient` that sockets have for adapters alone.

    Attributes:
        sender: the way to the client.
        background: what runs beside the socket's task.
        invoker: calls the application's functions.
    """

    __slots__ = ()

    sender: EventSender
    background: BackgroundTasks
    invoker: Invoker

    @property
    def session(self) -> Session:
        """The client's session."""
        raise NotImplementedError

    @property
    def recovery_session(self) -> RecoverySession | None:
        """What is kept for its client; `None` if it cannot come back."""
        return None if self.sender.recovery is None else self.sender.recovery.session

    @property
    def is_over(self) -> bool:
        """Whether the socket has left, or is about to because its session has ended."""
        return self.sender.is_over

    def notify_outgoing(self, event: str, args: Sequence[object]) -> None:
        """Tell handlers of an event that is sent to its client."""
        tell_outgoing(self.invoker, self.background, event, args)

    def expect_answer(self, ack_id: int, awaited: AwaitedAnswer) -> bool:
        """Give the client's answer to `awaited`; return whether there can be one."""
        if self.is_over:
            return False
        self.sender.acks.expect(ack_id, awaited)
        return True

    def forget_answer(self, ack_id: int) -> None:
        """Nobody waits for the answer to this event any more."""
        self.sender.acks.forget(ack_id)

    def deliver_volatile(self, item: Encoded) -> object:
        """Send one item of a volatile broadcast, if it can leave now."""
        return self.session.send_volatile(item)
