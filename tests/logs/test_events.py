"""What becomes of clients and their events, line by line."""

import logging

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support.peers import served
from tests.support.raw import raw
from trio_sio.logs.events import SHOWN_NAMES, EventLog, event_log
from trio_sio.testing import connect

HERE = __name__


@pytest.fixture(autouse=True)
def talkative(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "trio_sio.events")


def test_it_is_asked_for_its_level(caplog: pytest.LogCaptureFixture) -> None:
    assert event_log("abc") is not None
    caplog.set_level(logging.INFO, "trio_sio.events")
    assert event_log("abc") is None


def test_others_are_named_up_to_a_bound(caplog: pytest.LogCaptureFixture) -> None:
    names = [f"event {number:02}" for number in range(100)]
    EventLog("sid").event("/", "x\n" * 100, 2, [], names)
    (line,) = caplog.messages
    assert line.startswith("sid '/' 'x\\nx\\n")
    assert line.endswith(f"'event {SHOWN_NAMES - 1}', {100 - SHOWN_NAMES} more")
    caplog.clear()
    EventLog("sid").event("/", "x", 0, [], [])
    assert caplog.messages == [
        "sid '/' 'x' with 0 arguments: nobody listens; there are no handlers at all"
    ]


async def say(socket: trio_sio.Socket, *args: object) -> None:
    """Take anything."""


async def refuse(socket: trio_sio.Socket) -> None:
    raise trio_sio.ConnectionRefused("secret")


async def test_a_life(caplog: pytest.LogCaptureFixture) -> None:
    io = trio_sio.Server()
    io.on("say", say)
    io.on("disconnect", say)
    io.of("/closed").use(refuse)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        (socket,) = io.sockets.sockets.values()
        socket.on("own", say)
        await websocket.send('420["say","secret","secret"]')
        await websocket.send('42["own"]')
        await websocket.send('42["sya"]')
        await websocket.send('42["disconnect"]')
        await websocket.send("40/nowhere?token=secret,")
        await websocket.send("40/closed,")
        await websocket.send('42/nowhere?token=secret,["say"]')
        await socket.join("room")
        call = trio.Event()
        await socket.emit("question", ack=lambda: call.set())
        while not call.is_set():
            message = str(await websocket.receive())
            if "question" in message:
                await websocket.send(f"43{message[2 : message.index('[')]}[]")
                await trio.sleep(0.05)
        await websocket.send("41")
        await trio.sleep(0.05)
        await websocket.send("1")
        await trio.sleep(0.05)
    sid = socket.id[:6] + "…"
    lines = [one.removeprefix(f"{sid} ") for one in caplog.messages if one.startswith(sid)]
    assert sorted(lines) == sorted(
        [
            "connected by websocket from 127.0.0.1",
            "joined '/'",
            f"'/' 'say' with 2 arguments: {HERE}.say",
            "'/' acknowledgement 0 is sent",
            f"'/' 'own' with 0 arguments: {HERE}.say",
            "'/' 'sya' with 0 arguments: nobody listens; there are 'own', 'say'",
            "'/' EVENT is ignored: its name is reserved",
            "was not let into '/nowhere': Invalid namespace",
            f"was not let into '/closed': by {HERE}.refuse",
            "leaves '/closed': server namespace disconnect",
            "'/nowhere' EVENT is ignored: the client has not joined it",
            "'/' joins 'room'",
            "'/' acknowledgement 0 came",
            "leaves '/': client namespace disconnect",
            "ended: transport close",
        ]
    )
    assert lines[:2] == ["connected by websocket from 127.0.0.1", "joined '/'"]
    assert lines[-1] == "ended: transport close"


async def test_children_and_parents_are_heard(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    io.of(lambda name, query: name == "/child").on("say", say)
    async with connect(io, "/child") as client:
        await client.emit("sya")
        await client.emit("say")
    events = [one for one in caplog.messages if " with " in one]
    assert [one.partition("arguments: ")[2] for one in events] == [
        "nobody listens; there are 'say'",
        f"{HERE}.say",
    ]
