"""`Question`: an event that clients of all servers are to answer, and what is waited for.

Each other server says first how many of its clients it has asked, then what each has answered;
those of this library also say how many have left instead. Servers in JavaScript do not say who
they are.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from trio_sio.abc import AnswerCollector
from trio_sio.adapters.cluster.pending import UNREACHABLE
from trio_sio.protocol.cluster.v8.response import Response, ResponseKind

ANONYMOUS = "a server that does not announce itself"


class Question:
    """What other servers owe to an event.

    Args:
        answers: is told of it.
        peers: the other servers that announce themselves, uid to name.
    """

    def __init__(self, answers: AnswerCollector, peers: Mapping[str, str]) -> None:
        self._answers = answers
        self._peers = dict(peers)
        self._silent: Counter[str] = Counter()  # servers that have not said whom they have asked
        self._counted: set[str] = set()
        self._owed: Counter[str] = Counter()  # clients that have not answered

    def expect(self, others: int | None) -> None:
        """Wait for so many other servers; `None` if they cannot be reached."""
        if others is None:
            lost = [*self._peers.values()] or [UNREACHABLE]
            self._answers.expect(*lost)
            self._answers.give_up(*lost)
            return
        names = [*self._peers.values()]
        if len(names) > others:  # some do not have the namespace
            names = ["another server"] * others
        names += [ANONYMOUS] * (others - len(names))
        self._silent.update(names)
        self._answers.expect(*names)

    def take(self, response: Response) -> None:
        """Take what a server responds."""
        if response.kind is ResponseKind.CLIENT_COUNT:
            if response.departed:
                self._take_departed(response)
            else:
                self._take_count(response)
        elif response.kind is ResponseKind.ANSWER:
            name = self._client_of(response)
            if self._owed[name] > 0:
                self._owed[name] -= 1
                self._answers.take(name, list(response.args))

    def cut(self) -> None:
        """Expect no more: the namespace is gone."""
        self._answers.give_up(*self._silent.elements(), *self._owed.elements())
        self._silent.clear()
        self._owed.clear()

    def _take_count(self, response: Response) -> None:
        server = self._pick_silent(response.node)
        if not server:
            return
        name = self._client_of(response)
        self._owed[name] += response.count
        self._answers.expect(*[name] * response.count)
        self._silent[server] -= 1
        self._answers.drop(server)

    def _pick_silent(self, node: str | None) -> str:
        """Return which of the expected servers a response is from; `""` if from none."""
        if node is not None:
            if node in self._counted:
                return ""
            self._counted.add(node)
        name = ANONYMOUS if node is None else self._peers.get(node, ANONYMOUS)
        candidates: Sequence[str] = (name, ANONYMOUS, *self._silent)
        return next((one for one in candidates if self._silent[one] > 0), "")

    def _take_departed(self, response: Response) -> None:
        name = self._client_of(response)
        gone = min(response.departed, self._owed[name])
        self._owed[name] -= gone
        self._answers.drop(*[name] * gone)

    def _client_of(self, response: Response) -> str:
        server = None if response.node is None else self._peers.get(response.node, response.node)
        return f"a client of {server or ANONYMOUS}"
