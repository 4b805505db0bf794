"""Mutation leads to faults that noise would not find, and by the same seed to the same inputs."""

import itertools
from collections.abc import Callable, Hashable
from random import Random

import pytest

from fuzz.harness.mutation import InputFailed, run


def limit(count: int) -> Callable[[], bool]:
    steps = itertools.count()
    return lambda: next(steps) < count


def steps(data: bytes) -> Hashable:
    """Far from the seed, but each step on the way has an outcome of its own."""
    depth = next((i for i, byte in enumerate(b"fuzz") if data[i : i + 1] != bytes((byte,))), 4)
    if depth == 4:
        raise ZeroDivisionError
    return depth


def test_it_finds_its_way_to_a_fault() -> None:
    with pytest.raises(InputFailed, match=r"^input \d+ fails: b'fuzz") as error:
        run(steps, [b"f???"], Random(1), limit(100_000))
    assert isinstance(error.value.__cause__, ZeroDivisionError)
    assert error.value.data.startswith(b"fuzz")


def test_the_same_seed_finds_the_same() -> None:
    seen: list[list[bytes]] = []
    for _ in range(2):
        tried: list[bytes] = []
        run(tried.append, [b"abc"], Random(5), limit(50))
        seen.append(tried)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) > 20


def test_a_fault_of_a_seed_is_found_at_once() -> None:
    with pytest.raises(InputFailed, match="input 1 fails: b'fuzz'"):
        run(steps, [b"fuzz"], Random(1), limit(0))
