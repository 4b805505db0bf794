"""Delays double up to a limit, with a random part of half."""

from trio_sio.adapters.redis.link.backoff import FIRST_DELAY, MAX_DELAY, Backoff


def test_delays_double_up_to_a_limit() -> None:
    backoff = Backoff(lambda: 1.0)
    delays = [backoff.next() for _ in range(12)]
    assert delays[:3] == [FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]
    assert delays[-2:] == [MAX_DELAY, MAX_DELAY]


def test_half_of_a_delay_is_random() -> None:
    assert Backoff(lambda: 0.0).next() == FIRST_DELAY / 2
    assert Backoff(lambda: 0.5).next() == FIRST_DELAY * 0.75


def test_after_a_refusal_there_is_no_hurry() -> None:
    assert Backoff(lambda: 1.0).next(is_refusal=True) == MAX_DELAY


def test_only_a_connection_that_lasts_is_a_success() -> None:
    backoff = Backoff(lambda: 1.0)
    for _ in range(12):
        backoff.next()
        backoff.lasted(MAX_DELAY / 2)
    assert backoff.next() == MAX_DELAY
    backoff.lasted(MAX_DELAY + 1)
    assert backoff.next() == FIRST_DELAY
