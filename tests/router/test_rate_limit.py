"""A token bucket, and the verdicts of a limit by one; the time is a number."""

import ast
import inspect

import pytest
from hypothesis import given, strategies as st

from trio_sio.router import rate_limit
from trio_sio.router.rate_limit import (
    ADMITTED,
    TELL_EVERY,
    EventRateLimit,
    Outcome,
    TokenBucket,
    Verdict,
)


def test_so_many_at_once_and_so_many_a_second() -> None:
    bucket = TokenBucket(2.0, 3, 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5) for _ in range(2)] == [True, False]
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]  # and not 200


def test_the_next_one_that_comes() -> None:
    bucket = TokenBucket(2.0, 1, 0.0)
    assert bucket.take_next(0.0) == 0.0
    assert bucket.take_next(0.0) == 0.5
    assert bucket.take_next(0.5) == 1.0
    assert not bucket.take(1.0)  # it was taken before it came
    assert bucket.take(1.5)


@given(
    st.lists(st.floats(0, 10), max_size=50), st.floats(0.1, 20), st.integers(1, 10), st.booleans()
)
def test_never_more_than_its_size_and_what_has_come(
    pauses: list[float], rate: float, size: int, waits: bool
) -> None:
    now, taken = 0.0, 0
    bucket = TokenBucket(rate, size, now)
    for pause in pauses:
        now += pause
        if waits:
            now = bucket.take_next(now)
            taken += 1
        else:
            taken += bucket.take(now)
        assert taken <= size + rate * now + 1e-6


@pytest.mark.parametrize(
    ("policy", "later"), [("drop", Outcome.DROP), ("disconnect", Outcome.DISCONNECT)]
)
def test_what_is_too_much_gets_what_the_policy_says(policy: str, later: Outcome) -> None:
    limit = EventRateLimit(2, 3, policy, now=10.0)
    assert [limit.admit(10.0).outcome for _ in range(4)] == [*[Outcome.ADMIT] * 3, later]
    assert limit.admit(10.5) == ADMITTED


def test_what_is_too_much_may_wait_for_its_time() -> None:
    limit = EventRateLimit(2, 1, "wait", now=10.0)
    assert limit.admit(10.0) == ADMITTED
    assert limit.admit(10.0) == Verdict(Outcome.WAIT, 10.5)
    assert limit.admit(10.0) == Verdict(Outcome.WAIT, 11.0)
    assert limit.admit(12.0) == ADMITTED


def test_without_a_burst_it_is_what_comes_in_a_second() -> None:
    limit = EventRateLimit(1.5, None, "drop", now=0.0)
    outcomes = [limit.admit(0.0).outcome for _ in range(3)]
    assert outcomes == [Outcome.ADMIT, Outcome.ADMIT, Outcome.DROP]


def test_the_client_is_told_now_and_then() -> None:
    limit = EventRateLimit(1, 1, "drop", now=0.0)
    times = [0.0, 1.0, TELL_EVERY - 0.1, TELL_EVERY, TELL_EVERY + 1]
    assert [now for now in times if limit.is_telling_due(now)] == [0.0, TELL_EVERY]
    assert str(limit) == "more than 1 events a second"


def test_it_knows_no_clock_and_no_task() -> None:
    tree = ast.parse(inspect.getsource(rate_limit))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names == {"enum", "typing"}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    assert [alias.name for node in found for alias in node.names] == ["math"]
