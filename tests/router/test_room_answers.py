"""The answers of several sockets, against a model of who owes one."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
import trio
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from trio.testing import MockClock

from tests.support.examples import examples
from trio_sio import Answers, MissingAnswers

T = TypeVar("T")
NAMES = st.sampled_from(["a", "b", "c", "web-2"])


async def make() -> Answers:
    answers = Answers(1)
    answers.begin()
    return answers


def run(function: Callable[[], Awaitable[T]]) -> T:
    return trio.run(function, clock=MockClock(autojump_threshold=0))


class AnswersMachine(RuleBasedStateMachine):
    """An adapter tells who owes an answer, who answers, and who does not."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = run(make)
        self.owed: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.arrived: list[object] = []
        self.answered: list[str] = []
        self.is_over = False

    def owes(self, name: str) -> bool:
        if self.is_over or not self.owed[name]:
            return False
        self.owed[name] -= 1
        return True

    @rule(names=st.lists(NAMES, max_size=3))
    def expect(self, names: list[str]) -> None:
        self.answers.expect(*names)
        if not self.is_over:
            self.owed.update(names)

    @rule(name=NAMES, value=st.lists(st.integers(), max_size=2))
    def take(self, name: str, value: list[int]) -> None:
        self.answers.take(name, [*value])
        if self.owes(name):
            self.arrived.append([None, *value, tuple(value)][len(value) + (len(value) > 1)])
            self.answered.append(name)

    @rule(names=st.lists(NAMES, max_size=3))
    def drop(self, names: list[str]) -> None:
        self.answers.drop(*names)
        for name in names:
            self.owes(name)

    @rule(names=st.lists(NAMES, max_size=3))
    def give_up(self, names: list[str]) -> None:
        self.answers.give_up(*names)
        self.lost.update(name for name in names if self.owes(name))

    @precondition(lambda self: not self.is_over)
    @rule()
    def close(self) -> None:
        self.answers.close()
        self.is_over = True

    @invariant()
    def knows_who_is_missing(self) -> None:
        assert Counter(self.answers.missing) == self.owed + self.lost
        assert self.answers.arrived == self.arrived
        assert self.answers.answered == self.answered
        if self.owed + self.lost:
            with pytest.raises(MissingAnswers) as caught:
                self.answers.check()
            assert caught.value.answers == self.arrived
            assert caught.value.missing == self.answers.missing
        else:
            self.answers.check()

    def teardown(self) -> None:
        """What has been gone through is what has arrived, and ends as the answers do."""

        async def go_through() -> list[object]:
            with trio.fail_after(5):
                return [one async for one in self.answers]

        if self.owed + self.lost:
            with pytest.raises(MissingAnswers):
                run(go_through)
        else:
            assert run(go_through) == self.arrived


TestAnswers = AnswersMachine.TestCase
TestAnswers.settings = examples(100, stateful_step_count=20)


async def test_who_goes_through_them_gets_each_as_it_comes(autojump_clock: MockClock) -> None:
    answers = Answers(10)
    answers.begin()
    answers.expect("a", "b")

    async def come() -> None:
        for number, name in enumerate("ab"):
            await trio.sleep(1)
            answers.take(name, [number])

    async with trio.open_nursery() as nursery:
        nursery.start_soon(come)
        begun = trio.current_time()
        got = [(one, round(trio.current_time() - begun)) async for one in answers]
    assert got == [(0, 1), (1, 2)]
    with pytest.raises(StopAsyncIteration):
        await anext(answers)


async def test_each_answer_is_told_with_who_has_given_it(autojump_clock: MockClock) -> None:
    answers = Answers(10)
    answers.begin()
    answers.expect("a", "b", "c")
    for name in "ba":
        answers.take(name, [name.upper()])
    assert await anext(answers) == "B"  # both ways go through the same answers
    got = []
    with pytest.raises(MissingAnswers):
        async for name, answer in answers.named():
            got.append((name, answer))
    assert got == [("a", "A")]
    assert answers.answered == ["b", "a"]


async def test_the_time_ends_the_way_through_them(autojump_clock: MockClock) -> None:
    answers = Answers(10)
    answers.begin()
    answers.expect("a", "b")
    answers.take("b", [])
    assert await anext(answers) is None
    begun = trio.current_time()
    for _ in range(2):
        with pytest.raises(MissingAnswers, match="1 of 2 answers are missing: a"):
            await anext(answers)
    assert trio.current_time() - begun == pytest.approx(10)
    answers.take("a", ["late"])
    assert (answers.arrived, answers.missing) == ([None], ("a",))


async def test_nothing_that_was_asked_is_not_nothing_that_was_answered() -> None:
    answers = Answers(10)
    with pytest.raises(MissingAnswers, match="there was no time to ask") as caught:
        answers.check()
    assert (caught.value.answers, caught.value.missing) == ([], ())


def test_a_message_names_some_of_many() -> None:
    error = MissingAnswers([1], [f"socket {number}" for number in range(1000)])
    assert len(str(error)) < 200
    assert str(error).startswith("1000 of 1001 answers are missing: socket 0, socket 1")
    assert isinstance(error, trio.TooSlowError)
