"""`ClusterAdapter`: the rooms of one namespace on all servers of a cluster, over any broker.

Each server keeps the rooms of its own sockets, in a `MemoryAdapter`. It listens to a channel for
the namespace, and to one for each room that has members here, so that messages to other rooms do
not even reach it. A broadcast is delivered to the sockets of this server at once, and published:
to the room's channel if it is for one room, to the namespace's otherwise.

A room may have any name, also that of a socket's id, and sockets of several servers may be in it.
So what is for the room of a socket that is here is published, too.
"""

from collections.abc import Collection

import trio

from trio_sio.abc import (
    NO_FLAGS,
    AdapterNamespace,
    Flags,
    Gathered,
    HookT,
    Room,
    SocketId,
    Target,
)
from trio_sio.adapters.cluster.answers import Answers
from trio_sio.adapters.cluster.broker import Broker
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.cluster.requests import Requests
from trio_sio.adapters.memory import BROADCAST_WORK, MemoryAdapter
from trio_sio.exceptions import NoAnswer
from trio_sio.logs.shown import quoted
from trio_sio.protocol.cluster.broadcast import (
    ClusterBroadcast,
    begins_with,
    decode_broadcast,
)
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.request import (
    RequestKind,
    decode_request,
    decode_response,
)
from trio_sio.protocol.errors import ProtocolError
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.sync import THREAD

REQUESTS_TIMEOUT = 5.0
"""Seconds in which the servers have to respond to a request (JS: `requestsTimeout`)."""


