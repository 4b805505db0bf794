"""The verbs of an adapter for many sockets at once, beside servers of Socket.IO 2.x."""

from collections.abc import Collection
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Protocol

from trio_sio.abc import (
    AnswerCollector,
    GatheredList,
    Recipient,
    Room,
    SocketDetails,
    SocketId,
    Target,
)
from trio_sio.adapters.cluster.many.asked import Asked
from trio_sio.adapters.cluster.many.asking import Asking
from trio_sio.adapters.cluster.many.elders import Elders
from trio_sio.adapters.cluster.many.many_sockets import ManySockets
from trio_sio.adapters.cluster.requests import Requests
from trio_sio.adapters.cluster.v8.post import Post
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.request import RequestKind
from trio_sio.protocol.socketio.packet import Packet


class Commands(Protocol):
    """Has sockets of servers of socket.io-redis 5 do something, one at a time.

    Attributes:
        requests: asks all servers.
    """

    requests: Requests

    async def command(self, kind: RequestKind, **fields: object) -> None:
        """Have a socket of another server do something; raises `NoAnswer`."""


class ManySocketVerbs:
    """What an adapter does with the sockets of all servers.

    Args:
        many: does it.
        commands: has single sockets do it.
        channels: the namespace's.
    """

    def __init__(self, many: ManySockets, commands: Commands, channels: Channels) -> None:
        self._many = many
        self._command = commands.command
        self._channels = channels

    def close(self) -> None:
        """Forget the namespace."""
        self._many.close()

    def receive(self, channel: bytes, payload: bytes) -> int:
        """Take a message, if it is on one of our channels; return how much work that was.

        Raises:
            RemoteProtocolError: it cannot be read.
        """
        if channel == self._channels.ask:
            return self._many.receive_question(payload)
        if channel == self._channels.answer:
            self._many.receive_statement(payload)
            return 1
        return 0

    def broadcast_with_ack(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AbstractAsyncContextManager[None]:
        """Have the sockets of the target answer an event; those of others are missing."""
        return self._many.asking(packet, target, answers)

    async def fetch_sockets(self, target: Target) -> GatheredList[Recipient | SocketDetails]:
        """Return the sockets that a target names; of servers in JavaScript, the ids are missing."""
        return await self._many.fetch(target)

    async def add_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names join rooms."""
        join = partial(self._command_each, RequestKind.REMOTE_JOIN, rooms)
        await self._many.join(target, rooms, join)

    async def remove_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names leave rooms."""
        leave = partial(self._command_each, RequestKind.REMOTE_LEAVE, rooms)
        await self._many.leave(target, rooms, leave)

    async def disconnect_sockets(self, target: Target, close: bool = False) -> None:
        """Have the sockets that a target names leave the namespace."""

        async def disconnect(socket_id: SocketId) -> None:
            await self._command(RequestKind.REMOTE_DISCONNECT, sid=socket_id, close=close)

        await self._many.disconnect(target, close, disconnect)

    async def _command_each(
        self, kind: RequestKind, rooms: Collection[Room], socket_id: SocketId
    ) -> None:
        for room in rooms:
            await self._command(kind, sid=socket_id, room=room)


def verbs_of_older(local: MemoryAdapter, post: Post, commands: Commands) -> ManySocketVerbs:
    """Return the verbs of one namespace.

    Args:
        local: the sockets of this server, and their rooms.
        post: reaches the other servers.
        commands: has single sockets do something.
    """
    broker, channels, member = post.broker, post.channels, post.member
    asking = Asking(broker, channels, post.subscription, member, post.timeout)
    asked = Asked(local, broker, channels, member)
    elders = Elders(broker, channels, commands.requests, asking)
    return ManySocketVerbs(ManySockets(local, asking, asked, elders), commands, channels)
