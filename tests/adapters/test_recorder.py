"""What an adapter keeps of events and sessions, alone."""

import pytest

from tests.support.recipient import Bystander
from trio_sio import LocalProtocolError, MemoryAdapter, Packet, PacketType, Server
from trio_sio.abc import NO_FLAGS, Flags, Target
from trio_sio.adapters.recorder import Recorder
from trio_sio.protocol.encoded import Encoded
from trio_sio.recovery.log import Audience
from trio_sio.recovery.session import RecoverySession


class Taker(Bystander):
    """A socket of an adapter, which shows what it gets."""

    def __init__(self, session: RecoverySession | None, *, is_over: bool = False) -> None:
        super().__init__()
        self._session = session
        self._is_over = is_over
        self.volatile: list[Encoded] = []

    @property
    def recovery_session(self) -> RecoverySession | None:
        return self._session

    @property
    def is_over(self) -> bool:
        return self._is_over

    @property
    def items(self) -> list[Encoded]:
        """What was sent, but for volatile events."""
        return self.heard

    def deliver_volatile(self, item: Encoded) -> object:
        self.volatile.append(item)
        return True


def recorder() -> tuple[Recorder, Server]:
    io = Server(connection_state_recovery={})
    assert io.sockets.recovery is not None
    return Recorder(io.sockets, io.sockets.recovery), io


def event(*args: object) -> Packet:
    return Packet(PacketType.EVENT, "/", ["news", *args])  # type: ignore[list-item]  # on purpose


async def test_each_gets_what_it_can_use() -> None:
    some, _io = recorder()
    session = some.open("a")
    some.begin(session, ["a"])
    new, old = Taker(session), Taker(None)
    some.deliver(event(1), Target(), [old, new, old])
    assert [item.parts for item in old.items] == [('42["news",1]',)] * 2
    assert old.items[0] is old.items[1]
    ((text,),) = [item.parts for item in new.items]
    assert str(text).startswith('42["news",1,"')
    some.deliver(event(2), Target(flags=Flags(volatile=True)), [old, new])
    assert old.volatile[0].parts == ('42["news",2]',)
    assert str(new.volatile[0].parts[0]).split(",")[-1] == str(text).split(",")[-1]


async def test_what_cannot_be_encoded_is_not_kept() -> None:
    some, io = recorder()
    for is_needed in (False, True):
        with pytest.raises(LocalProtocolError):
            some.deliver(event(object()), Target(), [])
        with pytest.raises(LocalProtocolError):
            some.record(event(object()), Target(), droppable=False)
        if not is_needed:
            some.begin(some.open("a"), ["a"])
    store = io.sockets.recovery
    assert store is not None
    assert store.log.position == 0


async def test_what_is_withdrawn_is_as_if_it_had_never_been() -> None:
    some, io = recorder()
    session = some.open("a")
    some.begin(session, ["a"])
    record = some.record(event(), Target(frozenset("a")), droppable=False)
    record.send_to_one(session)
    record.withdraw()
    store = io.sockets.recovery
    assert store is not None
    assert [*store.log.after(0)] == []
    store.append(Audience("/", frozenset("b")), record.item, 1, 0.0)
    some.persist(session, {})
    found = some.restore(session.pid, None)
    assert found is session
    assert session.cursor == 2
    assert some.missed(session) == []


@pytest.mark.parametrize("is_over", [False, True])
async def test_an_event_for_a_connection_that_is_gone_is_missed(is_over: bool) -> None:
    some, _io = recorder()
    session = some.open("a")
    some.begin(session, ["a"])
    some.deliver(event("lost"), Target(), [Taker(session, is_over=is_over)])
    some.persist(session, {"name": "Ada"})
    assert some.restore(session.pid, None) is session
    assert session.data == {"name": "Ada"}
    assert [isinstance(one, Encoded) for one in some.missed(session)] == [True]


async def test_a_stamp_names_what_the_client_has_had() -> None:
    some, io = recorder()
    store = io.sockets.recovery
    assert store is not None
    session = some.open("a")
    some.begin(session, ["a"])
    some.deliver(event(), Target(), [])
    (text,) = some.stamp(event("text"), NO_FLAGS, some.open("b")).parts
    assert text == f'42["news","text","{store.offset(1)}"]'
    some.persist(session, {})
    some.deliver(event(), Target(), [])
    some.restore(session.pid, None)
    (text,) = some.stamp(event("text"), NO_FLAGS, session).parts
    assert text == f'42["news","text","{store.offset(1)}"]'


async def test_without_the_option_there_is_no_recorder() -> None:
    io = Server()
    adapter = io.sockets.adapter
    assert isinstance(adapter, MemoryAdapter)
    with pytest.raises(RuntimeError, match="connection_state_recovery is off"):
        adapter.open_session("a")
