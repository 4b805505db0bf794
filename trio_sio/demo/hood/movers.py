"""Clients that chat while one server takes over from another, and count what each has received.

They do as the page does: say something, wait for the acknowledgement, and after a disconnection
come back to the room and its history. What had no acknowledgement is said again, unless it turns
out there to have arrived.
"""

import secrets
from typing import Any

import trio

from trio_sio.demo.hood.guest import Guest, Left, dial

ROOM = "drain"
NAMES = ("Ada", "Bea", "Cleo")

MOST_EACH = 16
"""Messages of each; those of all three fit into the room's history."""

EVERY = 0.25
"""Seconds between two messages of one of them."""

RETRY = 0.1
"""Seconds between two attempts to come back."""


class Mover:
    """One of them.

    Args:
        name: what it is called, and its messages with it.
        address: host and port of the demo.

    Attributes:
        said: its messages that have been acknowledged.
        heard: all messages that it knows of.
        visits: how often it has been in the room.
    """

    def __init__(self, name: str, address: tuple[str, int]) -> None:
        self.said: list[str] = []
        self.heard: set[str] = set()
        self.visits = 0
        self._name = name
        self._run = secrets.token_hex(2)
        self._address = address

    async def chat(self, enough: trio.Event) -> None:
        """Chat until it is enough, whatever becomes of the connection.

        Args:
            enough: is set when there is nothing more to wait for.
        """
        is_done = False
        while not is_done:
            async with dial(*self._address, self._hear) as guest:
                if guest is not None:
                    is_done = await self._visit(guest, enough)
            if not is_done:
                await trio.sleep(RETRY)

    async def _visit(self, guest: Guest, enough: trio.Event) -> bool:
        """Chat by one connection; return whether all has been said."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(guest.read)
            is_done = await self._converse(guest, enough)
            nursery.cancel_scope.cancel()
        return is_done

    async def _converse(self, guest: Guest, enough: trio.Event) -> bool:
        try:
            await guest.call("nick", self._name)
            await self._enter(guest)
            self.visits += 1
            await self._talk(guest, enough)
            await self._enter(guest)  # what others said last
        except Left:
            return False
        return True

    async def _enter(self, guest: Guest) -> None:
        (answer,) = await guest.call("join", ROOM)
        for message in answer.get("history", ()):
            self._take(message)

    async def _talk(self, guest: Guest, enough: trio.Event) -> None:
        while len(self.said) < MOST_EACH and not enough.is_set():
            text = f"{self._name} says number {len(self.said) + 1} ({self._run})"
            if text not in self.heard:
                (answer,) = await guest.call("say", {"room": ROOM}, text)
                if "error" in answer:
                    raise Left
            self.heard.add(text)
            self.said.append(text)
            with trio.move_on_after(EVERY):
                await enough.wait()
        await enough.wait()

    def _hear(self, event: list[Any]) -> None:
        if event[0] == "message":
            self._take(event[1])

    def _take(self, message: dict[str, Any]) -> None:
        self.heard.add(str(message.get("text", "")))


def account(movers: list[Mover]) -> str:
    """Say in a sentence what they have said, and whether it has reached all of them."""
    said = {text for mover in movers for text in mover.said}
    missing = sum(len(said - mover.heard) for mover in movers)
    came_back = sum(mover.visits > 1 for mover in movers)
    result = "and each has all of them" if not missing else f"and {missing} did not arrive"
    return (
        f"{len(movers)} clients said {len(said)} messages to each other meanwhile,"
        f" {came_back} of them moved, {result}."
    )
