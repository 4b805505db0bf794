"""What is told of a socket; `test_many_sockets.py` has what is done."""

from hypothesis import given, strategies as st

from trio_sio.abc import SocketDetails
from trio_sio.adapters.cluster.many.asked import _told, details_of
from trio_sio.adapters.cluster.told import MAX_STATEMENT
from trio_sio.protocol.cluster.question import size_of
from trio_sio.protocol.socketio.packet import JSON

values = st.none() | st.text() | st.integers() | st.binary() | st.builds(object)


@given(st.dictionaries(st.text(), values | st.lists(values) | st.dictionaries(st.text(), values)))
def test_what_can_be_sent_of_the_data_is_sent(data: dict[str, object]) -> None:
    details = SocketDetails("a", {"url": "/"}, frozenset({"a", "red"}), data)
    told = _told(details)
    assert size_of(told)
    kept = {key: value for key, value in data.items() if size_of({key: value}) is not None}
    again = details_of(told)
    assert again == SocketDetails("a", {"url": "/"}, frozenset({"a", "red"}), kept)


@given(
    st.dictionaries(
        st.sampled_from(["id", "handshake", "rooms", "data"]),
        st.none()
        | st.text()
        | st.lists(st.text() | st.none())
        | st.dictionaries(st.text(), st.none()),
    )
)
def test_whatever_is_told_has_an_id_or_is_nobody(members: dict[str, JSON]) -> None:
    details = details_of(members)
    assert (details is not None) == isinstance(members.get("id"), str)
    if details is not None:
        assert all(isinstance(room, str) for room in details.rooms)
        assert isinstance(details.data, dict)


def test_data_that_is_too_large_is_left_out() -> None:
    data = {"large": "x" * MAX_STATEMENT, "small": 1, "half": "x" * (MAX_STATEMENT // 2)}
    told = _told(SocketDetails("a", {}, frozenset(), {**data, "other": data["half"]}))
    assert told["data"] == {"small": 1, "half": data["half"]}
