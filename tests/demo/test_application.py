"""The chat, driven by clients in memory: rooms, messages, images, figures, and bad input."""

from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock

from tests.support.visitors import arrive, ask, assert_quiet
from trio_sio.demo.application import Demo, make_server
from trio_sio.demo.limits import Limits
from trio_sio.testing import connect

LOBBY = {"room": "lobby"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
EVENTS = ("nick", "join", "leave", "say", "image", "typing")


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    demo = Demo(limits=Limits(image_bytes=1000, text_length=100, history=3))
    async with demo.io:
        yield demo


async def test_welcome(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna:
        event, welcome = await anna.receive()
        assert event == "welcome"
        assert welcome["nick"]
        assert welcome["limits"]["image_bytes"] == 1000
        assert demo.hall.people.keys() == {welcome["id"]}


async def test_a_room_hears_what_is_said_in_it(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna, connect(demo.io) as ben, connect(demo.io) as carl:
        card = await arrive(anna, "Anna", "lobby")
        await arrive(ben, "Ben", "lobby")
        await arrive(carl, "Carl", "kitchen")
        assert (await anna.receive())[0] == "joined"
        stamp = await ask(anna, "say", LOBBY, " hello ")
        event, message = await ben.receive()
        assert event == "message"
        assert message == {**stamp, **LOBBY, "from": card, "text": "hello"}
        await assert_quiet(anna, ben, carl)  # the author has the acknowledgement


async def test_join_tells_who_is_here_and_what_was_said(
    autojump_clock: MockClock, demo: Demo
) -> None:
    async with connect(demo.io) as anna, connect(demo.io) as ben:
        anna_card = await arrive(anna, "Anna", "lobby")
        for number in range(4):
            await ask(anna, "say", LOBBY, str(number))
        await ask(anna, "image", LOBBY, PNG)
        ben_card = await arrive(ben, "Ben")
        answer = await ask(ben, "join", "#Lobby")
        assert answer["room"] == "lobby"
        assert answer["people"] == [anna_card, ben_card]
        texts = [message.get("text") for message in answer["history"]]
        assert texts == ["2", "3", None]
        assert "image" not in answer["history"][-1]
        assert await anna.receive() == ["joined", "lobby", ben_card]
        assert (await ask(ben, "join", "lobby"))["people"] == [anna_card, ben_card]
        await assert_quiet(anna)  # he was there already


async def test_leave(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna, connect(demo.io) as ben:
        await arrive(anna, "Anna", "lobby")
        card = await arrive(ben, "Ben", "lobby")
        await anna.receive()
        assert await ask(ben, "leave", "lobby") == LOBBY
        assert await anna.receive() == ["left", "lobby", card["id"]]
        await ask(anna, "say", LOBBY, "alone at last")
        assert "error" in await ask(ben, "say", LOBBY, "not here any more")
        await assert_quiet(anna, ben)


async def test_who_disconnects_is_gone(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna:
        await arrive(anna, "Anna", "lobby", "kitchen")
        async with connect(demo.io) as ben:
            card = await arrive(ben, "Ben", "lobby", "kitchen")
            assert [(await anna.receive())[1] for _ in range(2)] == ["lobby", "kitchen"]
        assert await anna.receive() == ["gone", card["id"]]
        await assert_quiet(anna)  # once, though they shared two rooms
        assert "no longer here" in (await ask(anna, "say", {"person": card["id"]}, "?"))["error"]
        assert len(demo.hall.people) == 1


async def test_rename(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna, connect(demo.io) as ben:
        await arrive(anna, "Anna", "lobby")
        card = await arrive(ben, "Ben", "lobby")
        await anna.receive()
        assert await ask(ben, "nick", "ANNA") == {"nick": "ANNA 2"}
        assert await anna.receive() == ["renamed", {**card, "nick": "ANNA 2"}]


async def test_private_message(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna, connect(demo.io) as ben, connect(demo.io) as carl:
        anna_card = await arrive(anna, "Anna")
        ben_card = await arrive(ben, "Ben")
        await arrive(carl, "Carl")
        target = {"person": ben_card["id"]}
        stamp = await ask(anna, "say", target, "psst")
        message = {**stamp, **target, "from": anna_card, "text": "psst"}
        assert await ben.receive() == ["message", message]
        assert "yourself" in (await ask(ben, "say", target, "psst"))["error"]
        await assert_quiet(anna, ben, carl)


async def test_nobody_listens_at_anothers_door(autojump_clock: MockClock, demo: Demo) -> None:
    """Socket.IO's room of each socket has its id for a name; a chat room of that name is none."""
    async with connect(demo.io) as anna, connect(demo.io) as ben, connect(demo.io) as eve:
        await arrive(anna, "Anna")
        ben_id = (await arrive(ben, "Ben"))["id"]
        await arrive(eve, "Eve", ben_id.lower())
        await ask(eve, "join", ben_id)
        await ask(anna, "say", {"person": ben_id}, "for you alone")
        assert (await ben.receive())[0] == "message"
        await assert_quiet(eve)


async def test_image(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna, connect(demo.io) as ben:
        await arrive(anna, "Anna", "lobby")
        await arrive(ben, "Ben", "lobby")
        assert "id" in await ask(anna, "image", LOBBY, PNG)
        event, message = await ben.receive()
        assert event == "message"
        assert message["image"] == PNG
        assert message["type"] == "image/png"
        error = (await ask(anna, "image", LOBBY, PNG + bytes(1000)))["error"]
        assert error == "An image may have 1,000 bytes; this one has 1,108 bytes."
        assert "PNG" in (await ask(anna, "image", LOBBY, b"<svg/>"))["error"]
        await assert_quiet(ben)


async def test_typing(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna, connect(demo.io) as ben:
        await arrive(anna, "Anna", "lobby")
        card = await arrive(ben, "Ben", "lobby")
        await anna.receive()
        await ben.emit("typing", LOBBY)
        assert await anna.receive() == ["typing", {**LOBBY, "from": card}]
        await assert_quiet(ben)


async def test_echo(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna:
        await arrive(anna, "Anna")
        assert await anna.call("echo") == []
        assert await anna.call("echo", {"a": b"nything"}, 2) == []


async def test_figures(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna, trio.open_nursery() as nursery:
        nursery.start_soon(demo.push_figures)
        await arrive(anna, "Anna", "lobby", "kitchen")
        await ask(anna, "say", LOBBY, "one")
        await ask(anna, "say", LOBBY, "two")
        assert await anna.receive() == [
            "figures",
            {
                "clients": 1,
                "rooms": 2,
                "messages": 2,
                "events": 5,
                "uptime": 1,
                "listing": [["kitchen", 1], ["lobby", 1]],
            },
        ]
        event, figures = await anna.receive()
        assert event == "figures"
        assert (figures["messages"], figures["events"], figures["uptime"]) == (0, 0, 2)
        nursery.cancel_scope.cancel()


async def test_too_much_at_once(autojump_clock: MockClock, demo: Demo) -> None:
    async with connect(demo.io) as anna:
        await arrive(anna, "Anna", "lobby")
        answers = [await ask(anna, "say", LOBBY, "spam") for _ in range(40)]
        assert "error" not in answers[0]
        assert "wait a moment" in answers[-1]["error"]
        await trio.sleep(1)
        assert "error" not in await ask(anna, "say", LOBBY, "patience")


GARBAGE: list[tuple[object, ...]] = [
    (),
    (None,),
    (1.5, 2, 3, 4, 5),
    ("",),
    ("x" * 100_000,),
    (b"bytes", b"bytes"),
    ({"room": "kitchen"}, "not in this room"),
    ({"room": []}, []),
    ({"person": "nobody"}, "hello"),
    ({"person": {"person": {}}}, {}),
    (LOBBY, None),
    ([[[[]]]], {"__proto__": {}}),
    ("\ud800", "\ud800"),
]


@pytest.mark.parametrize("event", EVENTS)
async def test_bad_input_is_refused_with_a_sentence(
    autojump_clock: MockClock, demo: Demo, event: str
) -> None:
    async with connect(demo.io) as anna, connect(demo.io) as ben:
        await arrive(anna, "Anna", "lobby")
        await arrive(ben, "Ben", "lobby")
        await anna.receive()
        for args in GARBAGE:
            await trio.sleep(1)  # or the sentence is always "wait a moment"
            answer = await ask(anna, event, *args)
            if (event, args) != ("typing", (LOBBY, None)):
                assert answer["error"].endswith("."), args
        assert "id" in await ask(ben, "say", LOBBY, "still here")


async def test_make_server(autojump_clock: MockClock) -> None:
    async with make_server() as io, connect(io) as anna:
        await arrive(anna, "Anna", "lobby")
