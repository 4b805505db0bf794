"""The life of one session: its tasks, its state, and why it ended.

`Lifecycle.run` is the session's home. Its tasks:

    reader      the handler, which pulls messages with `receive`
    writer      sends what the outbox cannot send by itself, then ends the transport
    heartbeat   sleeps until the deadline of the session's state and looks
    and those that the handler starts in `session.nursery`, which may outlive `receive`
"""

import logging
import math
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

import trio

from trio_sio.abc import Transport
from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.runtime.timers import Timers
from trio_sio.engine.session.connect_timeout import ConnectTimeout
from trio_sio.engine.session.heartbeat import Beating, beat
from trio_sio.engine.session.log import SessionLog
from trio_sio.engine.session.outbox import Outbox
from trio_sio.engine.session.writer import Writer
from trio_sio.exceptions import Disconnected
from trio_sio.failures import failed_leaves, take_each
from trio_sio.logs.shown import short_id
from trio_sio.options import EngineOptions
from trio_sio.protocol.engineio.state import SessionState, Signal, State
from trio_sio.protocol.engineio.version import EngineVersion
from trio_sio.sync import LazyEvent

logger = logging.getLogger("trio_sio.engine")

FLUSH_TIMEOUT = 30.0
"""Seconds that a client may take for what was queued before its session was closed."""

BeatingT = TypeVar("BeatingT", bound=Beating)


class Probe(Protocol):
    """A WebSocket that a polling session tries; one of a session at a time."""

    def cancel(self) -> None:
        """Stop trying it."""

    async def settle(self) -> None:
        """Return when what the client has said by the WebSocket so far has had its effect."""


class CloseRecord:
    """Why one session ended.

    A limit or the client's own mistake is worth a warning; a client that went away, or is not
    heard of any more, is not.

    Args:
        sid: the session's id.
        log: the session's, where the end is told.

    Attributes:
        detail: what is known; `None` until the session ends.
        failure: what the application's code raised, to be raised at the end; `None` if nothing.
    """

    __slots__ = ("_log", "_sid", "_why", "detail", "failure")

    def __init__(self, sid: str, log: SessionLog) -> None:
        self.detail: DisconnectDetail | None = None
        self.failure: BaseException | None = None
        self._sid = sid
        self._log = log
        self._why: Explanation | None = None

    def explain(self, why: Explanation) -> None:
        """Say why the session is about to end; the first explanation counts."""
        if self._why is None:
            self._why = why

    def fail(self, error: BaseException) -> None:
        """Keep what the application's code raised, beside what it has raised before."""
        if self.failure is not None:
            error = BaseExceptionGroup("one session's failures", [self.failure, error])
        self.failure = error

    def end(self, reason: DisconnectReason, last_seen: float, stalled: float) -> None:
        """Record the end, once; it is logged if there is more to say than the reason.

        Args:
            reason: JavaScript's word.
            last_seen: when something was last heard of the client.
            stalled: seconds that our own event loop was held around then.
        """
        if self.detail is not None:
            return
        self.detail = detail = DisconnectDetail.of(reason, self._why, last_seen, stalled)
        if self._log.events is not None:
            self._log.events.ended(detail)
        if not (detail.text or detail.stalled):
            return
        is_refused = bool(detail.text) and detail.option != "ping_timeout"
        level = logging.WARNING if is_refused else logging.INFO
        kind = str(reason), detail.option
        text = "session %s: %s"
        self._log.throttle.tell(logger, level, kind, text, short_id(self._sid), detail)


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
        interval, timeout = options.ping_interval, options.ping_timeout
        self.state = SessionState(interval, timeout, trio.current_time(), version)
        self._options = options
        self._runtime = runtime
        self._connect_timeout = ConnectTimeout(
            runtime.timers, options.connect_timeout, runtime.stalls
        )
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
        self._connect_timeout.cancel()

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

    def time_out(self, silent: float) -> None:
        """End the session now: nothing was heard of the client for `silent` seconds."""
        text, limit = f"nothing was heard for {silent:.1f} s", self._options.ping_timeout
        self.record.explain(Explanation(text, "ping_timeout", limit, silent))
        self.state.tick(trio.current_time())
        self._leave()

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
        stalled = self._runtime.stalls.lost_since(seen - self._options.ping_timeout)
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
        self._connect_timeout.begin(self._join_too_late)
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
                        self.record.fail(errors)  # raised at the end: the client is told first
                    finally:
                        self.close()
                self._application_done.set()
                await self._ended.wait()
                tasks.cancel_scope.cancel()
        finally:
            self._tasks = None
            self._connect_timeout.cancel()
            abort = partial(self.abort, DisconnectReason.SERVER_SHUTTING_DOWN)
            done = self._application_done.set, self._ended.set
            take_each(abort, self.outbox.transport.abandon, *done)
        if self.record.failure is not None:
            raise self.record.failure

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
