"""What one client has had, and up to where it has missed nothing."""

from trio_sio.recovery.log import Audience
from trio_sio.recovery.session import RecoverySession


def session(began: int = 5) -> RecoverySession:
    one = RecoverySession("secret", "id", "/")
    one.begin(frozenset(["id", "a"]), began)
    return one


def test_its_secret_is_not_shown() -> None:
    assert "secret" not in repr(session())


def test_a_client_that_has_had_everything_has_missed_nothing_before_it_left() -> None:
    one = session()
    one.was_sent(7)
    one.leave({}, 20, 100.0)
    assert one.return_with(7) == 20


def test_a_client_that_has_not_had_everything_has_what_it_names() -> None:
    one = session()
    one.was_sent(7)
    one.was_sent(9)
    one.leave({}, 20, 100.0)
    assert one.return_with(7) == 7
    assert one.return_with(8) == 8  # that of a volatile event
    assert one.return_with(9) == 20


def test_without_an_offset_or_with_an_older_one_it_has_had_nothing_since_it_joined() -> None:
    one = session(began=5)
    one.leave({}, 20, 100.0)
    assert one.return_with(None) == one.return_with(3) == 20
    one.was_sent(21)
    assert one.return_with(None) == one.return_with(3) == 5


def test_what_comes_behind_the_loss_was_missed() -> None:
    one = session()
    one.was_lost(8)
    one.was_lost(9)
    one.leave({}, 20, 100.0)
    assert one.return_with(None) == 7


def test_an_event_that_was_not_sent_after_all() -> None:
    one = session()
    before = one.was_sent(7)
    one.was_not_sent(7, before)
    one.leave({}, 20, 100.0)
    assert one.return_with(None) == 20


def test_its_time_runs_from_its_first_loss_until_it_is_connected() -> None:
    one = session()
    assert not one.is_over(1000.0)
    one.leave({"a": 1}, 6, 100.0)
    one.leave({"a": 2}, 9, 200.0)  # it did not get as far as its CONNECT
    assert (one.deadline, one.data, one.is_over(100.0)) == (100.0, {"a": 2}, True)
    assert one.return_with(None) == 6
    one.come_back()
    assert (one.deadline, one.data, one.is_over(1000.0)) == (None, {}, False)
    assert one.began == 5


def test_for_whom_an_event_is() -> None:
    one = session()
    for audience, is_meant in (
        (Audience("/"), True),
        (Audience("/chat"), False),
        (Audience("/", frozenset("ab")), True),
        (Audience("/", frozenset("b")), False),
        (Audience("/", excepted=frozenset("a")), False),
        (Audience("/", frozenset("a"), frozenset("b")), True),
        (Audience("/", sender="id"), False),
        (Audience("/", sender="another"), True),
    ):
        assert one.was_meant(audience, 6) == is_meant, audience


def test_what_is_for_one_alone_is_for_nobody_else_wherever_they_are() -> None:
    one = session(began=5)
    one.rooms.enter("other", 5)
    one.rooms.leave("id", 5)
    assert one.was_meant(Audience("/", frozenset(["id"]), receiver="id"), 7)
    assert not one.was_meant(Audience("/", frozenset(["other"]), receiver="other"), 7)
    assert not one.was_meant(Audience("/chat", frozenset(["id"]), receiver="id"), 7)
    assert one.was_meant(Audience("/", frozenset(["other"])), 7)
    assert not one.was_meant(Audience("/", frozenset(["id"])), 7)
