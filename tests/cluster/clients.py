"""Clients of a cluster: socket.io-client, in one process that writes down what each hears."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

from tests.cluster.process import PATIENCE, NotToldError, Process
from tests.support.peers import MODERN, PACKAGE

EVENTS = ("news", "fence", "late", "ask", "who")
"""What clients listen to; a fence tells that what was emitted before it has arrived. They answer
"ask" with what they are asked, and "who" with a name."""

_fences = itertools.count()


class Heard(NamedTuple):
    """An event, as a client heard it."""

    event: str
    args: list[Any]


class Client:
    """One client.

    Args:
        crowd: the process that it is in.
        number: what that calls it.
        node: the name of the node that it is connected to.

    Attributes:
        crowd, number, node: the same.
        heard: everything that it has heard, in order.
        id: of its socket.
    """

    def __init__(self, crowd: "Crowd", number: int, node: str) -> None:
        self.crowd = crowd
        self.number = number
        self.node = node
        self.heard: list[Heard] = []
        self.id = ""

    @property
    def answer(self) -> str:
        """What it answers when it is asked who it is."""
        return f"{self.crowd.release} {self.number}"

    def __repr__(self) -> str:
        return f"<client {self.number} of {self.node}>"

    def join(self, *rooms: str) -> None:
        """Join rooms, one after the other; ask the server to, and wait until it has."""
        self._ask("join", rooms)

    def leave(self, *rooms: str) -> None:
        """Leave rooms."""
        self._ask("leave", rooms)

    def _ask(self, verb: str, rooms: tuple[str, ...]) -> None:
        asked = [(self.crowd.next_call(), room) for room in rooms]
        for call, room in asked:
            self.crowd.write(["call", self.number, call, verb, room])
        for call, room in asked:
            assert self.wait_for(f"answer {call}").args == [room]

    def wait_for(
        self, event: str, *args: object, count: int = 1, seconds: float = PATIENCE
    ) -> Heard:
        """Wait until it has heard an event, with these arguments if some are given."""
        found: list[Heard] = []

        def has_heard() -> bool:
            found[:] = [
                heard
                for heard in self.heard
                if heard.event == event and (not args or heard.args == list(args))
            ]
            return len(found) >= count

        self.crowd.wait_until(has_heard, f"{event} {args} for {self!r}; {self.heard[-5:]}", seconds)
        return found[count - 1]

    def close(self) -> None:
        """Disconnect."""
        self.crowd.write(["close", self.number])

    def news(self, since: int = 0) -> list[Any]:
        """Return the arguments of the news that it has heard, one of each."""
        return [heard.args for heard in self.heard[since:] if heard.event == "news"]


class Crowd(Process):
    """A process with clients.

    Args:
        release: of socket.io-client.

    Attributes:
        release: the same.
        clients: the clients, by their numbers.
    """

    def __init__(self, release: str = "2.5") -> None:
        super().__init__(f"clients {release}", MODERN.get(release, PACKAGE))
        self.release = release
        self.clients: list[Client] = []
        self._calls = itertools.count()

    def open(self, ports: Mapping[str, int], namespace: str = "/", each: int = 1) -> list[Client]:
        """Open some clients of each node; they are connected when this returns.

        Args:
            ports: the ports of the nodes, by name.
            namespace: the namespace that they join.
            each: how many at each node.
        """
        clients = [self._open(node, ports[node], namespace) for node in ports for _ in range(each)]
        for client in clients:
            client.id = client.wait_for("connect").args[0]
        return clients

    def _open(self, node: str, port: int, namespace: str) -> Client:
        client = self._add(node)
        answers = {"ask": None, "who": [client.answer]}
        options: dict[str, object] = {"hear": EVENTS, "answers": answers, "reconnection": False}
        options |= {"transports": ["websocket"]}
        self.write(["open", client.number, f"http://127.0.0.1:{port}{namespace}", options])
        return client

    def share(self, other: Client, namespace: str) -> Client:
        """Join another namespace on the connection of a client."""
        client = self._add(other.node)
        options = {"hear": EVENTS, "answers": {"ask": None}}
        self.write(["share", client.number, other.number, namespace, options])
        client.id = client.wait_for("connect").args[0]
        return client

    def _add(self, node: str) -> Client:
        client = Client(self, len(self.clients), node)
        self.clients.append(client)
        return client

    def next_call(self) -> int:
        return next(self._calls)

    def _sort(self, said: dict[str, Any]) -> None:
        self.clients[said["client"]].heard.append(Heard(said["event"], said["args"]))


class Hearing:
    """What some clients hear from a moment on."""

    def __init__(self, clients: list[Client]) -> None:
        self.clients = clients
        self._since = {client: len(client.heard) for client in clients}

    def fence(self, *sources: Process, namespace: str = "/") -> None:
        """Wait until everything has arrived that some processes have emitted in a namespace."""
        for source in sources:
            fence = next(_fences)
            source.call("emit", {"namespace": namespace}, "fence", fence)
            for client in self.clients:
                client.wait_for("fence", fence)

    def wait_heard(self, source: Process) -> None:
        """Wait until what a process emits arrives: Node.js loses some after it has reconnected."""
        while True:
            fence = next(_fences)
            source.call("emit", {}, "fence", fence)
            with suppress(NotToldError):
                for client in self.clients:
                    client.wait_for("fence", fence, seconds=0.5)
                return

    def news(self) -> dict[Client, list[Any]]:
        """Return the arguments of the news that each client has heard."""
        return {client: client.news(self._since[client]) for client in self.clients}

    def assert_heard(self, *expected: object, by: list[Client]) -> None:
        """Assert that some clients have heard the news with these arguments, and others none."""
        once = [list(args) if isinstance(args, tuple) else [args] for args in expected]
        assert self.news() == {client: once if client in by else [] for client in self.clients}


@contextmanager
def crowd(release: str = "2.5") -> Iterator[Crowd]:
    """A process with clients, for a while."""
    with Crowd(release) as clients:
        yield clients
