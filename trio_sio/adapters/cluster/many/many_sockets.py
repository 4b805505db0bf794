"""What is done with all sockets of a target, on all servers of a cluster, for one namespace."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager

from trio_sio.abc import (
    AnswerCollector,
    GatheredList,
    Recipient,
    Room,
    SocketDetails,
    SocketId,
    Target,
)
from trio_sio.adapters.cluster.many.asked import Asked, details_of
from trio_sio.adapters.cluster.many.asking import Asking
from trio_sio.adapters.cluster.many.elders import Elders
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.exceptions import LimitReached, NoAnswer
from trio_sio.protocol.cluster.question import (
    Question,
    QuestionKind,
    decode_question,
    decode_statement,
    encode_question,
)
from trio_sio.protocol.socketio.packet import Packet

Command = Callable[[SocketId], Awaitable[None]]
"""Has one socket of a server of socket.io-redis 5 do something; raises `NoAnswer`."""


class ManySockets:
    """The sockets of a namespace on all servers.

    Args:
        local: those of this server.
        asking: asks the other servers of this library.
        asked: does what they ask.
        elders: the servers of socket.io-redis 5.
    """

    def __init__(self, local: MemoryAdapter, asking: Asking, asked: Asked, elders: Elders) -> None:
        self._local = local
        self._asking = asking
        self._asked = asked
        self._elders = elders

    # -- messages ----------------------------------------------------------------------------

    def receive_question(self, payload: bytes) -> int:
        """Take a question of a server; return how much work that was."""
        question = decode_question(payload)
        return 1 if self._asking.is_own(question) else self._asked.take(question)

    def receive_statement(self, payload: bytes) -> None:
        """Take what a server says, if anything is waited for."""
        if self._asking.are_pending:
            self._asking.take(decode_statement(payload))

    # -- verbs -------------------------------------------------------------------------------

    @asynccontextmanager
    async def asking(
        self, packet: Packet, target: Target, answers: AnswerCollector
    ) -> AsyncIterator[None]:
        """Have the sockets of the target answer an event, as long as this lasts.

        Clients of a server of socket.io-redis 5 are not asked: they are missing.
        """
        flags = target.flags
        question = self._make(
            QuestionKind.CALL,
            target,
            data=packet.data,
            timeout=answers.timeout,
            volatile=flags.volatile,
            compress=flags.compress,
            binary=flags.binary,
        )
        payload = encode_question(question)  # it may raise, and then nobody is asked
        with self._local.ask(packet, target, answers) as deliveries:
            theirs, unsaid = await self._elders.find(target)
            lost = (*sorted(theirs), *unsaid)
            answers.expect(*lost)
            answers.give_up(*lost)
            async with self._asking.calling(question, payload, answers):
                await self._local.pause_after(deliveries)
                yield

    async def fetch(self, target: Target) -> GatheredList[Recipient | SocketDetails]:
        """Return the sockets of the target; of elders, their ids among what is missing."""
        found: list[Recipient | SocketDetails] = [*self._local.find(target).values()]
        said, missing = await self._asking.ask_all(self._make(QuestionKind.FETCH, target))
        told = [details_of(one) for statement in said for one in statement.sockets]
        theirs, unsaid = await self._elders.find(target)
        everybody = [*found, *(one for one in told if one is not None)]
        return GatheredList(everybody, (*missing, *unsaid, *sorted(theirs)))

    async def join(self, target: Target, rooms: Collection[Room], join: Command) -> None:
        """Have the sockets of the target join rooms."""
        question = self._make(QuestionKind.JOIN, target, names=tuple(rooms))
        reached: LimitReached | None = None
        try:
            await self._local.add_sockets(target, rooms)
        except LimitReached as error:  # the others join nevertheless
            reached = error
        await self._tell_others(question, target, join)
        if reached is not None:
            raise reached

    async def leave(self, target: Target, rooms: Collection[Room], leave: Command) -> None:
        """Have the sockets of the target leave rooms."""
        question = self._make(QuestionKind.LEAVE, target, names=tuple(rooms))
        await self._local.remove_sockets(target, rooms)
        await self._tell_others(question, target, leave)

    async def disconnect(self, target: Target, close: bool, disconnect: Command) -> None:
        """Have the sockets of the target leave the namespace."""
        question = self._make(QuestionKind.DISCONNECT, target, close=close)
        await self._local.disconnect_sockets(target, close)
        await self._tell_others(question, target, disconnect)

    def close(self) -> None:
        """Forget the namespace."""
        self._asking.close()

    def _make(self, kind: QuestionKind, target: Target, **fields: object) -> Question:
        rooms, excepted = tuple(target.rooms), tuple(target.excepted)
        return self._asking.make(kind, rooms=rooms, excepted=excepted, **fields)

    async def _tell_others(self, question: Question, target: Target, command: Command) -> None:
        theirs = await self._elders.tell(target, command)
        _, missing = await self._asking.ask_all(question)
        if missing or theirs:
            text = f"not all servers have responded to {question.kind.name.lower()}"
            raise NoAnswer(text, missing=(*missing, *theirs))
