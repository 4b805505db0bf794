"""The life of one session: its tasks and its state.

`Lifecycle.run` is the session's home. Its tasks:

    reader      the handler, which pulls messages with `receive`
    writer      sends what the outbox cannot send by itself, then ends the transport
    heartbeat   sleeps until the deadline of the session's state and looks
    and those that the handler starts in `session.nursery`, which may outlive `receive`
"""

import math
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

import trio

from trio_sio.abc import Transport
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.runtime.timers import Timers
from trio_sio.engine.session.connect_timeout import ConnectTimeout
from trio_sio.engine.session.heartbeat import Beating, beat
from trio_sio.engine.session.log import CloseRecord
from trio_sio.engine.session.outbox import Outbox
from trio_sio.engine.session.writer import Writer
from trio_sio.exceptions import Disconnected
from trio_sio.failures import failed_leaves, raised, take_each
from trio_sio.options import EngineOptions
from trio_sio.protocol.engineio.state import SessionState, Signal, State
from trio_sio.protocol.engineio.version import EngineVersion
from trio_sio.sync import LazyEvent

FLUSH_TIMEOUT = 30.0
"""Seconds that a client may take for what was queued before its session was closed."""

BeatingT = TypeVar("BeatingT", bound=Beating)


class Probe(Protocol):
    """A WebSocket that a polling session tries; one of a session at a time."""

    def cancel(self) -> None:
        """Stop trying it."""

    async def settle(self) -> None:
        """Return when what the client has said by the WebSocket so far has had its effect."""


