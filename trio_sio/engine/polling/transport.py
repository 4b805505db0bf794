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

LATE = 1.0
"""Seconds in which a POST arrives that a client sent before it heard of the end. Nothing tells
whether there is one, since a client that is told sends nothing more."""

MAX_ANSWERS = 2
"""Responses of more than a few kB that may be under way to a client at once. A client polls again
when it has received the first; we may hear of that before we know that all of it has left."""


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
        is_text = base64 or jsonp is not None or not version.has_binary_bodies
        self.form = PayloadFormat(is_text, jsonp, version)
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
        """Whether `send_nowait` works: a held GET takes a batch at once."""
        return self.writable

    def attach(self, outbox: OutgoingQueue) -> None:
        """Answer GETs with what this outbox holds."""
        self._outbox = outbox

    # -- packets out -----------------------------------------------------------------------

    def poll_nowait(self) -> list[Encoded]:
        """Return the packets for a new GET, none if it has to be held.

        Raises:
            Overlap: a GET is held already, or `MAX_ANSWERS` responses are still under way.
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
        """Hold a GET until there are packets for it."""
        self._held = hold
        self.writable = True

    def end_hold(self, hold: HeldPoll) -> None:
        """Hold a GET no more, whether or not it has been answered."""
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
        """Answer the held GET; nobody ever has to wait for a poll."""
        await trio.lowlevel.checkpoint()
        self.send_nowait(items)

    def release(self) -> None:
        """Answer the held GET with a NOOP: the client waits for that before it upgrades."""
        if self.writable:
            self.send_nowait([self.form.version.noop])

    def turn_away(self) -> None:
        """Refuse the held GET, since the session has gone on by WebSocket.

        A GET that comes after the upgrade is refused, and the two may have overtaken each other.
        """
        hold = self._held
        if hold is not None:
            self.end_hold(hold)
            hold.refuse()

    def begin_answer(self, cut: Callable[[], None]) -> None:
        """Note that a response is being sent; `cut` ends its connection."""
        self._answers.add(cut)

    def end_answer(self, cut: Callable[[], None]) -> None:
        """Note that the response has been sent, or cannot be."""
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
        """Whether the client has left: one that is here has a request under way, or will soon.

        A held GET is watched by the task that holds it.
        """
        if self.posts.is_under_way:
            return self.posts.has_hung_up
        quiet_since = max(self._quiet_since, self.posts.quiet_since)
        return self._held is None and now - quiet_since >= silence_limit

    def lift_limits(self) -> None:
        """Do nothing: each POST looks up its limit when it comes."""

    def end_requests(self, *, orderly: bool) -> None:
        """End an upload, as the reference server does, and responses that nobody waits for.

        Otherwise they would last as long as the time limits of requests allow, with all that has
        been received or is to be sent: several times the memory that sessions may take. A POST
        whose body has been received is answered.
        """
        self.posts.drop()
        self.posts.cut_upload()
        if not orderly:
            for cut in self._answers:
                cut()

    async def part(self) -> None:
        """Answer the held GET with a CLOSE packet, or the next one; see `abc.Transport`.

        A POST may be on its way at that moment.
        """
        self._finishing = True
        if self.writable:
            self.send_nowait([self.form.version.close])
            self._finished.set()
        with trio.move_on_after(CLOSE_TIMEOUT):
            await self._finished.wait()
        await trio.sleep(LATE)

    async def finish(self, *, by_client: bool, orderly: bool) -> None:
        """Answer the held GET with a CLOSE packet, or the next one if there will be one."""
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

    async def aclose(self) -> None:
        """Nothing to do: a session that polls has no connection of its own."""

    def abandon(self) -> None:
        """Stop polling: answer the held GET with a CLOSE packet, and receive nothing more."""
        self.posts.close()
        self.posts.cut_upload()
        self._finished.set()
        if self.writable:
            self.send_nowait([self.form.version.close])
