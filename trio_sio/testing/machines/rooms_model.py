"""Who is in which room, and who has to receive what: a list of members, each with a set of rooms.

A member is a client in one namespace of one server. Whatever is true of the model has to be true of
a cluster, for any number of servers: one server alone is no special case.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from trio_sio.abc import Target

ROOT = "/"


@dataclass(eq=False)
class Member:
    """A client in one namespace.

    Attributes:
        id: of its socket.
        in_root: the id of the socket that its session has in "/", too; `""` in protocol 5.
        server: the number of its server.
        namespace: where it is.
        room_for: parts of packets that it has room for; with less, volatile events are dropped.
        rooms: where it is, the room of its own id among them.
        expected: the events that it has not taken yet, each a list of its name and its arguments.
        parts: of the packets that it has not taken yet.
    """

    id: str
    in_root: str
    server: int
    namespace: str
    room_for: int
    rooms: set[str]
    expected: list[list[object]] = field(default_factory=list)
    parts: int = 0

    def __repr__(self) -> str:
        return f"<{self.id} on server {self.server}>"

    def expect(self, event: list[object]) -> None:
        """It will receive an event."""
        self.expected.append(event)
        self.parts += 1 + _attachments(event)

    def take(self) -> list[list[object]]:
        """Return what it has to have received since it last took."""
        expected, self.expected = self.expected, []
        self.parts = 0
        return expected


class RoomsModel:
    """All members of all servers.

    Attributes:
        members: those that are there.
        gone: the ids of those who were.
    """

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.gone: list[str] = []

    def present(self, namespace: str) -> list[Member]:
        """Return the members of a namespace."""
        return [one for one in self.members if one.namespace == namespace]

    def in_rooms(self, namespace: str, rooms: Collection[str]) -> list[Member]:
        """Return who is in any of the rooms; without rooms, everybody."""
        return [one for one in self.present(namespace) if not rooms or one.rooms & set(rooms)]

    def named(self, namespace: str, target: Target) -> list[Member]:
        """Return whom a target names, on all servers."""
        found = self.in_rooms(namespace, target.rooms)
        return [one for one in found if not one.rooms & target.excepted]

    def ids_in(self, namespace: str, rooms: Collection[str]) -> set[str]:
        """Return the ids in any of the rooms; a session of 2.x has a socket in "/" and its room."""
        found = {one.id for one in self.in_rooms(namespace, rooms)}
        if namespace == ROOT:
            others = {one.in_root for one in self.members if one.namespace != ROOT}
            found |= {one for one in others if one and (not rooms or one in rooms)}
        return found

    def all_rooms(self, namespace: str) -> set[str]:
        """Return the rooms that are not empty, those of ids among them."""
        rooms = {room for one in self.present(namespace) for room in one.rooms}
        return rooms | self.ids_in(namespace, ())

    def expect(self, namespace: str, target: Target, server: int, event: list[object]) -> None:
        """Note who has to receive an event."""
        for one in self.in_rooms(namespace, target.rooms):
            is_far = target.flags.local and one.server != server
            is_left_out = one.id == target.sender or one.rooms & target.excepted
            is_dropped = target.flags.volatile and one.parts >= one.room_for
            if not (is_far or is_left_out or is_dropped):
                one.expect(event)

    def leave(self, member: Member) -> None:
        """A member has gone, and with it its rooms."""
        self.members.remove(member)
        self.gone.append(member.id)


def _attachments(value: object) -> int:
    if isinstance(value, list):
        return sum(map(_attachments, value))
    if isinstance(value, dict):
        return sum(map(_attachments, value.values()))
    return isinstance(value, bytes)
