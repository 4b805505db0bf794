"""A client of the server that is judged: events and packets, by any transport."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast

import trio

from trio_sio.conformance.heartbeat import Reading, ping
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing.clients.expectation import Ended, Unexpected, expect, require, shown
from trio_sio.testing.clients.packets import Opening, from_base64, messages, part_of
from trio_sio.testing.clients.transports import QUERIES, Access, Polling, Transport, WebSocket
from trio_sio.testing.wire import PacketText

_QUIET = {3: ("3", "6"), 4: ("2", "6")}
"""The server's part of the heartbeat, and NOOP, which may come at any time."""

_WITH_ATTACHMENTS = ("5", "6")
"""BINARY_EVENT and BINARY_ACK."""

_PLAIN = {PacketType.BINARY_EVENT: PacketType.EVENT, PacketType.BINARY_ACK: PacketType.ACK}


class Client:
    """One session.

    Made by `open_client` and `open_polling`.

    Args:
        target: the way to the server, such as a `Target`.
        transport: what packets go by at first.

    Attributes:
        transport: what packets go by now.
        opening: what the OPEN packet says.
        ids: the ids of its sockets by namespace, where CONNECT tells them: in protocol 5.
        eio: the revision of Engine.IO that it speaks.
    """

    def __init__(self, target: Access, transport: Transport) -> None:
        self.transport = transport
        self.opening: dict[str, Any] = {}
        self.ids: dict[str, str] = {}
        self.eio = target.eio
        self._target = target
        self._reading: Reading | None = None
        self._answers_pings = False
        self._transports = [transport]
        self._decoder = Decoder()
        self._last_id = 0
        self._sending = trio.Lock()  # the heartbeat's task sends, too

    @property
    def sid(self) -> str:
        """The session id."""
        sid: str = self.opening["sid"]
        return sid

    @property
    def id(self) -> str:
        """The id of its socket in "/"."""
        return self.sid if self.eio == 3 else self.ids["/"]

    @property
    def silence_limit(self) -> float:
        """Seconds after which a client that says nothing is given up."""
        milliseconds: float = self.opening["pingInterval"] + self.opening["pingTimeout"]
        return milliseconds / 1000

    # -- Engine.IO -----------------------------------------------------------------------------

    async def open(self, *, join: bool = True) -> None:
        """Receive OPEN, and join "/", which a client of protocol 4 need not ask for.

        Raises:
            Unexpected: the server did not let the client in.
        """
        self.opening = Opening.of(await self.transport.receive()).fields
        self.transport.begin(self.sid)
        if self.eio == 3:
            await self.expect_packet("40")
        elif join:
            await self.join_namespace("/")

    async def send(self, *packets: PacketText) -> None:
        """Send packets of Engine.IO, as they are.

        Raises:
            Ended: they were refused.
            Unexpected: the server did not take them in time.
        """
        with trio.move_on_after(self._target.patience):
            async with self._sending:
                await self.transport.send(*packets)
            return
        raise Unexpected(f"it did not take {shown(packets)} within {self._target.patience:g} s")

    async def _next(self) -> PacketText:
        """Return the next packet of any kind."""
        if self._reading is None:
            return await self.transport.receive()
        return await self._reading.receive()

    async def receive(self) -> PacketText:
        """Return the next packet of Engine.IO, binary if it came in base64.

        It is neither NOOP nor the server's part of the heartbeat: PONG or, in Engine.IO 4, PING.

        Raises:
            Ended: the session ended instead.
            Unexpected: nothing came in time.
        """
        with trio.move_on_after(self._target.patience):
            while True:
                packet = await self._next()
                if isinstance(packet, bytes):
                    return packet
                if packet[:1] == "b":
                    return from_base64(packet, self.eio)
                if packet[:1] not in _QUIET[self.eio]:
                    return packet
                if packet[:1] == "2" and self._answers_pings:
                    await self.send("3")
        quiet = "PONG and NOOP" if self.eio == 3 else "PING and NOOP"
        raise Unexpected(f"no packet came within {self._target.patience:g} s, but {quiet}")

    async def receive_beat(self) -> PacketText:
        """Return the next packet but NOOP, which should be the server's part of the heartbeat.

        Raises:
            Unexpected: nothing came within the interval between two pings, and a while longer.
        """
        seconds = self.opening["pingInterval"] / 1000 + self._target.patience
        packet: PacketText = "6"
        with trio.move_on_after(seconds):
            while packet == "6":
                packet = await self._next()
            return packet
        raise Unexpected(f"nothing came within {seconds:g} s, but NOOP")

    async def receive_end(
        self, *, behind: Collection[str] = (), seconds: float | None = None
    ) -> str:
        """Wait until the server ends the session, and return how.

        Meanwhile the client keeps it alive, so that it does not end for the client's silence.

        Args:
            behind: packets that may come before.
            seconds: how long to wait, in silence, in place of the usual time.

        Raises:
            Unexpected: something else came, or nothing.
        """
        end: str | Unexpected
        async with trio.open_nursery() as nursery:
            if seconds is None and self.opening and self.eio == 3:
                nursery.start_soon(ping, self)
            self._answers_pings = seconds is None
            try:
                end = await self._next_end(
                    behind, self._target.patience if seconds is None else seconds
                )
            except Unexpected as error:  # not as one of a group
                end = error
            nursery.cancel_scope.cancel()
        if isinstance(end, Unexpected):
            raise end
        return end

    async def _next_end(self, behind: Collection[str], seconds: float) -> str:
        with trio.move_on_after(seconds):
            try:
                packet = await self.receive()
                while packet in behind:
                    packet = await self.receive()
            except Ended as end:
                return str(end)
            if packet == "1":
                return "a CLOSE packet came"
            raise Unexpected(f"the session should have ended, but {shown(packet)} came")
        raise Unexpected(f"the session should have ended within {seconds:g} s")

    async def probe(self) -> WebSocket:
        """Open a WebSocket for this session, and probe it.

        Raises:
            Ended: it was refused, or closed.
            Unexpected: the answer is no PONG "probe".
        """
        websocket = await WebSocket.open(self._target, sid=self.sid)
        self._transports.append(websocket)
        await websocket.send("2probe")
        expect(await websocket.receive(), "3probe", "the answer to a probe")
        return websocket

    async def move(self, websocket: WebSocket) -> None:
        """Send UPGRADE, and go on by this WebSocket, which was probed."""
        async with self._sending:  # behind a POST of the heartbeat's task
            await self.transport.aclose()
            self.transport = websocket
            await websocket.send("5")
        if self._reading is not None:
            self._reading.go_on()

    async def upgrade(self) -> None:
        """Probe a WebSocket and go on by it; the server must have nothing else to say.

        Raises:
            Unexpected: other packets came by polling.
        """
        if self._reading is not None:
            self._reading.pause_behind("6")
        websocket = await self.probe()
        packet: PacketText = ""
        while packet != "6":
            packet = await self._next()
            quiet = packet in _QUIET[self.eio]
            require(quiet, f"a client that asked for nothing got {shown(packet)}")
        await self.move(websocket)

    # -- Socket.IO -----------------------------------------------------------------------------

    async def emit(self, event: str, *args: object, namespace: str = "/") -> None:
        """Send an event, which asks for no acknowledgement."""
        await self.send_packet(Packet(PacketType.EVENT, namespace, _json([event, *args])))

    async def call(self, event: str, *args: object, namespace: str = "/") -> list[Any]:
        """Send an event and return the arguments of its acknowledgement, which comes next.

        Raises:
            Unexpected: something else came next.
        """
        self._last_id += 1
        data = _json([event, *args])
        await self.send_packet(Packet(PacketType.EVENT, namespace, data, self._last_id))
        answer = await self.receive_packet()
        wanted = Packet(PacketType.ACK, namespace, answer.data, self._last_id)
        expect(answer, wanted, f"the acknowledgement of {event!r}")
        return answer.args

    async def send_packet(self, packet: Packet) -> None:
        """Send any packet of Socket.IO, its attachments in the same request."""
        await self.send(*messages(encode(packet), self.eio))

    async def receive_packet(self) -> Packet:
        """Return the next packet of Socket.IO, of a plain type if it is binary.

        Raises:
            Ended: the session ended instead.
            Unexpected: nothing came in time, or no packet of Socket.IO.
        """
        while True:
            part = await self.receive()
            if isinstance(part, str):
                require(part[:1] == "4", f"a MESSAGE packet was expected, got {shown(part)}")
            try:
                packet = self._decoder.feed(part_of(part, self.eio))
            except RemoteProtocolError as error:
                raise Unexpected(f"{shown(part)} is no packet of Socket.IO: {error}") from error
            if packet is not None:
                kind = _PLAIN.get(packet.type, packet.type)
                return Packet(kind, packet.namespace, packet.data, packet.id)
            has_begun = isinstance(part, bytes) or part[1:2] in _WITH_ATTACHMENTS
            require(has_begun, f"{shown(part)} is no packet of Socket.IO")

    async def expect_event(self, *data: object, namespace: str = "/") -> None:
        """Receive the next packet, which must be this event with these arguments."""
        wanted = Packet(PacketType.EVENT, namespace, _json(list(data)))
        expect(await self.receive_packet(), wanted, "an event")

    async def expect_packet(self, text: str) -> None:
        """Receive the next packet, which must be this one: `40/chat`."""
        expect(await self.receive_packet(), Decoder().feed(text[1:]), "a packet")

    async def expect_quiet(self) -> None:
        """Check that nothing was sent before the answer to what is asked now."""
        answer = await self.call("ack", "nothing before")
        expect(answer, ["nothing before"], "the arguments of an acknowledgement")

    async def join_namespace(self, namespace: str, auth: dict[str, JSON] | None = None) -> None:
        """Join a namespace; in protocol 4, one other than "/".

        Args:
            namespace: its name.
            auth: what the client says to it, in protocol 5.
        """
        await self.send_packet(Packet(PacketType.CONNECT, namespace, auth))
        await self.expect_joined(namespace.partition("?")[0])

    async def expect_joined(self, namespace: str) -> None:
        """Receive the next packet, which must be CONNECT; in protocol 5 with an id, and no more."""
        if self.eio == 3:
            await self.expect_packet(f"40{namespace}")
            return
        packet = await self.receive_packet()
        data = packet.data if isinstance(packet.data, dict) else {}
        expect(packet, Packet(PacketType.CONNECT, namespace, packet.data), "a packet")
        sid = data.get("sid")
        is_good = isinstance(sid, str) and sid and data.keys() == {"sid"}
        require(is_good, f"CONNECT says an id and nothing else, not {shown(packet)}")
        self.ids[namespace] = str(sid)

    # -- tasks and the end ---------------------------------------------------------------------

    def keep_alive(self, nursery: trio.Nursery) -> None:
        """Ping from now on or, in Engine.IO 4, receive and answer pings."""
        if self.eio == 3:
            nursery.start_soon(ping, self)
        else:
            self._reading = Reading(self)
            nursery.start_soon(self._reading.run)

    async def aclose(self) -> None:
        """Drop all connections: the session ends by itself."""
        for transport in self._transports:
            await transport.aclose()


