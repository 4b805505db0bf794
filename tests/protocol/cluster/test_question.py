"""What servers of this library ask each other, and what they state: written and read again."""

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from trio_sio import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.cluster.question import (
    MAX_TIMEOUT,
    Question,
    QuestionKind,
    Statement,
    StatementKind,
    decode_question,
    decode_statement,
    encode_question,
    encode_statement,
    size_of,
)
from trio_sio.protocol.cluster.text import MAX_NAME
from trio_sio.protocol.socketio.notepack import pack_data

names = st.text(min_size=1, max_size=5)
lists = st.lists(names, max_size=3).map(tuple)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)
targets = {"id": names, "rooms": lists, "excepted": lists}
calls = st.builds(
    Question,
    kind=st.just(QuestionKind.CALL),
    data=st.lists(json_values, max_size=2).map(lambda args: ["event", *args]),
    timeout=st.floats(0, MAX_TIMEOUT),
    volatile=st.booleans(),
    compress=st.booleans(),
    binary=st.booleans(),
    **targets,
)
others = st.one_of(
    st.builds(Question, kind=st.just(QuestionKind.FETCH), **targets),
    st.builds(
        Question,
        kind=st.sampled_from([QuestionKind.JOIN, QuestionKind.LEAVE]),
        names=lists,
        **targets,
    ),
    st.builds(Question, kind=st.just(QuestionKind.DISCONNECT), close=st.booleans(), **targets),
)
forgets = st.builds(Question, kind=st.just(QuestionKind.FORGET), call=names, **targets)
heads = {"id": names, "node": names}
statements = st.one_of(
    st.builds(Statement, kind=st.just(StatementKind.ASKED), names=lists, lost=lists, **heads),
    st.builds(
        Statement,
        kind=st.just(StatementKind.ANSWERED),
        names=names.map(lambda name: (name,)),
        args=st.lists(json_values, max_size=2).map(tuple),
        **heads,
    ),
    st.builds(
        Statement,
        kind=st.sampled_from([StatementKind.LEFT, StatementKind.LOST]),
        names=lists,
        **heads,
    ),
    st.builds(
        Statement,
        kind=st.just(StatementKind.SOCKETS),
        sockets=st.lists(st.dictionaries(st.text(), json_values, max_size=2), max_size=2).map(
            tuple
        ),
        is_last=st.booleans(),
        **heads,
    ),
    st.builds(Statement, kind=st.just(StatementKind.DONE), **heads),
)


@given(calls | others | forgets)
def test_a_question_is_read_as_it_was_written(question: Question) -> None:
    assert decode_question(encode_question(question)) == question


@given(statements)
def test_a_statement_is_read_as_it_was_written(statement: Statement) -> None:
    assert decode_statement(encode_statement(statement)) == statement


@given(st.binary(max_size=40) | json_values.map(pack_data))
def test_whatever_else_comes_is_refused(payload: bytes) -> None:
    for decode in (decode_question, decode_statement):
        with pytest.raises(RemoteProtocolError):
            decode(payload)


@pytest.mark.parametrize(
    "message",
    [
        ["id", 9, [], [], {}],
        ["id", True, [], [], {}],
        ["", 1, [], [], {}],
        ["x" * 300, 1, [], [], {}],
        ["id", 1, "red", [], {}],
        ["id", 1, [], [None], {}],
        ["id", 1, [], [], []],
        ["id", 1, [], []],
        ["id", 0, [], [], {"data": [], "timeout": 1}],
        ["id", 0, [], [], {"data": ["x"]}],
        ["id", 0, [], [], {"data": ["x"], "timeout": True}],
        ["id", 2, [], [], {"rooms": "red"}],
        ["id", 5, [], [], {}],
    ],
)
def test_what_is_no_question(message: list[object]) -> None:
    with pytest.raises(RemoteProtocolError, match="invalid question"):
        decode_question(pack_data(message))


@pytest.mark.parametrize(
    "message",
    [
        ["id", "node"],
        ["id", "", 4],
        ["id", None, 4],
        ["id", "node", 7],
        ["id", "node", 1, "a"],
        ["id", "node", 1, None, []],
        ["id", "node", 2, "a"],
        ["id", "node", 3, {}],
    ],
)
def test_what_is_no_statement(message: list[object]) -> None:
    with pytest.raises(RemoteProtocolError, match="invalid statement"):
        decode_statement(pack_data(message))


@pytest.mark.parametrize(
    ("said", "meant"), [(-1, 0), (math.nan, 0), (math.inf, MAX_TIMEOUT), (10**30, MAX_TIMEOUT)]
)
def test_nobody_is_made_to_wait_for_ever(said: float, meant: float) -> None:
    message = ["id", 0, [], [], {"data": ["x"], "timeout": said}]
    assert decode_question(pack_data(message)).timeout == meant


def test_what_cannot_be_sent() -> None:
    with pytest.raises(LocalProtocolError, match="cannot be sent to other servers"):
        encode_question(Question("id", QuestionKind.CALL, data=["x", object()]))  # type: ignore[list-item]
    assert size_of({"a": object()}) is None
    assert size_of({"a": b"\x01"}) == 6


def test_the_numbers_on_the_wire() -> None:
    """Servers of several releases may be in one cluster."""
    kinds = ["CALL", "FETCH", "JOIN", "LEAVE", "DISCONNECT", "FORGET"]
    assert [(kind.name, int(kind)) for kind in QuestionKind] == [
        (name, number) for number, name in enumerate(kinds)
    ]
    kinds = ["ASKED", "ANSWERED", "LEFT", "SOCKETS", "DONE", "LOST"]
    assert [(kind.name, int(kind)) for kind in StatementKind] == [
        (name, number) for number, name in enumerate(kinds)
    ]


def test_how_long_a_name_may_be() -> None:
    statement = Statement("i" * MAX_NAME, "n" * MAX_NAME, StatementKind.DONE)
    assert decode_statement(encode_statement(statement)) == statement
    for long in (
        Statement("i" * (MAX_NAME + 1), "n", StatementKind.DONE),
        Statement("i", "n" * (MAX_NAME + 1), StatementKind.DONE),
    ):
        with pytest.raises(RemoteProtocolError):
            decode_statement(encode_statement(long))
