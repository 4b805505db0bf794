"""A session of which nobody wants to know more keeps nothing of its own for the log."""

import logging

import pytest

from trio_sio.engine.session.log import SessionLog
from trio_sio.logs.throttle import LogThrottle


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
