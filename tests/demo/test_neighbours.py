"""Two servers of the demo on one Redis: visitors of one see those of the other."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from tests.support.demo_process import demo
from tests.support.peers import Peer, peer
from tests.support.redis_server import RedisServer, redis_server
from tests.support.visitors import arrive, ask
from trio_sio import __main__ as command_line
from trio_sio.adapters.redis import RedisAdapter
from trio_sio.demo.application import Demo
from trio_sio.testing import MemoryClient, connect

__all__ = ["redis_server"]

redis = pytest.mark.redis


@asynccontextmanager
async def two(redis_server: RedisServer) -> AsyncIterator[tuple[Demo, Demo]]:
    """Two demos, each with the figures of the other."""
    first, second = (Demo(adapter=RedisAdapter(redis_server.url)) for _ in range(2))
    async with first.io, second.io, trio.open_nursery() as nursery:
        for one in (first, second):
            nursery.start_soon(one.push_figures)
        yield first, second
        nursery.cancel_scope.cancel()


async def hear(client: MemoryClient, wanted: str) -> dict[str, Any]:
    """Return what the next event of this name brings."""
    while True:
        event, *args = await client.receive()
        if event == wanted:
            assert isinstance(args[0], dict)
            return args[0]


@redis
async def test_people_and_history_of_a_room_are_those_of_both(redis_server: RedisServer) -> None:
    async with two(redis_server) as (first, second):
        async with connect(first.io) as anna, connect(second.io) as ben:
            anna_card = await arrive(anna, "Anna", "kitchen")
            said = await ask(anna, "say", {"room": "kitchen"}, "hello")
            ben_card = await arrive(ben, "Ben")
            answer = await ask(ben, "join", "kitchen")
            assert sorted(card["nick"] for card in answer["people"]) == ["Anna", "Ben"]
            (message,) = answer["history"]
            assert (message["id"], message["from"], message["text"]) == (
                *(said["id"], anna_card, "hello"),
            )
            await ask(ben, "say", {"room": "kitchen"}, "hello yourself")
            message = await hear(anna, "message")
            assert (message["from"], message["text"]) == (ben_card, "hello yourself")


@redis
async def test_a_private_message_finds_its_way(redis_server: RedisServer) -> None:
    async with two(redis_server) as (first, second):
        async with connect(first.io) as anna, connect(second.io) as ben:
            await arrive(anna, "Anna")
            card = await arrive(ben, "Ben")
            assert "id" in await ask(anna, "say", {"person": card["id"]}, "psst")
            nobody = await ask(anna, "say", {"person": "nobody"}, "psst")
            assert nobody == {"error": "This person is no longer here."}
            assert (await hear(ben, "message"))["text"] == "psst"


@redis
async def test_a_name_is_there_once(redis_server: RedisServer) -> None:
    async with two(redis_server) as (first, second):
        async with connect(first.io) as anna, connect(second.io) as ben:
            await arrive(anna, "Anna")
            await ben.receive()
            assert await ask(ben, "nick", "anna") == {"nick": "anna 2"}


@redis
async def test_figures_are_added_up(redis_server: RedisServer) -> None:
    async with two(redis_server) as (first, second):
        async with connect(first.io) as anna, connect(second.io) as ben:
            await arrive(anna, "Anna", "lobby", "kitchen")
            await arrive(ben, "Ben", "lobby")
            figures = await hear(ben, "figures")
            while figures["rooms"] != 2:
                figures = await hear(ben, "figures")
            assert figures["clients"] == 2
            assert figures["listing"] == [["lobby", 2], ["kitchen", 1]]


@redis
@pytest.mark.node
@pytest.mark.slow
async def test_workers_of_the_command(redis_server: RedisServer) -> None:
    """Real clients on a port that two workers share meet in a room."""
    async with demo("--workers", "2", "--redis", redis_server.url) as (process, url):
        async with peer() as clients:
            options = {"transports": ["websocket"], "hear": ["welcome", "message"]}
            people = [await clients.connect(url, **options) for _ in range(8)]
            for person in people:
                await person.hear("welcome")
                await person.call("join", "lobby")
            (answer,) = await people[0].call("join", "lobby")
            assert len(answer["people"]) == 8
            await people[0].emit("say", {"room": "lobby"}, "hello")
            for person in people[1:]:
                assert (await person.hear("message"))[0]["text"] == "hello"
            await look_under_the_hood(clients, url)
            process.send_signal(signal.SIGTERM)
            with trio.fail_after(30):
                assert await process.wait() == 0


async def look_under_the_hood(clients: Peer, url: str) -> None:
    """The view shows one of the workers, says which, and has buttons for what one can show."""
    operator = await clients.open(f"{url}/admin", hear=["hello"], transports=["websocket"])
    (hello,) = await operator.hear("hello")
    assert hello["title"] in {f"Under the hood: worker {number} of 2" for number in (1, 2)}
    labels = [action["label"] for action in hello["actions"]]
    assert labels == ["Slow client", "Hold the event loop", "Flood"]
    for label in labels[:2]:
        (answer,) = await operator.call("action", label, {})
        assert "done" in answer
        await trio.sleep(1.1)  # the rest behind each


def test_several_workers_need_redis(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(["--workers", "2"])
    assert ended.value.code == 2
    assert "--workers needs --redis" in capsys.readouterr().err


@pytest.mark.parametrize("count", ["0", "101", "x"])
def test_how_many_workers_there_may_be(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["--workers", count, "--redis", "redis://localhost"])
    assert "--workers" in capsys.readouterr().err


def test_an_address_of_redis_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["--workers", "2", "--port", "0", "--redis", "localhost"]) == 1
    assert capsys.readouterr().err.startswith("trio-sio: ")
