"""What the subscriber wants to hear, has asked Redis for, and has been confirmed.

A namespace listens to its own channels and to those of the rooms that have members here, each by
an exact subscription; so Redis sends what concerns this server, and no more. Above `max_exact`
rooms it takes one pattern for all, and returns to exact subscriptions at half of that.

    exact      ──more than max_exact──>  PSUBSCRIBE; when confirmed: UNSUBSCRIBE the rooms
    pattern    ──half of that─────────>  SUBSCRIBE the rooms, then PUNSUBSCRIBE

While both are in force, Redis sends each message twice, so exact messages of the namespace are
ignored from the confirmation of the pattern until the confirmation of its end. Confirmations come
in order with messages, hence nothing is missed or heard twice.

Nothing here waits or knows of a connection: `take` returns what to send next, and `confirm` is told
what has come. Redis takes commands in their order, and confirms each channel of each of them.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from enum import Enum
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

Receive = Callable[[bytes, bytes], int]
"""`(channel, payload) -> work`: takes a message; the work in deliveries."""

MAX_CHANNELS = 1000
"""Channels of one command."""


class Verb(Enum):
    """A command, and the confirmation of it."""

    SUBSCRIBE = b"subscribe"
    PSUBSCRIBE = b"psubscribe"
    UNSUBSCRIBE = b"unsubscribe"
    PUNSUBSCRIBE = b"punsubscribe"


VERBS = {verb.value: verb for verb in Verb}


class Command(NamedTuple):
    """A command to send."""

    verb: Verb
    channels: tuple[bytes, ...]


class Pattern(Enum):
    """The state of a namespace's pattern."""

    UNWANTED = "exact subscriptions are in force"
    ASKED = "the pattern is not confirmed yet, exact subscriptions of before are in force"
    IN_FORCE = "the pattern is in force"
    LEAVING = "the pattern is in force, and exact subscriptions will be asked for"
    LEFT = "exact subscriptions and the end of the pattern, in force until then, are asked for"


_HEARING = frozenset({Pattern.IN_FORCE, Pattern.LEAVING, Pattern.LEFT})
_EXACT = frozenset({Pattern.UNWANTED, Pattern.LEAVING, Pattern.LEFT})
_ON_THE_WIRE = frozenset({Pattern.IN_FORCE, Pattern.LEAVING})


class Listener:
    """What one namespace listens to.

    Args:
        receive: is given its messages.
        fixed: channels that it always has an exact subscription for.
        base: the beginning of its rooms' channels.
        pattern: matches `base` and all its rooms; `b""` if it has no rooms.

    Attributes:
        rooms: the channels of its rooms.
        state: of its pattern.
        owners: itself, as the value for each of its channels.
    """

    __slots__ = ("base", "fixed", "owners", "pattern", "receive", "rooms", "state")

    def __init__(
        self, receive: Receive, fixed: Collection[bytes], base: bytes = b"", pattern: bytes = b""
    ) -> None:
        self.receive = receive
        self.fixed = frozenset(fixed)
        self.base = base
        self.pattern = pattern
        self.rooms: set[bytes] = set()
        self.state = Pattern.UNWANTED
        self.owners = (self,)

    def hears_twice(self, channel: bytes) -> bool:
        """Whether what an exact subscription brings comes by the pattern, too."""
        return self.state in _HEARING and channel.startswith(self.base)

    def needs(self, channel: bytes) -> bool:
        """Whether it needs an exact subscription to one of its channels."""
        if self.state in _EXACT or channel in self.fixed:
            return True
        return not channel.startswith(self.base)

    def enter(self, state: Pattern) -> None:
        """Change the state."""
        self.state = state


