"""The verbs of an adapter on all servers, in the format of socket.io-redis 5.

It has none for many sockets at once, and none for events between servers.
"""

from collections.abc import Collection
from typing import Protocol

from trio_sio.abc import Gathered, Room, SocketId
from trio_sio.adapters.cluster.answers import Answers
from trio_sio.adapters.cluster.requests import Requests
from trio_sio.adapters.cluster.v8.post import Post
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.exceptions import NoAnswer
from trio_sio.protocol.cluster.request import RequestKind, decode_request, decode_response
from trio_sio.protocol.socketio.packet import JSON


class Lookups(Protocol):
    """What servers of both generations can be asked, in the format of either."""

    async def clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; without rooms, all sockets."""

    async def all_rooms(self) -> Gathered[Room]:
        """Return the rooms of all servers."""

    async def client_rooms(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket of another server."""

    async def remote_join(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of another server join a room."""

    async def remote_leave(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of another server leave a room."""

    async def remote_disconnect(self, socket_id: SocketId, close: bool = False) -> None:
        """Have a socket of another server leave the namespace."""


class ConversationV5:
    """Asks other servers, and answers them, for one namespace.

    Args:
        local: the sockets of this server, and their rooms.
        post: reaches the other servers.

    Attributes:
        requests: its requests.
    """

    def __init__(self, local: MemoryAdapter, post: Post) -> None:
        self._local = local
        self._channels = post.channels
        self._answers = Answers(local, post.broker, post.channels, post.member)
        self.requests = Requests(
            post.broker, post.channels, post.subscription, post.member, post.timeout
        )

    def close(self) -> None:
        """End the requests that are under way: the namespace is gone."""
        self.requests.close()

    def receive(self, channel: bytes, payload: bytes) -> bool:
        """Take a message, if it is on one of the conversation's channels.

        Returns:
            Whether it is.

        Raises:
            RemoteProtocolError: it cannot be read.
        """
        if channel == self._channels.request:
            request = decode_request(payload)
            if not self.requests.is_own(request):
                self._answers.take(request)
        elif channel == self._channels.response:
            if self.requests.are_pending:
                self.requests.take(decode_response(payload))
        else:
            return False
        return True

    async def clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; without rooms, all sockets.

        Raises:
            NoAnswer: the namespace was dropped meanwhile.
        """
        request = self.requests.make(RequestKind.CLIENTS, rooms=tuple(rooms))
        found = await self.requests.ask_all(request, self._answers.list_here(request))
        return Gathered((one for each in found.arrived for one in each.clients), found.missing)

    async def all_rooms(self) -> Gathered[Room]:
        """Return the rooms of all servers.

        Raises:
            NoAnswer: the namespace was dropped meanwhile.
        """
        request = self.requests.make(RequestKind.ALL_ROOMS)
        found = await self.requests.ask_all(request, self._answers.list_here(request))
        return Gathered((one for each in found.arrived for one in each.rooms), found.missing)

    async def client_rooms(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket, of any server.

        Raises:
            NoAnswer: no server has the socket, or the one that has it did not answer.
        """
        request = self.requests.make(RequestKind.CLIENT_ROOMS, sid=socket_id)
        return frozenset((await self.requests.ask_owner(request)).rooms)

    async def remote_join(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of any server join a room."""
        await self.command(RequestKind.REMOTE_JOIN, sid=socket_id, room=room)

    async def remote_leave(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of any server leave a room."""
        await self.command(RequestKind.REMOTE_LEAVE, sid=socket_id, room=room)

    async def remote_disconnect(self, socket_id: SocketId, close: bool = False) -> None:
        """Have a socket of any server leave the namespace."""
        await self.command(RequestKind.REMOTE_DISCONNECT, sid=socket_id, close=close)

    async def command(self, kind: RequestKind, **fields: object) -> None:
        """Have a socket of another server do something.

        Raises:
            NoAnswer: no server has the socket, or the one that has it did not answer.
        """
        await self.requests.ask_owner(self.requests.make(kind, **fields))

    async def custom_request(self, data: JSON = None) -> list[JSON]:
        """Ask every server, this one too, and return their replies in the order of arrival.

        Raises:
            LocalProtocolError: the data cannot be sent as JSON.
            NoAnswer: some server did not answer in time; `replies` has what has arrived.
        """
        request = self.requests.make(RequestKind.CUSTOM_REQUEST, data=data)
        hook, default = self._answers.call_hook, self._local.namespace.json_default
        found = await self.requests.ask_all(request, hook=hook, default=default)
        replies = [each.data for each in found.arrived]
        if found.missing:
            sentence = "timeout reached while waiting for customRequest response"
            raise NoAnswer(sentence, replies, found.missing)
        return replies