class Lifecycle:
    """Follows the state of one session, and owns its tasks and its outbox.

    Args:
        transport: how the client speaks at first.
        options: the engine's.
        runtime: the engine's.
        record: of the session's end.
        version: what the client speaks.

    Attributes:
        limits: how often limits were reached without ending the session, by option; `None` for
            never.
        outbox: what is sent to the client.
        probe: of the WebSocket that is being tried, if one is; cancelled if the session ends.
        record: of its end.
        state: the state of the protocol.
    """

    __slots__ = (
        "_application_done",
        "_by_client",
        "_connect_timeout",
        "_ended",
        "_nursery",
        "_on_backlog",
        "_options",
        "_reader",
        "_runtime",
        "_tasks",
        "_writer",
        "limits",
        "outbox",
        "probe",
        "record",
        "state",
    )

    def __init__(
        self,
        transport: Transport,
        options: EngineOptions,
        runtime: Runtime,
        record: CloseRecord,
        version: EngineVersion,
    ) -> None:
        self.limits: Counter[str] | None = None
        self.outbox = Outbox(transport, options, runtime.tick, self, runtime.home)
        self.probe: Probe | None = None
        self.record = record
        interval, timeout = options.ping_interval, options.ping_timeout_of(version.number)
        self.state = SessionState(interval, timeout, trio.current_time(), version)
        self._options, self._runtime = options, runtime
        self._connect_timeout: ConnectTimeout | None = None  # until the client has joined
        self._reader = trio.CancelScope()
        self._writer: Writer | None = None
        self._tasks: trio.Nursery | None = None  # the session's own
        self._nursery: trio.Nursery | None = None  # the application's
        self._on_backlog: Callable[[bool], object] | None = None
        self._by_client = False  # the client asked for the end
        self._ended, self._application_done = LazyEvent(), LazyEvent()

    @property
    def nursery(self) -> trio.Nursery:
        """Where tasks that belong to this client run; they may outlive `receive`."""
        assert self._nursery is not None, "the session does not run yet"
        return self._nursery

    @property
    def timers(self) -> Timers:
        """Calls functions at their times."""
        return self._runtime.timers

    async def wait_ended(self) -> None:
        """Return when the session has ended and its client has been told."""
        await self._ended.wait()

    async def wait_application_done(self) -> None:
        """Return when the handler and the tasks in `nursery` have ended."""
        await self._application_done.wait()

    # -- what can happen ---------------------------------------------------------------------

    def joined(self) -> None:
        """Lift the connect timeout: the client has joined a namespace."""
        if self._connect_timeout is not None:
            self._connect_timeout.cancel()
            self._connect_timeout = None

    def close(self, reason: DisconnectReason = DisconnectReason.FORCED_CLOSE) -> None:
        """End the session in order: what is queued goes out, then the client is told."""
        if self.state.hears:
            self._signal(Signal.CLOSE_ASKED, reason)

    async def let_go(self, reason: DisconnectReason) -> None:
        """Tell the client of the end, and hear what it sent before; see `Session.let_go`."""
        if self.state.is_open:
            self.state.signal(Signal.LEAVE_ASKED, reason)
            self.outbox.close(None)
        if self._writer is not None:
            await self._writer.parted.wait()

    def abort(self, reason: DisconnectReason | None) -> None:
        """End the session now: what is queued is forgotten."""
        self._signal(Signal.TRANSPORT_LOST, reason)

    def lost(self, why: Explanation | None, reason: DisconnectReason) -> None:
        """End the session now: its transport brings nothing more, which may have been asked for."""
        if self.state.state is not State.LEAVING:
            if why is not None:
                self.record.explain(why)
            self.abort(reason)

    def malformed(self, text: str) -> None:
        """End the session now: what the client sent cannot be decoded."""
        self.record.explain(Explanation(text))
        self._signal(Signal.MALFORMED)

    def overlap(self, method: str) -> None:
        """End the session now: a second GET or POST came while one was under way."""
        text = f"a second {method} while one was under way; does a proxy send requests again?"
        self.record.explain(Explanation(text))
        self._signal(Signal.OVERLAP)

    def closed_by_client(self) -> None:
        """Follow a CLOSE packet, which the state has taken already."""
        self._by_client = True
        self._leave()

    def pinged_by_client(self) -> None:
        """Follow a PING of a client that has to answer them, which the state has taken already."""
        text = "it sent a ping; in Engine.IO 4 the server pings, and the client answers"
        self.record.explain(Explanation(text))
        self._leave()

    def time_out(self, silent: float) -> None:
        """End the session now: nothing was heard of the client for `silent` seconds."""
        text, limit = f"nothing was heard for {silent:.1f} s", self.state.timeout
        self.record.explain(Explanation(text, "ping_timeout", limit, silent))
        self.state.tick(trio.current_time())
        self._leave()

    def _expect_joining(self) -> None:
        limit, late = self._options.connect_timeout, self._join_too_late
        self._connect_timeout = ConnectTimeout(self.timers, limit, self._runtime.stalls, late)

    def _join_too_late(self) -> None:
        limit = self._options.connect_timeout
        why = Explanation(f"it joined nothing within {limit} s", "connect_timeout", limit)
        self.record.explain(why)
        self.close()

    def _signal(self, signal: Signal, reason: DisconnectReason | None = None) -> None:
        if self.state.state is not State.CLOSED:
            self.state.signal(signal, reason)
            self._leave()

    def _leave(self) -> None:
        """Follow the state: it is not open any more."""
        state = self.state
        assert state.reason is not None
        seen = state.last_seen
        # A client that gave up while we were held has often left a last ping, read since then.
        stalled = self._runtime.stalls.lost_since(seen - self.state.timeout)
        self.record.end(state.reason, seen, stalled)
        self.outbox.close(state.reason)
        self._reader.cancel()
        self.outbox.transport.end_requests(orderly=state.state is State.CLOSING)
        flush_by = trio.current_time() + FLUSH_TIMEOUT
        if state.is_closed:
            self.outbox.discard()
            flush_by = -math.inf
        if self._writer is not None:
            self._writer.finish_by(flush_by)
        if self.probe is not None and state.is_closed:
            self.probe.cancel()

    # -- upgrade -----------------------------------------------------------------------------

    def begin_upgrade(self, probe: Probe) -> None:
        """Note that a WebSocket is being tried."""
        self.probe = probe
        self.state.signal(Signal.PROBE)

    def abandon_upgrade(self) -> None:
        """Note that it is not tried any more."""
        self.probe = None
        if self.state.state in (State.UPGRADING, State.LEAVING, State.CLOSING):
            self.state.signal(Signal.PROBE_LOST)

    def finish_upgrade(self) -> bool:
        """Note that the client has moved there; return whether the session is still here."""
        self.probe = None
        if self.state.is_closed:
            return False
        self.state.signal(Signal.UPGRADED)
        self.state.touch(trio.current_time())
        return True

    # -- for the outbox ----------------------------------------------------------------------

    def wake_writer(self) -> None:
        """Have the writer task look for work; start it if it does not run."""
        if self._writer is not None:
            self._writer.wake()
            return
        self._writer = Writer(self.outbox)
        if self._tasks is not None:
            self._tasks.start_soon(self._write, self._writer)

    def on_backlog(self, function: Callable[[bool], object]) -> None:
        """Set what is called when the client falls behind (True) or has caught up (False)."""
        self._on_backlog = function

    def backlog_changed(self, is_behind: bool) -> None:
        """Tell the application that the client fell behind, or caught up."""
        if self._on_backlog is not None:
            self._on_backlog(is_behind)

    def slow_consumer(self, why: Explanation) -> None:
        """End the session now: its client does not take what is sent to it."""
        self.record.explain(why)
        self.abort(DisconnectReason.SLOW_CONSUMER)

    def count_limit(self, option: str) -> None:
        """Count a limit that was reached without ending the session."""
        self.limits = self.limits or Counter()
        self.limits[option] += 1

    def flush_failed(self, error: BaseException) -> None:
        """End the session in order, and raise the error at its end."""
        self.record.fail(error)
        self.record.explain(Explanation("its on_backlog function or its transport failed"))
        self.close()

    # -- tasks -------------------------------------------------------------------------------

    async def run(
        self,
        session: BeatingT,
        handler: Callable[[BeatingT], Awaitable[object]],
        opening: Callable[[], Awaitable[None]] | None,
    ) -> None:
        """Run the handler and the session's own tasks until everything has ended.

        Args:
            session: whose life it is; the handler's argument.
            handler: the application's.
            opening: a task that makes sure of the handshake's answer.
        """
        self._expect_joining()
        try:
            async with trio.open_nursery() as self._tasks:
                tasks = self._tasks
                if self._writer is not None:
                    tasks.start_soon(self._write, self._writer)
                tasks.start_soon(beat, session, self._runtime)
                if opening is not None:
                    tasks.start_soon(opening)
                    opening = None  # it takes memory, and the session may last for days
                async with trio.open_nursery() as self._nursery:
                    try:
                        with self._reader:
                            await handler(session)
                    except* Disconnected:
                        pass  # the handler let `receive` end it
                    except* failed_leaves() as errors:
                        self.record.fail(errors)  # the client is told before
                    finally:
                        self.close()
                self._application_done.set()
                await self._ended.wait()
                tasks.cancel_scope.cancel()
        finally:
            with raised(self.record.failures):
                self._tasks = None
                self.joined()
                abort = partial(self.abort, DisconnectReason.SERVER_SHUTTING_DOWN)
                done = self._application_done.set, self._ended.set
                take_each(abort, self.outbox.transport.abandon, *done)

    async def _write(self, writer: Writer) -> None:
        """Send what the outbox cannot send by itself, then end the transport."""
        transport: Transport | None = None
        while transport is not self.outbox.transport:  # again, if an upgrade comes in between
            try:
                await writer.write()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                self.abort(DisconnectReason.TRANSPORT_CLOSE)
            transport = self.outbox.transport
            if self.state.state is State.LEAVING:
                await writer.part()
            orderly = self.state.state is State.CLOSING
            await transport.finish(by_client=self._by_client, orderly=orderly)
        if self.state.state is State.CLOSING:
            self.state.signal(Signal.FLUSHED)
        self._ended.set()
