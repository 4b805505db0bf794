"""Does what other servers of this library ask about many sockets at once, for one namespace."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import cast

import trio

from trio_sio.abc import Flags, Recipient, Room, SocketDetails, Target
from trio_sio.adapters.cluster.broker import Broker
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.cluster.told import MAX_STATEMENT, is_deep
from trio_sio.adapters.memory import BROADCAST_WORK, MemoryAdapter
from trio_sio.exceptions import LimitReached
from trio_sio.logs.shown import quoted
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.question import (
    Question,
    QuestionKind,
    Statement,
    StatementKind,
    encode_statement,
    size_of,
)
from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.sync import Notifier


class Asked:
    """Does what others ask.

    Args:
        local: the sockets of this server, and their rooms.
        broker: carries what is stated.
        channels: the namespace's.
        member: this server.
    """

    def __init__(
        self, local: MemoryAdapter, broker: Broker, channels: Channels, member: Member
    ) -> None:
        self._local = local
        self._broker = broker
        self._channels = channels
        self._member = member
        self._relays: dict[str, _Relay] = {}

    def take(self, question: Question) -> int:
        """Do what another server asks, now or soon; return how much work that was."""
        self._member.counters.received += 1
        if question.kind is QuestionKind.CALL:
            return self._take_call(question)
        if question.kind is QuestionKind.FORGET:
            if question.call in self._relays:
                self._relays[question.call].close()
            return 1
        if question.kind is QuestionKind.FETCH:
            self._member.start(
                self._tell_sockets, question, self._local.find(self._target_of(question))
            )
        else:
            self._member.start(self._do, question)
        return BROADCAST_WORK

    def _target_of(self, question: Question) -> Target:
        flags = Flags(question.volatile, False, question.compress, question.binary)
        return Target(frozenset(question.rooms), frozenset(question.excepted), None, flags)

    # -- calls -------------------------------------------------------------------------------

    def _take_call(self, question: Question) -> int:
        """Ask the sockets at once, as broadcasts are sent at once, and have a task tell of it."""
        relay, stack = _Relay(question, self._broker.uid), ExitStack()
        packet = Packet(PacketType.EVENT, "/", question.data)
        count = stack.enter_context(self._local.ask(packet, self._target_of(question), relay))
        self._relays[relay.id] = relay
        if not self._member.start(self._relay, relay, stack):
            del self._relays[relay.id]
            stack.close()
        return BROADCAST_WORK + count

    async def _relay(self, relay: "_Relay", stack: ExitStack) -> None:
        """Tell who was asked, then what they answer, until all have or the time is over."""
        try:
            with stack, trio.move_on_after(relay.timeout):
                await self._publish(relay.begin())
                while relay.is_waiting:
                    for statement in await relay.next_statements():
                        await self._pass_on(statement)
        finally:
            self._relays.pop(relay.id, None)

    async def _pass_on(self, statement: Statement) -> None:
        try:
            payload = encode_statement(statement)
            problem = f"{len(payload)} bytes" if len(payload) > MAX_STATEMENT else ""
        except LocalProtocolError as error:  # a client may have nested it very deeply
            problem = str(error)
        if problem:
            text = "an answer in %s is too large for another server: %s"
            self._member.tell("large", text, quoted(self._channels.namespace), problem)
            lost = Statement(statement.id, statement.node, StatementKind.LOST, statement.names)
            payload = encode_statement(lost)
        await self._broker.publish(self._channels.answer, payload)

    # -- sockets -----------------------------------------------------------------------------

    async def _tell_sockets(self, question: Question, sockets: Mapping[str, Recipient]) -> None:
        told: list[dict[str, JSON]] = []
        total = 0
        for socket in sockets.values():
            one = _told(socket.describe())
            size = size_of(one) or 0
            if told and total + size > MAX_STATEMENT:
                await self._state_sockets(question, told, is_last=False)
                told, total = [], 0
            told.append(one)
            total += size
        await self._state_sockets(question, told, is_last=True)

    async def _state_sockets(
        self, question: Question, told: list[dict[str, JSON]], *, is_last: bool
    ) -> None:
        kind, uid = StatementKind.SOCKETS, self._broker.uid
        await self._publish(Statement(question.id, uid, kind, sockets=tuple(told), is_last=is_last))

    async def _do(self, question: Question) -> None:
        target, kind = self._target_of(question), question.kind
        try:
            if kind is QuestionKind.JOIN:
                await self._local.add_sockets(target, question.names)
            elif kind is QuestionKind.LEAVE:
                await self._local.remove_sockets(target, question.names)
            else:
                await self._local.disconnect_sockets(target, question.close)
        except LimitReached as reached:
            text = "a socket in %s did not join rooms as another server asked: %s"
            self._member.tell("sockets_join", text, quoted(self._channels.namespace), reached)
        await self._publish(Statement(question.id, self._broker.uid, StatementKind.DONE))

    async def _publish(self, statement: Statement) -> None:
        await self._broker.publish(self._channels.answer, encode_statement(statement))


class _Relay:
    """Takes what sockets of this server answer to another one's call.

    Args:
        question: the call.
        node: the uid of this server.

    Attributes:
        id: of the call.
        timeout: seconds for which the other server waits.
    """

    def __init__(self, question: Question, node: str) -> None:
        self.timeout = question.timeout
        self.id = question.id
        self._node = node
        self._asked: list[str] = []
        self._lost: list[str] = []
        self._owing: set[str] = set()
        self._statements: list[Statement] = []
        self._changed = Notifier()

    def begin(self) -> Statement:
        """Return who was asked."""
        kind = StatementKind.ASKED
        return Statement(self.id, self._node, kind, tuple(self._asked), tuple(self._lost))

    @property
    def is_waiting(self) -> bool:
        """Whether there is, or may come, anything to state."""
        return bool(self._owing or self._statements)

    async def next_statements(self) -> list[Statement]:
        """Wait for something to state, and return all that there is."""
        if not self._statements:
            await self._changed.wait()
        statements, self._statements = self._statements, []
        return statements

    def close(self) -> None:
        """Nobody waits any more."""
        self._owing.clear()
        self._statements.clear()
        self._changed.notify_all()

    def expect(self, *names: str) -> None:
        """These are asked."""
        self._asked += names
        self._owing.update(names)

    def take(self, name: str, args: list[JSON]) -> None:
        """One has answered."""
        if name in self._owing:
            self._state(name, StatementKind.ANSWERED, tuple(args))

    def drop(self, *names: str) -> None:
        """These will not answer."""
        for name in names:
            if name in self._owing:
                self._state(name, StatementKind.LEFT)

    def give_up(self, *names: str) -> None:
        """These cannot be asked."""
        self._lost += names
        self._owing.difference_update(names)
        self._asked = [name for name in self._asked if name not in names]

    def _state(self, name: str, kind: StatementKind, args: tuple[JSON, ...] = ()) -> None:
        self._owing.discard(name)
        self._statements.append(Statement(self.id, self._node, kind, (name,), args=args))
        self._changed.notify_all()


def _told(details: SocketDetails) -> dict[str, JSON]:
    """Return what another server is told of a socket: what can be sent of it."""
    return {
        "id": details.id,
        "handshake": cast("JSON", _sendable(details.handshake)),
        "rooms": [*details.rooms],
        "data": cast("JSON", _sendable(details.data)),
    }


def _sendable(data: Mapping[str, object]) -> dict[str, object]:
    """Return the members of an object that can be told, as many as there is room for."""
    size = size_of(dict(data))
    if size is not None and size <= MAX_STATEMENT and not is_deep(data):
        return dict(data)
    kept, room = {}, MAX_STATEMENT
    for key, value in data.items():
        size = size_of({key: value})
        if size is not None and size <= room and not is_deep(value):
            kept[key] = value
            room -= size
    return kept


def details_of(members: Mapping[str, JSON]) -> SocketDetails | None:
    """Return what another server tells of a socket, `None` if it does not even tell its id."""
    ident, handshake = members.get("id"), members.get("handshake")
    rooms, data = members.get("rooms"), members.get("data")
    if not isinstance(ident, str):
        return None
    named: frozenset[Room] = frozenset(
        one for one in (rooms if isinstance(rooms, list) else ()) if isinstance(one, str)
    )
    return SocketDetails(
        ident,
        handshake if isinstance(handshake, dict) else {},
        named,
        data if isinstance(data, dict) else {},
    )
