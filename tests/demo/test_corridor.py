"""What is broadcast on one of several servers in a process reaches the others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.visitors import arrive, ask, assert_quiet
from trio_sio.demo.application import Demo
from trio_sio.demo.corridor import Door
from trio_sio.demo.hood.premises import Premises
from trio_sio.testing import connect


@asynccontextmanager
async def two() -> AsyncIterator[tuple[Demo, Demo, list[Door]]]:
    doors: list[Door] = []
    premises = Premises()
    first, second = (Demo(adapter=Door(doors), is_alone=True, premises=premises) for _ in range(2))
    async with first.io, second.io:
        yield first, second, doors


async def test_a_room_and_a_person_on_the_other_server(autojump_clock: MockClock) -> None:
    async with two() as (first, second, _):
        async with connect(first.io) as anna, connect(second.io) as ben:
            await arrive(anna, "Anna", "lobby")
            card = await arrive(ben, "Ben", "lobby")
            assert await anna.receive() == ["joined", "lobby", card]
            await ask(anna, "say", {"room": "lobby"}, "hello")
            event, message = await ben.receive()
            assert (event, message["text"]) == ("message", "hello")
            await ask(anna, "say", {"person": card["id"]}, "psst")
            event, message = await ben.receive()
            assert (event, message["text"]) == ("message", "psst")
            await assert_quiet(anna, ben)
        await wait_all_tasks_blocked()
        assert first.hall is second.hall
        assert first.hall.people == {}


async def test_what_is_local_stays_on_its_server(autojump_clock: MockClock) -> None:
    doors: list[Door] = []
    first, second = (trio_sio.Server(adapter=Door(doors)) for _ in range(2))
    async with first, second, connect(first) as anna, connect(second) as ben:
        await first.local.emit("here")
        await first.emit("everywhere")
        assert await anna.receive() == ["here"]
        assert await anna.receive() == ["everywhere"]
        assert await ben.receive() == ["everywhere"]


async def test_a_closed_door_and_a_dropped_namespace_are_forgotten() -> None:
    async with two() as (first, second, doors):
        name = "/passing"
        first.io.of(name)
        second.io.of(name)
        assert len(doors[0].others(name)) == 1
        doors[1].forget(name)
        assert doors[0].others(name) == []
        assert len(doors[0].others("/")) == 1
        second_door = doors[1]
        second_door.close()
        second_door.close()
        assert doors[0].others("/") == []
