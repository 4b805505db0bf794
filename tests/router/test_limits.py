"""How many rooms a socket may be in."""

import pytest

from trio_sio import LimitReached
from trio_sio.router.limits import check_rooms

PRESENT = frozenset({"own", "a", "b"})


@pytest.mark.parametrize(
    ("rooms", "limit", "count"),
    [(["c"], 3, 0), (["c", "d"], 3, 4), (["c"], 2, 3), (["a", "b"], 2, 0), (["a", "a", "c"], 3, 0)],
)
def test_rooms(rooms: list[str], limit: int, count: int) -> None:
    """Those where it is already do not count twice, nor does its own."""
    if not count:
        check_rooms(rooms, PRESENT, limit)
        return
    with pytest.raises(LimitReached) as raised:
        check_rooms(rooms, PRESENT, limit)
    assert str(raised.value) == f"a socket would be in {count} rooms (max_rooms is {limit})"
    assert (raised.value.option, raised.value.limit) == ("max_rooms", limit)


def test_names_are_texts() -> None:
    with pytest.raises(TypeError, match="not 5"):
        check_rooms([5], PRESENT, 10)  # type: ignore[list-item]
