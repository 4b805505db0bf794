"""One Socket.IO 4 packet, and the event names that belong to the library."""

from dataclasses import dataclass
from enum import IntEnum

JSON = None | bool | int | float | str | bytes | list["JSON"] | dict[str, "JSON"]
"""What can be sent: JSON, with `bytes` anywhere in it."""


class PacketType(IntEnum):
    """The seven packet types of Socket.IO 4."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


@dataclass(slots=True, unsafe_hash=True)
class Packet:
    """A packet; nobody changes one, but freezing it would cost 0.5 µs for every event.

    Attributes:
        type: one of seven; the encoder chooses between the plain and the binary form itself.
        namespace: such as "/" or "/chat"; a client's CONNECT may carry a query: "/chat?a=1".
        data: event name and arguments, an ack's arguments, an error's data, or `None`.
        id: the acknowledgement id, if an answer is wanted or this is one.
    """

    type: PacketType
    namespace: str = "/"
    data: JSON = None
    id: int | None = None

    @property
    def event(self) -> str:
        """The event's name; `""` for a packet without one (a number becomes its digits)."""
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
        """An event's arguments behind its name, or all of an ack's."""
        data = self.data
        if not isinstance(data, list):
            return []
        is_event = self.type is PacketType.EVENT or self.type is PacketType.BINARY_EVENT
        return data[1:] if is_event else data


BACKLOG = "\0backlog"
"""Where handlers of `on_backlog` are kept among those of events. No program uses such a name."""

RESERVED_EVENTS = frozenset(
    {"connect", "disconnect", "disconnecting", "error", "newListener", "removeListener", BACKLOG}
)
"""Names that mean something on a JavaScript socket. Emitting one is refused, and a client that
sends one is not heard: it could set off the application's own `disconnect` handlers."""

RESERVED_NAMESPACE_EVENTS = frozenset({"connect", "connection", "newListener"})
"""Names that mean something on a JavaScript namespace."""
