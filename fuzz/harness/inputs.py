"""The inputs of a target: in the repository, and in a folder of the user's.

fuzz/corpus/query/          seeds, with which a run begins
fuzz/regressions/query/     what has broken the target or its decoder once; one file for each case
~/.cache/trio_sio_fuzz/query/corpus/     what a guided run has found to lead to new code
~/.cache/trio_sio_fuzz/query/failures/   inputs for which the invariant did not hold
"""

import hashlib
import os
from collections.abc import Callable, Hashable
from pathlib import Path

Target = Callable[[bytes], Hashable]
"""Does the work and tells the outcome apart from others; raises if the invariant does not hold."""

_ROOT = Path(__file__).parents[1]


class Found:
    """Where a run keeps what it finds.

    Attributes:
        corpus: the folder of inputs that led to new code.
        failures: the folder of inputs for which the invariant did not hold.
    """

    def __init__(self, folder: Path) -> None:
        self.corpus = folder / "corpus"
        self.failures = folder / "failures"
        for one in (self.corpus, self.failures):
            one.mkdir(parents=True, exist_ok=True)

    def save_failure(self, data: bytes) -> Path:
        """Write an input and return its file."""
        path = self.failures / f"crash-{digest(data)}"
        path.write_bytes(data)
        return path


def digest(data: bytes) -> str:
    """Return the name of an input: that which libFuzzer gives it."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def corpus_folder(name: str) -> Path:
    """Return the folder of a target's seeds."""
    return _ROOT / "corpus" / name


def regressions_folder(name: str) -> Path:
    """Return the folder of a target's regressions, which need not be there."""
    return _ROOT / "regressions" / name


def default_folder(name: str) -> Path:
    """Return where a run keeps what it finds, unless it is told otherwise."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "trio_sio_fuzz" / name


def read_all(folder: Path) -> list[bytes]:
    """Return the inputs in a folder, in an order that is the same everywhere."""
    return [path.read_bytes() for path in sorted(folder.glob("*"))]


def seeds(name: str) -> list[bytes]:
    """Return what a run begins with: seeds and regressions."""
    return read_all(corpus_folder(name)) + read_all(regressions_folder(name))
