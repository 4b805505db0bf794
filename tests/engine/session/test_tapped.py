"""Each packet of a session is written once, in both directions, whichever way it goes."""

import logging
from collections.abc import Iterator

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from trio_sio.engine.session.log import TappedTransport, tapped
from trio_sio.logs.wire import WireLog, logger
from trio_sio.testing import connect
from trio_sio.testing.transport import MemoryTransport
from trio_sio.testing.wire import open_wire


@pytest.fixture(autouse=True)
def talkative() -> Iterator[None]:
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(logging.INFO)


def make_server() -> trio_sio.Server:
    io = trio_sio.Server(raise_errors=True)
    io.on("echo", lambda socket, value: value)
    return io


def written(caplog: pytest.LogCaptureFixture) -> list[str]:
    lines = [one.getMessage() for one in caplog.records if one.name == "trio_sio.wire"]
    return [line.partition("… ")[2] for line in lines]


async def test_by_polling_through_an_upgrade(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_wire(make_server()) as wire:
        client = await wire.handshake()
        await client.post('420["echo",1]')
        assert await client.poll() == ["430[1]"]
        websocket = await client.upgrade()
        await websocket.send('421["echo",2]')
        assert await websocket.receive() == "431[2]"
        await wait_all_tasks_blocked()
        await websocket.send("2")
        assert await websocket.receive() == "3"
    lines = written(caplog)
    assert lines[0].startswith('polling out OPEN {"sid":"')
    assert [line for line in lines[1:] if "NOOP" not in line][:10] == [
        "polling out MESSAGE 0",
        'polling in MESSAGE 20["echo",1]',
        "polling out MESSAGE 30[1]",
        "websocket in PING probe",
        "websocket out PONG probe",
        "websocket in UPGRADE ",
        'websocket in MESSAGE 21["echo",2]',
        "websocket out MESSAGE 31[2]",
        "websocket in PING ",
        "websocket out PONG ",
    ]


async def test_by_websocket_with_much_to_send(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = make_server()
    async with connect(io, buffer=2) as client:
        for number in range(10):
            await io.emit("news", number)
        await wait_all_tasks_blocked()
        for number in range(10):
            assert await client.receive() == ["news", number]
    news = [line for line in written(caplog) if "news" in line]
    assert news == [f'memory out MESSAGE 2["news",{number}]' for number in range(10)]


def test_nothing_stands_before_a_transport_that_nobody_wants_to_see() -> None:
    transport = MemoryTransport(1)
    assert tapped(transport, None) is transport
    there = tapped(transport, WireLog("sid"))
    assert isinstance(there, TappedTransport)
    assert (there.name, there.writable, there.direct, there.unsent) == ("memory", True, True, False)
    there.abandon()
    assert not there.writable
