"""Subscriptions: against a model of Redis, no message is missed or heard twice."""

import fnmatch
from collections import Counter, deque
from functools import partial

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.support.examples import examples
from trio_sio.adapters.redis.subscriptions import (
    MAX_CHANNELS,
    Command,
    Listener,
    Pattern,
    Subscriptions,
    Verb,
)

MAX_EXACT = 3
ROOMS = [f"r{number}" for number in range(8)]
NAMES = st.sampled_from(["/", "/a"])
SOME_ROOMS = st.sampled_from([ROOMS, ROOMS[1:], ROOMS[:1], ROOMS[3:], ROOMS[4:6]])


class Heard:
    """A namespace's listener, and what it has received."""

    def __init__(self, name: str) -> None:
        self.base = f"k#{name}#".encode()
        self.request = f"k-request#{name}#".encode()
        self.count: Counter[bytes] = Counter()
        self.listener = Listener(
            self._receive, [self.base, self.request], self.base, self.base + b"*"
        )

    def _receive(self, channel: bytes, payload: bytes) -> int:
        self.count[payload] += 1
        return 1

    def room(self, name: str) -> bytes:
        return b"%b%b#" % (self.base, name.encode())


def confirm_all(subscriptions: Subscriptions) -> list[Command]:
    """Let Redis confirm everything, and return what it was asked."""
    asked = []
    while subscriptions.has_more:
        commands = subscriptions.take()
        asked += commands
        for verb, channels in commands:
            for channel in channels:
                subscriptions.confirm(verb, channel)
    return asked


@pytest.fixture
def heard() -> Heard:
    return Heard("/")


@pytest.fixture
def subscriptions(heard: Heard) -> Subscriptions:
    """Subscriptions of one namespace, all confirmed."""
    subscriptions = Subscriptions(MAX_EXACT)
    subscriptions.open(heard.listener)
    subscriptions.begin()
    confirm_all(subscriptions)
    return subscriptions


def rooms(heard: Heard, count: int) -> list[bytes]:
    return [heard.room(name) for name in ROOMS[:count]]


def test_a_namespace_asks_for_its_own_channels_once(heard: Heard) -> None:
    subscriptions = Subscriptions(MAX_EXACT)
    subscriptions.open(heard.listener)
    subscriptions.begin()
    (command,) = subscriptions.take()
    assert command.verb is Verb.SUBSCRIBE
    assert sorted(command.channels) == sorted([heard.base, heard.request])
    for channel in command.channels:
        assert subscriptions.confirmed < subscriptions.taken
        subscriptions.confirm(Verb.SUBSCRIBE, channel)
    assert subscriptions.confirmed == subscriptions.taken == subscriptions.wanted
    assert not subscriptions.has_more
    assert len(subscriptions) == 2


def test_rooms_are_asked_for_in_one_command(heard: Heard, subscriptions: Subscriptions) -> None:
    several = rooms(heard, 3)
    subscriptions.add(heard.listener, several)
    subscriptions.add(heard.listener, several)
    assert subscriptions.wanted == subscriptions.taken + 1
    assert confirm_all(subscriptions) == [(Verb.SUBSCRIBE, tuple(several))]
    subscriptions.discard(heard.listener, several[:1])
    assert confirm_all(subscriptions) == [(Verb.UNSUBSCRIBE, (several[0],))]


def test_what_is_left_before_it_was_asked_for_is_not_asked_for(
    heard: Heard, subscriptions: Subscriptions
) -> None:
    subscriptions.add(heard.listener, rooms(heard, 2))
    subscriptions.discard(heard.listener, rooms(heard, 2))
    number = subscriptions.wanted
    assert confirm_all(subscriptions) == []
    assert subscriptions.confirmed >= number  # nobody waits in vain


def test_a_command_has_so_many_channels() -> None:
    heard = Heard("/")
    subscriptions = Subscriptions(10 * MAX_CHANNELS)
    subscriptions.open(heard.listener)
    subscriptions.begin()
    many = [heard.room(str(number)) for number in range(2 * MAX_CHANNELS)]
    subscriptions.add(heard.listener, many)
    assert [len(command.channels) for command in subscriptions.take()] == [1000, 1000, 2]


