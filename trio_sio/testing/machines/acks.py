"""Acknowledgements in both directions: each call ends exactly once, and each answer is its own.

The client sends packets of its own making: any id, once or twice, for calls that are there and for
others. The server calls, with and without a time limit, by `call` and by a callback.

Each client speaks one of both protocols. In 5 it is nowhere until it asks, and says `auth` then;
the server pings it; and its session ends if it answers where it has never asked to be.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import trio
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, precondition, rule

from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import Disconnected
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.router.socket import Socket
from trio_sio.server import Server
from trio_sio.testing.clients.dialect import PROTOCOLS
from trio_sio.testing.machines.packet_client import PacketClient
from trio_sio.testing.machines.trio_machine import TrioMachine, in_trio
from trio_sio.testing.wire import WireClient, open_wire

ROOT = "/"
NOWHERE = "/nowhere"
"""A namespace that is not there, for which each client asks when it comes."""

NEVER = "/never"
"""One for which none has ever asked."""

PING_INTERVAL = 7.0
"""Seconds; less than `ping_timeout` in protocol 5."""

_protocols = st.sampled_from(PROTOCOLS)
_auths: st.SearchStrategy[dict[str, JSON] | None]
_auths = st.sampled_from([None, {}, {"token": "é", "a": [1, None]}])
_values: st.SearchStrategy[JSON] = st.sampled_from([None, 0, "é", b"\xff", {"a": [b"", 1]}, [[]]])
_args = st.lists(_values, max_size=2)
_ids = st.one_of(st.integers(0, 3), st.integers(0, 2**63 - 1))
_timeouts = st.sampled_from([1.0, 5.0, 12.0, None])


@dataclass(eq=False)
class Call:
    """A call of the server.

    Attributes:
        number: the argument by which it is told from others.
        socket: whom it asks.
        deadline: until when it waits, by the run's clock.
        by_callback: whether its answer goes to a callback, which hears of an answer alone.
        expected: how it has to end, `None` until it does.
        ends: how it has ended; one end at most.
        id: of its packet.
    """

    number: int
    socket: Socket
    deadline: float
    by_callback: bool
    expected: object = None
    ends: list[object] = field(default_factory=list)
    id: int = -1

    def __repr__(self) -> str:
        return f"<call {self.number}>"

    def ask(self, ack_id: int) -> None:
        """The client has been asked."""
        assert self.id < 0, f"{self} has been sent twice"
        self.id = ack_id

    def end(self, how: object) -> None:
        """It has to end like this, unless it has ended."""
        if self.expected is None:
            self.expected = how


class AcksMachine(TrioMachine):
    """One client at a time, whose server and which call each other."""

    calls: Bundle[Call] = Bundle("calls")

    async def set_up(self) -> None:
        """Open the server, and connect."""
        self.all: list[Call] = []
        self.now = 0.0
        self.io = Server(ping_interval=PING_INTERVAL)
        self.io.on("connection", self._connected)
        self.io.on("echo", lambda socket, *args: args)
        self.io.on("none", lambda socket, *args: None)
        self.io.on("later", self._answer_later, concurrent=True)
        self.wire: WireClient = await self.hold(open_wire(self.io))

    def _connected(self, socket: Socket) -> None:
        self.socket = socket

    async def _answer_later(self, socket: Socket, *args: JSON) -> tuple[JSON, ...]:
        gate = trio.Event()
        self.gates.append((gate, args))
        await gate.wait()
        return args

    @initialize(protocol=_protocols, auth=_auths)
    @in_trio
    async def the_client_comes(self, protocol: int, auth: dict[str, JSON] | None) -> None:
        """The first client comes."""
        await self.connect(protocol, auth)

    async def connect(self, protocol: int, auth: dict[str, JSON] | None) -> None:
        """Connect a client, which asks for "/", if it is not there unasked, and for `NOWHERE`."""
        self.protocol = protocol
        self.came = self.now
        self.gates: list[tuple[trio.Event, tuple[JSON, ...]]] = []
        self.waiting: list[tuple[int, list[JSON]]] = []  # for their gates, in the gates' order
        self.answers: list[tuple[int | None, list[JSON]]] = []  # that the client is to hear
        self.client = PacketClient(await self.wire.websocket(eio=protocol - 1), protocol - 1)
        self.nursery.start_soon(self.client.run)
        await self.settle()
        said = auth if protocol == 5 else None
        if protocol == 5:
            assert self.client.take() == [], "the client has not asked for a namespace"
            await self.client.send(Packet(PacketType.CONNECT, ROOT, said))
        await self.client.send(Packet(PacketType.CONNECT, NOWHERE, said))
        await self.settle()
        self._look_at_beginning(self.client.take())
        assert self.socket.handshake.auth == (said or {})

    def _look_at_beginning(self, packets: list[Packet]) -> None:
        """The client is let in and, elsewhere, refused."""
        opening: JSON = None
        refusal: JSON = "Invalid namespace"
        if self.protocol == 5:
            opening, refusal = {"sid": self.socket.id}, {"message": refusal}
            assert self.socket.id != self.socket.session.id, "the id tells that of the session"
        assert packets == [
            Packet(PacketType.CONNECT, ROOT, opening),
            Packet(PacketType.ERROR, NOWHERE, refusal),
        ]

    # -- the client calls ------------------------------------------------------------------------

    @rule(ack_id=_ids, args=_args, name=st.sampled_from(["echo", "none", "later", "unheard"]))
    @in_trio
    async def client_calls(self, ack_id: int, args: list[JSON], name: str) -> None:
        """The client asks, by any id; an event without handlers is not answered."""
        await self.client.send(Packet(PacketType.EVENT, ROOT, [name, *args], ack_id))
        if name in ("echo", "none"):
            self.answers.append((ack_id, args if name == "echo" else []))
        elif name == "later":
            self.waiting.append((ack_id, args))

    @rule(args=_args, name=st.sampled_from(["echo", "unheard"]))
    @in_trio
    async def client_emits(self, args: list[JSON], name: str) -> None:
        """The client does not ask, and gets no answer."""
        await self.client.send(Packet(PacketType.EVENT, ROOT, [name, *args]))

    @precondition(lambda self: self.waiting)
    @rule(index=st.integers(0, 20))
    @in_trio
    async def server_answers(self, index: int) -> None:
        """A handler that has waited answers; those of others may have come first."""
        index %= len(self.waiting)
        gate, args = self.gates.pop(index)
        ack_id, sent = self.waiting.pop(index)
        assert list(args) == sent
        gate.set()
        self.answers.append((ack_id, sent))

    # -- the server calls ------------------------------------------------------------------------

    @rule(target=calls, limit=_timeouts, args=_args, by_callback=st.booleans())
    @in_trio
    async def server_calls(self, limit: float | None, args: list[JSON], by_callback: bool) -> Call:
        """The server asks."""
        until = self.now + (float("inf") if limit is None or by_callback else limit)
        call = Call(len(self.all), self.socket, until, by_callback)
        self.all.append(call)
        if by_callback:
            await self.socket.emit("question", call.number, *args, ack=self._callback(call))
        else:
            self.nursery.start_soon(self._call, call, limit, args)
        await self.settle()
        self._look()
        assert call.id >= 0, "the client has not been asked"
        return call

    def _callback(self, call: Call) -> Callable[..., None]:
        return lambda *args: call.ends.append([*args])

    async def _call(self, call: Call, limit: float | None, args: list[JSON]) -> None:
        end: object
        try:
            answer: Any = await call.socket.call("question", call.number, *args, timeout=limit)
        except trio.TooSlowError:
            end = "timeout"
        except Disconnected:
            end = "disconnect"
        else:
            end = [*answer] if isinstance(answer, tuple) else [] if answer is None else [answer]
        call.ends.append(end)

    @rule(call=calls, args=_args, twice=st.booleans())
    @in_trio
    async def client_answers(self, call: Call, args: list[JSON], twice: bool) -> None:
        """The client answers a call: for the first time, again, or too late."""
        for _ in range(1 + twice):
            await self.client.send(Packet(PacketType.ACK, ROOT, args, call.id))
        if call.socket is self.socket:
            # What `call` returns does not tell no answer from one that is null.
            call.end(args if args != [None] or call.by_callback else [])

    @rule(ack_id=_ids, namespace=st.sampled_from([ROOT, NOWHERE]), args=_args)
    @in_trio
    async def client_answers_what_nobody_asked(
        self, ack_id: int, namespace: str, args: list[JSON]
    ) -> None:
        """An answer that belongs to no call, or to one in another namespace, is ignored."""
        asked = {call.id for call in self.all if call.expected is None}
        if namespace != ROOT or ack_id not in asked:
            await self.client.send(Packet(PacketType.ACK, namespace, args, ack_id))

    @rule(ack_id=_ids, args=_args)
    @in_trio
    async def client_answers_where_it_has_never_been(self, ack_id: int, args: list[JSON]) -> None:
        """An answer in a namespace for which it has never asked; in protocol 5 that is the end."""
        await self.client.send(Packet(PacketType.ACK, NEVER, args, ack_id))
        await self.settle()
        assert self.client.is_over is (self.protocol == 5)
        if self.client.is_over:
            assert self.socket.reason is DisconnectReason.FORCED_CLOSE
            await self._another_comes(self.protocol, None)

    # -- time, and ends --------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.5, 4.5, 10.0]))
    @in_trio
    async def time_passes(self, seconds: float) -> None:
        """Time passes; the client is not silent, but it may be slow."""
        if self.protocol == 4:
            await self.client.send_text("2")
        self.now += seconds
        await self.pass_time(seconds)
        for call in self.all:
            if self.now >= call.deadline:
                call.end("timeout")

    @rule(
        how=st.sampled_from(["close", "cut", "leave", "server"]), protocol=_protocols, auth=_auths
    )
    @in_trio
    async def the_client_goes(self, how: str, protocol: int, auth: dict[str, JSON] | None) -> None:
        """The client goes, whatever is open, and another one comes."""
        if how == "close":
            await self.client.close()
        elif how == "leave":
            await self.client.send(Packet(PacketType.DISCONNECT, ROOT))
        elif how == "server":
            await self.socket.disconnect()
        if how in ("leave", "server"):  # what it has sent before it heard of that is ignored
            await self.client.send(Packet(PacketType.ACK, ROOT, [b"late"], 0))
            await self.settle()
            assert not self.client.is_over, "what was late has ended the session"
        if how in ("cut", "leave", "server"):
            await self.settle()
            await self.client.cut()
        await self._another_comes(protocol, auth)

    async def _another_comes(self, protocol: int, auth: dict[str, JSON] | None) -> None:
        """Calls end, handlers go on and answer nobody; then another client is there."""
        for call in self.all:
            if not call.by_callback:
                call.end("disconnect")
            elif call.expected is None:
                call.end("nothing")
        await self.settle()
        with self.passing_time():  # handlers that still wait are cancelled after `grace`
            await trio.sleep(60)
        self.now += 60
        await self.connect(protocol, auth)

    # -- the model -------------------------------------------------------------------------------

    def _look(self) -> None:
        """Sort what the client has heard."""
        for packet in self.client.take():
            if packet.type in (PacketType.ACK, PacketType.BINARY_ACK):
                assert self.answers, f"an answer to nothing: {packet}"
                assert (packet.id, packet.args) == self.answers.pop(0)
            elif packet.type in (PacketType.EVENT, PacketType.BINARY_EVENT):
                number = packet.args[0]
                assert isinstance(number, int)
                assert packet.id is not None
                self.all[number].ask(packet.id)

    @invariant()
    def each_answer_has_come(self) -> None:
        """The client has heard each answer once, in the order in which they were given."""
        self._look()
        assert not self.answers, f"the client still waits for {self.answers}"

    @invariant()
    def the_server_pings_in_protocol_5(self) -> None:
        """A client of protocol 5 is pinged again and again, one of 4 never."""
        due = (self.now - self.came) // PING_INTERVAL
        is_right = self.client.pings >= due if self.protocol == 5 else self.client.pings == 0
        assert is_right, f"{self.client.pings} pings, {due} were due"

    @invariant()
    def each_call_ends_once(self) -> None:
        """A call has ended as it had to, or goes on."""
        for call in self.all:
            is_silent = call.expected in (None, "nothing")
            assert call.ends == ([] if is_silent else [call.expected]), f"{call}: {call.ends}"
        ids = [call.id for call in self.all]
        assert len(ids) == len(set(ids)), "two calls have the same id"
