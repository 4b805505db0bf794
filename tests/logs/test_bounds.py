"""However often a client sets something off, the log stays short, and says how often it was."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.logs.test_secrets import Records
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.testing import connect
from trio_sio.testing.wire import open_wire

TIMES = 12_460


@contextmanager
def read() -> Iterator[list[str]]:
    """Yield the lines that an operator reads, tracebacks in one with what they belong to."""
    records = Records()
    logger = logging.getLogger("trio_sio")
    logger.addHandler(records)
    try:
        yield records.lines
    finally:
        logger.removeHandler(records)


async def test_a_handler_that_fails_each_time(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(raise_errors=False)

    @io.on("divide")
    async def divide(socket: trio_sio.Socket, by: int) -> float:
        return 1 / by

    @io.on("done")
    async def done(socket: trio_sio.Socket) -> None:
        return None

    with read() as lines:
        async with connect(io, raise_errors=False) as client:
            for _ in range(TIMES):
                await client.emit("divide", 0)
            await client.call("done")
            await trio.sleep(11)
            await client.emit("divide", 0)  # it goes on
            await client.call("done")
    assert [("Traceback" in one) for one in lines] == [True, False, True]
    assert lines[0].endswith("ZeroDivisionError: division by zero")
    assert lines[1].endswith(" … and 12,459 more like it in the last 10 s")
    assert sum(map(len, lines)) < 5000


async def test_two_mistakes_are_two_and_two_servers_too(autojump_clock: MockClock) -> None:
    def make_server() -> trio_sio.Server:
        io = trio_sio.Server()
        io.on("divide", lambda socket: 1 / 0)
        io.on("look up", lambda socket: vars(io)["a"])
        return io

    with read() as lines:
        for io in (make_server(), make_server()):
            async with connect(io, raise_errors=False) as client:
                for event in ("divide", "look up"):
                    for _ in range(100):
                        await client.emit(event)
                await trio.sleep(1)
    assert sum("Traceback" in one for one in lines) == 4
    assert sum("and 99 more like it" in one for one in lines) == 4


@pytest.mark.parametrize("head", ["GET /socket.io/?EIO=5&transport=polling", "GET /wp-login.php"])
async def test_refused_requests(head: str, autojump_clock: MockClock) -> None:
    with read() as lines:
        async with open_wire(trio_sio.Server()) as wire:
            connection = wire.connect()
            for _ in range(200):
                await connection.send(f"{head} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                assert (await connection.receive_response()).status >= 400
            await trio.sleep(11)
    if "EIO" not in head:
        assert lines == []  # whoever looks for holes is no client with a mistake
        return
    assert lines == [
        "WARNING trio_sio.engine refused GET /socket.io/?EIO=5&transport=polling from somewhere:"
        " Unsupported protocol version: this server speaks Engine.IO 3 (Socket.IO 2.x) and 4"
        " (Socket.IO 3.x and 4.x), by its option 'protocols'; the query says EIO=5" + end
        for end in ("", " … and 199 more like it in the last 10 s")
    ]


async def test_sessions_that_break_the_protocol(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    with read() as lines:
        async with io:
            for number in range(50):
                async with connect(io, raise_errors=False) as client:
                    packet = EnginePacket(EnginePacketType.MESSAGE, f'5{number}["x"]')
                    await client.send_engine_packet(packet)
                    await client.session.wait_closed()
            await trio.sleep(11)
    assert len(lines) == 2
    assert "Illegal attachments" in lines[0]
    assert lines[1].endswith("and 49 more like it in the last 10 s")
