"""The command that runs a target under Atheris, and ends with another status than 0 if it fails."""

import sys
from collections.abc import Sequence
from pathlib import Path

from fuzz.harness.inputs import Found

SECONDS_OF_ONE_INPUT = 20
"""An input that takes longer is a failure as well."""


def command(
    module: str, seeds: Sequence[Path], found: Found, *, seconds: float, seed: int
) -> list[str]:
    """Return the command that fuzzes a target.

    Args:
        module: the target's.
        seeds: folders of inputs to begin with; nothing is written there.
        found: where to write what is found.
        seconds: how long; a second at least.
        seed: for its random numbers.
    """
    return [
        *(sys.executable, "-m", __package__, module),
        f"-max_total_time={max(1, round(seconds))}",
        f"-seed={seed % 2**32 or 1}",  # 0 would mean any
        f"-timeout={SECONDS_OF_ONE_INPUT}",
        f"-report_slow_units={SECONDS_OF_ONE_INPUT}",  # by default, files of them come sooner
        f"-artifact_prefix={found.failures}/",
        str(found.corpus),
        *(str(folder) for folder in seeds if folder.is_dir()),
    ]