class Subscriptions:
    """All that one connection subscribes to.

    Args:
        max_exact: rooms of one namespace above which it takes a pattern.

    Attributes:
        taken: the number of the last batch of commands.
        confirmed: the number of the last one that Redis has confirmed completely.
    """

    def __init__(self, max_exact: int) -> None:
        self.taken = 0
        self.confirmed = 0
        self._max_exact = max_exact
        self._owners: dict[bytes, tuple[Listener, ...]] = {}
        self._patterns: dict[bytes, Listener] = {}
        self._requested: set[bytes] = set()
        self._dirty: dict[bytes, None] = {}
        self._to_ask: dict[Listener, None] = {}
        self._leaving: dict[Listener, None] = {}
        self._orphans: list[bytes] = []  # patterns of closed namespaces
        self._outstanding: deque[tuple[Verb, bytes, Listener | None]] = deque()
        self._are_patterns_allowed = True

    def __len__(self) -> int:
        """How many channels and patterns Redis has been asked for."""
        return len(self._requested) + sum(
            one.state in _ON_THE_WIRE for one in tuple(self._patterns.values())
        )

    # -- what is wanted ------------------------------------------------------------------------

    def open(self, listener: Listener) -> None:
        """Begin to listen to a namespace; one of before with the same channels is closed."""
        former = self._patterns.get(listener.pattern)
        if former is not None:
            self.close(former)
        if listener.pattern:
            self._patterns[listener.pattern] = listener
        for channel in listener.fixed:
            self._own(channel, listener)

    def add(self, listener: Listener, channels: Iterable[bytes]) -> None:
        """Listen to rooms."""
        for channel in channels:
            if channel not in listener.rooms:
                listener.rooms.add(channel)
                self._own(channel, listener)
        self._judge(listener)

    def discard(self, listener: Listener, channels: Iterable[bytes]) -> None:
        """Do not listen to rooms any more."""
        for channel in channels:
            if channel in listener.rooms:
                listener.rooms.discard(channel)
                self._disown(channel, listener)
        self._judge(listener)

    def close(self, listener: Listener) -> None:
        """Stop listening to a namespace; may be called twice."""
        for channel in (*listener.fixed, *listener.rooms):
            self._disown(channel, listener)
        listener.rooms.clear()
        self._to_ask.pop(listener, None)
        self._leaving.pop(listener, None)
        if self._patterns.get(listener.pattern) is listener:
            del self._patterns[listener.pattern]
            is_asked = (Verb.PSUBSCRIBE, listener.pattern, listener) in self._outstanding
            if is_asked or listener.state in _ON_THE_WIRE:
                self._orphans.append(listener.pattern)

    def _own(self, channel: bytes, listener: Listener) -> None:
        others = self._owners.get(channel)
        self._owners[channel] = listener.owners if others is None else (*others, listener)
        if listener.needs(channel) and channel not in self._requested:
            self._dirty[channel] = None

    def _disown(self, channel: bytes, listener: Listener) -> None:
        rest = tuple([one for one in self._owners.get(channel, ()) if one is not listener])
        if rest:
            self._owners[channel] = rest
        else:
            self._owners.pop(channel, None)
        if channel in self._requested:
            self._dirty[channel] = None

    def _judge(self, listener: Listener) -> None:
        """Decide between exact subscriptions and the pattern."""
        count = len(listener.rooms)
        if listener.state is Pattern.UNWANTED:
            if count > self._max_exact and self._are_patterns_allowed and listener.pattern:
                listener.enter(Pattern.ASKED)
                self._to_ask[listener] = None
        elif listener.state is Pattern.IN_FORCE:
            if count <= self._max_exact // 2:
                listener.enter(Pattern.LEAVING)
                self._leaving[listener] = None
                self._look_again(listener)
        elif listener.state is Pattern.LEAVING and count > self._max_exact:
            listener.enter(Pattern.IN_FORCE)
            self._leaving.pop(listener, None)
            self._look_again(listener)

    def _look_again(self, listener: Listener) -> None:
        self._dirty.update(dict.fromkeys(listener.rooms))

    # -- what is sent and confirmed ------------------------------------------------------------

    def begin(self) -> None:
        """Ask for everything anew: there is a new connection."""
        self._requested.clear()
        self._outstanding.clear()
        self._orphans.clear()
        self._to_ask.clear()
        self._leaving.clear()
        self._dirty = dict.fromkeys(self._owners)
        self.confirmed = self.taken
        self._are_patterns_allowed = True
        for listener in self._patterns.values():
            was_wanted = listener.state in (Pattern.ASKED, Pattern.IN_FORCE)
            listener.enter(Pattern.UNWANTED)
            if was_wanted and len(listener.rooms) > self._max_exact // 2:
                listener.enter(Pattern.ASKED)
                self._to_ask[listener] = None
            else:
                self._judge(listener)

    @property
    def wanted(self) -> int:
        """The number of the batch with which all that is wanted will have been asked for."""
        return self.taken + 1 if self._dirty or self._to_ask else self.taken

    def take(self) -> list[Command]:
        """Return the next batch of commands; empty if all has been asked for.

        The batch of before must have been confirmed. Redis runs commands in their order, so rooms
        come before the end of their pattern.
        """
        assert not self._outstanding
        if self.has_more:
            self.taken += 1
        subscribe, unsubscribe = self._sort_dirty()
        ask, self._to_ask = self._to_ask, {}
        leave, self._leaving = self._leaving, {}
        orphans, self._orphans = self._orphans, []
        for listener in leave:
            listener.enter(Pattern.LEFT)
        self._expect(Verb.PUNSUBSCRIBE, orphans)  # first: it may be wanted again
        self._expect(Verb.SUBSCRIBE, subscribe)
        self._expect_patterns(Verb.PSUBSCRIBE, ask)
        self._expect(Verb.UNSUBSCRIBE, unsubscribe)
        self._expect_patterns(Verb.PUNSUBSCRIBE, leave)
        if not self._outstanding:
            self.confirmed = self.taken
        return list(_commands(self._outstanding))

    @property
    def has_more(self) -> bool:
        """Whether `take` has something to return."""
        return bool(self._dirty or self._to_ask or self._leaving or self._orphans)

    def _sort_dirty(self) -> tuple[list[bytes], list[bytes]]:
        dirty, self._dirty = self._dirty, {}
        subscribe, unsubscribe = [], []
        for channel in dirty:
            owners = self._owners.get(channel, ())
            if any(one.needs(channel) for one in owners):
                if channel not in self._requested:
                    subscribe.append(channel)
            elif channel in self._requested and not any(
                one.state is Pattern.ASKED for one in owners
            ):
                unsubscribe.append(channel)
        self._requested.update(subscribe)
        self._requested.difference_update(unsubscribe)
        return subscribe, unsubscribe

    def _expect(self, verb: Verb, channels: Iterable[bytes]) -> None:
        self._outstanding.extend((verb, channel, None) for channel in channels)

    def _expect_patterns(self, verb: Verb, listeners: Iterable[Listener]) -> None:
        self._outstanding.extend((verb, one.pattern, one) for one in listeners)

    def confirm(self, verb: Verb, channel: bytes) -> None:
        """Take Redis's confirmation of one channel or pattern.

        Raises:
            ValueError: it confirms something else than it was asked for.
        """
        if not self._outstanding or self._outstanding[0][:2] != (verb, channel):
            raise ValueError("Redis confirms a subscription that it was not asked for")
        _, _, listener = self._outstanding.popleft()
        if listener is not None and self._patterns.get(channel) is listener:
            is_begun = verb is Verb.PSUBSCRIBE
            listener.enter(Pattern.IN_FORCE if is_begun else Pattern.UNWANTED)
            self._look_again(listener)
            self._judge(listener)
        if not self._outstanding:
            self.confirmed = self.taken

    def refuse(self) -> Verb:
        """Take Redis's refusal of a command, and return which one it is.

        Without patterns, exact subscriptions do, however many.
        """
        if not self._outstanding:
            raise ValueError("Redis refuses what it was not asked for")
        verb, _, listener = self._outstanding[0]
        if verb is Verb.PSUBSCRIBE and listener is not None:
            self._outstanding.popleft()
            self._are_patterns_allowed = False
            listener.enter(Pattern.UNWANTED)
            self._look_again(listener)
            if not self._outstanding:
                self.confirmed = self.taken
        return verb

    # -- messages ------------------------------------------------------------------------------

    def deliver(self, channel: bytes, payload: bytes) -> int:
        """Pass on a message of an exact subscription; return the work."""
        work = 0
        for listener in self._owners.get(channel, ()):
            if not listener.hears_twice(channel):
                work += listener.receive(channel, payload)
        return work

    def deliver_by_pattern(self, pattern: bytes, channel: bytes, payload: bytes) -> int:
        """Pass on a message of a pattern; return the work."""
        listener = self._patterns.get(pattern)
        if listener is None or listener.state not in _HEARING:
            return 0
        return listener.receive(channel, payload)


def _commands(outstanding: Iterable[tuple[Verb, bytes, object]]) -> Iterator[Command]:
    """Put what is asked for into commands, one pattern in each, since one may be refused."""
    for verb, group in groupby(outstanding, key=itemgetter(0)):
        size = 1 if verb is Verb.PSUBSCRIBE else MAX_CHANNELS
        channels = [channel for _, channel, _ in group]
        for start in range(0, len(channels), size):
            yield Command(verb, tuple(channels[start : start + size]))
