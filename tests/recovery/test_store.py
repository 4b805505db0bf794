"""Whoever comes back gets what it missed, once and in order, or hears why not."""

import itertools
from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.recovery.model import Event, ModelClient, Sent
from tests.support.examples import examples
from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.recovery.log import Audience
from trio_sio.recovery.session import RecoverySession
from trio_sio.recovery.store import BATCH, MAX_REMEMBERED, RecoveryStore

DURATION, SILENCE = 10.0, 5.0
ROOMS = ("a", "b")
NAMESPACES = ("/", "/chat")

rooms = st.frozensets(st.sampled_from(ROOMS), max_size=2)


def store(
    epoch: str = "e", *, max_packets: int = 12, max_bytes: int = 200, max_sessions: int = 2
) -> RecoveryStore[str]:
    return RecoveryStore(
        epoch,
        duration=DURATION,
        silence=SILENCE,
        max_packets=max_packets,
        max_bytes=max_bytes,
        max_sessions=max_sessions,
    )


class Recovering(RuleBasedStateMachine):
    """Clients that lose their connections at any time, against the model."""

    def __init__(self) -> None:
        super().__init__()
        self.store = store()
        self.now = 100.0
        self.numbers = itertools.count()
        self.clients: list[ModelClient] = []
        self.away: list[ModelClient] = []
        self.evicted: list[ModelClient] = []

    def pick(self, data: st.DataObject, *states: str) -> ModelClient | None:
        found = [one for one in self.clients if one.state in states]
        return data.draw(st.sampled_from(found)) if found else None

    # -- what happens here ---------------------------------------------------------------------

    @initialize()
    def begin_with_two(self) -> None:
        for _ in range(2):
            self.join_namespace("/")

    @precondition(lambda self: len(self.clients) < 4)
    @rule(
        namespace=st.sampled_from(NAMESPACES),
        offset=st.sampled_from([None, "former.99", "e.0", "e.", "text", "e.1x"]),
    )
    def join_one(self, namespace: str, offset: str | None) -> None:
        """Join; the client may still have an offset that it was told as another one."""
        self.join_namespace(namespace, offset)

    def join_namespace(self, namespace: str, offset: str | None = None) -> None:
        number = next(self.numbers)
        session = RecoverySession(f"pid {number}", f"id {number}", namespace)
        own = {session.socket_id}
        self.store.begin(session, own)
        self.clients.append(ModelClient(session, own, self.store.log.position, offset=offset))

    @rule(data=st.data(), room=st.sampled_from(ROOMS))
    def join_or_leave_room(self, data: st.DataObject, room: str) -> None:
        client = self.pick(data, "here")
        if client is None:
            return
        if room in client.rooms:
            client.rooms.discard(room)
            self.store.left(client.session, room)
        else:
            client.rooms.add(room)
            self.store.entered(client.session, [room])

    @rule(
        data=st.data(),
        namespace=st.sampled_from(NAMESPACES),
        chosen=st.lists(rooms, min_size=1, max_size=3),
        excepted=rooms,
        is_from_somebody=st.booleans(),
        size=st.integers(1, 25),
    )
    def broadcast(
        self,
        data: st.DataObject,
        namespace: str,
        chosen: list[frozenset[str]],
        excepted: frozenset[str],
        is_from_somebody: bool,
        size: int,
    ) -> None:
        sender = self.pick(data, "here") if is_from_somebody else None
        sender_id = None if sender is None else sender.session.socket_id
        for several in chosen:
            self.emit(Event(namespace, several, excepted, sender_id), size)

    @rule(data=st.data(), size=st.integers(1, 25), is_in_vain=st.booleans())
    def emit_to_one(self, data: st.DataObject, size: int, is_in_vain: bool) -> None:
        """Emit to a room of one; if its outbox is full, whoever emits hears so."""
        client = self.pick(data, "here", "away")
        if client is None:
            return
        session = client.session
        event = Event(session.namespace, frozenset([session.socket_id]))
        if not is_in_vain:
            self.emit(event, size)
        elif client.state == "here":
            audience, offset = Audience(*event), self.store.next_offset()
            entry = self.store.append(audience, offset, size, self.now)
            before = session.was_sent(entry.position)
            self.store.log.withdraw(entry)
            session.was_not_sent(entry.position, before)

    def emit(self, event: Event, size: int) -> None:
        if not self.store.is_needed:
            assert not [one for one in self.clients if one.state in ("here", "away", "returning")]
            return
        offset = self.store.next_offset()
        position = self.store.append(Audience(*event), offset, size, self.now).position
        assert self.store.current_offset() == offset
        for client in self.clients:
            if client.is_meant(event):
                client.due.append(position)
                if client.state != "here":
                    continue
                if client.is_lost:
                    client.session.was_lost(position)
                    if client.broken is None:
                        client.broken = position - 1
                else:
                    client.hand(Sent(position, offset))
                    client.session.was_sent(position)

    @rule(data=st.data())
    def emit_volatile(self, data: st.DataObject) -> None:
        """It is sent if it can leave at once, so nothing is on its way before it."""
        client = self.pick(data, "here")
        if client is not None and not client.transit and not client.is_lost:
            client.hand(Sent(None, self.store.current_offset()))

    @rule(seconds=st.sampled_from([1.0, 2.0, 4.0, 16.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    # -- what happens to connections -----------------------------------------------------------

    @rule(data=st.data(), count=st.integers(1, 4))
    def arrive(self, data: st.DataObject, count: int) -> None:
        if client := self.pick(data, "here", "returning"):
            for _ in range(min(count, len(client.transit))):
                client.receive()

    @rule(data=st.data(), is_lost_again=st.booleans())
    def step(self, data: st.DataObject, is_lost_again: bool) -> None:
        """Lose a connection; come back; get what was missed, unless it is lost again."""
        client = self.pick(data, "here", "away", "evicted", "expired", "returning")
        if client is None:
            return
        if client.state == "here" and not client.is_lost and is_lost_again:
            client.is_lost, client.broken = True, None  # and nobody knows yet
            client.transit.clear()
        elif client.state == "here" or (client.state == "returning" and is_lost_again):
            self.lose_one(client)
        elif client.state == "returning":
            self.replay_one(client)
        else:
            self.return_one(client)
        self.clients = [one for one in self.clients if one.state != "ended"]

    @rule(
        data=st.data(),
        before=st.lists(st.tuples(rooms, rooms), max_size=3),
        arrived=st.integers(0, 3),
        while_away=st.lists(st.tuples(rooms, rooms), max_size=2),
    )
    def blink(
        self,
        data: st.DataObject,
        before: list[tuple[frozenset[str], frozenset[str]]],
        arrived: int,
        while_away: list[tuple[frozenset[str], frozenset[str]]],
    ) -> None:
        """Lose the connection while events are on their way, and come back."""
        client = self.pick(data, "here")
        if client is None:
            return
        for chosen, excepted in before:
            self.emit(Event(client.session.namespace, chosen, excepted), 1)
        for _ in range(min(arrived, len(client.transit))):
            client.receive()
        self.lose_one(client)
        for chosen, excepted in while_away:
            self.emit(Event(client.session.namespace, chosen, excepted), 1)
        self.return_one(client)
        if client.state == "returning":
            self.replay_one(client)

    def lose_one(self, client: ModelClient) -> None:
        if client.state == "here":
            client.left = self.store.log.position if client.broken is None else client.broken
            client.deadline = self.now + DURATION
            client.is_lost, client.broken = False, None
        client.transit.clear()
        client.state = "away"
        self.store.save(client.session, {"name": client.session.socket_id}, self.now)
        self.away.append(client)
        if len(self.away) > 2:
            self.evicted.append(self.away.pop(0))
            self.evicted[-1].state = "evicted"

    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        """Somebody wants the end: there is no way back."""
        if client := self.pick(data, "here", "returning"):
            client.state = "ended"
            self.store.drop(client.session)

    def return_one(self, client: ModelClient) -> None:
        self.sweep()
        session = client.session
        is_late = client.state == "away" and client.deadline <= self.now
        if client.state == "away":
            self.away.remove(client)
        found = self.store.take(session.pid, session.namespace, client.offset, self.now)
        if isinstance(found, RecoverySession):
            assert found is session
            assert client.state == "away"
            assert not is_late
            assert self.store.log.mark <= client.safe
            assert found.data == {"name": session.socket_id}
            assert found.rooms.present == client.rooms
            client.state = "returning"
        elif client.state in ("evicted", "expired"):
            assert found.name.lower() == client.state
        elif client.state == "ended":
            assert found is RecoveryFailure.UNKNOWN
        elif is_late:
            assert found is RecoveryFailure.EXPIRED
            client.state = "ended"
        else:
            assert found is RecoveryFailure.MISSED
            assert self.store.log.mark > client.safe
            client.state = "ended"

    def sweep(self) -> None:
        """Do what the store does from time to time."""
        while self.away and self.away[0].deadline <= self.now:
            client = self.away.pop(0)
            client.state = "expired"

    def replay_one(self, client: ModelClient) -> None:
        expected = client.due[client.got + len(client.transit) :]
        found: list[str] = []
        while missed := self.store.missed(client.session):
            if isinstance(missed, RecoveryFailure):
                assert self.store.log.mark > client.safe
                return
            found += missed
        positions = [int(offset.rpartition(".")[2]) for offset in found]
        assert positions == expected
        for position, offset in zip(positions, found, strict=True):
            client.hand(Sent(position, offset))
        self.store.begin(client.session, client.rooms)
        client.state = "here"

    # -- what is always true -------------------------------------------------------------------

    @invariant()
    def is_bounded(self) -> None:
        kept = self.store.statistics()
        assert kept.packets <= 12
        assert kept.packet_bytes <= 200
        assert kept.away == len(self.away) <= 2
        for name in NAMESPACES:
            assert self.store.has_away(name) == any(
                one.session.namespace == name for one in self.away
            )


TestRecovering = Recovering.TestCase
TestRecovering.settings = examples(200)


def begun(some: RecoveryStore[str], pid: str = "p", namespace: str = "/") -> RecoverySession:
    session = RecoverySession(pid, f"id of {pid}", namespace)
    some.begin(session, {session.socket_id})
    return session


def taken(found: RecoverySession | RecoveryFailure) -> RecoverySession:
    assert isinstance(found, RecoverySession)
    return found


def test_events_are_replayed_by_and_by() -> None:
    some = store(max_packets=1000, max_bytes=10_000)
    some.save(begun(some), {}, 0.0)
    count = 2 * BATCH + 1
    for number in range(count):
        some.append(Audience("/"), f"{number}", 1, 0.0)
    session = taken(some.take("p", "/", None, 0.0))
    sizes, found = [], []
    while missed := some.missed(session):
        assert not isinstance(missed, RecoveryFailure)
        sizes.append(len(missed))
        found += missed
    assert sizes == [BATCH, BATCH, 1]
    assert found == [f"{number}" for number in range(count)]


def test_events_that_go_while_they_are_replayed_are_said_to_be_gone() -> None:
    some = store(max_packets=3)
    some.save(begun(some), {}, 0.0)
    session = taken(some.take("p", "/", None, 0.0))
    for _ in range(4):
        some.append(Audience("/"), "x", 1, 0.0)
    assert some.missed(session) is RecoveryFailure.MISSED
    some.save(session, {}, 0.0)
    assert some.take("p", "/", None, 0.0) is RecoveryFailure.MISSED
    assert some.take("p", "/", None, 0.0) is RecoveryFailure.UNKNOWN


def test_events_to_rooms_that_are_forgotten_are_said_to_be_gone() -> None:
    some = store(max_packets=1000, max_bytes=10_000)
    session = begun(some)
    for _ in range(200):
        some.entered(session, ["a"])
        session.was_sent(some.append(Audience("/", frozenset("a")), "x", 1, 0.0).position)
        some.left(session, "a")
    some.save(session, {}, 0.0)
    assert some.take("p", "/", None, 0.0) is RecoveryFailure.MISSED
    session = begun(some, "q")
    some.save(session, {}, 0.0)
    assert taken(some.take("q", "/", None, 0.0)) is session


def test_what_is_too_old_is_dropped_though_nobody_sends_anything() -> None:
    some = store()
    some.save(begun(some), {}, 0.0)
    begun(some, "who stays")
    some.append(Audience("/"), "x", 1, 0.0)
    assert some.next_deadline == DURATION
    some.expire(DURATION)
    assert some.take_deserted() == {"/"}
    assert some.take_deserted() == set()
    assert some.next_deadline is None
    assert some.statistics().packets == 1
    some.expire(DURATION + SILENCE + 1)
    assert some.statistics().packets == 0


def leave_for_good(some: RecoveryStore[str], session: RecoverySession) -> None:
    some.drop(session)


def leave_for_too_long(some: RecoveryStore[str], session: RecoverySession) -> None:
    some.save(session, {}, 0.0)
    some.expire(DURATION)


def come_back_from_the_future(some: RecoveryStore[str], session: RecoverySession) -> None:
    some.save(session, {}, 0.0)
    assert some.take(session.pid, "/", "e.1000", 0.0) is RecoveryFailure.OFFSET


def come_back_and_be_refused(some: RecoveryStore[str], session: RecoverySession) -> None:
    some.save(session, {}, 0.0)
    some.drop(taken(some.take(session.pid, "/", None, 0.0)))


@pytest.mark.parametrize(
    "end", [leave_for_good, leave_for_too_long, come_back_from_the_future, come_back_and_be_refused]
)
def test_nothing_is_kept_for_nobody(
    end: Callable[[RecoveryStore[str], RecoverySession], None],
) -> None:
    """The events of a busy hour would stay all night, since no others push them out."""
    some = store()
    others = [begun(some, "1"), begun(some, "2")]
    last = begun(some)
    for number in range(5):
        some.append(Audience("/"), f"{number}", 1, 0.0)
    some.drop(others[0])
    some.save(others[1], {}, -DURATION)
    some.expire(0.0)
    assert some.statistics().packets == 5  # the last one may miss them
    end(some, last)
    assert (some.statistics().packets, some.statistics().packet_bytes) == (0, 0)
    again = begun(some, "again")
    some.save(again, {}, 20.0)
    position = some.append(Audience("/"), "news", 4, 20.0).position
    assert some.missed(taken(some.take("again", "/", None, 20.0))) == ["news"]
    assert position == 6  # offsets are never given twice


def test_who_is_away_can_be_forgotten_at_once() -> None:
    some = store()
    for pid, namespace in (("1", "/"), ("2", "/chat")):
        some.save(begun(some, pid, namespace), {}, 0.0)
    some.append(Audience("/"), "x", 1, 0.0)
    some.forget_away()
    assert some.take_deserted() == {"/", "/chat"}
    assert (some.statistics().away, some.statistics().packets, some.next_deadline) == (0, 0, None)
    assert some.take("1", "/", None, 0.0) is RecoveryFailure.UNKNOWN
    assert not some.has_away("/chat")


def test_sessions_of_nobody_keep_nothing() -> None:
    some = store(max_sessions=0)
    session = begun(some)
    some.append(Audience("/"), "x", 1, 0.0)
    some.save(session, {}, 0.0)
    assert some.statistics().packets == 0


def test_who_was_about_to_come_back_has_the_rest_of_its_time() -> None:
    """Though another one has left meanwhile, whose time is over later."""
    some = store()
    some.save(begun(some, "1"), {}, 0.0)
    session = taken(some.take("1", "/", None, 1.0))
    some.save(begun(some, "2"), {}, 2.0)
    some.save(session, {}, 3.0)
    assert some.take("1", "/", None, DURATION) is RecoveryFailure.EXPIRED
    assert taken(some.take("2", "/", None, DURATION))


def test_an_offset_of_another_epoch_is_none() -> None:
    former, some = store("former"), store("e")
    for _ in range(5):
        former.append(Audience("/"), "x", 1, 0.0)
    session = begun(some)
    session.was_sent(some.append(Audience("/"), "y", 1, 0.0).position)
    some.save(session, {}, 0.0)
    session = taken(some.take("p", "/", former.current_offset(), 0.0))
    assert some.missed(session) == ["y"]


@pytest.mark.parametrize("offset", ["e.2", "e.9999999999999999999"])
def test_an_offset_of_the_future(offset: str) -> None:
    some = store()
    some.save(begun(some), {}, 0.0)
    some.append(Audience("/"), "x", 1, 0.0)
    assert some.take("p", "/", offset, 0.0) is RecoveryFailure.OFFSET
    assert some.statistics().failed["unknown offset"] == 1


@pytest.mark.parametrize(
    "offset", [None, 1, True, "", "e", "e.", "e.-1", "e.1x", "e.\u0661", "e." + "9" * 20, {}, []]
)
def test_what_is_no_offset_is_none(offset: object) -> None:
    some = store()
    some.save(begun(some), {}, 0.0)
    some.append(Audience("/"), "x", 1, 0.0)
    assert some.missed(taken(some.take("p", "/", offset, 0.0))) == ["x"]


def test_why_sessions_are_gone_is_remembered_of_so_many() -> None:
    some = store(max_sessions=1)
    for number in range(MAX_REMEMBERED + 2):
        some.save(begun(some, f"{number}"), {}, 0.0)
    assert some.take("0", "/", None, 0.0) is RecoveryFailure.UNKNOWN
    assert some.take("1", "/", None, 0.0) is RecoveryFailure.EVICTED
    last = f"{MAX_REMEMBERED + 1}"
    assert some.take(last, "/chat", None, 0.0) is RecoveryFailure.UNKNOWN
    assert taken(some.take(last, "/", None, 0.0))


def test_a_namespace_is_deserted_when_the_last_one_is_forgotten() -> None:
    some = store(max_sessions=2)
    for pid, namespace in (("1", "/"), ("2", "/chat"), ("3", "/")):
        some.save(begun(some, pid, namespace), {}, 0.0)
    assert some.take_deserted() == set()  # one is there still
    some.save(begun(some, "4", "/"), {}, 0.0)
    assert some.take_deserted() == {"/chat"}
    taken(some.take("3", "/", None, 0.0))
    taken(some.take("4", "/", None, 0.0))
    assert some.take_deserted() == set()  # they have come back


def test_nothing_is_kept_when_nobody_can_miss_it() -> None:
    some = store()
    assert not some.is_needed
    session = begun(some)
    assert some.is_needed
    some.save(session, {}, 0.0)
    assert some.is_needed
    taken(some.take("p", "/", None, 0.0))
    assert some.is_needed
    some.begin(session, set())
    some.drop(session)
    assert not some.is_needed
    some.drop(RecoverySession("q", "never connected", "/"))
    assert not some.is_needed
    assert some.statistics().recovered == 1
