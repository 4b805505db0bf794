"""Runs a fuzz target: under atheris if that is installed, otherwise by plain mutation.

    python -m fuzz.fuzz_query --seconds 60

A target takes bytes and returns what came of them, in a few words; it raises if its invariant
does not hold. Inputs with a new outcome are kept and mutated further, which leads deeper than
noise does, and needs no instrumentation. The error has the input that failed, and the seed
printed at the start brings it back.
"""

import argparse
import importlib
import importlib.util
import sys
import time
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from random import Random

CORPUS = Path(__file__).parent / "corpus"

Target = Callable[[bytes], Hashable]
"""Does the work and tells the outcome apart from others."""

_MAX_LENGTH = 4096
_INTERESTING = (0, 1, 4, 9, 10, 0x2C, 0x2D, 0x2F, 0x30, 0x39, 0x3A, 0x5B, 0x7B, 0x7F, 0x80, 0xFF)


def main(target: Target, name: str) -> None:
    """Be the program of one target; `name` is the folder of its seeds."""
    options = _parse()
    if importlib.util.find_spec("atheris") is not None and not options.plain:
        _run_atheris(target, name)
        return
    print(f"{name}: seed {options.seed}")
    until = time.monotonic() + options.seconds
    count = run(target, seeds(name), Random(options.seed), lambda: time.monotonic() < until)
    print(f"{name}: {count} inputs, nothing found")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Look for an input that breaks the invariant.")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("--plain", action="store_true", help="do not use atheris")
    return parser.parse_args()


def _run_atheris(target: Target, name: str) -> None:
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    atheris.Setup([sys.argv[0], str(CORPUS / name)], target)
    atheris.Fuzz()


def seeds(name: str) -> list[bytes]:
    """The inputs to begin with, in an order that is the same everywhere."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def run(target: Target, corpus: list[bytes], random: Random, goes_on: Callable[[], bool]) -> int:
    """Try the corpus, then mutations of it, and return how many inputs were tried.

    Raises:
        AssertionError: the target failed; the message has the input, the cause is its error.
    """
    kept: list[bytes] = []
    outcomes: set[Hashable] = set()
    count = 0
    for data in _inputs(corpus, kept, random):
        if count >= len(corpus) and not goes_on():
            break
        count += 1
        try:
            outcome = target(data)
        except Exception as error:
            raise AssertionError(f"input {count} fails: {data!r}") from error
        if outcome not in outcomes:
            outcomes.add(outcome)
            kept.append(data)
    return count


def _inputs(corpus: list[bytes], kept: list[bytes], random: Random) -> Iterator[bytes]:
    yield from corpus
    while True:
        yield mutate(random.choice(kept or [b""]), kept, random)


def mutate(data: bytes, others: list[bytes], random: Random) -> bytes:
    """Change a few places of `data`, sometimes by a piece of another input."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 5))):
        start = random.randint(0, len(data))
        end = min(len(data), start + random.choice((0, 0, 1, 1, 2, 4, 16)))
        data = data[:start] + _instead(data[start:end], others, random) + data[end:]
    return data[:_MAX_LENGTH]


def _instead(old: bytes, others: list[bytes], random: Random) -> bytes:
    match random.randrange(6):
        case 0:
            return b""
        case 1:
            return bytes((random.choice(_INTERESTING),))
        case 2:
            return random.randbytes(random.randint(1, 4))
        case 3:
            return old * random.choice((2, 3, 30))
        case 4 if old:
            return bytes((old[0] ^ (1 << random.randrange(8)),)) + old[1:]
        case _:
            piece = random.choice(others or [b""])
            start = random.randint(0, len(piece))
            return piece[start : start + random.randint(1, 32)]