class ClusterAdapter:
    """The rooms of one namespace on all servers of a cluster (JS: socket.io-redis).

    Args:
        namespace: the namespace.
        broker: carries messages between the servers.
        member: this server.
        requests_timeout: seconds in which the servers have to respond to a request.
    """

    def __init__(
        self,
        namespace: AdapterNamespace,
        broker: Broker,
        member: Member,
        *,
        requests_timeout: float = REQUESTS_TIMEOUT,
    ) -> None:
        self.namespace = namespace
        self._local = MemoryAdapter(namespace)
        self._broker = broker
        self._member = member
        self._channels = channels = Channels(broker.key, namespace.name)
        self._subscription = broker.open(channels, self.receive)
        self._added = 0
        self._unconfirmed: dict[Room, int] = {}  # when they were added to the subscription
        self._answers = Answers(self._local, broker, channels, member)
        self._requests = Requests(broker, channels, self._subscription, member, requests_timeout)

    # -- rooms -------------------------------------------------------------------------------

    async def add_all(self, socket_id: SocketId, rooms: Collection[Room]) -> None:
        """Put a socket into rooms; when it returns, what other servers send there arrives.

        So it waits for the broker, if nobody here has been in one of the rooms, unless that cannot
        be reached. If it is cancelled meanwhile, the socket is in the rooms nevertheless.
        """
        self.namespace.home.check("adapter.add_all")
        await trio.lowlevel.checkpoint_if_cancelled()
        new = self._local.enter(socket_id, rooms)
        if new:
            self._added += 1
            self._unconfirmed.update(dict.fromkeys(new, self._added))
            self._subscription.add([self._channels.room(room) for room in new])
        if self._unconfirmed.keys().isdisjoint(rooms):
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        added = self._added
        await self._subscription.wait()
        for room in rooms:  # unless everybody has left it, and somebody has come
            if self._unconfirmed.get(room, added + 1) <= added:
                del self._unconfirmed[room]

    async def remove(self, socket_id: SocketId, room: Room) -> None:
        """Take a socket out of a room."""
        self.namespace.home.check("adapter.remove")
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._local.leave(socket_id, room):
            self._forget((room,))
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def remove_all(self, socket_id: SocketId) -> None:
        """Take a socket out of all its rooms, even if this is cancelled: it leaves."""
        self.namespace.home.check("adapter.remove_all")
        self._forget(self._local.leave_all(socket_id))
        await trio.lowlevel.checkpoint()

    def _forget(self, empty: Collection[Room]) -> None:
        """Stop listening to rooms that nobody here is in any more."""
        if empty:
            for room in empty:
                self._unconfirmed.pop(room, None)
            self._subscription.discard([self._channels.room(room) for room in empty])

    def rooms_of(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket of this server."""
        self.namespace.home.check_while_serving("adapter.rooms_of")
        return self._local.rooms_of(socket_id)

    # -- broadcasts --------------------------------------------------------------------------

    async def broadcast(self, packet: Packet, target: Target) -> None:
        """Send to the sockets of the target, on this server at once, and then on the others.

        It waits while the queue to the broker is full, unless the event is volatile: then the other
        servers do not get it. If it is cancelled while it waits, they do not either. Servers in
        JavaScript except sockets by their ids alone, and take rooms that are excepted for ids.

        Raises:
            LocalProtocolError: the event cannot be encoded; nobody gets it.
        """
        home = self.namespace.home
        if THREAD.token is not home.token:
            home.check("adapter.broadcast")
        if target.flags.local:
            await self._local.broadcast(packet, target)
            return
        payload = self._encode(packet, target)  # it may raise, and then nobody gets the event
        channel = self._channels.broadcast(target.rooms)
        deliveries = self._local.deliver(packet, target)
        if target.flags.volatile:
            self._broker.publish_nowait(channel, payload)
        else:
            await self._broker.publish(channel, payload)
        await self._local.pause_after(deliveries)

    def broadcast_nowait(self, packet: Packet, target: Target) -> None:
        """Do what `broadcast` does, unless it would have to wait.

        Raises:
            trio.WouldBlock: the queue to the broker is full; nobody gets the event.
            LocalProtocolError: the event cannot be encoded; nobody gets it.
        """
        home = self.namespace.home
        if THREAD.token is not home.token:
            home.check_sync("adapter.broadcast_nowait")
        if target.flags.local:
            self._local.broadcast_nowait(packet, target)
            return
        payload = self._encode(packet, target)
        channel = self._channels.broadcast(target.rooms)
        if not target.flags.volatile and not self._broker.has_room(channel, payload):
            raise trio.WouldBlock
        self._local.broadcast_nowait(packet, target)  # it may raise, too
        self._broker.publish_nowait(channel, payload)

    def _encode(self, packet: Packet, target: Target) -> bytes:
        flags = target.flags
        sender = () if target.sender is None else (target.sender,)
        return ClusterBroadcast(
            self._broker.uid,
            Packet(packet.type, self.namespace.name, packet.data),
            tuple(target.rooms),
            sender,
            volatile=flags.volatile,
            compress=flags.compress,
            binary=flags.binary,
            excepted_rooms=tuple(target.excepted),
        ).encode()

    # -- what other servers send -------------------------------------------------------------

    def receive(self, channel: bytes, payload: bytes) -> int:
        """Take a message of the broker; it neither waits nor raises.

        Returns:
            How much work that was, in deliveries.
        """
        try:
            room = self._channels.room_of(channel)
            if room is not None:
                return self._receive_broadcast(room, payload)
            if channel == self._channels.request:
                self._receive_request(payload)
            elif channel == self._channels.response and self._requests.are_pending:
                self._requests.take(decode_response(payload))
        except ProtocolError as error:
            self._member.counters.invalid += 1
            text = "a message for %s was ignored: %s"
            self._member.tell("invalid", text, quoted(self.namespace.name), error)
        except Exception as error:  # a mistake of ours must not make this server deaf
            text = "a message for %s could not be taken"
            self._member.report(error, text, quoted(self.namespace.name))
        return BROADCAST_WORK

    def _receive_broadcast(self, room: Room, payload: bytes) -> int:
        if room and room not in self._local.rooms:
            return 1
        if begins_with(payload, self._broker.uid):
            return 1
        message = decode_broadcast(payload)
        if message.uid == self._broker.uid or message.packet.namespace != self.namespace.name:
            return 1
        self._member.counters.received += 1
        return BROADCAST_WORK + self._local.pass_on(message.packet, self._target_of(message))

    def _target_of(self, message: ClusterBroadcast) -> Target:
        flags, excepted, sender = NO_FLAGS, message.excepted_rooms, None
        if message.volatile or not message.compress or not message.binary:
            flags = Flags(message.volatile, False, message.compress, message.binary)
        if message.excepted:
            # The room of an id that is not here may have other members, who are not excepted.
            here = [one for one in message.excepted if one in self.namespace.connected]
            sender, excepted = here[0] if here else None, (*excepted, *here[1:])
        return Target(frozenset(message.rooms), frozenset(excepted), sender, flags)

    def _receive_request(self, payload: bytes) -> None:
        request = decode_request(payload)
        if not self._requests.is_own(request):
            self._answers.take(request)

    # -- what is asked of all servers --------------------------------------------------------

    async def clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; without rooms, all sockets.

        Raises:
            NoAnswer: the namespace was dropped meanwhile.
        """
        self.namespace.home.check("adapter.clients")
        request = self._requests.make(RequestKind.CLIENTS, rooms=tuple(rooms))
        found = await self._requests.ask_all(request, self._answers.list_here(request))
        return Gathered((one for each in found.arrived for one in each.clients), found.missing)

    async def all_rooms(self) -> Gathered[Room]:
        """Return the rooms of all servers.

        Raises:
            NoAnswer: the namespace was dropped meanwhile.
        """
        self.namespace.home.check("adapter.all_rooms")
        request = self._requests.make(RequestKind.ALL_ROOMS)
        found = await self._requests.ask_all(request, self._answers.list_here(request))
        return Gathered((one for each in found.arrived for one in each.rooms), found.missing)

    async def client_rooms(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket, of any server.

        Raises:
            NoAnswer: no server has the socket, or the one that has it did not answer.
        """
        self.namespace.home.check("adapter.client_rooms")
        if socket_id in self._local.sids:
            return await self._local.client_rooms(socket_id)
        request = self._requests.make(RequestKind.CLIENT_ROOMS, sid=socket_id)
        return frozenset((await self._requests.ask_owner(request)).rooms)

    async def remote_join(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of any server join a room."""
        self.namespace.home.check("adapter.remote_join")
        if socket_id in self.namespace.connected:
            await self._local.remote_join(socket_id, room)
        else:
            await self._command(RequestKind.REMOTE_JOIN, sid=socket_id, room=room)

    async def remote_leave(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of any server leave a room."""
        self.namespace.home.check("adapter.remote_leave")
        if socket_id in self.namespace.connected:
            await self._local.remote_leave(socket_id, room)
        else:
            await self._command(RequestKind.REMOTE_LEAVE, sid=socket_id, room=room)

    async def remote_disconnect(self, socket_id: SocketId, close: bool = False) -> None:
        """Have a socket of any server leave the namespace."""
        self.namespace.home.check("adapter.remote_disconnect")
        if socket_id in self.namespace.connected:
            await self._local.remote_disconnect(socket_id, close)
        else:
            await self._command(RequestKind.REMOTE_DISCONNECT, sid=socket_id, close=close)

    async def _command(self, kind: RequestKind, **fields: object) -> None:
        await self._requests.ask_owner(self._requests.make(kind, **fields))

    async def custom_request(self, data: JSON = None) -> list[JSON]:
        """Ask every server, this one too, and return their replies in the order of arrival.

        Raises:
            LocalProtocolError: the data cannot be sent as JSON.
            NoAnswer: some server did not answer in time; `replies` has what has arrived.
        """
        self.namespace.home.check("adapter.custom_request")
        request = self._requests.make(RequestKind.CUSTOM_REQUEST, data=data)
        hook, default = self._answers.call_hook, self.namespace.json_default
        found = await self._requests.ask_all(request, hook=hook, default=default)
        replies = [each.data for each in found.arrived]
        if found.missing:
            sentence = "timeout reached while waiting for customRequest response"
            raise NoAnswer(sentence, replies, found.missing)
        return replies

    def on_custom_request(self, function: HookT) -> HookT:
        """Register what answers custom requests here; a decorator."""
        self.namespace.home.check_while_serving("adapter.on_custom_request")
        return self._local.on_custom_request(function)

    def close(self) -> None:
        """Forget the namespace; requests that are under way raise `NoAnswer`."""
        self.namespace.home.check_while_serving("adapter.close")
        self._subscription.close()
        self._requests.close()
