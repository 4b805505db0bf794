"""The acknowledgement that a client asked for with an event."""

from collections.abc import Callable
from typing import Protocol

import trio

from trio_sio.abc import NO_FLAGS, Flags, Waiter
from trio_sio.exceptions import Disconnected
from trio_sio.logs.events import EventLog
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.router.handlers import as_arguments


class Encoding(Protocol):
    """What an acknowledgement needs of the socket's namespace."""

    name: str

    def encode(self, packet: Packet, flags: Flags) -> Encoded:
        """Serialise a packet."""


class Sending(Protocol):
    """What an acknowledgement needs of the socket's session."""

    def send_nowait(self, item: Encoded) -> None:
        """Send; raises `trio.WouldBlock`, `Disconnected`."""

    @property
    def enqueue(self) -> Callable[[Encoded], Waiter | None]:
        """Send, or line up for room in the outbox; raises `Disconnected`."""


class Acknowledgement:
    """The acknowledgement of one event; the first handler to answer wins.

    What handlers return goes to `offer`: the first result that is not `None` is sent, and an empty
    answer when all have returned `None`.

    An answer that finds the outbox full waits for room, as an emit does, and the handler that gave
    it is not done before: then the inbox fills, and the client is not read any more.

    Args:
        namespace: the namespace that the event was sent to.
        session: the session that it came from.
        ack_id: the event's id.
        handlers: how many handlers the event has.
        log: the client's own log, if it has one.

    Attributes:
        waiter: the answer's place in the line for the outbox, until a handler waits for it.
    """

    __slots__ = ("_handlers", "_id", "_left", "_log", "_namespace", "_session", "waiter")

    def __init__(
        self,
        namespace: Encoding,
        session: Sending,
        ack_id: int,
        handlers: int,
        log: EventLog | None = None,
    ) -> None:
        self._namespace = namespace
        self._session = session
        self._id: int | None = ack_id
        self._left = handlers
        self._log = log
        self._handlers = 0  # that were given `send`, and have not ended
        self.waiter: Waiter | None = None

    def offer(self, result: object) -> None:
        """Take what a handler returned.

        Raises:
            LocalProtocolError: it cannot be sent.
        """
        self._left -= 1
        if self._id is not None and (result is not None or self._left == 0):
            self._send(as_arguments(result), may_wait=True)

    def begin(self) -> None:
        """Called when a handler begins that answers by `send`."""
        self._handlers += 1

    def end(self) -> None:
        """Called when it has ended; if it was cancelled, its answer leaves the line."""
        self._handlers -= 1
        if self.waiter is not None and not self._handlers:
            self.waiter.withdraw()

    def send(self, *args: object) -> None:
        """Send the answer; only the first counts (JS: the last argument of a listener).

        It does not wait. If the outbox is full, the answer waits in line, and the handler that was
        given this function ends when there is room; after its end `trio.WouldBlock` is raised.

        Raises:
            LocalProtocolError: the arguments cannot be sent.
            trio.WouldBlock: the client's outbox is full, and the handler has ended.
        """
        if self._id is not None:
            self._send([*args], may_wait=self._handlers > 0)

    def _send(self, args: list[object], *, may_wait: bool) -> None:
        packet = Packet(PacketType.ACK, self._namespace.name, args, self._id)  # type: ignore[arg-type]  # the encoder judges
        item = self._namespace.encode(packet, NO_FLAGS)
        if self._log is not None:
            self._log.acknowledged(self._namespace.name, self._id, by_client=False)
        try:
            if may_wait:
                self.waiter = self._session.enqueue(item)
            else:
                self._session.send_nowait(item)
        except Disconnected:
            pass
        self._id = None

    async def wait_sent(self) -> None:
        """Wait until the answer has left the line; needs `waiter`.

        One handler waits. Others of the same event, which run beside it, do not.
        """
        waiter, self.waiter = self.waiter, None
        assert waiter is not None
        try:
            await waiter.wait()
        except Disconnected:
            await trio.lowlevel.checkpoint_if_cancelled()
