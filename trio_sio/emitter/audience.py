"""Whom an emitter sends to, and the message for that. A value, which never changes.

In JavaScript `emitter.to(…)` writes into the emitter and `emit` takes it back; if two functions use
one emitter, the rooms of one can become the other's. Here every step makes a new value, which can
be kept and shared, also between threads.
"""

from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

from trio_sio.protocol.cluster.broadcast import encode_broadcast
from trio_sio.protocol.cluster.channels import DEFAULT_KEY, Channels
from trio_sio.protocol.cluster.ids import EMITTER
from trio_sio.protocol.cluster.v8.broadcast import encode_broadcast as encode_later
from trio_sio.protocol.cluster.v8.selection import Manner
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.foreign import Default, replace_foreign
from trio_sio.protocol.socketio.packet import MAX_ATTACHMENTS, RESERVED_FOR_ALL, event_packet


@dataclass(frozen=True, slots=True)
class Audience:
    """The sockets that an event is for, and how it is sent.

    Attributes:
        key: what the names of all channels begin with, as that of the servers.
        namespace: such as "/chat".
        rooms: sockets in any of these rooms, each once; all sockets, if there are none.
        excepted: but no socket in any of these rooms.
        flags: in the order in which they were set.
        max_attachments: binary values in one event.
        json_default: makes something of values that cannot be sent otherwise.
        generation: of the servers, 2 or 4.
    """

    key: str = DEFAULT_KEY
    namespace: str = "/"
    rooms: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    flags: tuple[tuple[str, bool], ...] = ()
    max_attachments: int = MAX_ATTACHMENTS
    json_default: Default | None = None
    generation: int = 2

    def of(self, namespace: str) -> Self:
        """Return the audience of all sockets in a namespace."""
        name = _checked("a namespace", namespace)
        name = name if name.startswith("/") else f"/{name}"
        return replace(self, namespace=name, rooms=(), excepted=(), flags=())

    def to(self, *rooms: str) -> Self:
        """Return it with more rooms."""
        return replace(self, rooms=_added(self.rooms, "a room name", rooms))

    def except_(self, *rooms: str) -> Self:
        """Return it without the sockets in some rooms."""
        return replace(self, excepted=_added(self.excepted, "a room name", rooms))

    def with_flag(self, name: str, value: bool) -> Self:
        """Return it with a flag."""
        return replace(self, flags=tuple({**dict(self.flags), name: bool(value)}.items()))

    def message(self, event: str, args: tuple[object, ...]) -> tuple[bytes, bytes]:
        """Return the channel and the message of an event.

        Raises:
            TypeError: the name is not a str.
            ValueError: the name is reserved.
            LocalProtocolError: the arguments cannot be sent.
        """
        packet = event_packet(event, args, RESERVED_FOR_ALL, self.namespace)
        if self.json_default is not None:
            packet = replace_foreign(packet, self.json_default)
        flags = dict(self.flags)
        binary = flags.get("binary", True)
        # What the servers would have to refuse is refused here, where somebody can do something.
        Encoder(self.max_attachments).encode(packet, binary=binary)
        channel = Channels(self.key, self.namespace).broadcast(self.rooms)
        if self.generation == 4:
            manner = Manner(flags.get("volatile", False), flags.get("compress", True), binary)
            return channel, encode_later(EMITTER, packet, self.rooms, self.excepted, manner)
        payload = encode_broadcast(
            EMITTER, packet, self.rooms, (), flags, binary=binary, excepted_rooms=self.excepted
        )
        return channel, payload


def check_generation(generation: object) -> None:
    """Raise `ValueError` if there are no servers of this generation."""
    if isinstance(generation, bool) or not isinstance(generation, int) or generation not in (2, 4):
        raise ValueError(f"generation must be 2 or 4, not {generation!r}")


def _added(old: tuple[str, ...], what: str, new: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*old, *(_checked(what, one) for one in new))))


def _checked(what: str, name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{what} must be a str, not {name!r}")
    return name


T = TypeVar("T", covariant=True)


class Choosing(Generic[T]):
    """The methods that choose whom an event is for; each returns what it is to be emitted by."""

    __slots__ = ()

    def _chosen(self) -> Audience:
        """Return whom it is for until now."""
        raise NotImplementedError

    def _with(self, audience: Audience) -> T:
        """Return what emits to an audience."""
        raise NotImplementedError

    def of(self, namespace: str) -> T:
        """Choose a namespace, and all its sockets (JS: `of`).

        Args:
            namespace: its name; a missing slash at the beginning is added.

        Raises:
            TypeError: it is not a str.
        """
        return self._with(self._chosen().of(namespace))

    def to(self, *rooms: str) -> T:
        """Add rooms: each socket in any of them gets the event once (JS: `to`).

        Raises:
            TypeError: a room is not a str.
        """
        return self._with(self._chosen().to(*rooms))

    def in_(self, *rooms: str) -> T:
        """Alias of `to` (JS: `in`)."""
        return self.to(*rooms)

    def except_(self, *rooms: str) -> T:
        """Leave out the sockets in any of these rooms; a socket's id is a room, too.

        JavaScript's servers of Socket.IO 2.x know only ids there.

        Raises:
            TypeError: a room is not a str.
        """
        return self._with(self._chosen().except_(*rooms))

    @property
    def volatile(self) -> T:
        """Skip every client that cannot take the event at this moment (JS: flag `volatile`)."""
        return self._with(self._chosen().with_flag("volatile", True))

    @property
    def json(self) -> T:
        """Do nothing, as in JavaScript (JS: flag `json`)."""
        return self._with(self._chosen().with_flag("json", True))

    @property
    def broadcast(self) -> T:
        """Do nothing, as in JavaScript: emitters always broadcast (JS: flag `broadcast`)."""
        return self._with(self._chosen().with_flag("broadcast", True))

    def compress(self, compress: bool) -> T:
        """Set whether transports may compress the event, as `io.compress` does."""
        return self._with(self._chosen().with_flag("compress", compress))

    def binary(self, binary: bool) -> T:
        """Set whether binary values are sent as such, as `io.binary` does.

        By default they are. JavaScript's emitter never does it: clients get `Buffer` in JSON from
        it, as they do here after `binary(False)`.
        """
        return self._with(self._chosen().with_flag("binary", binary))
