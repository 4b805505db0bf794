"""`Session`: one Engine.IO client, and all that the router asks of the engine."""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import trio

from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation
from trio_sio.http import Request
from trio_sio.protocol.encoded import Encoded
from trio_sio.statistics import SessionStatistics


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
    def protocol(self) -> int:
        """The revision of Engine.IO that the client speaks: 3, or 4 (JS: `conn.protocol`)."""

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

    async def settle(self) -> None:
        """Return when `protocol` will not change any more; called before anything is received."""

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

    async def let_go(self, reason: DisconnectReason) -> None:
        """Send what is queued, tell the client of the end, and hear it until it knows.

        Nothing can be sent to it from now on. `close` ends the session then.
        """

    def abort(self, reason: DisconnectReason) -> None:
        """End the session now; what is queued is dropped."""

    async def wait_closed(self) -> None:
        """Return when the session has ended and its client has been told."""