def test_many_rooms_take_a_pattern_and_come_back_at_half(
    heard: Heard, subscriptions: Subscriptions
) -> None:
    subscriptions.add(heard.listener, rooms(heard, 3))
    confirm_all(subscriptions)
    subscriptions.add(heard.listener, rooms(heard, 4))
    pattern = heard.base + b"*"
    assert (
        confirm_all(subscriptions)
        == [
            (Verb.PSUBSCRIBE, (pattern,)),
            (Verb.UNSUBSCRIBE, tuple(sorted(rooms(heard, 3)))),
        ]
        or heard.listener.state is Pattern.IN_FORCE
    )
    assert len(subscriptions) == 3
    subscriptions.add(heard.listener, rooms(heard, 6))
    assert subscriptions.wanted == subscriptions.confirmed  # the pattern brings new rooms, too
    subscriptions.discard(heard.listener, rooms(heard, 6)[2:])
    assert not subscriptions.has_more  # two rooms, and half of three is one
    subscriptions.discard(heard.listener, rooms(heard, 2)[1:])
    assert confirm_all(subscriptions) == [
        (Verb.SUBSCRIBE, (rooms(heard, 1)[0],)),
        (Verb.PUNSUBSCRIBE, (pattern,)),
    ]
    assert heard.listener.state is Pattern.UNWANTED


def test_what_is_no_room_keeps_its_subscription_beside_the_pattern(
    heard: Heard, subscriptions: Subscriptions
) -> None:
    """As the channel of responses for one server alone, which is added later."""
    own = b"socket.io-response#/#me#"
    subscriptions.add(heard.listener, [own, *rooms(heard, 4)])
    commands = confirm_all(subscriptions)
    ended = [one for verb, channels in commands if verb is Verb.UNSUBSCRIBE for one in channels]
    assert any(verb is Verb.PSUBSCRIBE for verb, _ in commands)
    assert own not in ended
    asked = [one for verb, channels in commands if verb is Verb.SUBSCRIBE for one in channels]
    assert own in asked
    later = b"socket.io-response#/#later#"
    subscriptions.add(heard.listener, [later])
    assert confirm_all(subscriptions) == [(Verb.SUBSCRIBE, (later,))]
    subscriptions.begin()  # over a new connection
    assert own in [one for verb, channels in confirm_all(subscriptions) for one in channels]


def test_an_exact_message_is_ignored_while_the_pattern_is_in_force(
    heard: Heard, subscriptions: Subscriptions
) -> None:
    several = rooms(heard, 4)
    subscriptions.add(heard.listener, several)
    (command,) = subscriptions.take()
    subscriptions.deliver(heard.base, b"before")
    subscriptions.confirm(*_only(command))
    assert subscriptions.deliver(heard.base, b"both") == 0
    assert subscriptions.deliver_by_pattern(heard.base + b"*", heard.base, b"both") == 1
    assert subscriptions.deliver(heard.request, b"request") == 1  # the pattern does not match it
    assert heard.count == {b"before": 1, b"both": 1, b"request": 1}


def _only(command: Command) -> tuple[Verb, bytes]:
    (channel,) = command.channels
    return command.verb, channel


def test_without_patterns_each_room_keeps_its_subscription(
    heard: Heard, subscriptions: Subscriptions
) -> None:
    subscriptions.add(heard.listener, rooms(heard, 5))
    (command,) = subscriptions.take()
    assert command.verb is Verb.PSUBSCRIBE
    assert subscriptions.refuse() is Verb.PSUBSCRIBE
    assert subscriptions.confirmed == subscriptions.taken
    (command,) = confirm_all(subscriptions)
    assert command.verb is Verb.SUBSCRIBE
    assert sorted(command.channels) == rooms(heard, 5)
    subscriptions.add(heard.listener, rooms(heard, 6))
    assert [verb for verb, _ in confirm_all(subscriptions)] == [Verb.SUBSCRIBE]


def test_a_refusal_says_what_was_refused(heard: Heard, subscriptions: Subscriptions) -> None:
    with pytest.raises(ValueError, match="not asked for"):
        subscriptions.refuse()
    subscriptions.add(heard.listener, rooms(heard, 1))
    subscriptions.take()
    assert subscriptions.refuse() is Verb.SUBSCRIBE


def test_a_confirmation_of_something_else_is_refused(
    heard: Heard, subscriptions: Subscriptions
) -> None:
    with pytest.raises(ValueError, match="not asked for"):
        subscriptions.confirm(Verb.SUBSCRIBE, b"x")
    subscriptions.add(heard.listener, rooms(heard, 1))
    subscriptions.take()
    with pytest.raises(ValueError, match="not asked for"):
        subscriptions.confirm(Verb.UNSUBSCRIBE, rooms(heard, 1)[0])


