"""Broadcasts: which sockets an event is sent to, and how. They are values, and never change.

In JavaScript `io.to(…)` writes into the shared namespace and `emit` takes it back; with an
`await` in between, one handler's rooms would become another's. Here every step makes a new value,
which can be kept and shared.
"""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

import trio

from trio_sio.abc import Flags, Gathered, Room, SocketId, Target
from trio_sio.declared_event import Arguments, Event
from trio_sio.options import OVERFLOW_POLICIES
from trio_sio.protocol.socketio.packet import RESERVED_FOR_ALL, event_packet
from trio_sio.router.audience import Audience
from trio_sio.router.hints import explain_missing
from trio_sio.router.many_sockets import ManySockets, check_room_names
from trio_sio.router.room_calls import RoomCalls
from trio_sio.sync import THREAD

F = TypeVar("F", covariant=True)


def checked_policy(policy: str) -> str:
    """Return an overflow policy; raises `ValueError` if there is no such policy."""
    if policy not in OVERFLOW_POLICIES:
        raise ValueError(f"on_overflow must be one of {OVERFLOW_POLICIES}, not {policy!r}")
    return policy


class FlagMethods(Generic[F]):
    """The flags; each returns what the event is to be emitted by."""

    __slots__ = ()

    def _with_flags(self, **changes: bool | str) -> F:
        """Return the same with other flags."""
        raise NotImplementedError

    @property
    def volatile(self) -> F:
        """Skip every client that cannot take the event at this moment (JS: flag `volatile`)."""
        return self._with_flags(volatile=True)

    def compress(self, compress: bool) -> F:
        """Set whether transports may compress the event (JS: `compress(bool)`)."""
        return self._with_flags(compress=compress)

    def binary(self, binary: bool) -> F:
        """Set whether binary values are sent as such (JS: `binary(bool)`)."""
        return self._with_flags(binary=binary)

    def on_overflow(self, policy: str) -> F:
        """Set what happens at a full outbox, in place of the option `on_overflow`.

        Sending to one socket does not wait then.

        Args:
            policy: "disconnect", "drop_newest" or "drop_oldest".

        Raises:
            ValueError: there is no such policy.
        """
        return self._with_flags(on_overflow=checked_policy(policy))


class RoomMethods:
    """The choice of rooms, which a broadcast begins with."""

    __slots__ = ()

    if not TYPE_CHECKING:
        __getattr__ = explain_missing

    def _broadcast(self) -> "Broadcast":
        """Return the broadcast to all of them."""
        raise NotImplementedError

    def to(self, *rooms: Room) -> "Broadcast":
        """Add rooms: each socket in any of them gets the event once (JS: `to(room)`).

        Raises:
            TypeError: a room is not a str.
        """
        chosen = self._broadcast()
        return chosen._changed(rooms=chosen.rooms | _checked(rooms))

    def in_(self, *rooms: Room) -> "Broadcast":
        """Alias of `to` (JS: `in(room)`)."""
        return self.to(*rooms)

    def except_(self, *rooms: Room) -> "Broadcast":
        """Leave out the sockets in any of these rooms; a socket's id is a room, too.

        Of a socket, all other sockets without these (JS: `except(rooms)`).

        Raises:
            TypeError: a room is not a str.
        """
        chosen = self._broadcast()
        return chosen._changed(excepted=chosen.excepted | _checked(rooms))

    @property
    def local(self) -> "Broadcast":
        """Send to the clients of this server only (JS: flag `local`); of a socket, the others."""
        chosen = self._broadcast()
        return chosen._changed(flags=with_flags(chosen.flags, local=True))


