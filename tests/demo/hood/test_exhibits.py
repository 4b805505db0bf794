"""The buttons, pressed by an operator in memory: their clients have real sockets, and real time."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from trio_sio import ConnectionRefused
from trio_sio.demo.application import Demo
from trio_sio.demo.hall import Hall
from trio_sio.demo.hood import exhibits
from trio_sio.demo.hood.access import Access
from trio_sio.demo.hood.premises import Premises
from trio_sio.demo.limits import Limits
from trio_sio.testing import MemoryClient, connect

pytestmark = pytest.mark.slow

LABELS = ("Slow client", "Hold the event loop", "Flood")


class Scene:
    """The demo, and an operator's page."""

    def __init__(self, demo: Demo, premises: Premises, page: MemoryClient) -> None:
        self.demo = demo
        self.page = page
        self._notes = premises.notes

    def note(self) -> str:
        """The latest note."""
        return str(self._notes.rows()[0]["text"])

    async def press(self, label: str, **arguments: object) -> dict[str, Any]:
        (answer,) = await self.page.call("action", label, arguments, timeout=60)
        return dict(answer)

    async def state(self) -> dict[str, Any]:
        """The next state."""
        while True:
            event, *args = await self.page.receive()
            if event == "state":
                return dict(args[0])

    async def state_with(self, kind: str) -> dict[str, Any]:
        """The next state that has something of a kind."""
        while True:
            found = await self.state()
            if found[kind]:
                return found


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    premises = Premises(Hall(Limits()), Access("token", is_local=True))
    demo = Demo(premises=premises)
    async with demo.io:
        async with connect(demo.io, "/admin", headers={"Host": "localhost"}) as page:
            yield Scene(demo, premises, page)
        await trio.testing.wait_all_tasks_blocked(0.1)
        assert demo.hall.people == {}


async def wait_alone(here: Scene) -> None:
    """Wait until nobody is left but the operator."""
    while (await here.state())["figures"]["sessions"] != 1:
        pass


async def test_a_slow_client_is_seen_growing_and_ended_alone() -> None:
    queues: list[int] = []
    async with scene() as here, trio.open_nursery() as nursery:

        async def watch() -> None:
            while True:
                rows = (await here.state())["sessions"]["rows"]
                queues.extend(row["queued"] for row in rows if row["address"] == "slow client")

        nursery.start_soon(watch)
        assert await here.press("Slow client") == {"done": exhibits.OVER}
        nursery.cancel_scope.cancel()
    told = here.note()
    limit = here.demo.io.engine.options.max_outbox
    growing = [size for size in queues if size]  # it is empty in the moment of its end
    assert len(growing) >= 2
    assert growing == sorted(growing)
    assert growing[-1] <= limit
    assert "slow consumer: " in told
    assert "(max_outbox)" in told
    assert "3 of the 3 clients beside it have received all of them." in told
    assert here.demo.io.statistics().limits == {"max_outbox": 1}
    assert here.demo.io.statistics().ended["slow consumer"] == 1


async def test_a_held_event_loop_is_a_stall_with_its_function() -> None:
    async with scene() as here:
        answer = await here.press("Hold the event loop", milliseconds=-5)
        assert answer == {
            "done": "Nobody was served for 300 ms. The table of stalls names the function."
        }
        (stall, *_) = (await here.state_with("notes"))["figures"]["recent_stalls"]
        assert stall["seconds"] >= 0.3
        assert stall["name"].startswith("trio_sio.demo.hood.exhibits.Exhibits.hold ")


async def test_a_flood_reaches_the_limit_and_hurts_nobody_else() -> None:
    async with scene() as here:
        assert await here.press("Flood") == {"done": exhibits.OVER}
        told = here.note()
        assert "(max_events_per_second)" in told
        assert re.search(r"took [\d.]+ ms, at most [\d.]+ ms before, [\d.]+ ms, at most", told)
        statistics = here.demo.io.statistics()
        assert statistics.limits == {"max_events_per_second": exhibits.FLOODS}
        assert statistics.events_in < exhibits.FLOODS * 2 * exhibits.EVENT_BURST
        found = await here.state_with("notes")
        assert found["notes"][0]["text"] == told
        flooders = [one for one in found["ended"] if one["address"] == "flooding client"]
        assert [one["option"] for one in flooders] == ["max_events_per_second"] * exhibits.FLOODS


@pytest.mark.parametrize("label", LABELS)
async def test_one_at_a_time_however_often_they_are_pressed(label: str) -> None:
    async with scene() as here, trio.open_nursery() as nursery:
        nursery.start_soon(here.press, "Slow client")
        while "slow client" not in str((await here.state())["sessions"]):
            pass
        answer = await here.press(label)
        assert answer == {"error": "“Slow client” is running; press again when it has ended."}
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("label", ["Slow client", "Flood"])
async def test_an_operator_who_leaves_takes_the_clients_along(label: str) -> None:
    async with scene() as here:
        io = here.demo.io
        async with connect(io, "/admin", headers={"Host": "localhost"}) as other:
            await other.emit("action", label, {})
            while (await here.state())["figures"]["sessions"] < 4 - (label == "Flood"):
                pass
        await wait_alone(here)
        assert not io.of(exhibits.NAMESPACE).connected


async def test_strangers_are_not_let_in() -> None:
    async with scene() as here:
        for query in ({}, {"ticket": "guessed"}, {"ticket": "%ED%A0%80"}):
            with pytest.raises(ConnectionRefused, match="the demo's own clients"):
                async with connect(here.demo.io, exhibits.NAMESPACE, query=query):
                    pass
