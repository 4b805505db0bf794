"""`ClusterAdapter`: the rooms of one namespace on all servers of a cluster, over any broker.

Each server keeps the rooms of its own sockets, in a `MemoryAdapter`. It listens to a channel for
the namespace, and to one for each room that has members here, so that messages to other rooms do
not even reach it. A broadcast is delivered to the sockets of this server at once, and published:
to the room's channel if it is for one room, to the namespace's otherwise.

A room may have any name, also that of a socket's id, and sockets of several servers may be in it.
So what is for the room of a socket that is here is published, too.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import trio

from trio_sio.abc import (
    AdapterNamespace,
    AnswerCollector,
    Gathered,
    GatheredList,
    HookT,
    Recipient,
    Room,
    SocketDetails,
    SocketId,
    Target,
)
from trio_sio.adapters.cluster.broadcasts import BroadcastFormat, BroadcastsV5, BroadcastsV8
from trio_sio.adapters.cluster.broker import Broker
from trio_sio.adapters.cluster.conversation import ConversationV5, Lookups
from trio_sio.adapters.cluster.generation import Generation
from trio_sio.adapters.cluster.many.verbs import ManySocketVerbs, verbs_of_older
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.cluster.v8.conversation import ConversationV8
from trio_sio.adapters.cluster.v8.post import Post
from trio_sio.adapters.memory import BROADCAST_WORK, MemoryAdapter
from trio_sio.logs.shown import quoted
from trio_sio.protocol.cluster.broadcast import begins_with
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.text import OtherGeneration
from trio_sio.protocol.errors import ProtocolError
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.sync import THREAD

PRIVATE = "trio"
"""Before a namespace's name in channels to which servers in JavaScript do not listen: no namespace
has such a name, and whoever may use the channels of the key may use these, too."""

REQUESTS_TIMEOUT = 5.0
"""Seconds in which the servers have to respond to a request (JS: `requestsTimeout`)."""


class ClusterAdapter:
    """The rooms of one namespace on all servers of a cluster (JS: socket.io-redis).

    Args:
        namespace: the namespace.
        broker: carries messages between the servers.
        member: this server.
        requests_timeout: seconds in which the servers have to respond to a request.
        generation: whose messages it sends and reads.
    """

    def __init__(
        self,
        namespace: AdapterNamespace,
        broker: Broker,
        member: Member,
        *,
        requests_timeout: float = REQUESTS_TIMEOUT,
        generation: Generation = Generation.OF_2,
    ) -> None:
        self.namespace = namespace
        self._local = MemoryAdapter(namespace)
        self._broker = broker
        self._member = member
        self._channels = channels = Channels(broker.key, namespace.name)
        private = Channels(broker.key, namespace.name, PRIVATE)
        is_new = generation is Generation.OF_4
        aside = [private.request, private.response]
        if not is_new:
            aside += channels.ask, channels.answer
        self._subscription = broker.open(channels, self.receive, aside)
        self._added = 0
        self._unconfirmed: dict[Room, int] = {}  # when they were added to the subscription
        post = Post(broker, channels, self._subscription, member, requests_timeout)
        unheard = replace(post, channels=private)
        self._v5 = ConversationV5(self._local, unheard if is_new else post)
        self._v8 = ConversationV8(self._local, post if is_new else unheard, is_private=not is_new)
        self._lookups: Lookups = self._v8 if is_new else self._v5
        self._older = None if is_new else verbs_of_older(self._local, post, self._v5)
        self._many: ConversationV8 | ManySocketVerbs = self._older or self._v8
        self._broadcasts: BroadcastFormat = (BroadcastsV8 if is_new else BroadcastsV5)(
            broker, namespace
        )

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
        payload = self._broadcasts.encode(
            packet, target
        )  # it may raise, and then nobody gets the event
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
        payload = self._broadcasts.encode(packet, target)
        channel = self._channels.broadcast(target.rooms)
        if not target.flags.volatile and not self._broker.has_room(channel, payload):
            raise trio.WouldBlock
        self._local.broadcast_nowait(packet, target)  # it may raise, too
        self._broker.publish_nowait(channel, payload)

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
            if not self._v8.receive(channel, payload) and not self._v5.receive(channel, payload):
                return 0 if self._older is None else self._older.receive(channel, payload)
        except OtherGeneration as error:
            self._ignore("foreign", error)
        except ProtocolError as error:
            self._ignore("invalid", error)
        except Exception as error:  # a mistake of ours must not make this server deaf
            text = "a message for %s could not be taken"
            self._member.report(error, text, quoted(self.namespace.name))
        return BROADCAST_WORK

    def _ignore(self, kind: str, error: ProtocolError) -> None:
        self._member.counters.invalid += 1
        text = "a message for %s was ignored: %s"
        self._member.tell(kind, text, quoted(self.namespace.name), error)

    def _receive_broadcast(self, room: Room, payload: bytes) -> int:
        if room and room not in self._local.rooms:
            return 1
        if begins_with(payload, self._broker.uid):
            return 1
        message = self._broadcasts.decode(payload)
        if message.uid == self._broker.uid or message.packet.namespace != self.namespace.name:
            return 1
        self._member.counters.received += 1
        return BROADCAST_WORK + self._local.pass_on(
            message.packet, self._broadcasts.target_of(message)
        )

    # -- what is asked of all servers --------------------------------------------------------

    async def clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; without rooms, all sockets.

        Raises:
            NoAnswer: the namespace was dropped meanwhile.
        """
        self.namespace.home.check("adapter.clients")
        return await self._lookups.clients(rooms)

    async def all_rooms(self) -> Gathered[Room]:
        """Return the rooms of all servers.

        Raises:
            NoAnswer: the namespace was dropped meanwhile.
        """
        self.namespace.home.check("adapter.all_rooms")
        return await self._lookups.all_rooms()

    async def client_rooms(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket, of any server.

        Raises:
            NoAnswer: no server has the socket, or the one that has it did not answer.
        """
        self.namespace.home.check("adapter.client_rooms")
        here = socket_id in self._local.sids
        return await (self._local if here else self._lookups).client_rooms(socket_id)

    async def remote_join(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of any server join a room."""
        self.namespace.home.check("adapter.remote_join")
        await self._who_has(socket_id).remote_join(socket_id, room)

    async def remote_leave(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of any server leave a room."""
        self.namespace.home.check("adapter.remote_leave")
        await self._who_has(socket_id).remote_leave(socket_id, room)

    async def remote_disconnect(self, socket_id: SocketId, close: bool = False) -> None:
        """Have a socket of any server leave the namespace."""
        self.namespace.home.check("adapter.remote_disconnect")
        await self._who_has(socket_id).remote_disconnect(socket_id, close)

    def _who_has(self, socket_id: SocketId) -> MemoryAdapter | Lookups:
        return self._local if socket_id in self.namespace.connected else self._lookups

    async def custom_request(self, data: JSON = None) -> list[JSON]:
        """Ask every server, this one too, and return their replies in the order of arrival.

        In a cluster of generation 4, servers in JavaScript are not asked: they have no such thing.

        Raises:
            LocalProtocolError: the data cannot be sent as JSON.
            NoAnswer: some server did not answer in time; `replies` has what has arrived.
        """
        self.namespace.home.check("adapter.custom_request")
        return await self._v5.custom_request(data)

    def on_custom_request(self, function: HookT) -> HookT:
        """Register what answers custom requests here; a decorator."""
        self.namespace.home.check_while_serving("adapter.on_custom_request")
        return self._local.on_custom_request(function)

    # -- what only servers of generation 4, and of this library, know ------------------------

    def broadcast_with_ack(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AbstractAsyncContextManager[None]:
        """Have the sockets of the target answer an event; `answers` is told meanwhile.

        Raises:
            LocalProtocolError: the event cannot be encoded; nobody is asked.
        """
        self.namespace.home.check("adapter.broadcast_with_ack")
        whom = self._local if target.flags.local else self._many
        return whom.broadcast_with_ack(packet, target, answers)

    async def fetch_sockets(self, target: Target) -> GatheredList[Recipient | SocketDetails]:
        """Return the sockets that a target names: this server's own, and what others tell.

        Raises:
            NoAnswer: the namespace was dropped meanwhile.
        """
        self.namespace.home.check("adapter.fetch_sockets")
        return await (self._local if target.flags.local else self._many).fetch_sockets(target)

    async def add_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names join rooms.

        Raises:
            LimitReached: one of this server's would be in more than `max_rooms`; the others have
                joined.
            NoAnswer: some server did not answer.
        """
        self.namespace.home.check("adapter.add_sockets")
        await (self._local if target.flags.local else self._many).add_sockets(target, rooms)

    async def remove_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names leave rooms.

        Raises:
            NoAnswer: some server did not answer.
        """
        self.namespace.home.check("adapter.remove_sockets")
        await (self._local if target.flags.local else self._many).remove_sockets(target, rooms)

    async def disconnect_sockets(self, target: Target, close: bool = False) -> None:
        """Have the sockets that a target names leave the namespace.

        Raises:
            NoAnswer: some server did not answer.
        """
        self.namespace.home.check("adapter.disconnect_sockets")
        await (self._local if target.flags.local else self._many).disconnect_sockets(target, close)

    async def server_count(self) -> int:
        """Return how many servers have the namespace; 1 if the broker cannot be reached."""
        self.namespace.home.check("adapter.server_count")
        await self._subscription.wait()
        return await self._broker.count_subscribers(self._channels.request) or 1

    async def server_side_emit(self, args: Sequence[JSON]) -> None:
        """Send an event to the other servers.

        Raises:
            LocalProtocolError: an argument cannot be sent.
        """
        self.namespace.home.check("adapter.server_side_emit")
        await self._v8.server_side_emit(args)

    async def server_side_call(self, args: Sequence[JSON], seconds: float) -> list[JSON]:
        """Send an event to the other servers, and return what they answer.

        Raises:
            LocalProtocolError: an argument cannot be sent.
            NoAnswer: some server did not answer in time; `replies` has what has arrived.
        """
        self.namespace.home.check("adapter.server_side_call")
        return await self._v8.server_side_call(args, seconds)

    def close(self) -> None:
        """Forget the namespace; requests that are under way raise `NoAnswer`."""
        self.namespace.home.check_while_serving("adapter.close")
        self._subscription.close()
        self._v5.close()
        self._v8.close()
        if self._older is not None:
            self._older.close()
