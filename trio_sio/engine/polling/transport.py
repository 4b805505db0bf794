"""Long polling: a GET waits for packets, a POST brings them.

The GET that finds packets queued takes them at once. One that finds none is held; packets of the
next tick that brings some go out with it. At most one GET and one POST may be under way: a second
one ends the session, as in the reference server, since packets could overtake each other.
"""

import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import trio

from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.http.holding import HeldResponse
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.engine.session.outbox import NO_LIMIT, Outbox
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.protocol.encoded import POLL3_BINARY, POLL3_TEXT, Encoded
from trio_sio.protocol.engineio import codec_v3
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.sync import Condition

if TYPE_CHECKING:
    from trio_sio.logs.wire import WireLog

NOOP = Encoded(("6",))
CLOSE = Encoded(("1",))

CLOSE_TIMEOUT = 30.0
"""Seconds that a session being closed waits for the client's next poll, as in the reference."""

POSTS_AHEAD = 3
"""POSTs that `let_ahead` answers before the reader has come to them."""

MAX_ANSWERS = 2
"""Answers of more than a few kB that may be on their way to a client at once. It asks again when it
has the first; that we may hear of it before we know that the first has left."""

Arrival = EnginePacket | RemoteProtocolError | TransportClosed


class Overlap(Exception):
    """A second GET or POST came while one was under way."""


def _never() -> bool:
    """In place of `has_hung_up`."""
    return False


