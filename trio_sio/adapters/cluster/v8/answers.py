"""Answers the requests of a cluster's servers, for one namespace.

What only has to be looked up is answered at once, in the task that receives messages. What can
wait has a task of its own: joining a room, which the broker confirms, and handlers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from trio_sio.abc import Flags, Recipient, SocketDetails, Target
from trio_sio.adapters.cluster.told import MAX_SOCKETS, is_deep
from trio_sio.adapters.cluster.v8.post import Post
from trio_sio.adapters.cluster.v8.surveyor import Surveyor
from trio_sio.adapters.cluster.v8.turns import Turns
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.exceptions import LimitReached
from trio_sio.failures import failures
from trio_sio.logs.shown import quoted
from trio_sio.protocol.cluster.v8.request import Request, RequestKind
from trio_sio.protocol.cluster.v8.response import (
    FoundSocket,
    encode_done,
    encode_found,
    encode_reply,
    encode_rooms,
    encode_sids,
)
from trio_sio.protocol.cluster.v8.selection import ALL, USUAL, Manner, Selection
from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio.foreign import replace_foreign
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType

_COMMANDS = frozenset(
    {RequestKind.REMOTE_JOIN, RequestKind.REMOTE_LEAVE, RequestKind.REMOTE_DISCONNECT}
)


def target_of(selection: Selection, manner: Manner = USUAL) -> Target:
    """Return which sockets of this server another one has named."""
    flags = Flags(manner.volatile, False, manner.compress, manner.binary)
    return Target(frozenset(selection.rooms), frozenset(selection.excepted), None, flags)


class AnswersV8:
    """Answers requests.

    Args:
        local: the sockets of this server, and their rooms.
        post: reaches the other servers.
    """

    def __init__(self, local: MemoryAdapter, post: Post) -> None:
        self._local = local
        self._post = post
        self._surveyor = Surveyor(local, post)
        self._commands = Turns(post.member, one_by_one=True)
        self._events = Turns(post.member, one_by_one=False)

    def take(self, request: Request) -> None:
        """Answer a request of another server, now or soon, if it is for this one."""
        if request.kind in _COMMANDS:
            self._take_command(request)
        elif request.kind is RequestKind.SERVER_SIDE_EMIT:
            self._events.start(partial(self._hear, request))
        elif request.kind is RequestKind.BROADCAST:
            self._take_question(request)
        elif not request.fence:
            self._look_up(request)

    # -- looked up ---------------------------------------------------------------------------

    def _look_up(self, request: Request) -> None:
        uid = self._post.broker.uid
        if request.kind is RequestKind.SOCKETS:
            payload = encode_sids(request.id, tuple(self._local.find_clients(request.rooms)), uid)
        elif request.kind is RequestKind.ALL_ROOMS:
            payload = encode_rooms(request.id, tuple(self._local.rooms), uid)
        elif request.kind is RequestKind.REMOTE_FETCH and request.selection is not None:
            sockets = self._local.find(target_of(request.selection))
            payload = self._encode_sockets(request.id, [*sockets.values()])
        else:
            return
        self._post.member.counters.received += 1
        self._post.respond_nowait(payload)

    def _encode_sockets(self, ident: str, sockets: Sequence[Recipient]) -> bytes:
        """Return what is told of sockets: encoded at once if that goes, else one by one first."""
        uid = self._post.broker.uid
        try:
            payload = encode_found(
                ident, tuple([self._all_of(one.describe()) for one in sockets]), uid
            )
            if len(payload) <= MAX_SOCKETS:
                return payload
        except LocalProtocolError:
            pass
        return encode_found(ident, self._told(sockets), uid)

    def _told(self, sockets: Iterable[Recipient]) -> tuple[FoundSocket, ...]:
        """Return what is told of sockets: all that can be told, as long as there is room for it."""
        told, room = [], MAX_SOCKETS
        for socket in sockets:
            found, size = self._sayable(socket.describe())
            if size > room:
                found = FoundSocket(found.id, {}, found.rooms, {})
                text = "handshakes and data of sockets in %s were too much for another server"
                self._post.member.tell("sockets", text, quoted(self._post.channels.namespace))
            room -= size if size <= room else 0
            told.append(found)
        return tuple(told)

    def _sayable(self, details: SocketDetails) -> tuple[FoundSocket, int]:
        """Return what can be told of a socket, and its size in bytes: its data may be anything."""
        try:
            found = self._all_of(details)
            return found, len(encode_found("", (found,), ""))
        except LocalProtocolError as error:
            text = "the data of a socket in %s was not told another server: %s"
            self._post.member.tell("data", text, quoted(self._post.channels.namespace), error)
            found = self._all_of(replace(details, data={}))
            return found, len(encode_found("", (found,), ""))

    def _all_of(self, details: SocketDetails) -> FoundSocket:
        """Return all that there is to tell of a socket, but for an `auth` that is too deep.

        Raises:
            LocalProtocolError: its data is, too, or cannot be sent.
        """
        handshake, data = dict(details.handshake), cast("JSON", dict(details.data))
        if is_deep(handshake.get("auth")):
            handshake["auth"] = {}
        if is_deep(data):
            raise LocalProtocolError("it is nested too deeply")
        return FoundSocket(details.id, handshake, tuple(details.rooms), self._plain(data))

    # -- commands ----------------------------------------------------------------------------

    def _take_command(self, request: Request) -> None:
        if request.selection is not None or request.sid in self._local.namespace.connected:
            self._commands.start(partial(self._obey, request))

    async def _obey(self, request: Request) -> None:
        """Have sockets join rooms, leave them, or leave the namespace; then say so."""
        selection = request.selection
        if selection is None:
            if request.sid not in self._local.namespace.connected:  # it has left meanwhile
                return
            selection = Selection((request.sid,))
        target, local = target_of(selection), self._local
        try:
            if request.kind is RequestKind.REMOTE_JOIN:
                await local.add_sockets(target, request.rooms)
            elif request.kind is RequestKind.REMOTE_LEAVE:
                await local.remove_sockets(target, request.rooms)
            else:
                await local.disconnect_sockets(target, request.close)
        except LimitReached as reached:
            text = "a socket in %s did not join a room as another server asked: %s"
            namespace = quoted(self._post.channels.namespace)
            self._post.member.tell("remote_join", text, namespace, reached)
            if request.selection is None:
                return
        self._post.member.counters.received += 1
        if request.id:
            await self._post.respond(encode_done(request.id, self._post.broker.uid))

    # -- events ------------------------------------------------------------------------------

    async def _hear(self, request: Request) -> None:
        assert isinstance(request.data, list)
        self._post.member.counters.received += 1
        answer = partial(self._reply, request) if request.id else None
        try:
            await self._local.namespace.hear_server(request.data, answer)
        except failures() as error:
            text = "a handler of %s, which another server has sent in %s, failed"
            namespace = quoted(self._post.channels.namespace)
            self._post.member.report(error, text, quoted(str(request.data[0])), namespace)

    async def _reply(self, request: Request, data: JSON) -> None:
        data = self._plain(data)
        await self._post.respond(encode_reply(request.id, data, self._post.broker.uid))

    def _plain(self, data: JSON) -> JSON:
        """Return a value of the application without what only its `json_default` knows."""
        default = self._local.namespace.json_default
        if default is None:
            return data
        packet = replace_foreign(Packet(PacketType.EVENT, "/", [data]), default)
        assert isinstance(packet.data, list)
        return packet.data[0]

    def _take_question(self, request: Request) -> None:
        packet, selection = request.packet, request.selection or ALL
        if packet is not None and packet.namespace == self._local.namespace.name:
            self._post.member.counters.received += 1
            self._surveyor.ask(request, target_of(selection, request.manner))
