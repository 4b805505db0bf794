"""Which logs a session has, and what is known of its end."""

import logging

import pytest

from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation
from trio_sio.engine.session.log import CloseRecord, SessionLog
from trio_sio.logs.throttle import LogThrottle

LOST = DisconnectReason.TRANSPORT_CLOSE
SLOW = DisconnectReason.SLOW_CONSUMER
FULL = Explanation("12 packets wait", "max_outbox", 11, 12)


def test_usually_all_sessions_share_one() -> None:
    log = SessionLog(LogThrottle())
    assert log.of("a") is log.of("b") is log


@pytest.mark.parametrize(("name", "field"), [("wire", 1), ("events", 2)])
def test_each_logger_alone(name: str, field: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, f"trio_sio.{name}")
    log = SessionLog(LogThrottle())
    own = log.of("a")
    assert own.throttle is log.throttle
    assert [index for index in (1, 2) if own[index] is not None] == [field]


# -- the end ---------------------------------------------------------------------------------------


@pytest.fixture
def record(caplog: pytest.LogCaptureFixture) -> CloseRecord:
    """That of a session of which nothing but its end is logged."""
    caplog.set_level(logging.INFO, "trio_sio.engine")
    return CloseRecord("abcdefgh", SessionLog(LogThrottle()))


async def test_nothing_is_known_before(record: CloseRecord) -> None:
    record.explain(FULL)
    assert record.detail is None


async def test_the_first_word_counts(record: CloseRecord, caplog: pytest.LogCaptureFixture) -> None:
    record.explain(FULL)
    record.explain(Explanation("something else"))
    record.end(SLOW, 3.5, 0)
    assert record.detail == DisconnectDetail(SLOW, "12 packets wait", "max_outbox", 11, 12, 3.5)
    assert caplog.messages == ["session abcdef…: slow consumer: 12 packets wait (max_outbox)"]


async def test_it_comes_once(record: CloseRecord, caplog: pytest.LogCaptureFixture) -> None:
    record.explain(FULL)
    record.end(SLOW, 3.5, 0)
    first = record.detail
    record.explain(Explanation("something else"))
    record.end(LOST, 7.5, 2)
    assert record.detail is first
    assert len(caplog.messages) == 1


async def test_an_end_that_needs_no_words_is_not_logged(
    record: CloseRecord, caplog: pytest.LogCaptureFixture
) -> None:
    record.end(LOST, 3.5, 0)
    assert record.detail == DisconnectDetail(LOST, "", "", None, None, 3.5)
    assert caplog.messages == []


async def test_that_we_were_held_is_worth_a_line(
    record: CloseRecord, caplog: pytest.LogCaptureFixture
) -> None:
    record.end(LOST, 3.5, 6.25)
    assert record.detail is not None
    assert record.detail.stalled == 6.25
    assert caplog.messages == [
        "session abcdef…: transport close: our own event loop was held for 6.25 s meanwhile"
    ]