class PollingTransport:
    """The transport of one session while it polls.

    Args:
        base64: the client cannot take binary payloads.
        jsonp: the index of the JSONP callback, `None` for XHR.
        max_packets: packets that a POST may bring.
        turn: awaited by who has taken its share of packets, and wants to take more.
    """

    name = "polling"
    unsent = False

    def __init__(
        self,
        *,
        base64: bool,
        jsonp: str | None = None,
        max_packets: int = 100_000,
        turn: Callable[[], Awaitable[object]] = trio.lowlevel.checkpoint,
    ) -> None:
        self.base64 = base64 or jsonp is not None
        self.jsonp = jsonp
        self._max_packets = max_packets
        self._turn = turn
        self._share = FIRST_QUANTUM  # of the reader
        self.writable = False  # exactly while a GET is held
        self.outlet: Outbox | None = None
        self.wire: WireLog | None = None  # of packets that come
        self.cookie: list[tuple[str, str]] | None = None  # the field that goes with each answer
        self._held: HeldResponse | None = None
        self._cut_post: Callable[[], None] | None = None  # while one is under way
        self._is_uploading = False  # its body has not come yet
        self._answers: set[Callable[[], None]] = set()  # cut those that are being sent
        self._has_hung_up: Callable[[], bool] = _never
        self._quiet_since = -math.inf  # when the last request was over
        self._heard: Condition | None = None  # for somebody who waits until all has been read
        self._arrived: deque[Iterator[Arrival]] = deque()  # the reader's
        self._pending: Iterator[Arrival] | None = None  # of the POST that waits for the reader
        self._taken = trio.Event()
        self._reader: trio.lowlevel.Task | None = None  # it waits
        self._is_closed = False
        self._ahead = 0
        self._finishing = False
        self._finished = trio.Event()

    @property
    def direct(self) -> bool:
        """A held GET takes a batch at once."""
        return self.writable

    # -- packets out -----------------------------------------------------------------------

    def poll_nowait(self) -> list[Encoded]:
        """Return what a new GET is answered with, or nothing if it has to be held.

        Raises:
            Overlap: a GET is held already, or answers to `MAX_ANSWERS` are not taken.
        """
        if self._held is not None or len(self._answers) >= MAX_ANSWERS:
            raise Overlap
        self._quiet_since = trio.current_time()
        items = self.outlet.take(NO_LIMIT) if self.outlet is not None else []
        if not items and self._finishing:
            self._finished.set()
            return [NOOP, CLOSE]
        return items

    def begin_hold(self, hold: HeldResponse) -> None:
        """Hold a GET until there is something to answer it with."""
        self._held = hold
        self.writable = True

    def end_hold(self, hold: HeldResponse) -> None:
        """Hold that GET no more, whether there is an answer or not."""
        if self._held is hold:
            self._held = None
            self.writable = False
            self._quiet_since = trio.current_time()

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        """Answer the held GET."""
        hold = self._held
        assert hold is not None
        self.end_hold(hold)
        hold.end(list(items))

    async def send(self, items: Sequence[Encoded]) -> None:
        """Answer the held GET (a poll never keeps anybody waiting)."""
        await trio.lowlevel.checkpoint()
        self.send_nowait(items)

    def release(self) -> None:
        """Let a held GET go without data: the client waits for it before it upgrades."""
        if self.writable:
            self.send_nowait([NOOP])

    def turn_away(self) -> None:
        """Have a held GET refused, since the client has gone on by WebSocket.

        One that came behind the move is refused as well, and the two may have overtaken each other.
        """
        hold = self._held
        if hold is not None:
            self.end_hold(hold)
            hold.refuse()

    def begin_answer(self, cut: Callable[[], None]) -> None:
        """Note that an answer is being sent; `cut` ends its connection."""
        self._answers.add(cut)

    def end_answer(self, cut: Callable[[], None]) -> None:
        """Note that it has been sent, or never will be."""
        self._answers.discard(cut)

    def is_binary(self, items: list[Encoded]) -> bool:
        """Whether the body of an answer is a binary one."""
        return not self.base64 and True in [item.has_binary for item in items]

    def payload(self, items: list[Encoded], *, is_binary: bool) -> bytes:
        """Return the body of an answer; `is_binary` is as the method says."""
        if self.jsonp is not None:
            return codec_v3.encode_jsonp(self.jsonp, POLL3_TEXT.join(items))
        form = POLL3_BINARY if is_binary else POLL3_TEXT
        return form.join(items) if items[1:] else items[0].wire(form)

    # -- packets in ------------------------------------------------------------------------

    def begin_post(self, cut: Callable[[], None], has_hung_up: Callable[[], bool] = _never) -> None:
        """Note that a POST is under way.

        Args:
            cut: ends its connection.
            has_hung_up: whether the client has left it.

        Raises:
            Overlap: there is one already; its connection is cut.
        """
        if self._cut_post is not None:
            self._cut_post()
            raise Overlap
        self._cut_post, self._has_hung_up = cut, has_hung_up
        self._is_uploading = True

    def end_upload(self) -> None:
        """Note that the POST's body has come, or is refused; from now on the POST is answered."""
        self._is_uploading = False

    def end_post(self) -> None:
        """Note that the POST has been answered."""
        self._cut_post, self._has_hung_up = None, _never
        self._quiet_since = trio.current_time()
        self._look_again()

    async def wait_heard(self) -> None:
        """Return when no POST is under way, or unread; see `abc.Transport`."""
        self._heard = self._heard or Condition()
        await self._heard.wait_for(self._is_heard)

    def _is_heard(self) -> bool:
        return self._is_closed or (self._cut_post is None and self._reader is not None)

    def _look_again(self) -> None:
        if self._heard is not None:
            self._heard.notify_all()

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

    def _take_pending(self) -> None:
        if self._pending is not None:
            self._arrived.append(self._pending)
            self._pending = None
        self._taken.set()

    def _wake_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            trio.lowlevel.reschedule(reader)

    def _give_up(self, _: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _close(self) -> None:
        """Take nothing more; what waits can still be received."""
        self._is_closed = True
        self._take_pending()
        self._wake_reader()
        self._look_again()

    def let_ahead(self) -> None:
        """Have a POST answered though the reader has not come to it.

        A client that upgrades waits for its POST's answer before it moves. The reader may be
        waiting for a handler, and that for room in the outbox, which only the client can make.
        """
        if self._ahead < POSTS_AHEAD and self._pending is not None:
            self._take_pending()
            self._ahead += 1

    def _decode(self, body: bytes, *, binary: bool) -> Iterator[Arrival]:
        """Yield the packets as the reader takes them: a list would take 30 times the body."""
        failed: RemoteProtocolError | None = None
        try:
            if self.jsonp is not None:
                packets = codec_v3.decode_jsonp_payload(body)
            elif binary:
                packets = codec_v3.decode_binary_payload(body)
            else:
                packets = codec_v3.decode_text_payload(body)
            for number, packet in enumerate(packets):
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

    def _next(self) -> Arrival | None:
        while self._arrived:
            arrival = next(self._arrived[0], None)
            if arrival is not None:
                return arrival
            self._arrived.popleft()
        return None

    async def receive(self) -> EnginePacket:
        """Return the next packet; see `abc.Transport`."""
        if not self._share:
            await self._turn()
            self._share = QUANTUM
        while (arrival := self._next()) is None:
            self._ahead = 0
            if self._pending is not None:
                self._take_pending()
            elif self._is_closed:
                raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
            else:
                self._reader = trio.lowlevel.current_task()
                self._look_again()
                await trio.lowlevel.wait_task_rescheduled(self._give_up)
                self._share = FIRST_QUANTUM
        self._share -= 1
        if isinstance(arrival, Exception):
            self._arrived.clear()  # nothing of it is read any more, nor kept
            raise arrival
        if self.wire is not None:
            self.wire.incoming(self.name, arrival)
        return arrival

    # -- the end ---------------------------------------------------------------------------

    def is_gone(self, now: float, patience: float) -> bool:
        """Whether the client has left: a client that is here has a request under way, or soon.

        The GET that is held is watched by the task that holds it.
        """
        if self._cut_post is not None:
            return self._has_hung_up()
        return self._held is None and now - self._quiet_since >= patience

    def trust(self) -> None:
        """Nothing to do: the limit of a POST is looked up when it comes."""

    def end_requests(self, *, orderly: bool) -> None:
        """End an upload, as the reference does, and answers that nobody waits for any more.

        Otherwise they would last, with all that has come or is yet to go, as long as the time
        limits of requests allow: several times the memory that the sessions may take. A POST whose
        body has come is answered.
        """
        self._take_pending()
        self._arrived.clear()  # nobody receives any more; a body may be large
        self._cut_upload()
        if not orderly:
            for cut in self._answers:
                cut()

    def _cut_upload(self) -> None:
        if self._is_uploading and self._cut_post is not None:
            self._cut_post()

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Answer the held GET with the end, or the next one if there will be one."""
        self._close()
        self._arrived.clear()
        if by_client:
            self.release()
        elif self.writable:
            self.send_nowait([CLOSE])
        elif orderly:
            self._finishing = True
            with trio.move_on_after(CLOSE_TIMEOUT):
                await self._finished.wait()
        await trio.lowlevel.checkpoint()

    def abandon(self) -> None:
        """Stop polling: a held GET is told that it is over, and nothing more is received."""
        self._close()
        self._cut_upload()
        self._finished.set()
        if self.writable:
            self.send_nowait([CLOSE])
