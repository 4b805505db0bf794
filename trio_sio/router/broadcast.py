"""Targets: whom an emit reaches, and how. They are values; nothing ever changes one.

In JavaScript `io.to(…)` writes into the shared namespace and `emit` takes it back; with an
`await` in between, one handler's rooms would become another's. Here every step makes a new value,
which can be kept and shared.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Protocol, Self

import trio

from trio_sio.abc import Room, SocketId
from trio_sio.options import OVERFLOW_POLICIES
from trio_sio.protocol.socketio.packet import (
    RESERVED_EVENTS,
    RESERVED_NAMESPACE_EVENTS,
    Packet,
    PacketType,
)

_RESERVED = RESERVED_EVENTS | RESERVED_NAMESPACE_EVENTS


@dataclass(frozen=True, slots=True)
class Flags:
    """How a packet is sent.

    Attributes:
        volatile: skip whoever cannot take it at this moment.
        local: do not tell other servers.
        compress: transports may compress it.
        binary: look for binary values; `False` writes them as JavaScript's Buffer in JSON.
        on_overflow: what is done at a full outbox; `""` for what the option says.
    """

    volatile: bool = False
    local: bool = False
    compress: bool = True
    binary: bool = True
    on_overflow: str = ""


NO_FLAGS = Flags()


class Audience(Protocol):
    """A namespace, or several: what a broadcast is for."""

    async def publish(self, packet: Packet, target: "Broadcast") -> None:
        """Send to everyone the target names."""

    async def find_clients(self, rooms: Collection[Room]) -> set[SocketId]:
        """Return who is in any of the rooms; without rooms, everyone."""


def checked_policy(policy: str) -> str:
    """Return an overflow policy; raises `ValueError` if it is none."""
    if policy not in OVERFLOW_POLICIES:
        raise ValueError(f"on_overflow must be one of {OVERFLOW_POLICIES}, not {policy!r}")
    return policy


def event_packet(
    event: str,
    args: tuple[object, ...],
    reserved: frozenset[str],
    namespace: str = "/",
    ack_id: int | None = None,
) -> Packet:
    """Return the packet of an event; that of a broadcast gets its namespace from the adapter.

    Raises:
        TypeError: the name is no text.
        ValueError: the name is reserved: on a JavaScript client it would mean something else.
    """
    if not isinstance(event, str):
        raise TypeError(f"an event name must be a str, not {event!r}")
    if event in reserved:
        raise ValueError(f"the event name {event!r} is reserved")
    return Packet(PacketType.EVENT, namespace, [event, *args], ack_id)  # type: ignore[list-item]  # the encoder judges


class Targeting:
    """The verbs that make targets; a namespace, a server and a target have them."""

    __slots__ = ()

    def _target(self) -> "Broadcast":
        raise NotImplementedError

    def to(self, *rooms: Room) -> "Broadcast":
        """Add rooms: whoever is in any of them gets the event once (JS: `to(room)`)."""
        target = self._target()
        return replace(target, rooms=target.rooms | _checked(rooms))

    def in_(self, *rooms: Room) -> "Broadcast":
        """Do as `to` (JS: `in(room)`)."""
        return self.to(*rooms)

    def except_(self, *rooms: Room) -> "Broadcast":
        """Leave out whoever is in any of these rooms; a socket's id is a room, too."""
        target = self._target()
        return replace(target, excepted=target.excepted | _checked(rooms))

    @property
    def volatile(self) -> "Broadcast":
        """Skip whoever cannot take the event at this moment (JS: flag `volatile`)."""
        return self._flag(volatile=True)

    @property
    def local(self) -> "Broadcast":
        """Reach this server's clients only (JS: flag `local`)."""
        return self._flag(local=True)

    def compress(self, compress: bool) -> "Broadcast":
        """Say whether transports may compress the event (JS: `compress(bool)`)."""
        return self._flag(compress=compress)

    def binary(self, binary: bool) -> "Broadcast":
        """Say whether binary values are sent as such (JS: `binary(bool)`)."""
        return self._flag(binary=binary)

    def on_overflow(self, policy: str) -> "Broadcast":
        """Say what is done at a full outbox, in place of the option `on_overflow`.

        Args:
            policy: "disconnect", "drop_newest" or "drop_oldest".

        Raises:
            ValueError: there is no such policy.
        """
        return self._flag(on_overflow=checked_policy(policy))

    def _flag(self, **flags: bool | str) -> "Broadcast":
        target = self._target()
        return replace(target, flags=replace(target.flags, **flags))  # type: ignore[arg-type]  # each has its own type

    async def emit(
        self,
        event: str,
        *args: object,
        to: Room | Collection[Room] = (),
        skip_sid: SocketId | Collection[SocketId] = (),
        ack: None = None,
    ) -> None:
        """Send an event to everyone the target names; it waits for none of them.

        A client whose outbox is full is dealt with as the target's `on_overflow` says, or the
        option of that name.

        Args:
            event: the event's name.
            *args: JSON values, with bytes anywhere in them.
            to: more rooms (python-socketio's spelling).
            skip_sid: more exceptions (python-socketio's spelling).
            ack: not possible with several recipients.

        Raises:
            TypeError: `ack` was given.
            ValueError: the name is reserved.
            LocalProtocolError: the arguments cannot be sent.
        """
        if ack is not None:
            raise TypeError("acknowledgements are not supported when broadcasting")
        target = self._target()
        if to:
            target = target.to(*((to,) if isinstance(to, str) else to))
        if skip_sid:
            target = target.except_(*((skip_sid,) if isinstance(skip_sid, str) else skip_sid))
        packet = event_packet(event, args, _RESERVED)
        await trio.lowlevel.checkpoint_if_cancelled()
        await target.audience.publish(packet, target)

    async def send(self, *args: object) -> None:
        """Emit the event "message" (JS: `send`)."""
        await self.emit("message", *args)

    async def clients(self) -> set[SocketId]:
        """Return the ids of the sockets in the target's rooms, on all servers (JS: `clients`)."""
        target = self._target()
        return await target.audience.find_clients(target.rooms)


def _checked(rooms: tuple[Room, ...]) -> frozenset[Room]:
    for room in rooms:
        if not isinstance(room, str):
            raise TypeError(f"a room name must be a str, not {room!r}")
    return frozenset(rooms)


@dataclass(frozen=True, slots=True)
class Broadcast(Targeting):
    """Whom a broadcast reaches.

    Attributes:
        audience: the namespace, or the parent of several.
        rooms: the union of these; everyone, if there are none.
        excepted: but nobody who is in one of these.
        sender: nor this socket.
        flags: how it is sent.
    """

    audience: Audience
    rooms: frozenset[Room] = frozenset()
    excepted: frozenset[Room] = frozenset()
    sender: SocketId | None = None
    flags: Flags = NO_FLAGS

    def _target(self) -> Self:
        return self
