"""What a check says when the server does something else."""

from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet

_MOST_SHOWN = 400
"""Characters of a value that a message shows."""


class Unexpected(Exception):
    """The server did not do what the check expects; the text says what, and what came instead."""


class Ended(Unexpected):
    """The server ended the session, where the check expects more of it; the text says how."""


def expect(actual: object, expected: object, what: str) -> None:
    """Compare what came with what should.

    Args:
        actual: what came.
        expected: what should have come.
        what: names it in the message.

    Raises:
        Unexpected: they differ; shows both, packets as they are on the wire.
    """
    if not is_same(actual, expected):
        raise Unexpected(f"{what}: expected {shown(expected)}, got {shown(actual)}")


def require(condition: object, sentence: str) -> None:
    """Raise `Unexpected` with this sentence unless the condition holds."""
    if not condition:
        raise Unexpected(sentence)


def is_same(one: object, other: object) -> bool:
    """Return whether two values are the same to JSON: `True` is not 1, but 1.0 is."""
    match one, other:
        case Packet(), Packet():
            heads = [(packet.type, packet.namespace, packet.id) for packet in (one, other)]
            return heads[0] == heads[1] and is_same(one.data, other.data)
        case (list(), list()):
            return len(one) == len(other) and all(map(is_same, one, other))
        case dict(), dict():
            return one.keys() == other.keys() and all(is_same(one[k], other[k]) for k in one)
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def shown(value: object) -> str:
    """Return a value as messages show it: a packet as on the wire, and not too much of anything."""
    text = " ".join(_on_the_wire(value)) if isinstance(value, Packet) else repr(value)
    if len(text) <= _MOST_SHOWN:
        return text
    return f"{text[:_MOST_SHOWN]}… ({len(text)} characters)"


def _on_the_wire(packet: Packet) -> list[str]:
    return [f"4{part}" if isinstance(part, str) else repr(part) for part in encode(packet)]
