"""Each fuzz target, over a fixed number of inputs that are always the same; and its harness."""

import importlib
import itertools
from collections.abc import Callable, Hashable
from pathlib import Path
from random import Random

import pytest

from fuzz import harness

INPUTS = 3000
TARGETS = sorted(path.stem for path in Path(harness.__file__).parent.glob("fuzz_*.py"))


def limit(count: int) -> Callable[[], bool]:
    steps = itertools.count()
    return lambda: next(steps) < count


def test_targets() -> None:
    assert TARGETS == [
        "fuzz_cluster_message",
        "fuzz_engineio_payload",
        "fuzz_http_head",
        "fuzz_msgpack_decoder",
        "fuzz_query",
        "fuzz_session",
        "fuzz_socketio_decoder",
        "fuzz_websocket_frames",
    ]


@pytest.mark.parametrize("name", TARGETS)
def test_invariant_holds(name: str) -> None:
    target = importlib.import_module(f"fuzz.{name}")
    corpus = harness.seeds(target.NAME)
    assert len(corpus) >= 5
    assert harness.run(target.fuzz, corpus, Random(20), limit(INPUTS)) == len(corpus) + INPUTS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds_have_outcomes_of_their_own(name: str) -> None:
    target = importlib.import_module(f"fuzz.{name}")
    outcomes = [target.fuzz(data) for data in harness.seeds(target.NAME)]
    assert len(set(outcomes)) == len(outcomes)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_begins_with_its_invariant(name: str) -> None:
    first_line, *_ = str(importlib.import_module(f"fuzz.{name}").__doc__).splitlines()
    assert first_line.startswith("Any ")
    assert first_line.endswith(".")


def steps(data: bytes) -> Hashable:
    """Far from the seed, but each step on the way has an outcome of its own."""
    depth = next((i for i, byte in enumerate(b"fuzz") if data[i : i + 1] != bytes((byte,))), 4)
    if depth == 4:
        raise ZeroDivisionError
    return depth


def test_the_harness_finds_its_way_to_a_fault() -> None:
    with pytest.raises(AssertionError, match=r"^input \d+ fails: b'fuzz") as error:
        harness.run(steps, [b"f???"], Random(1), limit(100_000))
    assert isinstance(error.value.__cause__, ZeroDivisionError)


def test_the_same_seed_finds_the_same() -> None:
    seen: list[list[bytes]] = []
    for _ in range(2):
        tried: list[bytes] = []
        harness.run(tried.append, [b"abc"], Random(5), limit(50))
        seen.append(tried)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) > 20


def test_a_fault_of_a_seed_is_found_at_once() -> None:
    with pytest.raises(AssertionError, match="input 1 fails: b'fuzz'"):
        harness.run(steps, [b"fuzz"], Random(1), limit(0))