@asynccontextmanager
async def open_client(
    target: Access,
    how: str = "websocket",
    *,
    query: str = "",
    heartbeat: bool = True,
    join: bool = True,
) -> AsyncIterator[Client]:
    """Connect a client, which has joined "/".

    Args:
        target: the way to the server, such as a `Target`.
        how: one of `trio_sio.testing.clients.transports.TRANSPORTS`.
        query: more for the query of the handshake.
        heartbeat: whether to ping, or to answer pings.
        join: whether to join "/", in protocol 5.

    Raises:
        Unexpected: the server did not let it in as the protocol has it.
        OSError: the server cannot be reached.
        trio.TooSlowError: it did not answer in time.
    """
    wanted = "&".join(part for part in (QUERIES[how], query) if part)
    is_websocket = how.startswith("websocket")
    transport = await (WebSocket if is_websocket else Polling).open(target, wanted)
    async with _session(target, transport, heartbeat=heartbeat, join=join) as client:
        if how == "upgraded":
            await client.upgrade()
        yield client


@asynccontextmanager
async def open_polling(
    target: Access, how: str = "polling", *, join: bool = True
) -> AsyncIterator[tuple[Client, Polling]]:
    """Connect a client that polls when it is told to, and has no heartbeat: the two of them.

    Args:
        target: the way to the server, such as a `Target`.
        how: one of `trio_sio.testing.clients.transports.POLLING`.
        join: whether to join "/", in protocol 5.

    Raises:
        Exception: as `open_client`.
    """
    polling = await Polling.open(target, QUERIES[how])
    async with _session(target, polling, heartbeat=False, join=join) as client:
        yield client, polling


@asynccontextmanager
async def _session(
    target: Access, transport: Transport, *, heartbeat: bool, join: bool
) -> AsyncIterator[Client]:
    client = Client(target, transport)
    try:
        await client.open(join=join)
        async with trio.open_nursery() as nursery:
            if heartbeat:
                client.keep_alive(nursery)
            yield client
            nursery.cancel_scope.cancel()
    finally:
        await client.aclose()


def _json(data: list[object]) -> JSON:
    return cast("JSON", data)
