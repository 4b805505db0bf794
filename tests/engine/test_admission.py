"""Limits of connections: those above are told why, those within notice nothing."""

import logging

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from trio_sio.engine.admission import Admission
from trio_sio.engine.http.connection import turn_away
from trio_sio.logs.throttle import INTERVAL, LogThrottle
from trio_sio.statistics import Counters

reached: list[str] = []
"""The limits that were reached in the present test."""


@pytest.fixture(autouse=True)
def nothing_reached() -> None:
    reached.clear()


async def test_altogether(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    admission = Admission(2, None, reached.append, LogThrottle(), Counters())
    assert admission.enter("a") == admission.enter("b") == ""
    assert admission.enter("c") == "max_connections: there are 2"
    assert admission.enter("d") != ""
    admission.leave("a")
    assert admission.enter("c") == ""
    assert (admission.count, admission.refused) == (2, 2)
    await trio.sleep(INTERVAL)
    assert admission.enter("e") != ""
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert caplog.messages == [
        "refused a client at c: max_connections: there are 2",
        "refused a client at c: max_connections: there are 2 … and 1 more like it in the last 10 s",
        "refused a client at e: max_connections: there are 2",
    ]
    assert reached == ["max_connections"] * 3


async def test_each_address(autojump_clock: MockClock) -> None:
    admission = Admission(None, 2, reached.append, LogThrottle(), Counters())
    assert [admission.enter("a") for _ in range(2)] == ["", ""]
    assert admission.enter("a") == "max_connections_per_address: there are 2 from a"
    assert reached == ["max_connections_per_address"]
    assert admission.enter("b") == ""
    assert [admission.enter("") for _ in range(5)] == [""] * 5  # no address, no limit
    admission.leave("a")
    assert admission.enter("a") == ""
    for address in ("a", "a", "b", *[""] * 5):
        admission.leave(address)
    assert admission.count == 0
    assert not admission._by_address  # nothing is kept of who has gone


async def test_the_limit_that_refuses_counts_nothing(autojump_clock: MockClock) -> None:
    admission = Admission(1, 1, reached.append, LogThrottle(), Counters())
    assert admission.enter("a") == ""
    assert admission.enter("b") != ""
    admission.leave("a")
    assert admission.enter("b") == ""


async def test_a_stream_in_memory_is_just_closed() -> None:
    ours, theirs = memory_stream_pair()
    await turn_away(theirs, "no")
    with pytest.raises(trio.BrokenResourceError):
        await ours.send_all(b"x")