def test_a_closed_namespace_is_not_heard(heard: Heard, subscriptions: Subscriptions) -> None:
    subscriptions.add(heard.listener, rooms(heard, 5))
    confirm_all(subscriptions)
    subscriptions.close(heard.listener)
    subscriptions.close(heard.listener)
    assert subscriptions.deliver(heard.base, b"x") == 0
    assert subscriptions.deliver_by_pattern(heard.base + b"*", heard.base, b"x") == 0
    assert {verb for verb, _ in confirm_all(subscriptions)} == {
        Verb.PUNSUBSCRIBE,
        Verb.UNSUBSCRIBE,
    }
    assert len(subscriptions) == 0


def test_a_namespace_that_opens_again_keeps_its_pattern(
    heard: Heard, subscriptions: Subscriptions
) -> None:
    subscriptions.add(heard.listener, rooms(heard, 5))
    confirm_all(subscriptions)
    again = Heard("/")
    subscriptions.open(again.listener)  # and the one of before is closed
    subscriptions.add(again.listener, rooms(again, 5))
    verbs = [verb for verb, _ in confirm_all(subscriptions)]
    assert verbs.index(Verb.PUNSUBSCRIBE) < verbs.index(Verb.PSUBSCRIBE)
    assert subscriptions.deliver_by_pattern(again.base + b"*", again.base, b"x") == 1
    assert again.count == {b"x": 1}
    assert not heard.count


def test_two_namespaces_may_share_a_channel(subscriptions: Subscriptions) -> None:
    one, other = Heard("/a"), Heard("/a#b")
    subscriptions.open(one.listener)
    subscriptions.open(other.listener)
    subscriptions.add(one.listener, [one.room("b")])
    assert one.room("b") == other.base
    confirm_all(subscriptions)
    subscriptions.deliver(other.base, b"x")
    subscriptions.discard(one.listener, [one.room("b")])
    assert confirm_all(subscriptions) == []
    subscriptions.deliver(other.base, b"y")
    assert (one.count, other.count) == ({b"x": 1}, {b"x": 1, b"y": 1})


def test_a_new_connection_asks_for_everything(heard: Heard, subscriptions: Subscriptions) -> None:
    subscriptions.add(heard.listener, rooms(heard, 2))
    confirm_all(subscriptions)
    subscriptions.begin()
    (command,) = confirm_all(subscriptions)
    assert sorted(command.channels) == sorted([heard.base, heard.request, *rooms(heard, 2)])
    subscriptions.add(heard.listener, rooms(heard, 4))
    confirm_all(subscriptions)
    subscriptions.discard(heard.listener, rooms(heard, 4)[2:])
    subscriptions.begin()  # with two rooms it keeps its pattern
    asked = confirm_all(subscriptions)
    assert [verb for verb, _ in asked] == [Verb.SUBSCRIBE, Verb.PSUBSCRIBE]
    assert sorted(asked[0].channels) == sorted([heard.base, heard.request])


# -- a model ---------------------------------------------------------------------------------------


