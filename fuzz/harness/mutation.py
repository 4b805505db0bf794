"""Fuzzing without instrumentation: inputs with a new outcome are kept and mutated further.

That leads deeper than noise does, since a target tells in its outcome how far an input got.
"""

from collections.abc import Callable, Hashable, Iterator
from random import Random

from fuzz.harness.inputs import Target

_MAX_LENGTH = 4096
_INTERESTING = (0, 1, 4, 9, 10, 0x2C, 0x2D, 0x2F, 0x30, 0x39, 0x3A, 0x5B, 0x7B, 0x7F, 0x80, 0xFF)


class InputFailed(AssertionError):
    """The target failed; the cause is its error.

    Attributes:
        data: the input.
    """

    def __init__(self, count: int, data: bytes) -> None:
        super().__init__(f"input {count} fails: {data!r}")
        self.data = data


def run(target: Target, corpus: list[bytes], random: Random, goes_on: Callable[[], bool]) -> int:
    """Try the corpus, then mutations of it, and return how many inputs were tried.

    Raises:
        InputFailed: the target failed.
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
            raise InputFailed(count, data) from error
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
