"""Every way to go, in any order: each socket hears one "disconnect", with the right reason.

Clients come by bytes, through a network that can break; some are refused. When they have gone,
their rooms are empty and nothing of them remains in the server.

Each client speaks one of both protocols. One of 4 is in "/" as well as in its namespace; one of 5
is where it has asked to be, may ask for more, and comes back as another socket.
"""

from collections import defaultdict
from dataclasses import dataclass, field

import trio
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, invariant, rule

from trio_sio.disconnect import DisconnectReason as Reason
from trio_sio.exceptions import ConnectionRefused, Disconnected, Refused
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.router.socket import Socket
from trio_sio.server import Server
from trio_sio.testing.clients.dialect import PROTOCOLS
from trio_sio.testing.machines.remains import Remains
from trio_sio.testing.machines.trio_machine import TrioMachine, in_trio
from trio_sio.testing.network.client import NetworkClient
from trio_sio.testing.network.network import Network, open_network

ROOT = "/"
PATIENCE = 200.0
"""Seconds in which the server has noticed whatever has happened to a client."""

REFUSALS = {
    "/closed": "middleware says no",
    "/broken": "Internal server error",
    "/fussy": "a handler says no",
    "/nowhere": "Invalid namespace",
}
"""Namespaces that nobody comes into, and what clients are told."""

_protocols = st.sampled_from(PROTOCOLS)
_transports = st.sampled_from(["websocket", "polling", "upgraded"])
_namespaces = st.sampled_from([ROOT, "/chat"])


@dataclass(eq=False)
class Guest:
    """A client.

    Attributes:
        client: the client.
        sockets: the ids of its sockets that are in, by namespace.
        ids: those of all that were in; the last one of each namespace.
    """

    client: NetworkClient
    sockets: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<a client of protocol {self.client.protocol} in {self.client.namespace}>"

    def enter(self, name: str, sid: str) -> None:
        """A socket of it is in."""
        self.sockets[name] = self.ids[name] = sid


