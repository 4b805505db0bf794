"""Statistics do not change, counters begin with nothing, and each number is explained."""

from dataclasses import FrozenInstanceError, fields

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from trio_sio.protocol.engineio.handshake import ErrorCode
from trio_sio.statistics import REFUSALS, Counters, SessionStatistics
from trio_sio.testing import connect


def test_a_moment_does_not_change() -> None:
    assert trio_sio.SessionStatistics is SessionStatistics
    moment = SessionStatistics(2, 30, 40, 1, 5.5)
    assert not moment.is_behind
    with pytest.raises(FrozenInstanceError):
        moment.queued = 3  # type: ignore[misc]


def test_each_number_is_explained() -> None:
    text = SessionStatistics.__doc__ or ""
    assert [
        field.name for field in fields(SessionStatistics) if f" {field.name}:" not in text
    ] == []


async def test_a_sockets_are_those_of_its_session(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(max_outbox=4, on_overflow="drop_newest")
    async with connect(io, buffer=1) as client:
        (socket,) = io.sockets.sockets.values()
        for _ in range(3):
            await io.emit("xy")
            await wait_all_tasks_blocked()
        size = len('42["xy"]')
        expected = SessionStatistics(2, 2 * size, 2 * size, 0, 0.0)
        assert socket.statistics() == client.session.statistics() == expected
        for _ in range(4):
            await io.emit("xy")
            await wait_all_tasks_blocked()
        assert socket.statistics() == SessionStatistics(4, 4 * size, 4 * size, 2, 0.0, True)
        await client.receive()
        await wait_all_tasks_blocked()
        assert socket.statistics() == SessionStatistics(0, 0, 4 * size, 2, 0.0, False)


# -- counters --------------------------------------------------------------------------------------


def test_counters_begin_at_zero() -> None:
    counters = Counters()
    numbers = [getattr(counters, name) for name in Counters.__slots__ if name != "refused"]
    assert set(numbers) == {0}
    assert counters.refused == dict.fromkeys(REFUSALS, 0)


def test_each_counter_is_explained() -> None:
    text = Counters.__doc__ or ""
    assert [name for name in Counters.__slots__ if f" {name}:" not in text] == []


def test_each_error_code_has_a_kind() -> None:
    assert {code.name.lower() for code in ErrorCode} <= set(REFUSALS)
