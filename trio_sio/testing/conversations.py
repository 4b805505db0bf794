"""Conversations of several clients with one server, and a naive model of what they must hear.

The server runs the application that `docs/conformance.md` describes. A conversation is a list of
turns: in each, one client sends a few events, one behind the other; then everybody hears what
there is to hear, before the next turn. So there is exactly one right outcome, whatever the server's
timing, and the model knows it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from trio_sio.protocol.socketio.packet import JSON

NAMESPACES = ("/", "/chat")
"""Those of the application that let everybody in."""

VERBS = ("echo", "ack", "burst", "join", "leave", "tell", "tell others")
"""Its events; `join` and `leave` have a room, `tell` and `tell others` a room and arguments."""


@dataclass(frozen=True, slots=True)
class Say:
    """An event that a client sends.

    Attributes:
        verb: one of `VERBS`.
        args: its arguments.
        namespace: one of `NAMESPACES`.
    """

    verb: str
    args: tuple[JSON, ...] = ()
    namespace: str = "/"

    @property
    def asks(self) -> bool:
        """Whether it asks for an acknowledgement."""
        return self.verb in ("ack", "join", "leave")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one client says without waiting.

    Attributes:
        client: its number.
        says: its events, in their order.
    """

    client: int
    says: tuple[Say, ...]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Who is there, and what they say.

    Attributes:
        transports: of each client, as `trio_sio.testing.clients.transports.TRANSPORTS` names them.
        turns: one after the other.
    """

    transports: tuple[str, ...]
    turns: tuple[Turn, ...]


@dataclass(slots=True)
class Heard:
    """What one client hears in one turn.

    Attributes:
        events: by namespace, in their order: each a list of its name and its arguments. What
            different namespaces send has no common order.
        answers: the arguments of the acknowledgements, by the number of the event in its turn.
    """

    events: defaultdict[str, list[JSON]] = field(default_factory=lambda: defaultdict(list))
    answers: dict[int, JSON] = field(default_factory=dict)


class Model:
    """Knows who hears what; everybody is in all of `NAMESPACES`.

    Args:
        clients: how many there are.
    """

    def __init__(self, clients: int) -> None:
        self._clients = range(clients)
        self._members: defaultdict[tuple[str, JSON], set[int]] = defaultdict(set)

    def hear(self, turn: Turn) -> list[Heard]:
        """Return what each client hears when one takes its turn."""
        heard = [Heard() for _ in self._clients]
        for number, say in enumerate(turn.says):
            for client, event in self._events(turn.client, say):
                heard[client].events[say.namespace].append(event)
            if say.asks:
                answer = list(say.args) if say.verb == "ack" else []
                heard[turn.client].answers[number] = answer
        return heard

    def _events(self, speaker: int, say: Say) -> Iterable[tuple[int, JSON]]:
        """Return who hears which event; joining and leaving take effect."""
        match say.verb, say.args:
            case "echo", args:
                yield speaker, ["echo", *args]
            case "burst", (int(count),):
                for number in range(count):
                    yield speaker, ["number", number]
            case "join", (room,):
                self._members[say.namespace, room].add(speaker)
            case "leave", (room,):
                self._members[say.namespace, room].discard(speaker)
            case "tell" | "tell others", (room, *args):
                for client in sorted(self._members[say.namespace, room]):
                    if say.verb == "tell" or client != speaker:
                        yield client, ["told", *args]
