"""The inbound half of long polling: POSTs bring packets, which the session's reader takes.

A POST is answered when the reader has taken all that came before it, and so slows its client down
if the reader does not keep up.
"""

import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain

import trio

from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.polling.payload_format import PayloadFormat
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.sync import Condition

POSTS_AHEAD = 3
"""POSTs that `let_ahead` answers before the reader has come to them."""

Arrival = EnginePacket | RemoteProtocolError | TransportClosed


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

    Attributes:
        quiet_since: when the last POST was over.
    """

    def __init__(
        self, form: PayloadFormat, max_packets: int, turn: Callable[[], Awaitable[object]]
    ) -> None:
        self.quiet_since = -math.inf
        self._form = form
        self._max_packets = max_packets
        self._turn = turn
        self._quantum = FIRST_QUANTUM  # packets that the reader may take before its next turn
        self._cut: Callable[[], None] | None = None  # while a POST is under way
        self._is_uploading = False  # its body has not come yet
        self._has_hung_up: Callable[[], bool] = _never
        self._heard: Condition | None = None  # for somebody who waits until all has been read
        self._arrived: deque[Iterator[Arrival]] = deque()  # the reader's
        self._pending: Iterator[Arrival] | None = None  # of the POST that waits for the reader
        self._taken = trio.Event()
        self._reader: trio.lowlevel.Task | None = None  # it waits
        self._is_closed = False
        self._ahead = 0  # POSTs that have been answered before the reader came to them

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
        if first is None or self._is_closed:
            return
        arrivals = chain((first,), packets)
        if self._reader is not None:  # it has taken all that came before
            self._arrived.append(arrivals)
            self._wake_reader()
            return
        self._pending, self._taken = arrivals, trio.Event()
        try:
            await self._taken.wait()
        finally:
            self._pending = None

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
        if self._ahead < POSTS_AHEAD and self._pending is not None:
            self._take_pending()
            self._ahead += 1

    # -- the reader --------------------------------------------------------------------------

    async def receive(self) -> EnginePacket:
        """Return the next packet; see `abc.Transport`."""
        if not self._quantum:
            await self._turn()
            self._quantum = QUANTUM
        while (arrival := self._next()) is None:
            self._ahead = 0
            if self._pending is not None:
                self._take_pending()
            elif self._is_closed:
                raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
            else:
                self._reader = trio.lowlevel.current_task()
                self._look_again()
                await trio.lowlevel.wait_task_rescheduled(self._abort)
                self._quantum = FIRST_QUANTUM
        self._quantum -= 1
        if isinstance(arrival, Exception):
            self._arrived.clear()  # nothing of it is read any more, nor kept
            raise arrival
        return arrival

    def _next(self) -> Arrival | None:
        while self._arrived:
            arrival = next(self._arrived[0], None)
            if arrival is not None:
                return arrival
            self._arrived.popleft()
        return None

    def _take_pending(self) -> None:
        if self._pending is not None:
            self._arrived.append(self._pending)
            self._pending = None
        self._taken.set()

    def _wake_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            trio.lowlevel.reschedule(reader)

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED

    async def wait_heard(self) -> None:
        """Return when no POST is under way, or unread; see `abc.Transport`."""
        self._heard = self._heard or Condition()
        await self._heard.wait_for(self._is_heard)

    def _is_heard(self) -> bool:
        return self._is_closed or (self._cut is None and self._reader is not None)

    def _look_again(self) -> None:
        if self._heard is not None:
            self._heard.notify_all()

    # -- the end -----------------------------------------------------------------------------

    def close(self) -> None:
        """Take no further POST; what waits can still be received."""
        self._is_closed = True
        self._take_pending()
        self._wake_reader()
        self._look_again()

    def drop(self) -> None:
        """Forget what has come and not been read: nobody receives it, and a body may be large."""
        self._take_pending()
        self._arrived.clear()

    def cut_upload(self) -> None:
        """End the connection of a POST whose body has not come yet."""
        if self._is_uploading and self._cut is not None:
            self._cut()
