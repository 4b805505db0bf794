"""What was sent, what arrived, and what is wrong between the two.

A stream is whatever has to arrive in its order: what one task emits to one socket, what one room
tells one socket, what one client says in one namespace. A message is entered before it is sent and
crossed out when it arrives.

A stream is received in runs, one for each session that brings a part of it. Inside a run nothing
may be missing, whatever becomes of the session: what arrives before a cut is a prefix. Between two
runs there was a cut, which takes with it what was on its way. So at the end

* of a stream that nobody cut, everything has arrived;
* of one that was cut, nothing is missing inside a run, nor at the end of the run that still lives.
"""

import json
import zlib
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from tests.support.peers import pack

ONLY_RUN = ""
"""The run of a stream that no other session goes on with; it has to begin at the beginning."""

EXAMPLES = 20
"""Faults that are kept in words; all are counted."""


class Sent(NamedTuple):
    """A message on its way: its place in the stream, and the check sum of its body."""

    place: int
    digest: int


def digest(body: object) -> int:
    """Return the check sum of a body, bytes and all."""
    return zlib.crc32(json.dumps(pack(body), sort_keys=True).encode())


class Stream:
    """Messages of one sender to one receiver, with the sender's own numbers.

    Args:
        name: what both ends call it.
        blame: is told of each fault: its kind, and a sentence.
        lossy: messages may be missing, for they are volatile; twice or late they may not come.
    """

    def __init__(self, name: str, blame: Callable[[str, str], None], lossy: bool = False) -> None:
        self.name = name
        self.lossy = lossy
        self.received = 0
        self._blame = blame
        self._under_way: dict[int, Sent] = {}
        self._missing: set[int] = set()
        self._sent = 0
        self._highest = -1
        self._next: dict[str, int] = {}  # by run: the place that is due

    def send(self, body: object, number: int | None = None) -> int:
        """Enter a message that is about to be sent; return its number.

        Args:
            body: its body.
            number: if the sender counts for himself, upwards.
        """
        number = self._highest + 1 if number is None else number
        assert number > self._highest, f"{self.name}: {number} after {self._highest}"
        self._highest = number
        self._under_way[number] = Sent(self._sent, digest(body))
        self._sent += 1
        return number

    def receive(self, number: int, body: object, run: str = ONLY_RUN) -> None:
        """Cross out a message that has arrived."""
        sent = self._under_way.pop(number, None)
        if sent is None:
            kind = "duplicated" if number <= self._highest else "never sent"
            self._blame(kind, f"{self.name}: {number} is {kind}, in run {run!r}")
            return
        self.received += 1
        if sent.digest != digest(body):
            self._blame("altered", f"{self.name}: {number} arrived with another body")
        self._check_order(number, sent.place, run)

    def _check_order(self, number: int, place: int, run: str) -> None:
        due = self._next.get(run, 0 if run == ONLY_RUN else place)
        if place < due:
            self._missing.discard(number)
            self._blame("reordered", f"{self.name}: {number} came late, in run {run!r}")
            return
        if place > due and (run in self._next or run == ONLY_RUN) and not self.lossy:
            self._missing.update(
                n for n, one in self._under_way.items() if due <= one.place < place
            )
        self._next[run] = place + 1

    def judge(self, *, cut: bool, living: str | None = None) -> None:
        """Blame what has not arrived, now that nothing can be under way.

        Args:
            cut: whether a session that carried it has ended.
            living: the run whose session is there still.
        """
        if self.lossy:
            return
        for number, sent in self._under_way.items():
            tail = living is not None and sent.place >= self._next.get(living, self._sent)
            if not cut or tail or number in self._missing:
                self._blame("lost", f"{self.name}: {number} has not arrived")


class Ledger:
    """All streams of a soak.

    Attributes:
        streams: by name.
        faults: how many, by kind: "lost", "duplicated", "reordered", "altered", "never sent".
        examples: the first of them, in words.
    """

    def __init__(self) -> None:
        self.streams: dict[str, Stream] = {}
        self.faults: Counter[str] = Counter()
        self.examples: list[str] = []

    def stream(self, name: str, *, lossy: bool = False) -> Stream:
        """Return the stream of this name, made now if there is none."""
        if name not in self.streams:
            self.streams[name] = Stream(name, self.blame, lossy)
        return self.streams[name]

    def receive(self, name: str, number: int, body: object, run: str = ONLY_RUN) -> None:
        """Cross out a message of a stream."""
        if name in self.streams:
            self.streams[name].receive(number, body, run)
        else:
            self.blame("never sent", f"{name}: there is no such stream")

    def blame(self, kind: str, sentence: str) -> None:
        """Enter a fault."""
        self.faults[kind] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{kind}: {sentence}")
