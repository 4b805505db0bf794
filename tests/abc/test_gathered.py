"""What several servers or sockets have answered."""

import pytest

from trio_sio.abc import AwaitedAnswer, Gathered, GatheredList


def test_what_a_cluster_gathered_is_a_set_that_says_what_is_missing() -> None:
    whole = Gathered({"a"})
    assert whole == {"a"}
    assert whole.complete
    part = Gathered({"a"}, ["web-2:17"])
    assert part == whole
    assert not part.complete
    assert part.missing == ("web-2:17",)


def test_a_list_says_it_as_well() -> None:
    whole = GatheredList(["b", "a"])
    assert whole == ["b", "a"]
    assert whole.complete
    part = GatheredList(["b", "a"], ["web-2:17"])
    assert part == whole
    assert not part.complete
    assert part.missing == ("web-2:17",)


def test_an_awaited_answer_is_for_those_who_await_it() -> None:
    with pytest.raises(NotImplementedError):
        AwaitedAnswer().fill([])
    with pytest.raises(NotImplementedError):
        AwaitedAnswer().close(None)
