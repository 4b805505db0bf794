"""Limits of what one client may send, beyond the size of a message.

Most packets are not looked at: only a stranger's, and those whose attachments are still to come.
"""

import logging
from collections.abc import Collection

import trio

from trio_sio.abc import PacketDecoder, Session, Timer
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.logs.shown import short_id
from trio_sio.logs.throttle import LogThrottle
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.router.limits import Limits

logger = logging.getLogger("trio_sio.router")


class Intake:
    """Watches one client.

    Attachments of a packet for a namespace that the client has not joined are not kept. A parser
    of the application's own has no `pending` and bounds its packets itself.

    Args:
        session: the client's session.
        limits: the options.
        joined: the names of the namespaces that the client has joined.
        log: where refusals are told.

    Attributes:
        is_watchful: whether `look` wants to see each message.
    """

    __slots__ = (
        "_joined",
        "_limits",
        "_log",
        "_packets",
        "_session",
        "_since",
        "_size",
        "_timer",
        "_whole",
        "is_watchful",
    )

    def __init__(
        self, session: Session, limits: Limits, joined: Collection[str], log: LogThrottle
    ) -> None:
        self.is_watchful = limits.handshake_packets is not None
        self._session = session
        self._limits = limits
        self._log = log
        self._joined = joined
        self._packets = 0
        self._size = 0  # of a packet that is not whole
        self._since = 0.0  # its beginning
        self._timer: Timer | None = None
        self._whole: trio.Event | None = None  # for somebody who waits until it is

    @property
    def is_midway(self) -> bool:
        """Whether attachments of a packet are still to come."""
        return self._size > 0

    async def wait_whole(self) -> None:
        """Return when they have come, or will not; to be called in the middle of one."""
        assert self.is_midway
        if self._whole is None:
            self._whole = trio.Event()
        await self._whole.wait()

    def _tell_whole(self) -> None:
        if self._whole is not None:
            self._whole.set()
            self._whole = None

    def look(self, message: str | bytes, packet: Packet | None, decoder: PacketDecoder) -> None:
        """See a message, and what the decoder made of it.

        Raises:
            RemoteProtocolError: it is too much; the session knows why.
        """
        allowed = self._limits.handshake_packets
        if not self._joined and allowed is not None:
            self._packets += 1
            if self._packets > allowed:
                text = f"{self._packets} messages before it has joined a namespace"
                self._give_up(text, "handshake_packets", allowed, self._packets)
        pending: Packet | None = getattr(decoder, "pending", None)
        if packet is not None or pending is None:
            self._size = 0
            self._tell_whole()
            self.is_watchful = not self._joined and allowed is not None
        else:
            self._look_at_half(message, pending, decoder)

    def _look_at_half(self, message: str | bytes, head: Packet, decoder: PacketDecoder) -> None:
        if self._size == 0:
            self._begin_half()
            if head.namespace not in self._joined:
                getattr(decoder, "discard")()  # noqa: B009 - it goes with `pending`
        self._size += len(message)
        limit = self._limits.max_packet_bytes
        if self._size > limit and head.namespace in self._joined:
            text = f"a packet of more than {limit} bytes with its attachments"
            self._give_up(text, "max_packet_bytes", limit, self._size)

    def _begin_half(self) -> None:
        self.is_watchful = True
        self._since = trio.current_time()
        if self._timer is None:  # or it looks when its time has come
            deadline = self._since + self._limits.attachments_timeout
            self._timer = self._session.timers.call_at(deadline, self._look_at_clock)

    def _look_at_clock(self) -> None:
        self._timer = None
        if not self._size:
            return
        limit = self._limits.attachments_timeout
        if trio.current_time() < self._since + limit:
            self._timer = self._session.timers.call_at(self._since + limit, self._look_at_clock)
            return
        text = f"the attachments of a packet did not come within {limit} s"
        self._session.explain(Explanation(text, "attachments_timeout", limit))
        self._session.close(DisconnectReason.FORCED_CLOSE)

    def _give_up(self, text: str, option: str, limit: float, size: float) -> None:
        self._session.explain(Explanation(text, option, limit, size))
        raise RemoteProtocolError("too much", f"{text} ({option} is {limit})")

    def refuse_namespace(self, pending: int) -> str:
        """Return why the client may not join another namespace, `""` if it may.

        Args:
            pending: how many it is about to join.
        """
        limits = self._limits
        if pending >= limits.max_pending_namespaces:
            option, limit = "max_pending_namespaces", limits.max_pending_namespaces
        elif pending + len(self._joined) >= limits.max_namespaces:
            option, limit = "max_namespaces", limits.max_namespaces
        else:
            return ""
        text = f"{option} is {limit}"
        self._session.count_limit(option)
        line, sid = "session %s: refused a namespace: %s", short_id(self._session.id)
        self._log.tell(logger, logging.WARNING, option, line, sid, text)
        return f"too many namespaces ({text})"

    def trust(self) -> None:
        """The client has joined a namespace."""
        if not self._size:
            self.is_watchful = False

    def end(self) -> None:
        """The client is gone."""
        self._tell_whole()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
