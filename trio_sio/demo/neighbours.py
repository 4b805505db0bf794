"""What the other workers know: who is there, who has which name, and what was said.

Each worker has the tables of its own visitors. When somebody asks for more than those, all workers
are asked, this one too, by custom requests of the adapter; one that does not answer within the
adapter's time is left out. With one worker nobody else is asked, and everything goes the same way.
"""

from collections import Counter
from collections.abc import Callable
from typing import cast

import trio_sio
from trio_sio import JSON
from trio_sio.demo.hall import LOBBY, Card, Hall, Message, Person

NAMES_TRIED = 20
"""So many numbers are tried behind a name that others have."""

Reply = dict[str, JSON]


class Neighbours:
    """All workers, as one of them sees them.

    Args:
        adapter: reaches the others.
        hall: the tables of this one.
        figures: gives the figures of this one.
    """

    def __init__(self, adapter: trio_sio.Adapter, hall: Hall, figures: Callable[[], Reply]) -> None:
        self._adapter = adapter
        self._hall = hall
        self._figures = figures
        adapter.on_custom_request(self._reply)

    async def room(self, name: str) -> tuple[list[Card], list[Message]]:
        """Return who is in a room, and what was said there lately."""
        people: list[Card] = []
        history: list[Message] = []
        for reply in await self._ask({"room": name}):
            people += cast("list[Card]", reply["people"])
            history += cast("list[Message]", reply["history"])
        history.sort(key=lambda message: cast("int", message["at"]))
        return people, history[-self._hall.limits.history :]

    async def has(self, person_id: str) -> bool:
        """Return whether somebody is there."""
        return any(reply["here"] for reply in await self._ask({"person": person_id}))

    async def settle_name(self, person: Person, wanted: str) -> None:
        """Give a person another number behind their name, while others had it before them."""
        taken: set[str] = set()
        while len(taken) < NAMES_TRIED:
            nick = person.nick
            replies = await self._ask({"nick": nick})
            if person.nick != nick or person.id not in self._hall.people:
                return  # they have taken another one meanwhile, or have gone
            own = (person.named_at, person.id)
            if all(_since(reply) is None or _since(reply) >= own for reply in replies):  # type: ignore[operator]  # None is sorted out
                return
            taken.add(nick.casefold())
            self._hall.rename(person, wanted, taken)

    async def figures(self) -> Reply:
        """Return the figures of all workers, added up."""
        total = Counter[str]()
        rooms = Counter[str]({LOBBY: 0})
        for reply in await self._ask({"figures": True}):
            total.update({name: cast("int", reply[name]) for name in _ADDED})
            for name, count in cast("dict[str, int]", reply["rooms"]).items():
                rooms[name] += count
        listing: JSON = [[name, rooms[name]] for name in sorted(rooms, key=_fullest(rooms))]
        return {
            **{name: round(total[name], 1) for name in _ADDED},
            "rooms": sum(1 for count in rooms.values() if count),
            "listing": cast("list[JSON]", listing)[: self._hall.limits.listed_rooms],
        }

    async def _ask(self, question: Reply) -> list[Reply]:
        try:
            replies = await self._adapter.custom_request(question)
        except trio_sio.NoAnswer as error:
            replies = error.replies
        return [reply for reply in replies if isinstance(reply, dict)]

    def _reply(self, question: JSON) -> JSON:
        match question:
            case {"room": str(name)}:
                room = self._hall.rooms.get(name)
                if room is None:
                    return {"people": [], "history": []}
                people = [person.card() for person in room.people.values()]
                return cast("JSON", {"people": people, "history": list(room.history)})
            case {"person": str(person_id)}:
                return {"here": person_id in self._hall.people}
            case {"nick": str(nick)}:
                holder = self._hall.holder(nick)
                return {"holder": None if holder is None else [holder.named_at, holder.id]}
            case {"figures": True}:
                return self._figures()
        return None  # another application's, on the same Redis


_ADDED = ("clients", "messages", "events")


def _since(reply: Reply) -> tuple[float, str] | None:
    """Return since when somebody has a name, and who; those two decide who keeps it."""
    holder = cast("tuple[float, str] | None", reply["holder"])
    return None if holder is None else (holder[0], holder[1])


def _fullest(rooms: Counter[str]) -> Callable[[str], tuple[int, str]]:
    return lambda name: (-rooms[name], name)
