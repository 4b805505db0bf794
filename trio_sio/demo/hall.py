"""The hall: who is here, which rooms there are, and what was said in them lately.

Plain tables. Nothing waits here, so between two checkpoints of the application they agree with
each other. All of them are bounded by `Limits`, and what does not fit is refused with a sentence.
"""

import itertools
import random
import secrets
import time
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeAlias

from trio_sio.demo.limits import Limits
from trio_sio.demo.words import Refusal, clean_nick, clean_room

LOBBY = "lobby"

_COLOURS = ("Amber", "Azure", "Coral", "Golden", "Indigo", "Jade", "Ruby", "Silver", "Teal")
_ANIMALS = ("Badger", "Crane", "Dolphin", "Finch", "Heron", "Lynx", "Otter", "Puffin", "Wren")

Card: TypeAlias = dict[str, str]
Message: TypeAlias = dict[str, object]


@dataclass(slots=True, eq=False)
class Allowance:
    """How much a visitor may send: a bucket of `burst`, refilled at `pace` per second."""

    burst: int
    pace: float
    left: float
    filled_at: float

    def spend(self, now: float) -> None:
        """Take one, or refuse."""
        self.left = min(self.burst, self.left + (now - self.filled_at) * self.pace)
        self.filled_at = now
        if self.left < 1:
            raise Refusal("That was a lot at once. Please wait a moment.")
        self.left -= 1


@dataclass(slots=True, eq=False)
class Person:
    """A visitor: one socket, one name, which they have had since `named_at`."""

    id: str
    nick: str
    allowance: Allowance
    named_at: float
    rooms: set[str] = field(default_factory=set)

    def card(self) -> Card:
        """What others see of them."""
        return {"id": self.id, "nick": self.nick}


@dataclass(slots=True, eq=False)
class Room:
    """A room: who is in it, and its last messages (images are remembered without their bytes)."""

    name: str
    history: deque[Message]
    people: dict[str, Person] = field(default_factory=dict)

    def remember(self, message: Message) -> None:
        """Keep it for those who come later."""
        self.history.append({key: value for key, value in message.items() if key != "image"})


class Hall:
    """All the tables of the demo."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.people: dict[str, Person] = {}
        self.rooms: dict[str, Room] = {}
        self._nicks: dict[str, Person] = {}  # by the case-folded name
        # A number of this run, so that a page which outlives a restart does not take new
        # messages for old ones.
        self._run = secrets.token_hex(4)
        self._serial = itertools.count(1)
        self._open_room(LOBBY)

    def enter(self, person_id: str, now: float) -> Person:
        """Somebody came. They get a name until they choose one."""
        limits = self.limits
        allowance = Allowance(limits.burst, limits.pace, limits.burst, now)
        guest = f"{random.choice(_COLOURS)} {random.choice(_ANIMALS)}"
        person = Person(person_id, self._free(guest), allowance, time.time())
        self.people[person_id] = self._nicks[person.nick.casefold()] = person
        return person

    def part(self, person_id: str) -> list[str]:
        """Somebody went. Returns the rooms they were in; forgets them everywhere."""
        person = self.people.pop(person_id, None)
        if person is None:
            return []
        self._nicks.pop(person.nick.casefold(), None)
        for name in person.rooms:
            self.rooms[name].people.pop(person_id, None)
        return sorted(person.rooms)

    def person(self, person_id: str) -> Person:
        """Who has this id, among those who are here."""
        try:
            return self.people[person_id]
        except KeyError:
            raise Refusal("This person is no longer here.") from None

    def holder(self, nick: str) -> Person | None:
        """Who has this name."""
        return self._nicks.get(nick.casefold())

    def rename(self, person: Person, wanted: object, taken: Collection[str] = ()) -> None:
        """Give a person the name they want, with a number behind it if it is taken.

        `taken` has the case-folded names that visitors of other servers have.
        """
        nick = clean_nick(wanted, self.limits.nick_length)
        self._nicks.pop(person.nick.casefold(), None)
        person.nick = self._free(nick, taken)
        person.named_at = time.time()
        self._nicks[person.nick.casefold()] = person

    def join(self, person: Person, wanted: object) -> Room:
        """Let a person into a room, which comes into being if need be."""
        name = clean_room(wanted, self.limits.room_length)
        if name not in person.rooms and len(person.rooms) >= self.limits.rooms_each:
            raise Refusal(f"You are in {len(person.rooms)} rooms. Leave one to join another.")
        room = self.rooms.get(name) or self._open_room(name)
        room.people[person.id] = person
        person.rooms.add(name)
        return room

    def leave(self, person: Person, name: object) -> str:
        """Let a person out; the room keeps its history until its place is needed."""
        room = self.room_of(person, name)
        person.rooms.discard(room.name)
        del room.people[person.id]
        return room.name

    def room_of(self, person: Person, name: object) -> Room:
        """The room of that name, if the person is in it."""
        if not isinstance(name, str) or name not in person.rooms:
            raise Refusal("You are not in this room.")
        return self.rooms[name]

    def message_id(self) -> str:
        """An id that no other message has, in this run or another."""
        return f"{self._run}-{next(self._serial)}"

    def counts(self) -> dict[str, int]:
        """How many people are in each room that is not empty."""
        return {room.name: len(room.people) for room in self.rooms.values() if room.people}

    def _free(self, nick: str, taken: Collection[str] = ()) -> str:
        unique = nick
        number = 2
        while unique.casefold() in self._nicks or unique.casefold() in taken:
            suffix = f" {number}"
            unique = nick[: self.limits.nick_length - len(suffix)].rstrip() + suffix
            number += 1
        return unique

    def _open_room(self, name: str) -> Room:
        if len(self.rooms) >= self.limits.rooms:
            self._close_oldest_empty_room()
        room = self.rooms[name] = Room(name, deque(maxlen=self.limits.history))
        return room

    def _close_oldest_empty_room(self) -> None:
        for name, room in self.rooms.items():
            if not room.people and name != LOBBY:
                del self.rooms[name]
                return
        raise Refusal("There are too many rooms already. Join one of those that exist.")
