"""What is done with all sockets of a room at once: finding them, moving them, showing them out."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import trio

from trio_sio.abc import Adapter, GatheredList, Room, SocketDetails
from trio_sio.exceptions import LimitReached, NoAnswer
from trio_sio.router.audience import Audience, FetchedSocket, held


class ManySockets:
    """The verbs for the sockets of all servers; namespaces and broadcasts have them.

    With the flag `local` they are for this server's alone.
    """

    __slots__ = ()

    def _broadcast(self) -> Any:  # noqa: ANN401 - a `Broadcast`, which stands above
        raise NotImplementedError

    async def fetch_sockets(self) -> GatheredList[FetchedSocket]:
        """Return the sockets that are chosen, of all servers (JS: `fetchSockets`).

        Returns:
            A list: each `Socket` of this server itself, and a `RemoteSocket` for each of another
            one. Its `missing` names what could not be asked in time.

        Raises:
            NotImplementedError: an adapter of the application's own cannot do it.
            RuntimeError: as `emit`.
        """
        chosen = self._broadcast()
        chosen.audience.home.check("io.fetch_sockets")
        await trio.lowlevel.checkpoint()
        found: list[FetchedSocket] = []
        missing: dict[str, None] = {}
        parts = chosen.audience.parts()
        with held(parts):
            for part in parts:
                fetched = await able(part.adapter, "fetch_sockets").fetch_sockets(chosen)
                missing.update(dict.fromkeys(fetched.missing))
                for one in fetched:
                    if isinstance(one, SocketDetails):
                        found.append(part.represent(one))
                    else:
                        found.append(cast("FetchedSocket", one))  # a `Socket`: this server's own
        return GatheredList(found, tuple(missing))

    async def sockets_join(self, *rooms: Room) -> None:
        """Have the sockets that are chosen join rooms; it holds then (JS: `socketsJoin`).

        Raises:
            TypeError: a room is not a str.
            LimitReached: one of this server's would be in more than `max_rooms`; the others have
                joined.
            NoAnswer: some server did not answer.
            NotImplementedError, RuntimeError: as `fetch_sockets`.
        """
        chosen = self._broadcast()
        chosen.audience.home.check("io.sockets_join")
        check_room_names(rooms)
        await trio.lowlevel.checkpoint()
        await _each(chosen.audience, "add_sockets", lambda one: one.add_sockets(chosen, rooms))

    async def sockets_leave(self, *rooms: Room) -> None:
        """Have the sockets that are chosen leave rooms; it holds then (JS: `socketsLeave`).

        Raises:
            TypeError, NoAnswer: as `sockets_join`.
            NotImplementedError, RuntimeError: as `fetch_sockets`.
        """
        chosen = self._broadcast()
        chosen.audience.home.check("io.sockets_leave")
        check_room_names(rooms)
        await trio.lowlevel.checkpoint()
        await _each(
            chosen.audience, "remove_sockets", lambda one: one.remove_sockets(chosen, rooms)
        )

    async def disconnect_sockets(self, close: bool = False) -> None:
        """Have the sockets that are chosen leave the namespace (JS: `disconnectSockets`).

        Args:
            close: leave all namespaces, and close their connections.

        Raises:
            NoAnswer: as `sockets_join`.
            NotImplementedError, RuntimeError: as `fetch_sockets`.
        """
        chosen = self._broadcast()
        chosen.audience.home.check("io.disconnect_sockets")
        await trio.lowlevel.checkpoint()
        verb = "disconnect_sockets"
        await _each(chosen.audience, verb, lambda one: one.disconnect_sockets(chosen, close))


async def _each(audience: Audience, verb: str, tell: Callable[[Adapter], Awaitable[None]]) -> None:
    """Have the sockets of each namespace do something; one that fails keeps no other from it.

    Raises:
        LimitReached: as the first adapter that has.
        NoAnswer: with all who are missing.
        NotImplementedError: an adapter lacks the verb; nobody has done anything.
    """
    parts = audience.parts()
    adapters = [able(part.adapter, verb) for part in parts]
    reached: LimitReached | None = None
    unanswered: list[NoAnswer] = []
    with held(parts):
        for adapter in adapters:
            try:
                await tell(adapter)
            except LimitReached as error:
                reached = reached or error
            except NoAnswer as error:
                unanswered.append(error)
    if reached is not None:
        raise reached
    if len(unanswered) > 1:
        missing = dict.fromkeys(name for one in unanswered for name in one.missing)
        text = f"not all servers have responded to {verb} in {len(unanswered)} namespaces"
        raise NoAnswer(text, missing=tuple(missing))
    if unanswered:
        raise unanswered[0]


def check_room_names(rooms: tuple[Room, ...]) -> None:
    """Raise `TypeError` if the name of a room is not a str."""
    for room in rooms:
        if not isinstance(room, str):
            raise TypeError(f"a room name must be a str, not {room!r}")


def able(adapter: Adapter, verb: str) -> Adapter:
    """Return an adapter; raises `NotImplementedError` if it lacks a verb."""
    if not hasattr(adapter, verb):
        name = f"{type(adapter).__module__}.{type(adapter).__qualname__}"
        raise NotImplementedError(f"this needs an adapter with {verb}, which {name} has not")
    return adapter
