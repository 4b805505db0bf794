"""The verbs of an adapter on all servers, in the format of @socket.io/redis-adapter 8.

A server in JavaScript has done at once what it is asked for, and those of this library when they
say so; so all of these hold when they return, unless somebody is missing.
"""

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Container,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager

from trio_sio.abc import (
    AnswerCollector,
    Gathered,
    GatheredList,
    Recipient,
    Room,
    SocketDetails,
    SocketId,
    Target,
)
from trio_sio.adapters.cluster.v8.answers import AnswersV8
from trio_sio.adapters.cluster.v8.post import Post
from trio_sio.adapters.cluster.v8.question import Question
from trio_sio.adapters.cluster.v8.requests import RequestsV8
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.exceptions import LimitReached, NoAnswer
from trio_sio.protocol.cluster.v8.request import (
    Request,
    RequestKind,
    decode_request,
    encode_request,
)
from trio_sio.protocol.cluster.v8.response import FoundSocket
from trio_sio.protocol.cluster.v8.selection import Manner, Selection
from trio_sio.protocol.socketio.packet import JSON, Packet

NOWHERE = ("",)
"""Whose sockets a fence asks for: hardly anybody has a room without a name."""

OTHERS = "the other servers"


def selection_of(target: Target, here: Container[SocketId]) -> Selection:
    """Return which sockets of other servers a target names.

    The format excepts rooms alone. The room of a sender has other members, perhaps, who are not
    excepted; so it is named only if its socket may be elsewhere.

    Args:
        target: the target.
        here: the sockets of this server.
    """
    sender = () if target.sender is None or target.sender in here else (target.sender,)
    return Selection(tuple(target.rooms), (*target.excepted, *sender))


def manner_of(target: Target, timeout: float | None = None) -> Manner:
    """Return how a target's event is sent."""
    flags = target.flags
    return Manner(flags.volatile, flags.compress, flags.binary, timeout)