class Targeting(RoomMethods, FlagMethods["Broadcast"], RoomCalls, ManySockets):
    """The methods that broadcast; servers, namespaces and broadcasts have them."""

    __slots__ = ()

    def _with_flags(self, **changes: bool | str) -> "Broadcast":
        chosen = self._broadcast()
        return chosen._changed(flags=with_flags(chosen.flags, **changes))

    @overload
    async def emit(
        self,
        event: Event[Any, *Arguments],
        *args: *Arguments,
        to: Room | Collection[Room] = ...,
        skip_sid: SocketId | Collection[SocketId] = ...,
        ack: None = ...,
    ) -> None: ...
    @overload
    async def emit(
        self,
        event: str,
        *args: object,
        to: Room | Collection[Room] = ...,
        skip_sid: SocketId | Collection[SocketId] = ...,
        ack: None = ...,
    ) -> None: ...
    async def emit(
        self,
        event: Any,
        *args: object,
        to: Room | Collection[Room] = (),
        skip_sid: SocketId | Collection[SocketId] = (),
        ack: None = None,
    ) -> None:
        """Send an event to all sockets that are chosen; it does not wait for any of them.

        A client whose outbox is full is dealt with as the flag `on_overflow` says, or the option
        of that name.

        Args:
            event: the event's name, or a declared event.
            *args: JSON values, with bytes anywhere in them.
            to: more rooms (python-socketio's spelling).
            skip_sid: more exceptions (python-socketio's spelling).
            ack: not possible with several recipients.

        Raises:
            TypeError: `ack` was given; `call` returns the answers of a room.
            ValueError: the name is reserved.
            LocalProtocolError: the arguments cannot be sent.
            RuntimeError: it is called from another thread, or the like; `trio.from_thread.run`
                calls it from there.
        """
        chosen = self._broadcast()
        home = chosen.audience.home
        if THREAD.token is not home.token:
            home.check("io.emit")
        if ack is not None:
            raise TypeError(
                "acknowledgements are not supported when broadcasting: `await ….call(event, *args)`"
                " returns the answers of all"
            )
        if to or skip_sid:
            chosen = _narrowed(chosen, to, skip_sid)
        packet = event_packet(event, args, RESERVED_FOR_ALL)
        await trio.lowlevel.checkpoint_if_cancelled()
        await chosen.audience.publish(packet, chosen)

    @overload
    def emit_nowait(
        self,
        event: Event[Any, *Arguments],
        *args: *Arguments,
        to: Room | Collection[Room] = ...,
        skip_sid: SocketId | Collection[SocketId] = ...,
    ) -> None: ...
    @overload
    def emit_nowait(
        self,
        event: str,
        *args: object,
        to: Room | Collection[Room] = ...,
        skip_sid: SocketId | Collection[SocketId] = ...,
    ) -> None: ...
    def emit_nowait(
        self,
        event: Any,
        *args: object,
        to: Room | Collection[Room] = (),
        skip_sid: SocketId | Collection[SocketId] = (),
    ) -> None:
        """Send an event to all sockets that are chosen, for functions that are not async.

        It does what `emit` does, in the same order as those of `emit`, and lets no other task run.
        Many of them in one function hold the event loop for as long as they take.

        Args:
            event: as of `emit`.
            *args: as of `emit`.
            to: as of `emit`.
            skip_sid: as of `emit`.

        Raises:
            trio.WouldBlock: the queue to the other servers of a cluster is full; nobody gets the
                event. (Of a dynamic namespace, children before that one may have got it.) It does
                not happen with `volatile`, for which the other servers are skipped, or `local`.
            NotImplementedError: an adapter of the application's own cannot do it.
            ValueError, LocalProtocolError, RuntimeError: as `emit`.
        """
        chosen = self._broadcast()
        home = chosen.audience.home
        if THREAD.token is not home.token:
            home.check_sync("io.emit_nowait")
        if to or skip_sid:
            chosen = _narrowed(chosen, to, skip_sid)
        chosen.audience.publish_nowait(event_packet(event, args, RESERVED_FOR_ALL), chosen)

    async def send(self, *args: object) -> None:
        """Emit the event "message" (JS: `send`)."""
        await self.emit("message", *args)

    async def clients(self) -> Gathered[SocketId]:
        """Return the ids of the sockets in the chosen rooms, on all servers (JS: `clients`).

        What is returned is a set, whose `missing` names the servers that did not answer in time.
        """
        chosen = self._broadcast()
        chosen.audience.home.check("io.clients")
        return await chosen.audience.find_clients(chosen.rooms)


def _checked(rooms: tuple[Room, ...]) -> frozenset[Room]:
    check_room_names(rooms)
    return frozenset(rooms)


def _narrowed(
    chosen: "Broadcast", to: Room | Collection[Room], skip_sid: SocketId | Collection[SocketId]
) -> "Broadcast":
    """Return a broadcast with more rooms and exceptions."""
    if to:
        chosen = chosen.to(*((to,) if isinstance(to, str) else to))
    if skip_sid:
        chosen = chosen.except_(*((skip_sid,) if isinstance(skip_sid, str) else skip_sid))
    return chosen


def with_flags(flags: Flags, **changes: bool | str) -> Flags:
    """Return flags with some changed."""
    return replace(flags, **changes)  # type: ignore[arg-type]  # each has its own type


@dataclass(frozen=True, slots=True)
class Broadcast(Target, Targeting):
    """A target, and the namespace it is in.

    Attributes:
        audience: the namespace, or the dynamic namespace.
        rooms, excepted, sender, flags: as of `trio_sio.abc.Target`.
    """

    audience: Audience = field(kw_only=True)

    def _broadcast(self) -> Self:
        return self

    def _changed(
        self,
        *,
        rooms: frozenset[Room] | None = None,
        excepted: frozenset[Room] | None = None,
        flags: Flags | None = None,
    ) -> "Broadcast":
        """Return the same with some parts changed: `dataclasses.replace` in a third of its time."""
        return Broadcast(
            self.rooms if rooms is None else rooms,
            self.excepted if excepted is None else excepted,
            self.sender,
            self.flags if flags is None else flags,
            audience=self.audience,
        )