class DisconnectsMachine(TrioMachine):
    """Clients come, and go in all ways that there are.

    Attributes:
        io: the server.
        expected: how each socket that has gone had to go, by its id.
        heard: what its "disconnect" handlers were told.
    """

    guests: Bundle[Guest] = Bundle("guests")

    async def set_up(self) -> None:
        """Open a server."""
        self.present: list[Guest] = []
        self.sockets: dict[str, Socket] = {}
        self.expected: dict[str, Reason] = {}
        self.heard: defaultdict[str, list[str]] = defaultdict(list)
        await self._serve()

    async def _serve(self) -> None:
        self.io = Server()
        for name in (ROOT, "/chat", "/closed", "/broken", "/fussy"):
            namespace = self.io.of(name)
            namespace.on("connection", self._connected)
            namespace.on("disconnecting", self._disconnecting)
            namespace.on("disconnect", self._disconnected)
        self.io.of("/closed").use(self._refuse)
        self.io.of("/broken").use(self._fail)
        self.io.of("/fussy").on("connection", self._refuse_in_handler)
        self.network: Network = await self.hold(open_network(self.io))
        await self.settle()
        self.before = Remains.of(self.io)

    # -- the application -------------------------------------------------------------------------

    async def _connected(self, socket: Socket) -> None:
        assert socket.id not in self.sockets, "an id is given twice"
        self.sockets[socket.id] = socket
        await socket.join("all", socket.id + "'s")

    def _disconnecting(self, socket: Socket, reason: str) -> None:
        assert socket.rooms, "the rooms have been left before 'disconnecting'"

    def _disconnected(self, socket: Socket, reason: str) -> None:
        assert not socket.rooms, "the rooms have not been left before 'disconnect'"
        self.heard[socket.id].append(reason)

    def _refuse(self, socket: Socket) -> None:
        raise ConnectionRefused("middleware says no")

    def _refuse_in_handler(self, socket: Socket) -> None:
        raise ConnectionRefused("a handler says no")

    def _fail(self, socket: Socket) -> None:
        raise ValueError("middleware fails")

    # -- clients come ----------------------------------------------------------------------------

    @rule(target=guests, transport=_transports, name=_namespaces, protocol=_protocols)
    @in_trio
    async def arrive(self, transport: str, name: str, protocol: int) -> Guest:
        """A client comes; in protocol 4 it is in "/" as well as in its namespace."""
        said = {"token": name} if protocol == 5 else None
        with self.passing_time():  # an upgrade takes some
            client = await self.hold(
                self.network.connect(transport, name, protocol=protocol, auth=said)
            )
        guest = Guest(client)
        if protocol == 4:
            guest.enter(ROOT, client.session_id)
        guest.enter(name, client.id)
        assert self.sockets[client.id].handshake.auth == (said or {})
        self.present.append(guest)
        return guest

    @rule(guest=guests, name=_namespaces)
    @in_trio
    async def join(self, guest: Guest, name: str) -> None:
        """A client of protocol 5 asks for a namespace: for another, again, or where it is."""
        if guest.client.protocol == 4:
            return
        before = set(self.sockets)
        try:
            await guest.client.send_packet(Packet(PacketType.CONNECT, name))
        except Disconnected:
            assert not guest.sockets
        await self.settle()
        new = self.sockets.keys() - before
        is_in = name in guest.sockets or self.sockets[guest.client.id].session.closed
        assert len(new) == (not is_in), f"{len(new)} sockets come of one CONNECT"
        for sid in new:
            assert self.sockets[sid].namespace.name == name
            assert guest.client.session_id not in sid, "the id tells that of the session"
            guest.enter(name, sid)

    @rule(transport=_transports, name=st.sampled_from(sorted(REFUSALS)), protocol=_protocols)
    @in_trio
    async def is_refused(self, transport: str, name: str, protocol: int) -> None:
        """A client is refused, and drops its connections; one of protocol 4 has been in "/"."""
        before = set(self.sockets)
        last = "websocket" if transport == "websocket" else "polling"
        try:
            with self.passing_time():
                async with self.network.connect(transport, name, protocol=protocol) as client:
                    last = client.transport
                    await client.receive()
        except (Refused, Disconnected) as refused:
            why = str(refused)
        is_in_already = protocol == 5 and name == "/fussy"  # then ERROR would make it deaf
        assert why == (str(Disconnected()) if is_in_already else REFUSALS[name])
        await self.pass_time(PATIENCE)
        new = self.sockets.keys() - before
        assert len(new) == (protocol == 4) + (name == "/fussy"), f"{len(new)} sockets for {name}"
        for sid in new:
            in_it = self.sockets[sid].namespace.name == name
            assert not in_it or name == "/fussy", f"{name} let a client in"
            lost = Reason.TRANSPORT_CLOSE
            if last == "polling":  # whether a poll was held, or the next one did not come
                held = self.heard[sid] == [Reason.TRANSPORT_ERROR]
                lost = Reason.TRANSPORT_ERROR if held else Reason.PING_TIMEOUT
            self.expected[sid] = Reason.SERVER_NAMESPACE_DISCONNECT if in_it else lost

    # -- and go ----------------------------------------------------------------------------------

    @rule(guest=guests)
    @in_trio
    async def leave(self, guest: Guest) -> None:
        """A client leaves its namespace, once or again; its session goes on."""
        try:
            await guest.client.leave()
        except Disconnected:
            assert not guest.sockets
        self.goes(guest, Reason.CLIENT_NAMESPACE_DISCONNECT, guest.client.namespace)

    @rule(guest=guests, close=st.booleans(), root=st.booleans())
    @in_trio
    async def server_disconnects(self, guest: Guest, close: bool, root: bool) -> None:
        """The server has a socket leave, or closes the whole connection."""
        name = ROOT if root and ROOT in guest.ids else guest.client.namespace
        was_in = name in guest.sockets
        await self.sockets[guest.ids[name]].disconnect(close)
        if was_in:
            names = (name,) if not close else tuple(guest.sockets)
            self.goes(guest, Reason.SERVER_NAMESPACE_DISCONNECT, *names)

    @rule(guest=consumes(guests))
    @in_trio
    async def client_closes(self, guest: Guest) -> None:
        """A client closes in order."""
        await self.drop(guest)
        self.goes(guest, Reason.TRANSPORT_CLOSE)

    @rule(guest=consumes(guests), how=st.sampled_from(["reset", "end"]))
    @in_trio
    async def is_cut(self, guest: Guest, how: str) -> None:
        """All connections of a client break: its WebSocket, or its poll, is missed at once."""
        by_websocket = guest.client.transport == "websocket"
        guest.client.cut("reset" if how == "reset" else "end")
        await self.settle()
        self.goes(guest, Reason.TRANSPORT_CLOSE if by_websocket else Reason.TRANSPORT_ERROR)
        await self.drop(guest)

    @rule(guest=consumes(guests), is_thawed=st.booleans())
    @in_trio
    async def is_half_open(self, guest: Guest, is_thawed: bool) -> None:
        """A network swallows what a client sends: it is silent, until it is dropped."""
        guest.client.freeze()
        await self.pass_time(4)  # less than `ping_timeout`: no silence yet, whenever it has pinged
        if is_thawed:
            guest.client.thaw()
            await self.pass_time(1)
            assert all(self.sockets[sid].connected for sid in guest.sockets.values())
            await self.drop(guest)
            self.goes(guest, Reason.TRANSPORT_CLOSE)
            return
        await self.pass_time(PATIENCE)
        self.goes(guest, Reason.PING_TIMEOUT)
        await self.drop(guest)

    @rule(is_drained=st.booleans())
    @in_trio
    async def server_ends(self, is_drained: bool) -> None:
        """The server shuts down, gracefully or at once; another one begins."""
        with self.passing_time():
            if is_drained:
                await self.io.drain(grace=5, spread=2)
            else:
                await self.io.aclose()
            await trio.sleep(PATIENCE)
        with self.passing_time():
            for guest in tuple(self.present):
                self.goes(guest, Reason.SERVER_SHUTTING_DOWN)
                await self.drop(guest)
            await self.release(self.network)
        await self._serve()

    @rule(seconds=st.sampled_from([1.0, 60.0]))
    @in_trio
    async def time_passes(self, seconds: float) -> None:
        """Time passes, and nobody goes for that."""
        await self.pass_time(seconds)

    # -- the model -------------------------------------------------------------------------------

    async def drop(self, guest: Guest) -> None:
        """Have no more to do with a client."""
        if guest in self.present:
            self.present.remove(guest)
            await self.release(guest.client)

    def goes(self, guest: Guest, reason: Reason, *names: str) -> None:
        """A client leaves namespaces, or without names all that it is still in."""
        for name in names or tuple(guest.sockets):
            sid = guest.sockets.pop(name, None)
            if sid is not None:
                self.expected[sid] = reason

    @invariant()
    @in_trio
    async def each_end_is_told_once(self) -> None:
        """A socket that has gone has heard why, once; one that has not, has not."""
        for sid, socket in self.sockets.items():
            reason = self.expected.get(sid)
            heard = self.heard[sid]
            assert heard == ([] if reason is None else [reason]), f"{heard}, not {reason}"
            assert socket.connected is (reason is None)
            assert socket.reason == reason
            assert socket.rooms == ({sid, "all", sid + "'s"} if reason is None else set())

    @invariant()
    @in_trio
    async def rooms_are_of_those_who_are_there(self) -> None:
        """A room without members does not exist."""
        there = {sid for guest in self.present for sid in guest.sockets.values()}
        for name in (ROOT, "/chat"):
            ids = {sid for sid in there if self.sockets[sid].namespace.name == name}
            adapter = self.io.of(name).adapter
            assert await adapter.clients(["all"]) == await adapter.clients(()) == ids
            rooms = {room for sid in ids for room in (sid, sid + "'s", "all")}
            assert await adapter.all_rooms() == rooms

    async def check_end(self) -> None:
        """All go; nothing of them remains."""
        for guest in tuple(self.present):
            await self.drop(guest)
        await self.pass_time(PATIENCE)
        more = Remains.of(self.io).beyond(self.before)
        assert not more, f"what remains: {more}"
