"""The buttons: a slow client, a held event loop, a flood.

Each is bounded in time and in what it sends, keeps the stage to itself while it lasts, and takes
its clients with it at its end: also if the operator leaves, or the server ends.
"""

import secrets
import statistics
import time

import trio

import trio_sio
from trio_sio.demo.hood.guest import Guest, Guests, Left, open_guests
from trio_sio.demo.hood.premises import Premises

NAMESPACE = "/exhibits"

EVENTS_PER_SECOND = 100
EVENT_BURST = 300
"""What a client of the demo may send: more than its page ever does."""

READERS = 3
BROADCAST_BYTES = 4096
BROADCASTS_AT_ONCE = 25
BROADCASTS_EVERY = 0.25
MOST_BROADCASTS = 1500
"""More than `max_outbox` and the buffers of a connection take."""

SHORTEST_HOLD = 300
LONGEST_HOLD = 1000
"""Milliseconds. The shortest is longer than the option `slow_step`, 250."""

FLOODS = 3
FLOOD_AT_ONCE = 50
MOST_EVENTS = 4 * EVENT_BURST
TRIPS_EVERY = 0.02
PAUSE = 1.0

OVER = "It is over. The notes below tell what happened."
"""What the page shows beside a button whose story is a long one."""

PATIENCE = 5.0
"""Seconds in which the server ends a client that went too far."""


class Exhibits:
    """The buttons of one server's view.

    Args:
        io: the server.
        premises: the stage, and where notes go.
    """

    def __init__(self, io: trio_sio.Server, premises: Premises) -> None:
        self._io = io
        self._stage = premises.stage
        self._note = premises.notes.add
        self._space = io.of(NAMESPACE)
        self._ticket = secrets.token_urlsafe()
        self._ends: dict[str, _End] = {}  # of guests that are watched
        self._space.use(self._admit)
        self._space.on("tick", self._tick)
        self._space.on("disconnect", self._part)

    # -- the namespace of the guests -----------------------------------------------------------

    async def _admit(self, socket: trio_sio.Socket) -> None:
        given = socket.handshake.get("ticket").encode("utf-8", "replace")
        if not secrets.compare_digest(given, self._ticket.encode()):
            raise trio_sio.ConnectionRefused("This namespace is for the demo's own clients.")

    async def _tick(self, _socket: trio_sio.Socket, *_args: object) -> None:
        """Answer at once."""

    async def _part(self, socket: trio_sio.Socket, _reason: str) -> None:
        end = self._ends.pop(socket.id, None)
        if end is not None:
            end.tell(socket.detail)

    def _watch(self, guest: Guest) -> "_End":
        end = self._ends[guest.id] = _End()
        return end

    # -- the buttons ---------------------------------------------------------------------------

    async def slow(self, _operator: trio_sio.Socket) -> str:
        """Have a client that stops reading, and flood it with broadcasts."""
        with self._stage.playing("Slow client"):
            async with open_guests(self._io, NAMESPACE, f"ticket={self._ticket}") as guests:
                readers = [await guests.invite(f"reader {n + 1}") for n in range(READERS)]
                slow = await guests.invite("slow client", reads=False)
                self._note("The slow client has joined. It reads nothing from now on.")
                told = await self._broadcast_until(self._watch(slow), readers)
                self._ends.pop(slow.id, None)
        self._note(told)
        return OVER

    async def _broadcast_until(self, end: "_End", readers: list[Guest]) -> str:
        begun, sent, filler = trio.current_time(), 0, "x" * BROADCAST_BYTES
        while not end.has_come and sent < MOST_BROADCASTS:
            for _ in range(BROADCASTS_AT_ONCE):
                await self._space.local.emit("broadcast", sent, filler)
                sent += 1
            with trio.move_on_after(BROADCASTS_EVERY):
                await end.wait()
        lasted = trio.current_time() - begun
        for reader in readers:
            await reader.call("tick")  # its answer comes behind all broadcasts
        complete = sum(reader.heard == sent for reader in readers)
        why = await end.text()
        return (
            f"After {sent} broadcasts in {lasted:.1f} s the slow client was ended: {why}."
            f" {complete} of the {len(readers)} clients beside it have received all of them."
        )

    async def hold(self, _operator: trio_sio.Socket, milliseconds: int) -> str:
        """Hold the event loop, as a handler does that computes or blocks."""
        with self._stage.playing("Hold the event loop"):
            held = min(max(milliseconds, SHORTEST_HOLD), LONGEST_HOLD)
            time.sleep(held / 1000)  # noqa: ASYNC251 - that is the point
        told = f"Nobody was served for {held} ms. The table of stalls names the function."
        self._note(told)
        return told

    async def flood(self, _operator: trio_sio.Socket) -> str:
        """Have clients that send events as fast as they can, beside one that measures."""
        with self._stage.playing("Flood"):
            async with open_guests(self._io, NAMESPACE, f"ticket={self._ticket}") as guests:
                neighbour = await guests.invite("neighbour")
                before, meanwhile, texts = list[float](), list[float](), list[str]()
                with trio.move_on_after(PAUSE):
                    await _measure(neighbour, before)
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_measure, neighbour, meanwhile)
                    for _ in range(FLOODS):
                        texts.append(await self._flood_once(guests))
                        await trio.sleep(PAUSE)
                    nursery.cancel_scope.cancel()
        told = (
            f"{FLOODS} clients sent events as fast as they could, and each was ended: {texts[-1]}."
            f" The round trips of a client beside them took {_milliseconds(before)} before,"
            f" {_milliseconds(meanwhile)} meanwhile."
        )
        self._note(told)
        return OVER

    async def _flood_once(self, guests: Guests) -> str:
        guest = await guests.invite("flooding client")
        end = self._watch(guest)
        try:
            for _ in range(0, MOST_EVENTS, FLOOD_AT_ONCE):
                await guest.emit("tick", times=FLOOD_AT_ONCE)
        except Left:
            pass
        try:
            return await end.text()
        finally:
            self._ends.pop(guest.id, None)


class _End:
    """Waits until the server has ended a guest, and knows why."""

    def __init__(self) -> None:
        self._detail: trio_sio.DisconnectDetail | None = None
        self._come = trio.Event()

    @property
    def has_come(self) -> bool:
        """Whether it has."""
        return self._come.is_set()

    def tell(self, detail: trio_sio.DisconnectDetail | None) -> None:
        """It has been ended."""
        self._detail = detail
        self._come.set()

    async def wait(self) -> None:
        """Wait until it has."""
        await self._come.wait()

    async def text(self) -> str:
        """Wait for a while, and return why."""
        with trio.move_on_after(PATIENCE):
            await self._come.wait()
        return "it has not been ended" if self._detail is None else str(self._detail)


async def _measure(guest: Guest, trips: list[float]) -> None:
    """Measure round trips until this is cancelled."""
    while True:
        begun = time.perf_counter()
        await guest.call("tick")
        trips.append(time.perf_counter() - begun)
        await trio.sleep(TRIPS_EVERY)


def _milliseconds(trips: list[float]) -> str:
    if not trips:
        return "too long to be measured"
    return f"{statistics.median(trips) * 1000:.1f} ms, at most {max(trips) * 1000:.1f} ms"