class ConversationV8:
    """Asks other servers, and answers them, for one namespace.

    Args:
        local: the sockets of this server, and their rooms.
        post: reaches the other servers.
        is_private: only servers of this library hear it.
    """

    def __init__(self, local: MemoryAdapter, post: Post, *, is_private: bool) -> None:
        self._local = local
        self._post = post
        self._requests = RequestsV8(post, are_private=is_private)
        self._answers = AnswersV8(local, post)

    def close(self) -> None:
        """End the requests that are under way: the namespace is gone."""
        self._requests.close()

    def receive(self, channel: bytes, payload: bytes) -> bool:
        """Take a message, if it is on one of the conversation's channels.

        Returns:
            Whether it is.

        Raises:
            RemoteProtocolError: it cannot be read.
        """
        channels = self._post.channels
        if channel == channels.request:
            request = decode_request(payload)
            if not self._requests.is_own(request):
                self._answers.take(request)
        elif channel == channels.response or self._requests.is_for_this_server(channel):
            self._requests.receive(payload)
        else:
            return False
        return True

    # -- what is known -----------------------------------------------------------------------

    def _selection_of(self, target: Target) -> Selection:
        return selection_of(target, self._local.namespace.connected)

    async def clients(self, rooms: Collection[Room]) -> Gathered[SocketId]:
        """Return the sockets that are in any of the rooms; without rooms, all sockets."""
        request = self._request(RequestKind.SOCKETS, rooms=tuple(rooms))
        found = await self._requests.ask(request, "clients")
        there = (one for each in found.arrived for one in each.sids)
        return Gathered((*self._local.find_clients(rooms), *there), found.missing)

    async def all_rooms(self) -> Gathered[Room]:
        """Return the rooms of all servers."""
        found = await self._requests.ask(self._request(RequestKind.ALL_ROOMS), "allRooms")
        there = (one for each in found.arrived for one in each.rooms)
        return Gathered((*self._local.rooms, *there), found.missing)

    async def client_rooms(self, socket_id: SocketId) -> frozenset[Room]:
        """Return the rooms of a socket of another server.

        Raises:
            NoAnswer: no server has the socket, or the one that has it did not answer.
        """
        request = self._request(RequestKind.REMOTE_FETCH, selection=Selection((socket_id,)))
        found = await self._requests.ask(
            request, "rooms", until=lambda each: any(one.id == socket_id for one in each.found)
        )
        for each in found.arrived:
            for one in each.found:
                if one.id == socket_id:
                    return frozenset(one.rooms)
        if found.missing:
            raise NoAnswer("timeout reached while waiting for rooms response", (), found.missing)
        raise NoAnswer("no server has the socket: no rooms response")

    async def fetch_sockets(self, target: Target) -> GatheredList[Recipient | SocketDetails]:
        """Return the sockets that a target names: this server's own, and what others tell."""
        request = self._request(
            RequestKind.REMOTE_FETCH,
            selection=self._selection_of(target),
        )
        found = await self._requests.ask(request, "fetchSockets")
        sockets: list[Recipient | SocketDetails] = [*self._local.find(target).values()]
        sockets += [self._details(one) for each in found.arrived for one in each.found]
        return GatheredList(sockets, found.missing)

    def _details(self, found: FoundSocket) -> SocketDetails:
        data: Mapping[str, object] = found.data if isinstance(found.data, dict) else {}
        return SocketDetails(found.id, found.handshake, frozenset(found.rooms), data)

    async def server_count(self) -> int:
        """Return how many servers have the namespace, as far as can be said."""
        return (await self._requests.count_others() or 0) + 1

    # -- commands ----------------------------------------------------------------------------

    async def remote_join(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of another server join a room."""
        request = self._request(RequestKind.REMOTE_JOIN, sid=socket_id, rooms=(room,))
        await self._requests.ask_owner(request, "remoteJoin")

    async def remote_leave(self, socket_id: SocketId, room: Room) -> None:
        """Have a socket of another server leave a room."""
        request = self._request(RequestKind.REMOTE_LEAVE, sid=socket_id, rooms=(room,))
        await self._requests.ask_owner(request, "remoteLeave")

    async def remote_disconnect(self, socket_id: SocketId, close: bool = False) -> None:
        """Have a socket of another server leave the namespace."""
        request = self._request(RequestKind.REMOTE_DISCONNECT, sid=socket_id, close=close)
        await self._requests.ask_owner(request, "remoteDisconnect")

    async def add_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names join rooms."""
        selection = self._selection_of(target)
        request = self._request(RequestKind.REMOTE_JOIN, selection=selection, rooms=tuple(rooms))
        await self._command(request, lambda: self._local.add_sockets(target, rooms))

    async def remove_sockets(self, target: Target, rooms: Collection[Room]) -> None:
        """Have the sockets that a target names leave rooms."""
        selection = self._selection_of(target)
        request = self._request(RequestKind.REMOTE_LEAVE, selection=selection, rooms=tuple(rooms))
        await self._command(request, lambda: self._local.remove_sockets(target, rooms))

    async def disconnect_sockets(self, target: Target, close: bool = False) -> None:
        """Have the sockets that a target names leave the namespace."""
        selection = self._selection_of(target)
        request = self._request(RequestKind.REMOTE_DISCONNECT, selection=selection, close=close)
        await self._command(request, lambda: self._local.disconnect_sockets(target, close))

    async def _command(self, request: Request, here: Callable[[], Awaitable[None]]) -> None:
        """Do something here, and have the others do it.

        Raises:
            LimitReached: of a socket of this server; the others have done it.
            NoAnswer: some server did not answer.
        """
        reached: LimitReached | None = None
        try:
            await here()
        except LimitReached as error:
            reached = error
        fence = self._request(RequestKind.SOCKETS, rooms=NOWHERE, fence=True)
        name = request.kind.name.lower()
        found = await self._requests.ask(request, name, fence=fence)
        if reached is not None:
            raise reached
        if found.missing:
            raise NoAnswer(f"timeout reached while waiting for {name} response", (), found.missing)

    # -- events ------------------------------------------------------------------------------

    async def server_side_emit(self, args: Sequence[JSON]) -> None:
        """Send an event to the other servers."""
        request = Request(RequestKind.SERVER_SIDE_EMIT, self._post.broker.uid, data=list(args))
        await self._post.request(encode_request(request))

    async def server_side_call(self, args: Sequence[JSON], seconds: float) -> list[JSON]:
        """Send an event to the other servers, and return what they answer.

        Raises:
            NoAnswer: some server did not answer in time; `replies` has what has arrived.
        """
        request = self._request(RequestKind.SERVER_SIDE_EMIT, data=list(args))
        found = await self._requests.ask(request, "serverSideEmit", seconds=seconds)
        replies = [each.data for each in found.arrived]
        if found.missing:
            sentence = "timeout reached while waiting for serverSideEmit response"
            raise NoAnswer(sentence, replies, found.missing)
        return replies

    @asynccontextmanager
    async def broadcast_with_ack(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AsyncIterator[None]:
        """Have the sockets of the target answer an event; `answers` is told meanwhile."""
        own = Packet(packet.type, self._local.namespace.name, packet.data)
        request = self._request(
            RequestKind.BROADCAST,
            selection=self._selection_of(target),
            packet=own,
            manner=manner_of(target, answers.timeout),
            departures=True,
        )
        payload = encode_request(request)  # it may raise, and then nobody is asked
        question = Question(answers, self._post.broker.peers)
        answers.expect(OTHERS)  # until it is known how many they are
        with self._local.ask(packet, target, answers) as deliveries:
            others = await self._requests.count_others()
            question.expect(others)
            answers.drop(OTHERS)
            with self._requests.expecting(question, request.id):
                if self._requests.is_closed:
                    question.cut()
                elif others:
                    await self._post.request(payload)
                await self._local.pause_after(deliveries)
                yield

    def _request(
        self,
        kind: RequestKind,
        *,
        selection: Selection | None = None,
        rooms: tuple[Room, ...] = (),
        **fields: object,
    ) -> Request:
        ident, uid = self._requests.new_id(), self._post.broker.uid
        return Request(kind, uid, ident, selection, rooms, **fields)  # type: ignore[arg-type]  # as the caller knows