class Model(RuleBasedStateMachine):
    """Redis runs commands one after the other, and publishes between any two of them."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriptions = Subscriptions(MAX_EXACT)
        self.heard = {name: Heard(name) for name in ("/", "/a")}
        self.since: dict[tuple[str, bytes], int] = {}
        self.expected: dict[bytes, set[str]] = {}
        self.number = 0
        self.forget()

    def forget(self) -> None:
        self.commands: deque[tuple[Verb, bytes]] = deque()
        self.output: deque[partial[int] | partial[None]] = deque()
        self.channels: set[bytes] = set()
        self.patterns: set[bytes] = set()

    @initialize()
    def connect(self) -> None:
        for name, heard in self.heard.items():
            self.subscriptions.open(heard.listener)
            self.since[name, heard.base] = 0
        self.lose()

    @rule(chance=st.integers(0, 9))
    def reconnect(self, chance: int) -> None:
        if chance == 9:
            self.lose()

    def lose(self) -> None:
        """What is under way is lost."""
        self.forget()
        for payload in list(self.expected):
            self.expected[payload] = {
                name for name in self.expected[payload] if self.heard[name].count[payload]
            }
        self.subscriptions.begin()
        self.since = dict.fromkeys(self.since, self.subscriptions.wanted)

    @rule(name=NAMES, some=SOME_ROOMS)
    def join(self, name: str, some: list[str]) -> None:
        heard = self.heard[name]
        channels = [heard.room(room) for room in some]
        self.subscriptions.add(heard.listener, channels)
        for channel in channels:
            self.since.setdefault((name, channel), self.subscriptions.wanted)

    @rule(name=NAMES, some=SOME_ROOMS)
    def leave(self, name: str, some: list[str]) -> None:
        heard = self.heard[name]
        channels = [heard.room(room) for room in some]
        self.subscriptions.discard(heard.listener, channels)
        for channel in channels:
            if self.since.pop((name, channel), None) is not None:
                for payload, names in self.expected.items():
                    if payload.endswith(channel) and not heard.count[payload]:
                        names.discard(name)

    @precondition(lambda self: self.subscriptions.confirmed == self.subscriptions.taken)
    @rule()
    def send(self) -> None:
        for verb, channels in self.subscriptions.take():
            self.commands.extend((verb, channel) for channel in channels)

    @precondition(lambda self: self.commands)
    @rule(count=st.sampled_from([1, 2, 100]))
    def run(self, count: int) -> None:
        for _ in range(min(count, len(self.commands))):
            verb, channel = self.commands.popleft()
            held = self.patterns if verb.name.startswith("P") else self.channels
            if "UN" in verb.name:
                held.discard(channel)
            else:
                held.add(channel)
            self.output.append(partial(self.subscriptions.confirm, verb, channel))

    @rule()
    def publish(self) -> None:
        """Publish to each channel there could be."""
        for name, heard in self.heard.items():
            for channel in (heard.base, *map(heard.room, ROOMS)):
                self.publish_to(name, channel)

    def publish_to(self, name: str, channel: bytes) -> None:
        self.number += 1
        payload = b"%d %b" % (self.number, channel)
        number = self.since.get((name, channel))
        is_certain = number is not None and self.subscriptions.confirmed >= number
        self.expected[payload] = {name} if is_certain else set()
        if channel in self.channels:
            self.output.append(partial(self.subscriptions.deliver, channel, payload))
        for pattern in self.patterns:
            if fnmatch.fnmatchcase(channel.decode(), pattern.decode()):
                deliver = self.subscriptions.deliver_by_pattern
                self.output.append(partial(deliver, pattern, channel, payload))

    @precondition(lambda self: self.output)
    @rule(count=st.sampled_from([1, 5, 1000]))
    def read(self, count: int) -> None:
        for _ in range(min(count, len(self.output))):
            self.output.popleft()()

    @rule()
    def settle(self) -> None:
        """Let everything come to its end."""
        while self.output or self.commands or self.subscriptions.has_more:
            self.run(len(self.commands))
            self.read(len(self.output))
            if self.subscriptions.confirmed == self.subscriptions.taken:
                self.send()

    @rule(name=NAMES)
    def come_to_a_pattern(self, name: str) -> None:
        self.join(name, ROOMS)
        self.settle()

    @rule(name=NAMES, left=st.sampled_from([ROOMS, ROOMS[1:]]))
    def come_back_from_a_pattern(self, name: str, left: list[str]) -> None:
        self.come_to_a_pattern(name)
        self.leave(name, left)

    @invariant()
    def nothing_is_heard_twice(self) -> None:
        for heard in self.heard.values():
            assert all(count == 1 for count in heard.count.values())

    def teardown(self) -> None:
        self.settle()
        for payload, names in self.expected.items():
            for name in names:
                assert self.heard[name].count[payload] == 1, payload
        self.check_what_redis_has()

    def check_what_redis_has(self) -> None:
        exact: set[bytes] = set()
        patterns: set[bytes] = set()
        for heard in self.heard.values():
            listener = heard.listener
            exact |= listener.fixed
            assert listener.state in (Pattern.UNWANTED, Pattern.IN_FORCE)
            if listener.state is Pattern.IN_FORCE:
                patterns.add(listener.pattern)
                assert len(listener.rooms) > MAX_EXACT // 2
            else:
                exact |= listener.rooms
                assert len(listener.rooms) <= MAX_EXACT
        assert (self.channels, self.patterns) == (exact, patterns)
        assert len(self.subscriptions) == len(exact) + len(patterns)


TestModel = Model.TestCase
TestModel.settings = examples(150)


@given(st.lists(st.integers(0, 3), max_size=12), st.integers(1, 5))
def test_the_number_of_subscriptions_is_bounded(sizes: list[int], most: int) -> None:
    heard = Heard("/")
    subscriptions = Subscriptions(most)
    subscriptions.open(heard.listener)
    subscriptions.begin()
    for number, size in enumerate(sizes):
        subscriptions.add(heard.listener, [heard.room(f"{number} {one}") for one in range(size)])
        confirm_all(subscriptions)
        assert len(subscriptions) <= most + len(heard.listener.fixed)
