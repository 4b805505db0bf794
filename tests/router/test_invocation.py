"""What becomes of what the application's code raises."""

import logging

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.testing import connect


def errors_in(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_error_is_logged_once_and_told_and_the_client_stays(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    told: list[tuple[str, object]] = []

    @io.on("boom")
    async def boom(socket: trio_sio.Socket) -> None:
        socket.on("error", lambda error: told.append(("socket", error)))
        raise KeyError("a")

    io.on("error", lambda socket, error: told.append((socket.id, error)))
    io.on("hello", lambda socket: "still here")
    async with connect(io, raise_errors=False) as client:
        await client.emit("boom")
        assert await client.call("hello") == ["still here"]
        assert [who for who, _ in told] == [client.id, "socket"]
    (record,) = errors_in(caplog)
    assert record.name == "trio_sio.router"
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


async def test_raise_errors_lets_it_out(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()

    @io.on("boom")
    def boom(socket: trio_sio.Socket) -> None:
        raise KeyError("a")

    with pytest.raises(KeyError):
        async with connect(io) as client:
            await client.emit("boom")
            await trio.sleep(1)


async def test_an_error_handler_that_fails_is_logged_and_not_told_of_itself(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    calls: list[str] = []

    @io.on("boom")
    def boom(socket: trio_sio.Socket) -> None:
        raise KeyError("a")

    @io.on("error")
    def error(socket: trio_sio.Socket, error: Exception) -> None:
        calls.append(str(error))
        raise ValueError("b")

    io.on("hello", lambda socket: "still here")
    async with connect(io, raise_errors=False) as client:
        await client.emit("boom")
        assert await client.call("hello") == ["still here"]
    assert calls == ["'a'"]
    assert len(errors_in(caplog)) == 2


async def test_a_client_that_reports_an_error_is_nobodys_mistake(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    told: list[Exception] = []
    io.on("error", lambda socket, error: told.append(error))
    async with connect(io) as client:
        await client.send_packet(trio_sio.Packet(trio_sio.PacketType.ERROR, "/", "oh"))
        await client.send_packet(trio_sio.Packet(trio_sio.PacketType.ERROR, "/", {"a": 1}))
        await trio.sleep(1)
    assert [str(error) for error in told] == ["oh", "{'a': 1}"]
    assert all(isinstance(error, trio_sio.ClientError) for error in told)
    assert errors_in(caplog) == []


async def test_speaking_to_a_client_that_left_is_quiet(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    after: list[str] = []

    @io.on("slow")
    async def slow(socket: trio_sio.Socket) -> None:
        await trio.sleep(1)
        after.append("awake")
        await socket.emit("too late")
        after.append("never")

    async with connect(io) as client:
        await client.emit("slow")
        await client.leave()
        await trio.sleep(2)
    assert after == ["awake"]
    assert errors_in(caplog) == []


async def test_speaking_to_another_that_left_is_an_error_as_any(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()

    @io.on("poke")
    async def poke(socket: trio_sio.Socket) -> None:
        raise trio_sio.Disconnected(trio_sio.DisconnectReason.TRANSPORT_CLOSE)

    io.on("hello", lambda socket: "still here")
    async with connect(io, raise_errors=False) as client:
        await client.emit("poke")
        assert await client.call("hello") == ["still here"]
    assert len(errors_in(caplog)) == 1
