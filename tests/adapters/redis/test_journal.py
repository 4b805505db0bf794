"""The journal: what is counted, and which lines are written of it."""

import logging

import pytest
import trio

from trio_sio.adapters.redis.journal import Journal
from trio_sio.logs.throttle import LogThrottle


async def test_messages_are_counted() -> None:
    journal = Journal()
    journal.count_published()
    journal.count_published()
    assert journal.published == 2


async def test_what_is_lost_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    journal.count_dropped(0, "were dropped")
    assert caplog.text == ""
    journal.count_dropped(1200, "were dropped")
    journal.count_dropped(1, "were dropped")  # a moment ago the same was told
    assert journal.dropped == 1201
    assert caplog.messages == ["messages for other servers were dropped: 1,200"]


async def test_a_gap_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    journal.count_gap(1.25, "it hung")
    assert journal.gaps == 1
    assert caplog.messages == [
        "events of other servers may be missing: Redis was not heard for 1.2 s (it hung)",
    ]


async def test_a_message_that_cannot_be_handled_is_told_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = Journal()
    journal.count_invalid(ValueError("bad"))
    assert journal.invalid == 1
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None


async def test_lines_go_to_the_servers_log(caplog: pytest.LogCaptureFixture) -> None:
    journal, log = Journal(), LogThrottle(interval=0)
    journal.begin(log)
    caplog.set_level(logging.INFO)
    journal.info("well", "all is %s", "well")
    journal.warn("ill", "something is %s", "wrong")
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", "all is well"),
        ("WARNING", "something is wrong"),
    ]
    assert len(log) == 2
    await trio.lowlevel.checkpoint()
