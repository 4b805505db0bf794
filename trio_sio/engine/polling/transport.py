"""Long polling: a GET waits for packets, a POST brings them.

The GET that finds packets queued takes them at once. One that finds none is held; packets of the
next tick that brings some go out with it. At most one GET and one POST may be under way: a second
one ends the session, as in the reference server, since packets could overtake each other.

POSTs and what they bring are in `posts`; here is the outbound half, and how polling ends.
"""

import math
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import trio

from trio_sio.abc import OutgoingQueue
from trio_sio.engine.polling.held_poll import HeldPoll
from trio_sio.engine.polling.payload_format import PayloadFormat
from trio_sio.engine.polling.posts import Overlap, PostReceiver
from trio_sio.engine.session.outbox import NO_LIMIT
from trio_sio.logs.wire import WireLog
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.protocol.engineio.version import EIO3, EngineVersion

CLOSE_TIMEOUT = 30.0
"""Seconds that a session being closed waits for the client's next poll, as in the reference."""

MAX_ANSWERS = 2
"""Responses of more than a few kB that may be on their way to a client at once. It asks again when
it has the first; that we may hear of it before we know that the first has left."""


class PollingTransport:
    """The transport of one session while it polls.

    Args:
        version: what the client speaks.
        base64: the client cannot take binary payloads.
        jsonp: the index of the JSONP callback, `None` for XHR.
        max_packets: packets that a POST may bring.
        turn: awaited by the reader when it has taken its quantum of packets and wants more.
        cookie: the header fields that go with each response.
        wire: writes the packets; `None` if nobody wants to see them.

    Attributes:
        form: how the client wants its packets.
        posts: the inbound half.
        cookie: as given.
        wire: as given.
        writable: whether a GET is held.
    """

    name = "polling"
    unsent = False

    def __init__(
        self,
        *,
        version: EngineVersion = EIO3,
        base64: bool,
        jsonp: str | None = None,
        max_packets: int = 100_000,
        turn: Callable[[], Awaitable[object]] = trio.lowlevel.checkpoint,
        cookie: Sequence[tuple[str, str]] = (),
        wire: WireLog | None = None,
    ) -> None:
        self.form = PayloadFormat(base64 or jsonp is not None, jsonp, version)
        self.posts = PostReceiver(self.form, max_packets, turn, wire)
        self.cookie = cookie
        self.wire = wire
        self.writable = False
        self._outbox: OutgoingQueue | None = None
        self._held: HeldPoll | None = None
        self._answers: set[Callable[[], None]] = set()  # cut those that are being sent
        self._quiet_since = -math.inf  # when the last GET was over
        self._finishing = False
        self._finished = trio.Event()

    @property
    def direct(self) -> bool:
        """A held GET takes a batch at once."""
        return self.writable

    def attach(self, outbox: OutgoingQueue) -> None:
        """Answer GETs with what this outbox holds."""
        self._outbox = outbox

    # -- packets out -----------------------------------------------------------------------

    def poll_nowait(self) -> list[Encoded]:
        """Return what a new GET is answered with, or nothing if it has to be held.

        Raises:
            Overlap: a GET is held already, or answers to `MAX_ANSWERS` are not taken.
        """
        if self._held is not None or len(self._answers) >= MAX_ANSWERS:
            raise Overlap
        self._quiet_since = trio.current_time()
        items = self._outbox.take(NO_LIMIT) if self._outbox is not None else []
        if not items and self._finishing:
            self._finished.set()
            return [self.form.version.noop, self.form.version.close]
        return items

    def begin_hold(self, hold: HeldPoll) -> None:
        """Hold a GET until there is something to answer it with."""
        self._held = hold
        self.writable = True

    def end_hold(self, hold: HeldPoll) -> None:
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
            self.send_nowait([self.form.version.noop])

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

    # -- packets in ------------------------------------------------------------------------

    def receive(self) -> Coroutine[Any, Any, EnginePacket]:
        """Return the next packet; see `abc.Transport`."""
        return self.posts.receive()

    def wait_heard(self) -> Coroutine[Any, Any, None]:
        """Return when no POST is under way, or unread; see `abc.Transport`."""
        return self.posts.wait_heard()

    # -- the end ---------------------------------------------------------------------------

    def is_gone(self, now: float, silence_limit: float) -> bool:
        """Whether the client has left: a client that is here has a request under way, or soon.

        The GET that is held is watched by the task that holds it.
        """
        if self.posts.is_under_way:
            return self.posts.has_hung_up
        quiet_since = max(self._quiet_since, self.posts.quiet_since)
        return self._held is None and now - quiet_since >= silence_limit

    def trust(self) -> None:
        """Nothing to do: the limit of a POST is looked up when it comes."""

    def end_requests(self, *, orderly: bool) -> None:
        """End an upload, as the reference does, and answers that nobody waits for any more.

        Otherwise they would last, with all that has come or is yet to go, as long as the time
        limits of requests allow: several times the memory that the sessions may take. A POST whose
        body has come is answered.
        """
        self.posts.drop()
        self.posts.cut_upload()
        if not orderly:
            for cut in self._answers:
                cut()

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Answer the held GET with the end, or the next one if there will be one."""
        self.posts.close()
        self.posts.drop()
        if by_client:
            self.release()
        elif self.writable:
            self.send_nowait([self.form.version.close])
        elif orderly:
            self._finishing = True
            with trio.move_on_after(CLOSE_TIMEOUT):
                await self._finished.wait()
        await trio.lowlevel.checkpoint()

    def abandon(self) -> None:
        """Stop polling: a held GET is told that it is over, and nothing more is received."""
        self.posts.close()
        self.posts.cut_upload()
        self._finished.set()
        if self.writable:
            self.send_nowait([self.form.version.close])
