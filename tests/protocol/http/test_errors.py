import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.http.errors import BodyError, BodyTooLarge, BodyTooSlow, InvalidBody


def test_too_large_says_how_large() -> None:
    error = BodyTooLarge(11, 10)
    assert (error.size, error.limit) == (11, 10)
    assert str(error) == "a body of 11 bytes; 10 are allowed"


def test_too_slow_names_the_option() -> None:
    error = BodyTooSlow(2.5)
    assert error.limit == 2.5
    assert str(error) == "a body may take 2.5 s (body_timeout)"


def test_invalid_is_a_bad_request_of_no_option() -> None:
    error = InvalidBody("the size of a chunk is 3x")
    assert (error.status, error.option, error.limit) == (400, "", None)
    assert str(error) == "the size of a chunk is 3x"


def test_invalid_by_an_option() -> None:
    error = InvalidBody("too many trailers", 431, "max_headers", 100)
    assert (error.status, error.option, error.limit) == (431, "max_headers", 100)


@pytest.mark.parametrize(
    ("error", "status"),
    [(BodyTooLarge(2, 1), 413), (BodyTooSlow(1.0), 408), (InvalidBody("no", 431), 431)],
)
def test_statuses(error: BodyError, status: int) -> None:
    assert error.status == status


LIMITS = st.integers(0, 2**40)


@given(
    st.one_of(
        st.builds(BodyTooLarge, LIMITS, LIMITS),
        st.builds(BodyTooSlow, st.floats(0.001, 1e6)),
        st.builds(InvalidBody, st.text(), st.integers(400, 499), st.text(), LIMITS),
    )
)
def test_each_has_a_status_and_the_limit_that_it_tells(
    error: BodyTooLarge | BodyTooSlow | InvalidBody,
) -> None:
    assert 400 <= error.status < 500
    assert error.limit is not None
    if not isinstance(error, InvalidBody):
        assert str(error.limit) in str(error)
