"""Chooses which of the inputs that a run has found are worth to become seeds: few, and short.

An input is worth it if it goes from one line of `trio_sio` to another as no input before it does.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from fuzz.harness.inputs import Target, digest

_PACKAGE = str(Path(__file__).parents[2] / "trio_sio")

MAX_SEEDS = 30
"""Of one target; more of them would slow tests down, and a run finds what they lead to."""

Trace = Callable[[FrameType, str, object], Any]

Step = tuple[str, int, int]
"""A file, and two of its lines that were run one after the other."""


def file_name(data: bytes) -> str:
    """Return the name of a seed without a better one."""
    return f"found_{digest(data)[:10]}"


def choose(target: Target, seeds: list[bytes], found: list[bytes]) -> list[bytes]:
    """Return the inputs to add to the seeds; the shortest ones come first."""
    known: set[Step] = set()
    chosen = []
    for number, data in enumerate([*seeds, *sorted(found, key=lambda one: (len(one), one))]):
        with _steps() as steps:
            target(data)
        if number >= len(seeds) and not steps <= known:
            chosen.append(data)
        known |= steps
    return chosen[: max(0, MAX_SEEDS - len(seeds))]


@contextmanager
def _steps() -> Iterator[set[Step]]:
    """Collect the steps that are made."""
    steps: set[Step] = set()
    last: dict[FrameType, int] = {}

    def local(frame: FrameType, event: str, argument: object) -> Trace:
        if event == "line":
            steps.add((frame.f_code.co_filename, last.get(frame, 0), frame.f_lineno))
            last[frame] = frame.f_lineno
        elif event == "return":
            last.pop(frame, None)
        return local

    def trace(frame: FrameType, event: str, argument: object) -> Trace | None:
        return local if frame.f_code.co_filename.startswith(_PACKAGE) else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield steps
    finally:
        sys.settrace(before)
