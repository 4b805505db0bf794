"""One Engine.IO client, as its handler sees it (JS: engine.io's Socket, `conn`)."""

from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

import trio

from trio_sio.abc import Timers, Transport, TransportClosed
from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.first_payload import PING, Again, FirstPayload, FirstWord
from trio_sio.engine.session.lifecycle import Lifecycle, Probe
from trio_sio.engine.session.log import CloseRecord, SessionLog
from trio_sio.exceptions import Disconnected, RemoteProtocolError
from trio_sio.http import Request
from trio_sio.logs.wire import PacketTap
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import State
from trio_sio.protocol.engineio.version import EIO3, EngineVersion
from trio_sio.statistics import SessionStatistics
from trio_sio.sync import THREAD

Handler = Callable[["Session"], Awaitable[object]]


class Source(Protocol):
    """Where packets come from."""

    @property
    def name(self) -> str:
        """As that of the transport."""

    async def receive(self) -> EnginePacket:
        """Return the next packet; see `abc.Transport`."""

    async def wait_heard(self) -> None:
        """Return when nothing is half here; see `abc.Transport`."""


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
        version: what the client speaks.

    Attributes:
        id: the session id.
        request: the handshake request; an upgrade does not change it.
        deliver: sends an item as one of many; if it does not fit, does what `on_overflow` says.
        enqueue: sends an item, or lets it wait in line for room; see `Outbox.enqueue`.
        is_listening: whether the handler receives at present, or has not begun.
        lifecycle: what ends the session, and its tasks.
        log: where its lines go.
        outbox: what is sent to the client.
        raise_errors: whether errors of handlers end the session's `run` instead of being logged.
        state: the state of the protocol.
        transport: how the client speaks now; `transport.name` is "polling" or "websocket".
        limits_lifted: whether the full limits apply: there are no others, or the client has joined.
        upgraded: whether the client came by polling and moved to WebSocket.
    """

    send: Callable[[Encoded | str | bytes], Coroutine[Any, Any, None]]
    """Send a message, waiting while the outbox is full; to be awaited.

    Raises:
        Disconnected: the session has ended, or ends meanwhile.
    """

    def __init__(
        self,
        sid: str,
        request: Request,
        transport: Transport,
        options: EngineOptions,
        runtime: Runtime,
        log: SessionLog,
        raise_errors: bool | None = None,
        version: EngineVersion = EIO3,
    ) -> None:
        self.id = sid
        self.request = request
        self.log = log
        self.raise_errors = options.raise_errors if raise_errors is None else raise_errors
        self.lifecycle = Lifecycle(transport, options, runtime, CloseRecord(sid, log), version)
        self.state = self.lifecycle.state
        self.outbox = outbox = self.lifecycle.outbox
        self.send, self.deliver, self.enqueue = outbox.send, outbox.deliver, outbox.enqueue
        self.is_listening = True
        self.limits_lifted = options.handshake_buffer_size is None
        self.upgraded = False
        self.transport = transport
        self._source: Source | None = transport  # behind `transport` until it is drained
        self._first: FirstPayload | FirstWord | None = None  # until it is complete
        transport.attach(outbox)

    # -- for handlers ------------------------------------------------------------------------

    @property
    def protocol(self) -> int:
        """The revision of Engine.IO that the client speaks, 3 or 4 (JS: `conn.protocol`)."""
        return self.state.version.number

    @property
    def nursery(self) -> trio.Nursery:
        """Where tasks that belong to this client run; they may outlive `receive`."""
        return self.lifecycle.nursery

    @property
    def timers(self) -> Timers:
        """Calls functions at their times."""
        return self.lifecycle.timers

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
        return self.lifecycle.record.detail

    @property
    def last_seen(self) -> float:
        """When something was last heard of the client (`trio.current_time()`)."""
        return self.state.last_seen

    @property
    def limits(self) -> Counter[str] | None:
        """How often limits were reached without ending it, by option; `None` for never."""
        return self.lifecycle.limits

    @property
    def writable(self) -> bool:
        """Whether something sent now would leave now."""
        return self.state.state is State.OPEN and self.transport.writable and self.outbox.is_idle

    async def settle(self) -> None:
        """Return when it is sure which revision the client speaks, by its first packet.

        Until then `protocol` says what the client has said. A handler that does not ask takes it at
        its word.
        """
        first = self._first
        if not isinstance(first, FirstWord):
            return
        self._first = None
        try:
            packet = await self.transport.receive()
        except TransportClosed as end:
            self.lifecycle.lost(end.why, end.reason)
        except RemoteProtocolError as error:
            self.lifecycle.malformed(str(error))
        else:
            if packet == PING:
                self.state.become(EIO3, trio.current_time())
                first.speak(EIO3)
            self._source = Again(packet, self.transport.name)

    async def receive(self) -> str | bytes:
        """Return the client's next message.

        Raises:
            Disconnected: the session has ended.
        """
        self.is_listening = True
        if self._first is not None:
            self._first.complete()
            self._first = None
        state = self.state
        while state.hears:
            source = self._source
            try:
                if source is None:  # all has been heard; `close` ends this
                    await trio.sleep_forever()
                kind, data = packet = await source.receive()
            except TransportClosed as end:
                if source is self.transport:
                    self.lifecycle.lost(end.why, end.reason)
                # After an upgrade, the old one has been read.
                self._source = self.transport if source is not self.transport else None
            except RemoteProtocolError as error:
                self.lifecycle.malformed(str(error))
            except trio.Cancelled:
                if state.hears:
                    raise  # cancelled from outside
            else:
                now = trio.current_time()
                tap = self.outbox.tap
                if tap is not None:
                    tap.incoming(source.name, packet)
                if kind is EnginePacketType.MESSAGE and state.receive_message(now):
                    self.is_listening = False
                    return data
                self._receive_other(packet, now)
        raise Disconnected(self.reason)

    def _receive_other(self, packet: EnginePacket, now: float) -> None:
        """Take a packet that is no message."""
        if not self.state.hears:
            return
        for _pong in self.state.receive(packet, now):
            self.outbox.send_control(self.state.version.pong)
        if packet.type is EnginePacketType.CLOSE:
            self.lifecycle.closed_by_client()
        elif self.state.is_closed:
            self.lifecycle.pinged_by_client()

    def send_nowait(self, item: Encoded | str | bytes) -> None:
        """Send a message.

        Raises:
            trio.WouldBlock: the outbox is full, or others wait for room.
            Disconnected: the session has ended.
        """
        self.outbox.send_nowait(item)

    def send_volatile(self, item: Encoded | str | bytes) -> bool:
        """Send a message if it can leave at once, else drop it; return whether it left."""
        home = self.outbox.home
        if THREAD.token is not home.token:
            home.check_sync("session.send_volatile")
        if self.state.state is not State.OPEN:
            self.outbox.drop()
            return False
        return self.outbox.send_volatile(Encoded.of(item))

    def on_backlog(self, function: Callable[[bool], object]) -> None:
        """Have a function called when the client falls behind (True) or has caught up (False).

        It must not wait; what it raises ends this session, as if the handler had raised it.
        """
        self.lifecycle.on_backlog(function)

    def close(self, reason: DisconnectReason = DisconnectReason.FORCED_CLOSE) -> None:
        """End the session in order: what is queued goes out, then the client is told."""
        self.outbox.home.check_sync("socket.conn.close")
        self.lifecycle.close(reason)

    async def let_go(self, reason: DisconnectReason) -> None:
        """Send what is queued, tell the client that the session ends, and hear it until it knows.

        From now on nothing can be sent to it. What it sends before it hears of the end is received
        as ever; whoever lets it go calls `close` when that has been dealt with.
        """
        await self.lifecycle.let_go(reason)

    def abort(self, reason: DisconnectReason) -> None:
        """End the session now: what is queued is forgotten."""
        self.outbox.home.check_sync("socket.conn.abort")
        self.lifecycle.abort(reason)

    def statistics(self) -> SessionStatistics:
        """Return what is queued for this client, what was dropped, and when it was last seen."""
        self.outbox.home.check_while_serving("session.statistics")
        return self.outbox.statistics(self.last_seen)

    async def wait_closed(self) -> None:
        """Return when the session has ended and its client has been told."""
        self.outbox.home.check("session.wait_closed")
        await self.lifecycle.wait_ended()

    # -- for the router ----------------------------------------------------------------------

    def explain(self, why: Explanation) -> None:
        """Say why the session is about to end; the first explanation counts."""
        self.lifecycle.record.explain(why)

    def watch(self, tap: PacketTap | None) -> None:
        """Show packets, in and out, to a tap from now on; `None` stops that."""
        self.outbox.watch(tap)

    def count_limit(self, option: str) -> None:
        """Count a limit that was reached without ending the session."""
        self.lifecycle.count_limit(option)

    def lift_limits(self) -> None:
        """Apply the full limits from now on: the client has joined a namespace."""
        self.limits_lifted = True
        self.lifecycle.joined()
        self.transport.lift_limits()

    async def wait_heard(self) -> None:
        """Return when `receive` waits, and nothing of what the client has sent is half here."""
        if self._source is not None:
            await self._source.wait_heard()
        if self._source is not self.transport:
            await self.transport.wait_heard()

    async def wait_application_done(self) -> None:
        """Return when the handler and the tasks in `nursery` have ended."""
        await self.lifecycle.wait_application_done()

    # -- for the engine ----------------------------------------------------------------------

    def start_with(
        self, packet: Encoded, first: FirstWord | None = None
    ) -> FirstPayload | FirstWord | None:
        """Send the OPEN packet; by polling, return the handshake's answer.

        Args:
            packet: the OPEN packet.
            first: of a WebSocket whose client may turn out to speak Engine.IO 3.
        """
        if self.transport.name == "polling":
            self._first = FirstPayload(packet, self.outbox)
        else:
            self._first = first
            self.outbox.send_control(packet)
        return self._first

    def run(self, handler: Handler) -> Coroutine[Any, Any, None]:
        """Run the handler and the session's own tasks until everything has ended."""
        first = self._first
        opening = first.complete_soon if isinstance(first, FirstPayload) else None
        return self.lifecycle.run(self, handler, opening)

    def ping(self) -> None:
        """Ask the client whether it is there."""
        self.state.ping(trio.current_time())
        self.outbox.send_control(self.state.version.ping)

    def time_out(self, silent: float) -> None:
        """End the session now: nothing was heard of the client for `silent` seconds."""
        self.lifecycle.time_out(silent)

    def overlap(self, method: str) -> None:
        """End the session now: a second GET or POST came while one was under way."""
        self.lifecycle.overlap(method)

    @property
    def probe(self) -> Probe | None:
        """The WebSocket that is being tried, if one is."""
        return self.lifecycle.probe

    def begin_upgrade(self, probe: Probe) -> None:
        """Try a WebSocket, while the session goes on polling; `probe` is cancelled at its end."""
        self.lifecycle.begin_upgrade(probe)

    def abandon_upgrade(self) -> None:
        """Go on polling."""
        self.lifecycle.abandon_upgrade()

    def finish_upgrade(self, transport: Transport) -> bool:
        """Go on by WebSocket: what is queued leaves there.

        Returns:
            Whether it did; `False` if the session has ended in this very tick. The former
            transport is the caller's to abandon.
        """
        if not self.lifecycle.finish_upgrade():
            return False
        self.transport = transport
        self.outbox.switch(transport)
        transport.attach(self.outbox)
        self.upgraded = True
        if self.limits_lifted:
            transport.lift_limits()
        self.outbox.flush()
        if self.log.events is not None:
            self.log.events.upgraded(transport.name)
        return True
