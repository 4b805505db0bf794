"""What is known of a session's end."""

import logging

import pytest

from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation
from trio_sio.engine.session.lifecycle import CloseRecord
from trio_sio.engine.session.log import SessionLog
from trio_sio.logs.throttle import LogThrottle

LOST = DisconnectReason.TRANSPORT_CLOSE
SLOW = DisconnectReason.SLOW_CONSUMER
FULL = Explanation("12 packets wait", "max_outbox", 11, 12)


@pytest.fixture(autouse=True)
def talkative(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "trio_sio")


async def test_nothing_is_known_before() -> None:
    record = CloseRecord("abcdefgh", SessionLog(LogThrottle()))
    record.explain(FULL)
    assert record.detail is None


async def test_the_first_word_counts(caplog: pytest.LogCaptureFixture) -> None:
    record = CloseRecord("abcdefgh", SessionLog(LogThrottle()))
    record.explain(FULL)
    record.explain(Explanation("something else"))
    record.end(SLOW, 3.5, 0)
    assert record.detail == DisconnectDetail(SLOW, "12 packets wait", "max_outbox", 11, 12, 3.5)
    assert caplog.messages == ["session abcdef…: slow consumer: 12 packets wait (max_outbox)"]


async def test_it_comes_once(caplog: pytest.LogCaptureFixture) -> None:
    record = CloseRecord("abcdefgh", SessionLog(LogThrottle()))
    record.explain(FULL)
    record.end(SLOW, 3.5, 0)
    first = record.detail
    record.explain(Explanation("something else"))
    record.end(LOST, 7.5, 2)
    assert record.detail is first
    assert len(caplog.messages) == 1


async def test_an_end_that_needs_no_words_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    record = CloseRecord("abcdefgh", SessionLog(LogThrottle()))
    record.end(LOST, 3.5, 0)
    assert record.detail == DisconnectDetail(LOST, "", "", None, None, 3.5)
    assert caplog.messages == []


async def test_that_we_were_held_is_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    record = CloseRecord("abcdefgh", SessionLog(LogThrottle()))
    record.end(LOST, 3.5, 6.25)
    assert record.detail is not None
    assert record.detail.stalled == 6.25
    assert caplog.messages == [
        "session abcdef…: transport close: our own event loop was held for 6.25 s meanwhile"
    ]
