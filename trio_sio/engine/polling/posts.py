"""The inbound half of long polling: POSTs bring packets, which the session's reader takes.

A POST is answered when the reader has taken all that came before it, and so slows its client down
if the reader does not keep up.
"""

import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import chain

import trio

from trio_sio.abc import TransportClosed
from trio_sio.channel import Channel
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.polling.payload_format import PayloadFormat
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.logs.wire import WireLog
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.sync import Condition

POSTS_AHEAD = 3
"""POSTs that `let_ahead` answers before the reader has come to them."""

Arrival = EnginePacket | RemoteProtocolError | TransportClosed

_NONE: Iterator[Arrival] = iter(())


class Overlap(Exception):
    """A second GET or POST came while one was under way."""


def _never() -> bool:
    """In place of `has_hung_up`."""
    return False


class PostReceiver:
    """Takes the POSTs of one session, and hands their packets to its reader.

    Args:
        form: how the client writes its packets.
        max_packets: packets that a POST may bring.
        turn: awaited by the reader when it has taken its quantum of packets and wants more.
        wire: writes the packets; `None` if nobody wants to see them.

    Attributes:
        quiet_since: when the last POST was over.
    """

    def __init__(
        self,
        form: PayloadFormat,
        max_packets: int,
        turn: Callable[[], Awaitable[object]],
        wire: WireLog | None = None,
    ) -> None:
        self.quiet_since = -math.inf
        self._form = form
        self._max_packets = max_packets
        self._turn = turn
        self._wire = wire
        self._quantum = FIRST_QUANTUM  # packets that the reader may take before its next turn
        self._cut: Callable[[], None] | None = None  # while a POST is under way
        self._is_uploading = False  # its body has not come yet
        self._has_hung_up: Callable[[], bool] = _never
        self._heard: Condition | None = None  # for somebody who waits until all has been read
        self._posts: Channel[Iterator[Arrival]] = Channel(0)  # their packets, to the reader
        self._packets: Iterator[Arrival] = _NONE  # of the POST that is being read

    # -- the requests ------------------------------------------------------------------------

    def begin(self, cut: Callable[[], None], has_hung_up: Callable[[], bool] = _never) -> None:
        """Note that a POST is under way.

        Args:
            cut: ends its connection.
            has_hung_up: whether the client has left it.

        Raises:
            Overlap: there is one already; its connection is cut.
        """
        if self._cut is not None:
            self._cut()
            raise Overlap
        self._cut, self._has_hung_up = cut, has_hung_up
        self._is_uploading = True

    def end_upload(self) -> None:
        """Note that the POST's body has come, or is refused; from now on the POST is answered."""
        self._is_uploading = False

    def end(self) -> None:
        """Note that the POST has been answered."""
        self._cut, self._has_hung_up = None, _never
        self.quiet_since = trio.current_time()
        self._look_again()

    @property
    def is_under_way(self) -> bool:
        """Whether there is a POST that has not been answered."""
        return self._cut is not None

    @property
    def has_hung_up(self) -> bool:
        """Whether the client has left the POST that is under way."""
        return self._has_hung_up()

    async def deliver(self, body: bytes, *, binary: bool) -> None:
        """Give a POST's packets to the reader; returns when it has taken them.

        Packets before an error count, and so does the error. What comes behind a CLOSE packet
        does not.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        packets = self._decode(body, binary=binary)
        first = next(packets, None)
        if first is None:
            return
        arrivals = chain((first,), packets)
        # If nobody receives any more, the POST is answered all the same.
        with suppress(trio.ClosedResourceError, trio.BrokenResourceError):
            try:
                self._posts.send_nowait(arrivals)
                return  # the reader has taken all that came before
            except trio.WouldBlock:
                pass
            await self._posts.send(arrivals)

    def _decode(self, body: bytes, *, binary: bool) -> Iterator[Arrival]:
        """Yield the packets as the reader takes them: a list would take 30 times the body."""
        failed: RemoteProtocolError | None = None
        try:
            for number, packet in enumerate(self._form.decode(body, is_binary=binary)):
                if number == self._max_packets:
                    yield self._too_many()
                    break
                yield packet
                if packet.type is EnginePacketType.CLOSE:
                    break
        except RemoteProtocolError as error:
            failed = error
        if failed is not None:
            yield failed

    def _too_many(self) -> TransportClosed:
        limit = self._max_packets
        text = f"a payload of more than {limit} packets"
        why = Explanation(text, "max_payload_packets", limit)
        return TransportClosed(DisconnectReason.TRANSPORT_ERROR, why=why)

    def let_ahead(self) -> None:
        """Have a POST answered though the reader has not come to it.

        A client that upgrades waits for its POST's response before it moves. The reader may be
        waiting for a handler, and that for room in the outbox, which only the client can make.
        """
        if self._posts.statistics().current_buffer_used < POSTS_AHEAD:
            self._posts.admit_sender()

    # -- the reader --------------------------------------------------------------------------

    async def receive(self) -> EnginePacket:
        """Return the next packet; see `abc.Transport`."""
        if not self._quantum:
            await self._turn()
            self._quantum = QUANTUM
        while (arrival := next(self._packets, None)) is None:
            if self._posts.is_empty:
                self._look_again()
                self._quantum = FIRST_QUANTUM
            try:
                self._packets = await self._posts.receive()
            except (trio.EndOfChannel, trio.ClosedResourceError):
                raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE) from None
        self._quantum -= 1
        if isinstance(arrival, Exception):
            self.drop()  # nothing of it is read any more, nor kept
            raise arrival
        if self._wire is not None:
            self._wire.incoming("polling", arrival)
        return arrival

    async def wait_heard(self) -> None:
        """Return when no POST is under way, or unread; see `abc.Transport`."""
        self._heard = self._heard or Condition()
        await self._heard.wait_for(self._is_heard)

    def _is_heard(self) -> bool:
        return self._posts.is_closed or (self._cut is None and self._posts.is_idle)

    def _look_again(self) -> None:
        if self._heard is not None:
            self._heard.notify_all()

    # -- the end -----------------------------------------------------------------------------

    def close(self) -> None:
        """Take no further POST; what waits can still be received."""
        self._posts.admit_sender()
        self._posts.close()
        self._look_again()

    def drop(self) -> None:
        """Take no further POST, and forget what has come: a body may be large."""
        self._posts.admit_sender()
        self._posts.close_receiving()
        self._packets = _NONE
        self._look_again()

    def cut_upload(self) -> None:
        """End the connection of a POST whose body has not come yet."""
        if self._is_uploading and self._cut is not None:
            self._cut()
