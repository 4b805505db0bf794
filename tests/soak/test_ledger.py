"""The ledger finds what is lost, duplicated, reordered or altered; it excuses what a cut took."""

import pytest

from tests.soak.ledger import Ledger, Stream


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


def sent(ledger: Ledger, count: int, *, lossy: bool = False) -> Stream:
    stream = ledger.stream("news", lossy=lossy)
    for number in range(count):
        stream.send([number, b"body"])
    return stream


def receive(stream: Stream, *numbers: int, run: str = "") -> None:
    for number in numbers:
        stream.receive(number, [number, b"body"], run)


def test_all_is_well(ledger: Ledger) -> None:
    stream = sent(ledger, 4)
    receive(stream, 0, 1, 2, 3)
    stream.judge(cut=False)
    assert not ledger.faults
    assert stream.received == 4


@pytest.mark.parametrize("arrived", [(0, 1, 2), (1, 2, 3), (0, 1, 3), ()], ids=str)
def test_a_lost_message_is_found(ledger: Ledger, arrived: tuple[int, ...]) -> None:
    stream = sent(ledger, 4)
    receive(stream, *arrived)
    stream.judge(cut=False)
    assert ledger.faults == {"lost": 4 - len(arrived)}


@pytest.mark.parametrize("twice", [0, 1, 3])
def test_a_duplicated_message_is_found(ledger: Ledger, twice: int) -> None:
    stream = sent(ledger, 4)
    receive(stream, 0, 1, 2, 3, twice)
    stream.judge(cut=False)
    assert ledger.faults == {"duplicated": 1}
    assert ledger.examples == [f"duplicated: news: {twice} is duplicated, in run ''"]


@pytest.mark.parametrize("arrived", [(0, 2, 1, 3), (0, 1, 3, 2)], ids=str)
def test_a_reordered_message_is_found_and_is_not_lost(
    ledger: Ledger, arrived: tuple[int, ...]
) -> None:
    stream = sent(ledger, 4)
    receive(stream, *arrived)
    stream.judge(cut=False)
    assert ledger.faults == {"reordered": 1}


def test_an_altered_message_is_found(ledger: Ledger) -> None:
    stream = sent(ledger, 2)
    stream.receive(0, [0, b"Body"])
    assert ledger.faults == {"altered": 1}


def test_a_message_that_nobody_sent_is_found(ledger: Ledger) -> None:
    receive(sent(ledger, 1), 0, 1)
    ledger.receive("gossip", 0, None)
    assert ledger.faults == {"never sent": 2}


def test_what_came_before_a_cut_is_a_prefix(ledger: Ledger) -> None:
    stream = sent(ledger, 5)
    receive(stream, 0, 1, 2)
    stream.judge(cut=True)
    assert not ledger.faults


@pytest.mark.parametrize("arrived", [(0, 2), (1, 2)], ids=str)
def test_a_hole_before_a_cut_is_a_loss(ledger: Ledger, arrived: tuple[int, ...]) -> None:
    stream = sent(ledger, 5)
    receive(stream, *arrived)
    stream.judge(cut=True)
    assert ledger.faults == {"lost": 1}


def test_a_cut_excuses_what_is_between_two_runs(ledger: Ledger) -> None:
    stream = sent(ledger, 8)
    receive(stream, 0, 1, run="first")
    receive(stream, 5, 6, run="second")
    receive(stream, 2, run="first")  # it was being handled when the second one came
    receive(stream, 7, run="second")
    stream.judge(cut=True, living="second")
    assert not ledger.faults


def test_a_hole_in_a_second_run_is_a_loss(ledger: Ledger) -> None:
    stream = sent(ledger, 8)
    receive(stream, 0, 1, run="first")
    receive(stream, 5, 7, run="second")
    stream.judge(cut=True, living="second")
    assert ledger.faults == {"lost": 1}


def test_the_end_of_a_living_run_is_not_excused(ledger: Ledger) -> None:
    stream = sent(ledger, 8)
    receive(stream, 0, 1, run="first")
    receive(stream, 5, 6, run="second")
    stream.judge(cut=True, living="second")
    assert ledger.examples == ["lost: news: 7 has not arrived"]


def test_a_message_of_one_run_again_in_the_next_is_a_duplicate(ledger: Ledger) -> None:
    stream = sent(ledger, 3)
    receive(stream, 0, 1, run="first")
    receive(stream, 1, 2, run="second")
    assert ledger.faults == {"duplicated": 1}


def test_volatile_messages_may_be_lost_but_nothing_else(ledger: Ledger) -> None:
    stream = sent(ledger, 6, lossy=True)
    receive(stream, 1, 4)
    stream.judge(cut=False)
    assert not ledger.faults
    receive(stream, 2, 4)
    assert ledger.faults == {"reordered": 1, "duplicated": 1}


def test_a_sender_may_count_for_himself(ledger: Ledger) -> None:
    stream = ledger.stream("room")
    for number in (3, 4, 9):
        stream.send([number, b"body"], number)
    receive(stream, 3, 9)
    stream.judge(cut=True)
    assert ledger.examples == ["lost: room: 4 has not arrived"]
