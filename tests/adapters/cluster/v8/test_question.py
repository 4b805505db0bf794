"""What is waited for when clients of other servers are to answer an event."""

import pytest
from hypothesis import given, strategies as st

from tests.support.recipient import Ledger
from trio_sio.adapters.cluster.pending import UNREACHABLE
from trio_sio.adapters.cluster.v8.question import ANONYMOUS, Question
from trio_sio.protocol.cluster.v8.response import Response, ResponseKind

PEERS = {"a": "web-1", "b": "web-2"}


def count(number: int, node: str | None = None) -> Response:
    return Response("x", ResponseKind.CLIENT_COUNT, count=number, node=node)


def departed(number: int, node: str | None = None) -> Response:
    return Response("x", ResponseKind.CLIENT_COUNT, departed=number, node=node)


def answer(*args: object, node: str | None = None) -> Response:
    return Response("x", ResponseKind.ANSWER, args=args, node=node)  # type: ignore[arg-type]


def asked(others: int | None, peers: dict[str, str] = PEERS) -> tuple[Question, Ledger]:
    ledger = Ledger()
    question = Question(ledger, peers)
    question.expect(others)
    return question, ledger


def test_servers_speak_then_their_clients_answer() -> None:
    question, ledger = asked(3)
    assert sorted(ledger.expected) == [ANONYMOUS, "web-1", "web-2"]
    question.take(count(0, "a"))
    assert sorted(ledger.expected) == [ANONYMOUS, "web-2"]
    question.take(count(2, "b"))
    question.take(count(5, "b"))  # it has said so already
    assert sorted(ledger.expected) == ["a client of web-2"] * 2 + [ANONYMOUS]
    question.take(answer("one", node="b"))
    question.take(count(1))
    question.take(answer("two", 2, node="b"))
    question.take(answer("more than there are", node="b"))
    question.take(answer())
    assert ledger.expected == []
    name = f"a client of {ANONYMOUS}"
    assert ledger.taken == [
        ("a client of web-2", ["one"]),
        ("a client of web-2", ["two", 2]),
        (name, []),
    ]


def test_clients_that_leave_are_not_waited_for() -> None:
    question, ledger = asked(2)
    question.take(count(3, "a"))
    question.take(departed(2, "a"))
    question.take(departed(5, "b"))  # it has not said that there are any
    assert sorted(ledger.expected) == ["a client of web-1", "web-2"]
    question.take(departed(9, "a"))
    assert ledger.expected == ["web-2"]


@pytest.mark.parametrize(
    ("others", "peers", "lost"),
    [(None, PEERS, ["web-1", "web-2"]), (None, {}, [UNREACHABLE]), (0, PEERS, []), (0, {}, [])],
)
def test_servers_that_cannot_be_reached_are_missing(
    others: int | None, peers: dict[str, str], lost: list[str]
) -> None:
    _, ledger = asked(others, peers)
    assert (ledger.expected, ledger.lost) == ([], lost)


def test_some_servers_do_not_have_the_namespace() -> None:
    question, ledger = asked(1)
    assert ledger.expected == ["another server"]
    question.take(count(0, "b"))
    assert ledger.expected == []
    question.take(count(0, "a"))
    question.take(count(0))
    assert ledger.expected == []


def test_a_namespace_that_is_dropped() -> None:
    question, ledger = asked(2)
    question.take(count(2, "a"))
    question.cut()
    assert ledger.expected == []
    assert sorted(ledger.lost) == ["a client of web-1", "a client of web-1", "web-2"]
    question.take(answer(node="a"))
    question.take(count(1, "b"))
    assert (ledger.expected, ledger.taken) == ([], [])


NODES = st.sampled_from([None, "a", "b", "c"])
RESPONSES = st.one_of(
    st.builds(count, st.integers(0, 3), NODES),
    st.builds(departed, st.integers(1, 3), NODES),
    st.builds(answer, st.integers(), node=NODES),
    st.builds(Response, st.just("x")),
)


@given(st.none() | st.integers(0, 4), st.lists(RESPONSES, max_size=20))
def test_whatever_comes_no_more_is_taken_than_was_expected(
    others: int | None, responses: list[Response]
) -> None:
    """A `Ledger` raises at what it does not expect."""
    question, ledger = asked(others)
    for response in responses:
        question.take(response)
    question.cut()
    assert ledger.expected == []
