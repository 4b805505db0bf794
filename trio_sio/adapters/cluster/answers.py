"""Answers the requests of a cluster's servers, for one namespace.

What only has to be looked up is answered at once, in the task that receives messages. What can
wait has a task of its own: joining a room, which the broker confirms, and the application's hook.
"""

from collections.abc import Iterable

from trio_sio.abc import Room
from trio_sio.adapters.cluster.broker import Broker
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.exceptions import LimitReached
from trio_sio.logs.shown import quoted
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.request import Request, RequestKind, Response, encode_response

_AT_ONCE = frozenset({RequestKind.CLIENTS, RequestKind.CLIENT_ROOMS, RequestKind.ALL_ROOMS})
_COMMANDS = frozenset(
    {RequestKind.REMOTE_JOIN, RequestKind.REMOTE_LEAVE, RequestKind.REMOTE_DISCONNECT}
)


class Answers:
    """Answers requests.

    Args:
        local: the sockets of this server, and their rooms.
        broker: carries the responses.
        channels: the namespace's.
        member: this server.
    """

    def __init__(
        self, local: MemoryAdapter, broker: Broker, channels: Channels, member: Member
    ) -> None:
        self._local = local
        self._broker = broker
        self._channels = channels
        self._member = member

    def take(self, request: Request) -> None:
        """Answer a request of another server, now or soon, if it is for this one."""
        if request.kind in _AT_ONCE:
            self._take_lookup(request)
        elif request.kind is RequestKind.CUSTOM_REQUEST:
            self._member.start(self._answer_custom, request)
        elif request.kind in _COMMANDS and request.sid in self._local.namespace.connected:
            self._member.start(self._answer_command, request)

    # -- looked up ---------------------------------------------------------------------------

    def _take_lookup(self, request: Request) -> None:
        response = self._look_up(request)
        if response is not None:
            self._member.counters.received += 1
            payload = encode_response(response, request.kind)
            self._broker.publish_nowait(self._channels.response, payload)

    def _look_up(self, request: Request) -> Response | None:
        """Return what is known here; `None` if another server has the socket."""
        if request.kind is not RequestKind.CLIENT_ROOMS:
            return self.list_here(request)
        rooms = self._local.sids.get(request.sid)
        return None if rooms is None else self._rooms(request, rooms)

    def list_here(self, request: Request) -> Response:
        """Return the sockets or the rooms of this server, as a request asks."""
        if request.kind is RequestKind.CLIENTS:
            clients = tuple(self._local.find_clients(request.rooms))
            return Response(request.id, clients=clients, node=self._broker.uid)
        return self._rooms(request, self._local.rooms)

    def _rooms(self, request: Request, rooms: Iterable[Room]) -> Response:
        return Response(request.id, rooms=tuple(rooms), node=self._broker.uid)

    # -- waited for --------------------------------------------------------------------------

    async def _answer_custom(self, request: Request) -> None:
        await self._respond(request, await self.call_hook(request))

    async def call_hook(self, request: Request) -> Response:
        """Return what the application replies to a custom request."""
        reply = await self._local.answer(request.data)
        return Response(request.id, data=reply, node=self._broker.uid)

    async def _answer_command(self, request: Request) -> None:
        socket = self._local.namespace.connected.get(request.sid)
        if socket is None:  # it has left meanwhile
            return
        try:
            if request.kind is RequestKind.REMOTE_JOIN:
                await socket.join(request.room)
            elif request.kind is RequestKind.REMOTE_LEAVE:
                await socket.leave(request.room)
            else:
                await socket.disconnect(request.close)
        except LimitReached as reached:
            text = "a socket in %s did not join a room as another server asked: %s"
            self._member.tell("remote_join", text, quoted(self._channels.namespace), reached)
            return
        await self._respond(request, Response(request.id, node=self._broker.uid))

    async def _respond(self, request: Request, response: Response) -> None:
        default = self._local.namespace.json_default
        payload = encode_response(response, request.kind, default)
        self._member.counters.received += 1
        await self._broker.publish(self._channels.response, payload)
