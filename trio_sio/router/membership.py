"""The rooms of one socket: joining and leaving them, and sending to whoever is in them."""

from typing import TYPE_CHECKING

import trio

from trio_sio.abc import Room, Session
from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import LimitReached
from trio_sio.router.broadcast import Broadcast
from trio_sio.router.limits import check_rooms
from trio_sio.router.namespace import Namespace
from trio_sio.router.phase import Phase

if TYPE_CHECKING:
    from trio_sio.router.client import Client


class Membership:
    """What a socket has to do with rooms."""

    __slots__ = ()

    id: str
    client: "Client"
    session: Session
    namespace: Namespace
    phase: Phase
    reason: DisconnectReason | None

    @property
    def rooms(self) -> frozenset[Room]:
        """The rooms it is in: its own id, and those it joined. Empty once it has left."""
        return self.namespace.adapter.rooms_of(self.id)

    async def join(self, *rooms: Room) -> None:
        """Join rooms; when it returns, it holds. Nothing happens after the end (JS: `join`).

        Raises:
            LimitReached: it would be in more than `max_rooms`.
        """
        try:
            check_rooms(rooms, self.rooms, self.client.router.limits.max_rooms)
        except LimitReached as reached:
            self.session.count_limit(reached.option)
            raise
        if self.phase is Phase.ENDED or not rooms:
            await trio.lowlevel.checkpoint()
            return
        if self.client.log is not None:
            self.client.log.entered(self.namespace.name, rooms)
        await self.namespace.adapter.add_all(self.id, rooms)
        if self.phase is not Phase.CONNECTED and self.reason is not None:
            await self.namespace.adapter.remove_all(self.id)  # it left while the adapter waited

    async def leave(self, room: Room) -> None:
        """Leave a room; leaving one that it is not in is fine (JS: `leave`)."""
        await self.namespace.adapter.remove(self.id, room)

    @property
    def broadcast(self) -> Broadcast:
        """Everyone in the namespace but this socket (JS: flag `broadcast`)."""
        return Broadcast(self.namespace, sender=self.id)

    def to(self, *rooms: Room) -> Broadcast:
        """Everyone in the rooms but this socket (JS: `socket.to(room)`)."""
        return self.broadcast.to(*rooms)

    def in_(self, *rooms: Room) -> Broadcast:
        """Do as `to` (JS: `socket.in(room)`)."""
        return self.broadcast.to(*rooms)
