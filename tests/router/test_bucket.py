"""A token bucket, by a clock of its own."""

from hypothesis import given, strategies as st

from trio_sio.router.bucket import Bucket


def test_so_many_at_once_and_so_many_a_second() -> None:
    bucket = Bucket(2.0, 3, 0.0)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5) for _ in range(2)] == [True, False]
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]  # and not 200


def test_the_next_one_that_comes() -> None:
    bucket = Bucket(2.0, 1, 0.0)
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
    bucket = Bucket(rate, size, now)
    for pause in pauses:
        now += pause
        if waits:
            now = bucket.take_next(now)
            taken += 1
        else:
            taken += bucket.take(now)
        assert taken <= size + rate * now + 1e-6
