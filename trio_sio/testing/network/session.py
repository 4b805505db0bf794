"""The client's end of a session: it does by each transport what JavaScript's client does."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress

import trio

from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import Disconnected
from trio_sio.testing.clients.expectation import Ended, Unexpected, expect, shown
from trio_sio.testing.clients.packets import Opening, part_of
from trio_sio.testing.clients.transports import Access, Polling, WebSocket
from trio_sio.testing.limit import WIRE_WAIT, within
from trio_sio.testing.network.heartbeat import AnsweringHeartbeat, Heartbeat
from trio_sio.testing.network.outgoing import Outgoing
from trio_sio.testing.wire import PacketText

CLOSE_TIME = 5.0
"""Seconds that the server gets to take note of a client that leaves."""

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
_ENDS = (Ended, *_BROKEN)
"""What a transport raises that carries no more packets."""


class _Move:
    """The change from polling to a WebSocket, as the reading task sees it."""

    def __init__(self) -> None:
        self.parked = trio.Event()  # no poll is under way, and none begins
        self.done = trio.Event()


class ClientSession:
    """A session of Engine.IO, from the client's side.

    Args:
        access: the way to the server.
        transport: what packets go by at first; `receive` gives OPEN.
        query: more for the query of a WebSocket.
        hear: is called with each message, without its type.
        tell: is told what the session does.

    Attributes:
        opening: what the OPEN packet said.
        reason: why the session ended; `None` while it lasts.
        ended: is set when nothing comes any more.
    """

    opening: Opening

    def __init__(
        self,
        access: Access,
        transport: Polling | WebSocket,
        query: str,
        hear: Callable[[str | bytes], None],
        tell: Callable[[str], None],
    ) -> None:
        self.reason: DisconnectReason | None = None
        self.ended = trio.Event()
        self._access = access
        self._eio = access.eio
        self._transport = transport
        self._query = query
        self._hear = hear
        self._tell = tell
        self._outgoing = Outgoing()
        self._tasks_scope = trio.CancelScope()
        self._heartbeat: Heartbeat
        self._move: _Move | None = None
        self._is_upgrading = False
        self._is_closing = False
        self._room = trio.Event()
        self._room.set()

    @property
    def transport(self) -> str:
        """What packets go by now: "polling" or "websocket"."""
        return "polling" if isinstance(self._transport, Polling) else "websocket"

    async def open(self) -> None:
        """Receive OPEN.

        Raises:
            Unexpected: something else came.
            Ended: the server refused the session.
            trio.BrokenResourceError: the connection broke.
        """
        self.opening = Opening.of(await self._transport.receive())
        self._transport.begin(self.opening.sid)
        kind = Heartbeat if self._eio == 3 else AnsweringHeartbeat
        self._heartbeat = kind(self.opening.ping_interval, self.opening.ping_timeout)
        self._tell(f"is open by {self.transport}")

    async def run(self, *, heartbeat: bool) -> None:
        """Receive and send until the session ends.

        Args:
            heartbeat: whether to ping, or to answer pings, and to give up a server that is silent.

        Raises:
            Unexpected: the server sent what the protocol does not know.
        """
        try:
            with self._tasks_scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read)
                    nursery.start_soon(self._write)
                    if heartbeat:
                        self._heartbeat.begin()
                        nursery.start_soon(self._beat)
                        nursery.start_soon(self._watch)
        finally:
            self.ended.set()
            if self._move is not None:
                self._move.parked.set()
        await self._transport.aclose()

    async def send(self, packets: Sequence[PacketText]) -> None:
        """Send packets, one behind the other; returns as `Outgoing.send`.

        Raises:
            Disconnected: the session has ended.
        """
        try:
            await self._outgoing.send(packets)
        except trio.ClosedResourceError:
            raise Disconnected(self.reason) from None

    def set_room(self, has_room: bool) -> None:
        """Read on, or stop reading until there is room again."""
        if has_room and not self._room.is_set():
            self._room.set()
            self._heartbeat.go_on()
        elif not has_room and self._room.is_set():
            self._room = trio.Event()
            self._heartbeat.hold()

    async def upgrade(self) -> None:
        """Go on by WebSocket: probe it while polling goes on, pause that, and send UPGRADE.

        Raises:
            RuntimeError: the session goes by WebSocket already.
            trio.BrokenResourceError: the WebSocket was refused, or broke; polling goes on.
            Disconnected: the session has ended.
        """
        if not isinstance(self._transport, Polling) or self._is_upgrading:
            raise RuntimeError("only a client that polls can upgrade, and only once at a time")
        self._is_upgrading = True
        try:
            await self._move_to(await self._probe())
        finally:
            self._is_upgrading = False

    async def close(self) -> None:
        """End the session in order: by polling CLOSE is sent, a WebSocket says goodbye itself."""
        if self.reason is not None:
            return
        with trio.move_on_after(CLOSE_TIME), suppress(Disconnected, *_BROKEN):
            if isinstance(self._transport, WebSocket):
                async with self._outgoing.paused():
                    await self._transport.wire.send_close()
                await self.ended.wait()
            else:
                self._is_closing = True
                await self.send(["1"])
        self._finish(DisconnectReason.FORCED_CLOSE)

    # -- tasks ---------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            while True:
                await self._room.wait()
                await self._wait_pause()
                self._take(await self._transport.receive())
        except _ENDS as error:
            self._lose(error)

    async def _write(self) -> None:
        try:
            await self._outgoing.run(self._transmit)
        except _ENDS as error:
            self._lose(error)

    async def _beat(self) -> None:
        with suppress(Disconnected):
            await self._heartbeat.beat(lambda: self.send([self._heartbeat.packet]))

    async def _watch(self) -> None:
        await self._heartbeat.wait_silence()
        self._finish(DisconnectReason.PING_TIMEOUT)

    async def _transmit(self, packets: Sequence[PacketText]) -> None:
        for packet in packets:
            self._tell(f"sends {shown(packet)}")
        await self._transport.send(*packets)

    # -- steps ---------------------------------------------------------------------------------

    def _take(self, packet: PacketText) -> None:
        kind = packet[:1] if isinstance(packet, str) else "4"
        self._tell(f"hears {shown(packet)}")
        self._heartbeat.heard()
        if kind == ("3" if self._eio == 3 else "2"):
            self._heartbeat.heard_beat()
        elif kind == "1":
            self._finish(DisconnectReason.TRANSPORT_CLOSE)
        elif kind in ("4", "b"):
            self._hear(part_of(packet, self._eio))
        elif kind != "6":
            raise Unexpected(f"a server does not send {shown(packet)}")

    async def _wait_pause(self) -> None:
        """Begin no further poll while an upgrade takes over, and none before the end."""
        if not isinstance(self._transport, Polling) or self._transport.has_received:
            return
        if self._is_closing:
            await trio.sleep_forever()
        if self._move is not None:
            self._move.parked.set()
            await self._move.done.wait()

    async def _probe(self) -> WebSocket:
        """Open a WebSocket and probe it; packets come and go by polling meanwhile."""
        async with AsyncExitStack() as stack:
            try:
                with within(WIRE_WAIT, "the answer to a probe", lambda: "nothing came"):
                    websocket = await WebSocket.open(self._access, self._query, self.opening.sid)
                    stack.push_async_callback(websocket.aclose)
                    self._tell("probes a WebSocket")
                    await websocket.send("2probe")
                    expect(await websocket.receive(), "3probe", "the answer to a probe")
            except (Unexpected, *_BROKEN) as error:
                if self.reason is not None:
                    raise Disconnected(self.reason) from error
                raise trio.BrokenResourceError(f"no upgrade: {error}") from error
            stack.pop_all()
            return websocket

    async def _move_to(self, websocket: WebSocket) -> None:
        """Wait for the end of the poll and of the POST under way, and go on by WebSocket."""
        move = self._move = _Move()
        if self.ended.is_set():
            move.parked.set()
        has_moved = False
        try:
            async with self._outgoing.paused():
                await move.parked.wait()
                if self.reason is not None:
                    raise Disconnected(self.reason)
                has_moved = True
                await self._take_over(websocket)
        finally:
            self._move = None
            move.done.set()
            if not has_moved:
                await websocket.aclose()

    async def _take_over(self, websocket: WebSocket) -> None:
        self._transport = websocket
        self._tell("goes on by websocket")
        try:
            await websocket.send("5")
        except _ENDS as error:
            self._lose(error)
            raise Disconnected(self.reason) from error

    def _lose(self, error: Exception) -> None:
        """The transport carries nothing any more."""
        self._tell(f"loses its {self.transport}: {error}")
        is_websocket = isinstance(self._transport, WebSocket)
        lost = (
            DisconnectReason.TRANSPORT_CLOSE if is_websocket else DisconnectReason.TRANSPORT_ERROR
        )
        self._finish(lost)

    def _finish(self, reason: DisconnectReason) -> None:
        if self.reason is None:
            self.reason = reason
            self._tell(f"ends: {reason}")
            self._tasks_scope.cancel()
