"""When a worker that has died is started again."""

import pytest

from trio_sio.workers.restarts import ATTEMPTS, LONGEST_DELAY, STABLE, Restarts


def test_the_delay_doubles_and_the_last_attempt_has_none() -> None:
    restarts = Restarts()
    delays = [restarts.ended(0.1) for _ in range(ATTEMPTS)]
    assert delays == [0.25, 0.5, 1.0, 2.0, None]


def test_a_long_life_is_a_new_beginning() -> None:
    restarts = Restarts()
    for _ in range(ATTEMPTS - 1):
        restarts.ended(0.1)
    assert restarts.ended(STABLE) == 0.0
    assert restarts.ended(STABLE - 0.1) == 0.25


@pytest.mark.parametrize("count", range(1, ATTEMPTS))
def test_no_delay_is_longer_than_the_longest(count: int) -> None:
    restarts = Restarts()
    delays = [restarts.ended(0.0) for _ in range(count)]
    assert all(delay is not None and 0 < delay <= LONGEST_DELAY for delay in delays)
