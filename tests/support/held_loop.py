"""Holding the event loop while nobody waits: the watch reads a counter, which a test moves."""

import gc
import logging

import pytest


class Counter:
    """In place of the clock by which stalls and handlers are measured.

    Attributes:
        now: what it shows.
    """

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def hold(self, seconds: float) -> None:
        """Pretend that the loop was held for this many seconds."""
        self.now += seconds


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    counter = Counter()
    for module in ("engine.runtime.gc_pauses", "engine.runtime.stalls", "router.dispatch"):
        monkeypatch.setattr(f"trio_sio.{module}.perf_counter", counter)
    monkeypatch.setattr(
        "trio_sio.engine.runtime.gc_pauses._told_until", 0.0
    )  # by the clock of another test
    return counter


def collection(counter: Counter, seconds: float, generation: int) -> None:
    """Collect garbage in this many seconds; must begin when notes are taken."""

    def work(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            counter.hold(seconds)

    gc.callbacks.append(work)
    try:
        gc.collect(generation)
    finally:
        gc.callbacks.remove(work)


def full_collection(counter: Counter, seconds: float) -> None:
    """Collect all garbage in this many seconds."""
    collection(counter, seconds, 2)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log was warned of."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
