"""One Engine.IO client (JS: engine.io's Socket, `conn`).

`run` is the client's home. Its tasks:

    reader      the handler, which pulls messages with `receive`
    writer      what the outbox cannot send by itself, and the goodbye; it begins when there is
                something to do, since a task that waits takes 4 kB
    heartbeat   sleeps until the deadline of the session's state and looks
    and those that the handler starts in `session.nursery`, which may outlive `receive`
"""

import math
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import trio

from trio_sio.abc import Transport, TransportClosed
from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.connect_timeout import ConnectTimeout
from trio_sio.engine.session.ending import Ending
from trio_sio.engine.session.first_payload import FirstPayload
from trio_sio.engine.session.heartbeat import beat
from trio_sio.engine.session.log import SessionLog
from trio_sio.engine.session.outbox import NO_LIMIT, Outbox
from trio_sio.engine.session.overflow import overflow
from trio_sio.engine.session.probe import Probe
from trio_sio.exceptions import Disconnected, RemoteProtocolError
from trio_sio.failures import failed_leaves, take_each
from trio_sio.http import Request
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import SessionState, Signal, State
from trio_sio.statistics import SessionStatistics
from trio_sio.sync import LazyEvent

Handler = Callable[["Session"], Awaitable[object]]

FLUSH_TIMEOUT = 30.0
"""Seconds that a client may take for what was queued before its session was closed."""

_PONG = Encoded(("3",))


