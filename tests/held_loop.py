"""Holding the event loop while nobody waits: the watch reads a counter, which a test moves."""

import logging

import pytest


class Counter:
    """In place of the watch's clock.

    Attributes:
        now: what it shows.
    """

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def hold(self, seconds: float) -> None:
        """Have held the loop for so long."""
        self.now += seconds


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter = Counter()
    monkeypatch.setattr("trio_sio.engine.watch.perf_counter", counter)
    return counter


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log was warned of."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
