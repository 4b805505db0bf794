"""Which sockets, and how: `opts` of messages."""

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from tests.support.spoiled import JUNK
from trio_sio.protocol.cluster.v8.selection import (
    ALL,
    MAX_TIMEOUT,
    USUAL,
    Manner,
    Selection,
    read_manner,
    read_options,
    read_selection,
)
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON

ROOMS = st.lists(st.text(max_size=3), max_size=3).map(tuple)


@given(ROOMS, ROOMS)
def test_a_selection_comes_back(rooms: tuple[str, ...], excepted: tuple[str, ...]) -> None:
    selection = Selection(rooms, excepted)
    assert read_selection(read_options(selection.members(), "x"), "x") == selection  # type: ignore[arg-type]  # JSON


@given(st.builds(Manner, st.booleans(), st.booleans(), st.booleans()))
def test_a_manner_comes_back(manner: Manner) -> None:
    assert read_manner({"flags": manner.members()}, "x") == manner  # type: ignore[dict-item]  # JSON


def test_only_what_is_unusual_is_said() -> None:
    assert USUAL.members() == {}
    assert Manner(True, False, False).members() == {
        "volatile": True,
        "compress": False,
        "binary": False,
    }


def test_nothing_means_all_sockets_as_usual() -> None:
    assert read_options(None, "x") == {}
    assert read_selection({}, "x") is ALL
    assert read_manner({}, "x") is USUAL
    assert read_manner({"flags": {"broadcast": True}}, "x") == USUAL


def test_numbers_are_names_of_rooms_too() -> None:
    assert read_selection({"rooms": [5, 5.0, 0.5]}, "x") == Selection(("5", "5", "0.5"))


def test_what_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match=r"^invalid request: the options are a list"):
        read_options([1], "request")
    with pytest.raises(RemoteProtocolError, match=r'^invalid request: "rooms" is 5'):
        read_selection({"rooms": 5}, "request")
    with pytest.raises(RemoteProtocolError, match=r'^invalid request: "except" is 5'):
        read_selection({"except": 5}, "request")
    with pytest.raises(RemoteProtocolError, match=r"^invalid request: the flags are True"):
        read_manner({"flags": True}, "request")


@pytest.mark.parametrize(
    ("milliseconds", "seconds"),
    [(5000, 5.0), (0.5, 0.0005), (1e300, 86400.0), (float("inf"), 86400.0), (10**400, 86400.0)],
)
def test_timeouts(milliseconds: float, seconds: float) -> None:
    assert read_manner({"flags": {"timeout": milliseconds}}, "x").timeout == seconds


@pytest.mark.parametrize("value", [0, -1, float("nan"), True, "5", None])
def test_what_is_no_timeout(value: float) -> None:
    assert read_manner({"flags": {"timeout": value}}, "x").timeout is None


def test_an_endless_timeout_is_said_as_a_day() -> None:
    assert Manner(timeout=float("inf")).members() == {"timeout": 86_400_000}


@given(st.floats(0, 2 * MAX_TIMEOUT) | st.floats(0, 0.01) | st.just(float("inf")))
@example(0.0)
@example(0.0004)
@example(0.0016)
@example(MAX_TIMEOUT)
def test_a_timeout_comes_back_to_the_millisecond(seconds: float) -> None:
    """Even the shortest one is said: 0 would mean that others wait as long as they do usually."""
    said = read_manner({"flags": Manner(timeout=seconds).members()}, "x").timeout  # type: ignore[dict-item]  # JSON
    assert said is not None
    assert 0.001 <= said <= MAX_TIMEOUT
    assert abs(said - min(max(seconds, 0.001), MAX_TIMEOUT)) < 0.000_51


@given(JUNK | st.floats())
@example(0)
@example(True)
@example(float("nan"))
@example(10**400)
def test_a_timeout_is_a_number_above_0(said: JSON) -> None:
    manner = read_manner({"flags": {"timeout": said}}, "x")
    if isinstance(said, bool) or not isinstance(said, int | float) or not said > 0:
        assert manner == USUAL
    else:
        assert manner == Manner(timeout=min(said, 86_400_000) / 1000)


@given(JUNK, JUNK, JUNK)
def test_flags_are_as_usual_unless_they_say_otherwise(
    volatile: JSON, compress: JSON, binary: JSON
) -> None:
    flags = {"volatile": volatile, "compress": compress, "binary": binary}
    manner = read_manner({"flags": flags}, "x")
    expected = Manner(bool(volatile), compress is not False, binary is not False)
    assert manner == expected


@given(JUNK)
@example(None)
@example([])
@example(0)
def test_options_and_flags_are_objects(value: JSON) -> None:
    options = attempt(RemoteProtocolError, read_options, value, "request")
    manner = attempt(RemoteProtocolError, read_manner, {"flags": value}, "request")
    if isinstance(value, dict):
        assert options is value
        assert isinstance(manner, Manner)
        return
    if value is None:
        assert options == {}
    else:
        assert isinstance(options, RemoteProtocolError)
        assert str(options).startswith("invalid request: the options are ")
    if value:
        assert isinstance(manner, RemoteProtocolError)
        assert str(manner).startswith("invalid request: the flags are ")
    else:
        assert manner is USUAL  # as JavaScript, to which it is false


@given(JUNK, JUNK)
def test_rooms_are_lists_of_names_or_numbers(rooms: JSON, excepted: JSON) -> None:
    selection = attempt(
        RemoteProtocolError, read_selection, {"rooms": rooms, "except": excepted}, "request"
    )
    if isinstance(selection, RemoteProtocolError):
        assert str(selection).startswith("invalid request: ")
        assert not all(map(_are_names, (rooms, excepted)))
        return
    assert all(map(_are_names, (rooms, excepted)))
    assert (len(selection.rooms), len(selection.excepted)) == (_count(rooms), _count(excepted))
    assert (selection is ALL) is not bool(rooms or excepted)


def _are_names(value: JSON) -> bool:
    if isinstance(value, list):
        return all(
            isinstance(one, str | int | float) and not isinstance(one, bool) for one in value
        )
    return value is None


def _count(value: JSON) -> int:
    return len(value) if isinstance(value, list) else 0