class Session:
    """One client of the engine, from the handshake to the end.

    Args:
        sid: the session id.
        request: the handshake request.
        transport: how the client speaks at first.
        options: the engine's options.
        runtime: the engine's.
        log: where its lines go.
        raise_errors: instead of the option.

    Attributes:
        id: the session id.
        request: the handshake request; an upgrade does not change it.
        transport: how the client speaks now; `transport.name` is "polling" or "websocket".
        is_listening: whether the handler receives at present, or has yet to begin.
        upgraded: whether the client came by polling and moved to WebSocket.
        deliver: sends an item as one of many; at a full outbox, does what `on_overflow` says.
        raise_errors: whether errors of handlers end the session's `run` instead of being logged.
        log: where its lines go.
        probe: of the WebSocket that is being tried, if one is; cancelled if the session ends.
        limits: how often limits were reached without ending it, by option; `None` for never.
    """

    limits: Counter[str] | None = None  # of nearly all, and takes nothing here
    probe: Probe | None = None

    def __init__(
        self,
        sid: str,
        request: Request,
        transport: Transport,
        options: EngineOptions,
        runtime: Runtime,
        log: SessionLog,
        raise_errors: bool | None = None,
    ) -> None:
        self.id = sid
        self.request = request
        self.transport: Transport = transport
        self._source = self.transport  # behind `transport` until the old one is drained
        self.upgraded = False
        self.raise_errors = options.raise_errors if raise_errors is None else raise_errors
        self.state = SessionState(options.ping_interval, options.ping_timeout, trio.current_time())
        marks = options.high_water, options.low_water
        self.outbox = Outbox(
            transport, options.max_outbox, options.max_outbox_bytes, runtime.tick, marks
        )
        transport.attach(self.outbox)
        self.outbox.on_full = self._overflow
        self.outbox.on_work = self._start_writer
        self.outbox.on_failure = self._fail
        self.deliver, self.enqueue = self.outbox.deliver, self.outbox.enqueue
        self.trusted = options.handshake_buffer_size is None
        self._options = options
        self.timers, self.stalls = runtime.timers, runtime.stalls
        self._reader = trio.CancelScope()
        self._writer: trio.CancelScope | None = None
        self._flush_by = math.inf
        self._patience = ConnectTimeout(runtime.timers, options.connect_timeout, runtime.stalls)
        self._tasks: trio.Nursery | None = None
        self._nursery: trio.Nursery | None = None
        self.is_listening, self._by_client, self._is_written = True, False, False
        self._ended, self._application_done = LazyEvent(), LazyEvent()
        self.log, self._end = log, Ending(log)
        self._opening: FirstPayload | None = None  # until it is known

    # -- what a handler sees ---------------------------------------------------------------

    @property
    def nursery(self) -> trio.Nursery:
        """Where tasks that belong to this client run; they may outlive `receive`."""
        assert self._nursery is not None, "the session does not run yet"
        return self._nursery

    @property
    def closed(self) -> bool:
        """Whether the session takes no more messages."""
        return not self.state.is_open

    @property
    def reason(self) -> DisconnectReason | None:
        """Why the session ended; `None` while it is open."""
        return self.state.reason

    @property
    def detail(self) -> DisconnectDetail | None:
        """What is known about the end; `None` while the session is open."""
        return self._end.detail

    @property
    def last_seen(self) -> float:
        """When something was last heard of the client (`trio.current_time()`)."""
        return self.state.last_seen

    def explain(self, why: Explanation) -> None:
        """Say why the session is about to end; the first word counts."""
        self._end.explain(why)

    @property
    def writable(self) -> bool:
        """Whether something sent now would leave now."""
        return self.state.state is State.OPEN and self.transport.writable and self.outbox.is_clear

    async def receive(self) -> str | bytes:
        """Return the client's next message; raises `Disconnected` at the end."""
        self.is_listening = True
        if self._opening is not None:
            self._open()
        state = self.state
        while state.is_open:
            source = self._source
            try:
                kind, data = packet = await source.receive()
            except TransportClosed as end:
                if source is self.transport:
                    if end.why is not None:
                        self.explain(end.why)
                    self._signal(Signal.TRANSPORT_LOST, end.reason)
                self._source = self.transport  # an upgrade: what came by the old one has been read
            except RemoteProtocolError as error:
                self.explain(Explanation(str(error)))
                self._signal(Signal.MALFORMED)
            except trio.Cancelled:
                if state.is_open:
                    raise  # cancelled from outside
            else:
                now = trio.current_time()
                if kind is EnginePacketType.MESSAGE and state.receive_message(now):
                    self.is_listening = False
                    return data
                self._receive_other(packet, now)
        raise Disconnected(self.reason)

    async def wait_heard(self) -> None:
        """Return when `receive` waits, and nothing of what the client has sent is half here."""
        await self._source.wait_heard()
        if self._source is not self.transport:
            await self.transport.wait_heard()

    def _receive_other(self, packet: EnginePacket, now: float) -> None:
        """Take a packet that is no message."""
        if not self.state.is_open:
            return
        for _pong in self.state.receive(packet, now):
            self.outbox.put_control(_PONG)
        if packet.type is EnginePacketType.CLOSE:
            self._by_client = True
            self._leave()

    def send(self, item: Encoded | str | bytes) -> Coroutine[Any, Any, None]:
        """Send, waiting while the outbox is full; to be awaited. Raises `Disconnected`."""
        return self.outbox.put(item if isinstance(item, Encoded) else Encoded.of(item))

    def send_nowait(self, item: Encoded | str | bytes) -> None:
        """Send; raises `trio.WouldBlock` if others wait or the outbox is full, `Disconnected`."""
        if self.outbox.is_waited_for:
            raise trio.WouldBlock
        self.outbox.put_nowait(Encoded.of(item))

    def send_volatile(self, item: Encoded | str | bytes) -> bool:
        """Send if it can leave at once, else drop it; return whether it left."""
        if self.state.state is not State.OPEN:
            self.outbox.dropped += 1
            return False
        return self.outbox.put_volatile(Encoded.of(item))

    def _overflow(self, item: Encoded) -> None:
        overflow(self, item, item.on_overflow or self._options.on_overflow)

    def on_backlog(self, function: Callable[[bool], object]) -> None:
        """Have a function called when the client falls behind (True) or has caught up (False).

        It must not wait; what it raises ends this session, as if the handler had raised it.
        """
        self.outbox.on_backlog = function

    def _fail(self, error: BaseException) -> None:
        self._end.fail(error)
        self.explain(Explanation("its on_backlog function or its transport failed"))
        self.close()

    def count_limit(self, option: str) -> None:
        """Note that a limit was reached without ending the session."""
        self.limits = self.limits or Counter()
        self.limits[option] += 1

    def trust(self) -> None:
        """Apply the full limits: the client has joined a namespace, it is a stranger no more."""
        self.trusted = True
        self._patience.end()
        self.transport.trust()

    def _lose_patience(self) -> None:
        limit = self._options.connect_timeout
        self.explain(Explanation(f"it joined nothing within {limit} s", "connect_timeout", limit))
        self.close()

    def close(self, reason: DisconnectReason = DisconnectReason.FORCED_CLOSE) -> None:
        """End the session in order: what is queued goes out, then the client is told."""
        if self.state.is_open:
            self._signal(Signal.CLOSE_ASKED, reason)

    def abort(self, reason: DisconnectReason) -> None:
        """End the session now: what is queued is forgotten."""
        self._signal(Signal.TRANSPORT_LOST, reason)

    def statistics(self) -> SessionStatistics:
        """Return what is queued for this client, what was dropped, and when it was last seen."""
        return self.outbox.statistics(self.last_seen)

    async def wait_closed(self) -> None:
        """Return when the session has ended and its client has been told."""
        await self._ended.wait()

    async def wait_application_done(self) -> None:
        """Return when the handler and the tasks in `nursery` have ended."""
        await self._application_done.wait()

    # -- handshake, called by the engine -----------------------------------------------------

    def start_with(self, packet: Encoded) -> FirstPayload | None:
        """Say what the client is told first, the OPEN packet; by polling, return the answer."""
        if self.transport.name == "polling":
            self._opening = FirstPayload(packet)
        else:
            self.outbox.put_control(packet)
        return self._opening

    def _open(self) -> None:
        if self._opening is not None:
            self._opening.make(self.outbox.take(NO_LIMIT))
            self._opening = None

    async def _open_anyway(self) -> None:
        """Open for a handler that begins otherwise than with `receive`."""
        await trio.lowlevel.checkpoint()
        self._open()

    # -- upgrade, called by the engine -----------------------------------------------------

    def finish_upgrade(self, transport: Transport) -> None:
        """Go on by WebSocket: what is queued leaves there."""
        self.state.signal(Signal.UPGRADED)
        self.state.touch(trio.current_time())
        old, self.transport = self.transport, transport
        self.upgraded = True
        self.outbox.transport = transport
        transport.attach(self.outbox)
        if self.trusted:
            self.trust()
        old.abandon()
        self.outbox.flush()

    # -- tasks -----------------------------------------------------------------------------

    async def run(self, handler: Handler) -> None:
        """Live: run the handler and the session's own tasks until everything has ended."""
        self._patience.begin(self._lose_patience)
        try:
            async with trio.open_nursery() as self._tasks:
                tasks = self._tasks
                if self.outbox.has_work:
                    self._start_writer()
                tasks.start_soon(beat, self)
                if self._opening is not None:
                    tasks.start_soon(self._open_anyway)
                async with trio.open_nursery() as self._nursery:
                    try:
                        with self._reader:
                            await handler(self)
                    except* Disconnected:
                        pass  # the handler let `receive` end it
                    except* failed_leaves() as errors:
                        self._end.fail(errors)  # raised at the end: the client is told first
                    finally:
                        self.close()
                self._application_done.set()
                await self._ended.wait()
                tasks.cancel_scope.cancel()
        finally:
            self._tasks = None
            self._patience.end()
            abort = partial(self.abort, DisconnectReason.SERVER_SHUTTING_DOWN)
            done = self._application_done.set, self._ended.set
            take_each(abort, self.transport.abandon, self._open, *done)
        if self._end.failure is not None:
            raise self._end.failure

    def _start_writer(self) -> None:
        if self._tasks is not None and not self._is_written:
            self._is_written = True
            self._tasks.start_soon(self._write)

    async def _write(self) -> None:
        transport: Transport | None = None
        while transport is not self.transport:  # again, if an upgrade comes in between
            transport = self.transport
            with trio.CancelScope(deadline=self._flush_by) as self._writer:
                try:
                    await self.outbox.write(lambda: not self.state.is_open)
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    self.abort(DisconnectReason.TRANSPORT_CLOSE)
            transport = self.transport
            orderly = self.state.state is State.CLOSING
            await transport.finish(by_client=self._by_client, orderly=orderly)
        if self.state.state is State.CLOSING:
            self.state.signal(Signal.FLUSHED)
        self._ended.set()

    def time_out(self, silent: float) -> None:
        """Nothing was heard of the client for too many seconds."""
        text, limit = f"nothing was heard for {silent:.1f} s", self._options.ping_timeout
        self.explain(Explanation(text, "ping_timeout", limit, silent))
        self.state.tick(trio.current_time())
        self._leave()

    def _signal(self, signal: Signal, reason: DisconnectReason | None = None) -> None:
        if self.state.state is not State.CLOSED:
            self.state.signal(signal, reason)
            self._leave()

    def overlap(self, method: str) -> None:
        """A second GET or POST came while one was under way."""
        self.explain(Explanation(f"a second {method} while one was under way"))
        self._signal(Signal.OVERLAP)

    def _leave(self) -> None:
        """Follow the state: it is not open any more."""
        assert self.reason is not None
        seen = self.last_seen
        # Who gave up while we were held has often left a last ping, which has been read since.
        stalled = self.stalls.lost_since(seen - self._options.ping_timeout)
        self._end.come(self.id, self.reason, seen, stalled)
        self.outbox.close(self.reason)
        self._reader.cancel()
        self.transport.end_requests(orderly=self.state.state is State.CLOSING)
        if self.state.state is State.CLOSED:
            self.outbox.discard()
            self._flush_by = -math.inf
        else:
            self._flush_by = trio.current_time() + FLUSH_TIMEOUT
        if self._writer is not None:
            self._writer.deadline = self._flush_by
        if self.probe is not None and self.state.state is State.CLOSED:
            self.probe.cancel()
