"""Asks the other servers of this library about many sockets at once, for one namespace.

A question goes to the channel on which every server of this library listens that has the namespace;
the broker says how many these are. Statements come on a channel of their own.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import trio

from trio_sio.abc import AnswerCollector
from trio_sio.adapters.cluster.broker import Broker, Subscription, count_others
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.cluster.pending import UNREACHABLE, Awaiting, PendingTable, nameless
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.question import (
    Question,
    QuestionKind,
    Statement,
    StatementKind,
    encode_question,
)

NAMELESS = "a server that has said nothing"


class _Deed:
    """A question that each server answers once, perhaps in several parts.

    Attributes:
        said: what has arrived.
        nodes: the servers that have said all they had to say.
    """

    def __init__(self, expected: int) -> None:
        self.said: list[Statement] = []
        self.nodes: set[str] = set()
        self._expected = expected
        self._done = trio.Event()

    def take(self, statement: Statement) -> None:
        if statement.node in self.nodes or len(self.nodes) >= self._expected:
            return
        self.said.append(statement)
        if statement.is_last:
            self.nodes.add(statement.node)
        if len(self.nodes) >= self._expected:
            self._done.set()

    def cut(self) -> None:
        self._done.set()

    async def wait(self) -> None:
        await self._done.wait()


class _Call:
    """A call: each server says whom it has asked, and then what these answer.

    Args:
        answers: takes the answers.
        peers: the names of the servers, by their uids; some may not have the namespace.
        count: how many have it.
    """

    def __init__(self, answers: AnswerCollector, peers: Mapping[str, str], count: int) -> None:
        self._answers = answers
        self._labels = dict(peers) if len(peers) == count else {}
        self._count = count
        self._owing: dict[str, set[str]] = {}
        answers.expect(*self._silent())

    def _silent(self) -> list[str]:
        """Return what servers are called that have not said whom they have asked."""
        if self._labels:
            return [label for node, label in self._labels.items() if node not in self._owing]
        return [NAMELESS] * (self._count - len(self._owing))

    @property
    def is_waiting(self) -> bool:
        """Whether other servers have anything to say."""
        return len(self._owing) < self._count or any(self._owing.values())

    def take(self, statement: Statement) -> None:
        if statement.kind is StatementKind.ASKED:
            self._begin(statement)
            return
        owing = self._owing.get(statement.node, set())
        for name in owing.intersection(statement.names):
            owing.discard(name)
            if statement.kind is StatementKind.ANSWERED:
                self._answers.take(name, [*statement.args])
            elif statement.kind is StatementKind.LOST:
                self._answers.give_up(name)
            else:
                self._answers.drop(name)

    def _begin(self, statement: Statement) -> None:
        node = statement.node
        if node in self._owing or len(self._owing) >= self._count:
            return
        if self._labels and node not in self._labels:
            return
        self._owing[node] = set(statement.names)
        self._answers.expect(*self._owing[node], *statement.lost)
        self._answers.give_up(*statement.lost)
        self._answers.drop(self._labels.get(node, NAMELESS))

    def cut(self) -> None:
        self._answers.give_up(*self._silent())
        for owing in self._owing.values():
            self._answers.give_up(*owing)


class Asking:
    """Asks the other servers of this library.

    Args:
        broker: carries messages.
        channels: the namespace's.
        subscription: those that this server listens to.
        member: this server.
        timeout: seconds in which the others have to respond, unless the question says otherwise.
    """

    def __init__(
        self,
        broker: Broker,
        channels: Channels,
        subscription: Subscription,
        member: Member,
        timeout: float,
    ) -> None:
        self._broker = broker
        self._channels = channels
        self._subscription = subscription
        self._member = member
        self._timeout = timeout
        self._pending: PendingTable[Statement] = PendingTable()

    def make(self, kind: QuestionKind, **fields: object) -> Question:
        """Return a question with an id of its own."""
        return Question(f"{self._broker.uid}{self._member.next_number()}", kind, **fields)  # type: ignore[arg-type]  # as the caller knows

    def is_own(self, question: Question) -> bool:
        """Whether this server has asked it, and it comes back."""
        return question.id.startswith(self._broker.uid)

    @property
    def are_pending(self) -> bool:
        """Whether any statement is waited for."""
        return bool(self._pending)

    def take(self, statement: Statement) -> None:
        """Take what another server says; what nobody waits for is ignored."""
        self._pending.take(statement.id, statement)

    def close(self) -> None:
        """End what is under way: the namespace is gone."""
        self._pending.close()

    async def count_others(self) -> int | None:
        """Return how many other servers there are; `None` if nobody can say."""
        return await count_others(self._broker, self._subscription, self._channels.ask)

    async def ask_all(self, question: Question) -> tuple[list[Statement], tuple[str, ...]]:
        """Ask every other server, and wait for all statements or the timeout.

        Returns:
            The statements, and who has not said all, as names for people.

        Raises:
            NoAnswer: the namespace is gone.
        """
        payload = encode_question(question)
        self._check_open()
        peers, others = dict(self._broker.peers), None
        deed = _Deed(0)
        with trio.move_on_after(self._timeout):
            others = await self.count_others()
            if not others:
                return [], (UNREACHABLE,) if others is None else ()
            deed = _Deed(others)
            async with self._expecting(question, deed):
                await self._broker.publish(self._channels.ask, payload)
                await deed.wait()
        self._check_open()
        return deed.said, self._missing(peers, others, deed.nodes)

    @asynccontextmanager
    async def calling(
        self, question: Question, payload: bytes, answers: AnswerCollector
    ) -> AsyncIterator[None]:
        """Have the sockets of the other servers answer, as long as this lasts.

        Args:
            question: a call.
            payload: its message.
            answers: takes the answers.

        Raises:
            NoAnswer: the namespace is gone.
        """
        self._check_open()
        others = await self.count_others()
        if not others:
            if others is None:
                answers.expect(UNREACHABLE)
                answers.give_up(UNREACHABLE)
            yield
            return
        call = _Call(answers, self._broker.peers, others)
        async with self._expecting(question, call):
            try:
                await self._broker.publish(self._channels.ask, payload)
                yield
            finally:
                if call.is_waiting:
                    forget = self.make(QuestionKind.FORGET, call=question.id)
                    self._broker.publish_nowait(self._channels.ask, encode_question(forget))

    def _check_open(self) -> None:
        self._pending.check_open("no other server can be asked")

    @asynccontextmanager
    async def _expecting(
        self, question: Question, pending: Awaiting[Statement]
    ) -> AsyncIterator[None]:
        async with self._pending.turns:
            self._check_open()
            with self._pending.expecting(pending, question.id):
                yield

    def _missing(
        self, peers: Mapping[str, str], others: int | None, nodes: set[str]
    ) -> tuple[str, ...]:
        """Return who has not said all, as far as that is known."""
        if others is None:
            return (UNREACHABLE,)
        count = others - len(nodes)
        if not count:
            return ()
        self._member.counters.unanswered += 1
        silent = [name for uid, name in peers.items() if uid not in nodes]
        if count < len(silent):  # some of them do not have the namespace
            return (f"{count} of {', '.join(silent)}",)
        return (*silent, *nameless(count - len(silent)))
