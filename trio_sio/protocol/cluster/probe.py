"""How the servers of this library announce themselves to each other: a small JSON object.

    {"uid":"5GiuAX","name":"web-1:4711","number":17}
    {"uid":"5GiuAX","name":"web-1:4711","number":18,"leaving":true}

A server that hears its own probe knows that its subscription works. Servers in JavaScript do not
listen to the channel.
"""

from dataclasses import dataclass

from trio_sio.protocol.cluster.text import read_name, read_object, write_object
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.checks import excerpt
from trio_sio.protocol.socketio.packet import JSON

MAX_NUMBER = 2**53
"""What every JSON parser reads exactly."""


@dataclass(frozen=True, slots=True)
class Probe:
    """An announcement.

    Attributes:
        uid: of the server.
        name: of the server, for people.
        number: counts upwards, from one announcement of the server to the next.
        leaving: it is the last one.
    """

    uid: str
    name: str
    number: int
    leaving: bool = False

    def encode(self) -> bytes:
        """Return the message."""
        members = {"uid": self.uid, "name": self.name, "number": self.number}
        return write_object({**members, "leaving": True} if self.leaving else members)


def decode_probe(payload: bytes) -> Probe:
    """Return the announcement of another server, or the own one.

    Raises:
        RemoteProtocolError: it is something else.
    """
    members = read_object(payload, "probe")
    return Probe(
        read_name(members, "uid", "probe"),
        read_name(members, "name", "probe"),
        _read_number(members.get("number")),
        members.get("leaving") is True,
    )


def _read_number(value: JSON) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER:
        return value
    raise RemoteProtocolError("invalid probe", f'"number" is {excerpt(value)}')
