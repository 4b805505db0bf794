"""A session polls and moves to a WebSocket, with traffic in both directions at any moment.

Each rule stops before what it has begun is over, after some turns of the scheduler; so the steps of
an upgrade meet polls, POSTs and events in every state. Both directions number their events: each
number has to arrive once, in order.
"""

from contextlib import suppress

import trio
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.router.socket import Socket
from trio_sio.server import Server
from trio_sio.testing.clients.packets import messages as packets_of, part_of
from trio_sio.testing.machines.trio_machine import TrioMachine, in_trio
from trio_sio.testing.wire import PacketText, WireClient, WireSession, open_wire
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket

_GONE = (trio.BrokenResourceError, trio.ClosedResourceError, WebSocketClosed)

IDLE = 60.0
"""Seconds after which the client polls by another connection: the server closes those without
requests, by its option `keep_alive_timeout`."""

_turns = st.sampled_from([0, 0, 1, 2, 3, 5, 8, 100])
_ways_to_end = st.sampled_from(["cut", "close", "send something else"])


class UpgradeMachine(TrioMachine):
    """One session, its polls, POSTs and WebSockets.

    Attributes:
        session: the client's polling.
        probing: a WebSocket that probes, or has been answered.
        websocket: the WebSocket that the session has moved to.
    """

    settles = False
    eio = 3
    """The revision of Engine.IO."""

    def make_server(self) -> Server:
        """Return the server."""
        return Server()

    async def set_up(self) -> None:
        """Begin a session."""
        self.io = self.make_server()
        self.io.on("connection", self._connected)
        self.io.on("number", self._hear)
        self.wire: WireClient = await self.hold(open_wire(self.io))
        await self.begin()

    async def begin(self) -> None:
        """Begin a session, with nothing under way."""
        self.decoder = Decoder()
        self.sent_up = self.heard_up = self.sent_down = self.heard_down = 0
        self.is_polling = self.is_posting = self.is_answered = False
        self.probing: WireWebSocket | None = None
        self.websocket: WireWebSocket | None = None
        self.session: WireSession = await self.wire.handshake(eio=self.eio)
        self.polled_at = trio.current_time()
        await self.join()
        await self.settle()

    async def join(self) -> None:
        """Join "/": a client of 2.x is in it from the beginning."""

    def _connected(self, socket: Socket) -> None:
        self.socket = socket

    def _hear(self, socket: Socket, number: int, data: object) -> None:
        if socket is self.socket:
            assert number == self.heard_up, f"the server hears {number}, not {self.heard_up}"
            self.heard_up += 1

    async def go_on(self, turns: int) -> None:
        """Let what goes on have some turns, or 100 to come to its end."""
        if turns == 100:
            await self.settle()
        for _ in range(turns):
            await trio.lowlevel.checkpoint()

    # -- events ----------------------------------------------------------------------------------

    @rule(count=st.integers(1, 3), data=st.sampled_from([None, b"\x00"]), turns=_turns)
    @in_trio
    async def server_emits(self, count: int, data: object, turns: int) -> None:
        """The server emits a few events."""
        for _ in range(count):
            await self.socket.emit("number", self.sent_down, data)
            self.sent_down += 1
        await self.go_on(turns)

    @precondition(lambda self: not self.is_posting)
    @rule(count=st.integers(1, 3), data=st.sampled_from([None, b"\x00"]), turns=_turns)
    @in_trio
    async def client_emits(self, count: int, data: bytes | None, turns: int) -> None:
        """The client emits a few events, by what it uses at the moment."""
        messages: list[PacketText] = []
        for number in range(self.sent_up, self.sent_up + count):
            event = Packet(PacketType.EVENT, "/", ["number", number, data])
            messages += packets_of(encode(event), self.eio)
        self.sent_up += count
        await self.send(messages)
        await self.go_on(turns)

    async def send(self, packets: list[PacketText]) -> None:
        """Send packets: one POST, or frames."""
        if self.websocket is None:
            self.is_posting = True
            self.nursery.start_soon(self._post, self.session, packets)
        else:
            for packet in packets:
                await self.websocket.send(packet)

    async def _post(self, session: WireSession, packets: list[PacketText]) -> None:
        await session.post(*packets)
        if session is self.session:
            self.is_posting = False

    @precondition(lambda self: self.websocket is None and not self.is_polling)
    @rule(turns=_turns)
    @in_trio
    async def client_polls(self, turns: int) -> None:
        """The client polls."""
        self.is_polling = True
        self.nursery.start_soon(self._poll, self.session)
        await self.go_on(turns)

    async def _poll(self, session: WireSession) -> None:
        if trio.current_time() - self.polled_at > IDLE:
            session.poll_by_another_connection()
        packets = await session.poll()
        self.polled_at = trio.current_time()
        if session is self.session:
            self.is_polling = False
            for packet in packets:
                self.take(packet)

    def take(self, text: PacketText) -> None:
        """Take a packet that the server has sent."""
        if isinstance(text, str) and text[0] != "4":
            self.take_other(text)
            return
        packet = self.decoder.feed(part_of(text, self.eio))
        if packet is not None and packet.type is not PacketType.CONNECT:
            assert packet.args[0] == self.heard_down, f"{packet}, not {self.heard_down}"
            self.heard_down += 1

    def take_other(self, text: str) -> None:
        """Take a packet that is no MESSAGE."""
        assert text in ("6", "3"), f"{text!r} came"

    # -- the upgrade -----------------------------------------------------------------------------

    @precondition(lambda self: self.websocket is None and self.probing is None)
    @rule(turns=_turns)
    @in_trio
    async def client_probes(self, turns: int) -> None:
        """The client opens a WebSocket and probes it."""
        self.is_answered = False
        self.probing = await self.session.open_websocket()
        await self.probing.send("2probe")
        self.nursery.start_soon(self._read, self.probing)
        await self.go_on(turns)

    async def _read(self, websocket: WireWebSocket) -> None:
        """Read a WebSocket: first the answer to the probe, later the session's packets."""
        with suppress(*_GONE):
            answer = await websocket.receive()
            assert answer == "3probe", answer
            self.is_answered = websocket is self.probing
            while True:
                packet = await websocket.receive()
                assert websocket is self.websocket, f"{packet!r} came before UPGRADE"
                self.take(packet)
        assert websocket is not self.websocket, "the session has ended"
        if websocket is self.probing:  # the server would not wait any longer
            self.probing = None

    @precondition(lambda self: self.probing is not None)
    @rule(how=_ways_to_end, turns=_turns)
    @in_trio
    async def probe_is_lost(self, how: str, turns: int) -> None:
        """The WebSocket breaks, is closed, or says something else; the session goes on polling."""
        websocket, self.probing = self.probing, None
        assert websocket is not None
        with suppress(*_GONE):
            if how == "cut":
                await websocket.aclose()
            elif how == "close":
                await websocket.send_close(1000)
            else:
                await websocket.send("4nonsense")
        await self.settle()  # another probe would be the second one
        await self.go_on(turns)

    @precondition(
        lambda self: self.probing and self.is_answered and not (self.is_polling or self.is_posting)
    )
    @rule(turns=_turns)
    @in_trio
    async def client_moves(self, turns: int) -> None:
        """The client has paused its polling, and goes on by WebSocket."""
        websocket, self.probing = self.probing, None
        assert websocket is not None
        self.websocket = websocket
        await websocket.send("5")
        await self.go_on(turns)

    @precondition(lambda self: self.websocket or self.probing)
    @rule(has_settled=st.booleans(), turns=_turns)
    @in_trio
    async def another_one_probes(self, has_settled: bool, turns: int) -> None:
        """There is one upgrade at a time, and no second one: another WebSocket is refused."""
        if has_settled:
            await self.settle()
        other = await self.session.open_websocket()
        with suppress(*_GONE):
            await other.send("2probe")
            answer = await other.receive()
            await self.settle()
            is_first = not (has_settled or self.websocket or self.probing)
            assert is_first, f"{answer!r} to another probe"
        await other.aclose()
        await self.settle()
        await self.go_on(turns)

    # -- time, and the end -----------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.05, 0.1, 5, 12]))
    @in_trio
    async def time_passes(self, seconds: float) -> None:
        """Time passes: held polls are let go, a probe may take too long."""
        await self.settle()
        await self.beat()
        await self.pass_time(seconds)
        await self.settle()

    async def beat(self) -> None:
        """Give a sign of life."""
        if not self.is_posting:
            await self.send(["2"])

    @precondition(lambda self: self.websocket is not None)
    @rule()
    @in_trio
    async def another_session_begins(self) -> None:
        """All has arrived; another session begins, in the state of the first."""
        await self.complete()
        websocket, self.websocket = self.websocket, None
        assert websocket is not None
        await websocket.aclose()
        await self.settle()
        assert self.socket.disconnected
        await self.begin()

    async def complete(self) -> None:
        """Wait for all that is under way; everything has to arrive."""
        await self.settle()
        while self.websocket is None and self.heard_down < self.sent_down:
            heard = self.heard_down
            if not self.is_polling:
                self.is_polling = True
                self.nursery.start_soon(self._poll, self.session)
            await self.settle()
            assert self.heard_down > heard, "a poll brings nothing"
        assert self.heard_down == self.sent_down, "the client misses events"
        assert self.heard_up == self.sent_up, "the server misses events"

    async def check_end(self) -> None:
        """Everything has arrived."""
        await self.complete()


class Upgrade4Machine(UpgradeMachine):
    """The same in Engine.IO 4: the client joins when it asks, and answers the server's pings."""

    eio = 4

    async def join(self) -> None:
        """Join "/"."""
        self.is_pinged = False
        await self.session.post("40")
        for packet in await self.session.poll():
            self.take(packet)

    def take_other(self, text: str) -> None:
        """Take a packet that is no MESSAGE; a PING is to be answered."""
        assert text in ("6", "2"), f"{text!r} came"
        self.is_pinged = self.is_pinged or text == "2"

    async def beat(self) -> None:
        """Hear whether the server has pinged, and answer it."""
        if self.websocket is None and not self.is_polling:
            self.is_polling = True
            self.nursery.start_soon(self._poll, self.session)
            await self.settle()
        if self.is_pinged and not self.is_posting:
            self.is_pinged = False
            await self.send(["3"])
