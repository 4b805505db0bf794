"""Asking sockets of this server; `test_memory.py` has who is asked, and what comes of that."""

import pytest

from tests.support.recipient import Bystander, Ledger
from trio_sio.adapters.question import asked
from trio_sio.protocol.encoded import Encoded

ITEM = Encoded.of_messages(["x"])


class Failing(Bystander):
    """A recipient that cannot be sent anything."""

    def deliver(self, item: Encoded) -> None:
        raise ValueError("broken")


def test_whatever_fails_nothing_is_owed_afterwards() -> None:
    anna, bert, ledger = Bystander(), Failing(), Ledger()
    with (
        pytest.raises(ValueError, match="broken"),
        asked({"anna": anna, "bert": bert}, ITEM, 1, ledger, volatile=False),
    ):
        raise AssertionError("nobody can be asked")
    assert (anna.owed, bert.owed) == ({}, {})


def test_one_who_is_asked_twice_answers_twice() -> None:
    anna, ledger = Bystander(), Ledger()
    with (
        asked({"anna": anna}, ITEM, 1, ledger, volatile=False),
        asked({"anna": anna}, ITEM, 2, ledger, volatile=False) as count,
    ):
        assert (count, sorted(anna.owed), ledger.expected) == (1, [1, 2], ["anna", "anna"])
        anna.answer("yes")
        assert ledger.taken == [("anna", ["yes"])] * 2
        assert anna.owed == {}
