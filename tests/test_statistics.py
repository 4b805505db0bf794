"""Statistics do not change, counters begin with nothing, and each number is explained."""

import math
from bisect import bisect_left
from dataclasses import FrozenInstanceError, fields
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.engineio.handshake import ErrorCode
from trio_sio.statistics import (
    DURATIONS,
    PROTOCOLS,
    REFUSALS,
    AdapterStatistics,
    Counters,
    EngineStatistics,
    NamespaceCounters,
    NamespaceStatistics,
    RecoveryStatistics,
    SessionStatistics,
    added_up,
)
from trio_sio.testing import connect


def test_a_moment_does_not_change() -> None:
    assert trio_sio.SessionStatistics is SessionStatistics
    moment = SessionStatistics(2, 30, 40, 1, 5.5)
    assert not moment.is_behind
    with pytest.raises(FrozenInstanceError):
        moment.queued = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "kind",
    [
        *(SessionStatistics, AdapterStatistics, EngineStatistics, NamespaceStatistics),
        RecoveryStatistics,
    ],
)
def test_each_number_is_explained(kind: Any) -> None:  # noqa: ANN401
    text = kind.__doc__ or ""
    assert [field.name for field in fields(kind) if f" {field.name}:" not in text] == []


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
    assert (counters.bytes_in, counters.bytes_out) == (0, 0)
    assert counters.opened == dict.fromkeys(PROTOCOLS, 0)
    assert counters.refused == dict.fromkeys(REFUSALS, 0)
    now = NamespaceCounters().statistics(0, 0)
    assert now == added_up([])
    assert now.left == dict.fromkeys(map(str, DisconnectReason), 0)
    assert now.durations == (0,) * (len(DURATIONS) + 1)
    assert now.recovery == RecoveryStatistics()
    apart = ("left", "durations", "recovery")
    rest = [field.name for field in fields(now) if field.name not in apart]
    assert {getattr(now, name) for name in rest} == {0}


@pytest.mark.parametrize("kind", [Counters, NamespaceCounters])
def test_each_counter_is_explained(kind: Any) -> None:  # noqa: ANN401
    text = kind.__doc__ or ""
    assert [name for name in kind.__slots__ if f" {name}:" not in text] == []


def test_durations_are_those_of_handlers() -> None:
    assert list(DURATIONS) == sorted(set(DURATIONS))
    assert (DURATIONS[0], DURATIONS[-1]) == (0.001, 10)
    assert max(high / low for low, high in pairwise(DURATIONS)) <= 2.5


def counted(number: int, seconds: float) -> NamespaceStatistics:
    """The statistics of a namespace in which each thing has happened so many times."""
    counters = NamespaceCounters()
    counters.joined = counters.events_in = counters.events_out = counters.failures = number
    counters.left[DisconnectReason.PARSE_ERROR] = number
    counters.durations[bisect_left(DURATIONS, seconds)] += number
    counters.call_seconds = seconds * number
    return counters.statistics(number, number)


@given(st.lists(st.tuples(st.integers(0, 9), st.floats(0, 20)), max_size=4))
def test_what_namespaces_have_counted_is_added_up(parts: list[tuple[int, float]]) -> None:
    whole = added_up([counted(*part) for part in parts])
    count = sum(number for number, _ in parts)
    numbers = (whole.joined, whole.events_in, whole.events_out, whole.failures, whole.calls)
    assert {*numbers, whole.sockets, whole.pending_acks, whole.left["parse error"]} == {count}
    assert math.isclose(whole.call_seconds, sum(number * seconds for number, seconds in parts))
    for bound, at_most in zip(DURATIONS, accumulate(whole.durations), strict=False):
        assert at_most == sum(number for number, seconds in parts if seconds <= bound)


def test_what_is_kept_for_clients_that_come_back_is_added_up() -> None:
    one = RecoveryStatistics(1, 2, 3, 4, {"a": 5, "b": 6}, 7, 8)
    other = RecoveryStatistics(10, 20, 30, 40, {"a": 50}, 70, 80)
    assert one + other == RecoveryStatistics(11, 22, 33, 44, {"a": 55, "b": 6}, 77, 88)
    assert one + RecoveryStatistics() == RecoveryStatistics() + one == one
    now = NamespaceCounters().statistics(0, 0, one)
    assert added_up([now, now]).recovery == one + one


def test_each_error_code_has_a_kind() -> None:
    assert {code.name.lower() for code in ErrorCode} <= set(REFUSALS)
