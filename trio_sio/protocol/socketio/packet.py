"""The packets of Socket.IO 4, the event names that are reserved, and the packet of an event."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from trio_sio.protocol.shown import shown_attachments, shown_json, shown_text

JSON = None | bool | int | float | str | bytes | list["JSON"] | dict[str, "JSON"]
"""What can be sent: JSON values, with `bytes` anywhere among them."""


class PacketType(IntEnum):
    """The seven packet types of Socket.IO 4."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


BINARY_OF = {
    PacketType.EVENT: PacketType.BINARY_EVENT,
    PacketType.ACK: PacketType.BINARY_ACK,
}
PLAIN_OF = {binary: plain for plain, binary in BINARY_OF.items()}
"""The two forms of a packet, with and without binary values."""

MAX_ATTACHMENTS = 10
"""Binary values in one packet: the limit of the JavaScript parsers, whose clients throw at more."""


class _Printer(Protocol):
    """The pretty printer of Hypothesis, which is that of IPython."""

    def text(self, text: str, /) -> None: ...


@dataclass(slots=True, unsafe_hash=True)
class Packet:
    """A packet. It is never changed, but a frozen one would cost 0.5 µs for every event.

    Attributes:
        type: one of seven; the encoder itself chooses between the plain and the binary form.
        namespace: such as "/" or "/chat"; a client's CONNECT may carry a query: "/chat?a=1".
        data: event name and arguments, an ack's arguments, an error's data, or `None`.
        id: the acknowledgement id, if this asks for an answer or is one.
    """

    type: PacketType
    namespace: str = "/"
    data: JSON = None
    id: int | None = None

    def __repr__(self) -> str:
        """Show the wire form: `<Packet 51-/chat,13["a",{"_placeholder":true,"num":0}] + b'x'>`."""
        text, found = ("", []) if self.data is None else shown_json(self.data)
        count = f"{len(found)}-" if self.type in PLAIN_OF else ""
        name = "" if self.namespace == "/" else f"{self.namespace},"
        ack_id = "" if self.id is None else self.id
        head = f"{self.type:d}{count}{name}{ack_id}"
        return f"<Packet {shown_text(head + text)}{shown_attachments(found)}>"

    def _repr_pretty_(self, printer: _Printer, cycle: bool) -> None:
        """Look like this in Hypothesis' reports, too, which would list the fields."""
        printer.text(repr(self))

    @property
    def event(self) -> str:
        """The event's name, `""` for a packet without one; a number is converted to its digits."""
        data = self.data
        if isinstance(data, list) and data:
            name = data[0]
            if isinstance(name, str):
                return name
            if isinstance(name, float) and name.is_integer():
                name = int(name)  # JavaScript has one kind of number, and writes 1.0 as 1
            return str(name)
        return ""

    @property
    def args(self) -> list[JSON]:
        """An event's arguments, without its name; or all arguments of an acknowledgement."""
        data = self.data
        if not isinstance(data, list):
            return []
        is_event = self.type is PacketType.EVENT or self.type is PacketType.BINARY_EVENT
        return data[1:] if is_event else data


BACKLOG = "\0backlog"
"""The name under which handlers of `on_backlog` are registered; no program uses such a name."""

RESERVED_EVENTS_4 = frozenset(
    {"connect", "disconnect", "disconnecting", "error", "newListener", "removeListener", BACKLOG}
)
"""Names with a meaning on a JavaScript socket. A client's event with such a name is ignored: it
could call the application's own `disconnect` handlers."""

RESERVED_EVENTS = RESERVED_EVENTS_4 | {"connect_error"}
"""The same in Socket.IO 5. Emitting one is refused, whoever would get it: in a room are clients of
both revisions."""

RESERVED_NAMESPACE_EVENTS = frozenset({"connect", "connection", "newListener"})
"""Names with a meaning on a JavaScript namespace."""

RESERVED_FOR_ALL = RESERVED_EVENTS | RESERVED_NAMESPACE_EVENTS
"""What cannot be sent to several sockets: names with either meaning."""


def event_packet(
    event: str,
    args: tuple[object, ...],
    reserved: frozenset[str],
    namespace: str = "/",
    ack_id: int | None = None,
) -> Packet:
    """Return the packet of an event; that of a broadcast gets its namespace from the adapter.

    Raises:
        TypeError: the name is not a str.
        ValueError: the name is reserved: on a JavaScript client it would mean something else.
    """
    if not isinstance(event, str):
        raise TypeError(f"an event name must be a str, not {event!r}")
    if event in reserved:
        raise ValueError(f"the event name {event!r} is reserved")
    return Packet(PacketType.EVENT, namespace, [event, *args], ack_id)  # type: ignore[list-item]  # the encoder judges
