"""Limits on what one client may send, beyond the size of a message.

Few messages are checked: those of a client that has not joined a namespace yet, and those of
packets whose attachments have yet to arrive.
"""

import logging
from collections.abc import Collection

import trio

from trio_sio.abc import BoundedDecoder, Session, Timer
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.logs.shown import short_id
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import ServerOptions
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.sync import Notifier

logger = logging.getLogger("trio_sio.router")


class InboundLimits:
    """Checks the messages of one client.

    Attachments of a packet for a namespace that the client has not joined are not kept. A parser
    of the application's own, without `pending`, has to limit its packets itself.

    Args:
        session: the client's session.
        options: the server's options.
        joined: the names of the namespaces that the client has joined.
        log: where refusals are logged.

    Attributes:
        is_checking: whether `check` has to see each message.
    """

    __slots__ = (
        "_begun",
        "_complete",
        "_joined",
        "_log",
        "_options",
        "_packets",
        "_session",
        "_size",
        "_timer",
        "is_checking",
    )

    def __init__(
        self, session: Session, options: ServerOptions, joined: Collection[str], log: LogThrottle
    ) -> None:
        self.is_checking = options.handshake_packets is not None
        self._session = session
        self._options = options
        self._log = log
        self._joined = joined
        self._packets = 0
        self._size = 0  # bytes so far of a packet that is not complete
        self._begun = 0.0  # when its first message came
        self._timer: Timer | None = None
        self._complete: Notifier | None = None  # for whoever waits until it is

    @property
    def is_incomplete(self) -> bool:
        """Whether attachments of a packet have yet to arrive."""
        return self._size > 0

    async def wait_complete(self) -> None:
        """Wait for the packet's attachments, or the client's end; needs `is_incomplete`."""
        assert self.is_incomplete
        if self._complete is None:
            self._complete = Notifier()
        await self._complete.wait()

    def _tell_complete(self) -> None:
        if self._complete is not None:
            self._complete.notify_all()

    def check(
        self, message: str | bytes, packet: Packet | None, decoder: BoundedDecoder | None
    ) -> Packet | None:
        """Check a message, and what the decoder made of it.

        Args:
            message: the message.
            packet: the packet that it has completed, if it has.
            decoder: the client's decoder, `None` if it limits its packets itself.

        Returns:
            A packet that has begun and that nobody will get, without its attachments: it is for a
            namespace that the client has not joined.

        Raises:
            RemoteProtocolError: it exceeds a limit; the session has been told which.
        """
        allowed = self._options.handshake_packets
        if not self._joined and allowed is not None:
            self._packets += 1
            if self._packets > allowed:
                text = f"{self._packets} messages before it has joined a namespace"
                self._exceed(text, "handshake_packets", allowed, self._packets)
        pending = None if decoder is None else decoder.pending
        if packet is not None or decoder is None or pending is None:
            self._size = 0
            self._tell_complete()
            self.is_checking = not self._joined and allowed is not None
            return None
        return self._check_incomplete(message, pending, decoder)

    def check_connect(self, message: str | bytes) -> None:
        """Check what a client says to join a namespace: many may wait for middleware at a time.

        Raises:
            RemoteProtocolError: it is more than a stranger may say; the session has been told.
        """
        limit, size = self._options.handshake_buffer_size, len(message)
        if limit is not None and size > limit:
            text = f"a CONNECT packet of {size} characters"
            self._exceed(text, "handshake_buffer_size", limit, size)

    def _check_incomplete(
        self, message: str | bytes, head: Packet, decoder: BoundedDecoder
    ) -> Packet | None:
        stray: Packet | None = None
        if self._size == 0:
            self._start_timeout()
            if head.namespace not in self._joined:
                decoder.discard()
                stray = head
        self._size += len(message)
        limit = self._options.max_packet_bytes
        if self._size > limit and head.namespace in self._joined:
            text = f"a packet of more than {limit} bytes with its attachments"
            self._exceed(text, "max_packet_bytes", limit, self._size)
        return stray

    def _start_timeout(self) -> None:
        self.is_checking = True
        self._begun = trio.current_time()
        if self._timer is None:  # an earlier packet's timer looks again when it expires
            deadline = self._begun + self._options.attachments_timeout
            self._timer = self._session.timers.call_at(deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if not self._size:
            return
        limit = self._options.attachments_timeout
        if trio.current_time() < self._begun + limit:
            self._timer = self._session.timers.call_at(self._begun + limit, self._on_timer)
            return
        text = f"the attachments of a packet did not come within {limit} s"
        self._session.explain(Explanation(text, "attachments_timeout", limit))
        self._session.close(DisconnectReason.FORCED_CLOSE)

    def _exceed(self, text: str, option: str, limit: float, size: float) -> None:
        self._session.explain(Explanation(text, option, limit, size))
        raise RemoteProtocolError("too much", f"{text} ({option} is {limit})")

    def refuse_join(self, pending: int) -> str:
        """Return why the client may not join another namespace, `""` if it may.

        Args:
            pending: how many namespaces it is about to join.
        """
        options = self._options
        if pending >= options.max_pending_namespaces:
            option, limit = "max_pending_namespaces", options.max_pending_namespaces
        elif pending + len(self._joined) >= options.max_namespaces:
            option, limit = "max_namespaces", options.max_namespaces
        else:
            return ""
        text = f"{option} is {limit}"
        self._session.count_limit(option)
        line, sid = "session %s: refused a namespace: %s", short_id(self._session.id)
        self._log.tell(logger, logging.WARNING, option, line, sid, text)
        return f"too many namespaces ({text})"

    def stop_checking(self) -> None:
        """The client has joined a namespace: its next messages need no check."""
        if not self._size:
            self.is_checking = False

    def close(self) -> None:
        """The client has left."""
        self._tell_complete()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
