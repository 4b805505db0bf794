"""Questions and statements of which one field is anything, and what is at the edge of a limit."""

import math

import pytest
from hypothesis import example, given, strategies as st

from tests.protocol.cluster.test_question import calls, forgets, names, others, statements
from tests.support.attempt import attempt
from tests.support.spoiled import JUNK, Place, Spoiled, differences, spoiled
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
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.notepack import pack_data, unpack_data
from trio_sio.protocol.socketio.packet import JSON

NUMBERS = st.integers(-3, 12) | st.integers() | st.floats() | st.booleans()
LENGTHS = st.sampled_from([0, 1, MAX_NAME, MAX_NAME + 1]) | st.integers(0, 600)
UNSENDABLE = st.sampled_from([object(), {1}, [object()], {"a": {2}}])

OF_MEMBERS = {
    "data": {"data"},
    "timeout": {"timeout"},
    "volatile": {"volatile"},
    "compress": {"compress"},
    "binary": {"binary"},
    "rooms": {"names"},
    "close": {"close"},
    "call": {"call"},
}
OF_A_QUESTION = [
    {"id"},
    {"kind", "call"},
    {"rooms"},
    {"excepted"},
    set().union(*OF_MEMBERS.values()),
]
OF_A_STATEMENT = [{"id"}, {"node"}, {"kind", "names", "lost", "args", "sockets", "is_last"}]


@st.composite
def spoiled_questions(draw: st.DrawFn) -> tuple[Question, Spoiled]:
    """Questions, and their messages with one field that is anything."""
    whole = draw(calls | others | forgets)
    return whole, draw(spoiled(unpack_data(encode_question(whole))))


@st.composite
def spoiled_statements(draw: st.DrawFn) -> tuple[Statement, Spoiled]:
    """Statements, and their messages with one field that is anything."""
    whole = draw(statements)
    return whole, draw(spoiled(unpack_data(encode_statement(whole))))


def told_by(place: Place) -> set[str]:
    """What this place of a question tells."""
    if place[0] == 4 and len(place) > 1:
        return OF_MEMBERS[str(place[1])]
    return OF_A_QUESTION[int(place[0])]


def told_by_part(place: Place, kind: StatementKind) -> set[str]:
    """What this place of a statement of a kind tells."""
    if int(place[0]) < 3:
        return OF_A_STATEMENT[int(place[0])]
    second = {StatementKind.ASKED: "lost", StatementKind.ANSWERED: "args"}.get(kind, "is_last")
    first = "sockets" if kind is StatementKind.SOCKETS else "names"
    return {first if place[0] == 3 else second}


def is_refused(error: RemoteProtocolError, what: str) -> bool:
    """Whether an error says what it is about, and what is wrong with it."""
    return str(error).startswith(f"invalid {what}: ") and bool(error.hint)


@given(spoiled_questions())
@example((Question("id", QuestionKind.FETCH), Spoiled(["id", 1, [], []], (4,), True)))
def test_a_field_of_a_question_is_refused_or_changes_nothing_else(
    drawn: tuple[Question, Spoiled],
) -> None:
    whole, (message, place, is_missing) = drawn
    received = attempt(RemoteProtocolError, decode_question, pack_data(message))
    if isinstance(received, RemoteProtocolError):
        assert is_refused(received, "question")
        return
    assert differences(received, whole) <= told_by(place)
    assert len(place) > 1 or not is_missing  # no part of the message itself may be left out
    assert 0.0 <= received.timeout <= MAX_TIMEOUT
    again = encode_question(received)
    assert encode_question(decode_question(again)) == again


@given(spoiled_statements())
@example((Statement("id", "me", StatementKind.DONE), Spoiled(["id", "me"], (2,), True)))
def test_a_field_of_a_statement_is_refused_or_changes_nothing_else(
    drawn: tuple[Statement, Spoiled],
) -> None:
    whole, (message, place, is_missing) = drawn
    received = attempt(RemoteProtocolError, decode_statement, pack_data(message))
    if isinstance(received, RemoteProtocolError):
        assert is_refused(received, "statement")
        return
    told = told_by_part(place, whole.kind)
    if is_missing and place == (3,):
        told |= told_by_part((4,), whole.kind)  # which takes its place
    assert differences(received, whole) <= told
    again = encode_statement(received)
    assert encode_statement(decode_statement(again)) == again


@given(calls | others | forgets, statements, st.lists(JUNK, min_size=1, max_size=3))
def test_what_a_later_release_may_add_means_nothing(
    question: Question, statement: Statement, more: list[JSON]
) -> None:
    message = unpack_data(encode_question(question))
    assert isinstance(message, list)
    assert isinstance(message[4], dict)
    assert decode_question(pack_data([*message, *more])) == question
    message[4]["later"] = more
    assert decode_question(pack_data(message)) == question
    parts = unpack_data(encode_statement(statement))
    assert isinstance(parts, list)
    padded = [*parts, *[None] * (5 - len(parts)), *more]
    assert decode_statement(pack_data(padded)) == statement


@given(NUMBERS)
@example(-1)
@example(6)
@example(False)
@example(1.0)
def test_only_numbers_that_mean_something_are_kinds(number: float) -> None:
    is_kind = type(number) is int and 0 <= number <= 5
    members: JSON = {"data": ["x"], "timeout": 1, "call": "id"}
    question = attempt(
        RemoteProtocolError, decode_question, pack_data(["id", number, [], [], members])
    )
    statement = attempt(
        RemoteProtocolError, decode_statement, pack_data(["id", "me", number, ["a"], []])
    )
    if number != 1:  # whose first part is no list
        assert isinstance(statement, Statement) is is_kind
    assert isinstance(question, Question) is is_kind
    if isinstance(question, Question):
        assert int(question.kind) == number
    else:
        assert "in place of its kind" in str(question)


@given(LENGTHS)
@example(0)
@example(1)
@example(MAX_NAME)
@example(MAX_NAME + 1)
def test_how_long_ids_may_be(length: int) -> None:
    name = "é" * length
    may_be = 1 <= length <= MAX_NAME
    for message in (["id", 5, [], [], {"call": name}], [name, 1, [], [], {}]):
        read = attempt(RemoteProtocolError, decode_question, pack_data(message))
        assert isinstance(read, Question) is may_be
    for message in ([name, "me", 4], ["id", name, 4]):
        said = attempt(RemoteProtocolError, decode_statement, pack_data(message))
        assert isinstance(said, Statement) is may_be


@given(NUMBERS | JUNK)
@example(None)
@example(True)
@example(math.nan)
@example(-0.5)
@example(MAX_TIMEOUT)
@example(math.inf)
def test_a_call_has_a_time(timeout: JSON) -> None:
    message: JSON = ["id", 0, [], [], {"data": ["x"], "timeout": timeout}]
    question = attempt(RemoteProtocolError, decode_question, pack_data(message))
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        assert isinstance(question, RemoteProtocolError)
        assert '"timeout" is ' in str(question)
        return
    assert isinstance(question, Question)
    if not timeout > 0:
        assert question.timeout == 0.0
    else:
        assert question.timeout == min(timeout, MAX_TIMEOUT)


@given(JUNK)
@example(None)
@example([])
@example([7])
def test_a_call_has_an_event(value: JSON) -> None:
    message: JSON = ["id", 0, [], [], {"data": value, "timeout": 1}]
    question = attempt(RemoteProtocolError, decode_question, pack_data(message))
    if isinstance(question, Question):
        assert isinstance(question.data, list)
        assert isinstance(question.data[0], str | int | float)
        assert pack_data(question.data) == pack_data(value)
    else:
        assert not isinstance(value, list) or not value or not isinstance(value[0], str)
        assert str(question).startswith("invalid question: an event with ")


@given(JUNK, JUNK)
@example("a", None)
@example(5, [])
@example(None, [])
def test_an_answer_has_a_socket_and_arguments(name: JSON, args: JSON) -> None:
    message: JSON = ["id", "me", 1, name, args]
    statement = attempt(RemoteProtocolError, decode_statement, pack_data(message))
    if isinstance(statement, Statement):
        assert len(statement.names) == 1
        assert not isinstance(name, str) or statement.names == (name,)
        assert pack_data([*statement.args]) == pack_data(args)
    else:
        assert not isinstance(args, list) or not isinstance(name, str)


@given(JUNK, JUNK, JUNK)
def test_flags_are_as_usual_unless_they_say_otherwise(
    volatile: JSON, compress: JSON, binary: JSON
) -> None:
    said = {"volatile": volatile, "compress": compress, "binary": binary}
    members = {"data": ["x"], "timeout": 1, **said}
    question = decode_question(pack_data(["id", 0, [], [], members]))
    assert question.volatile is bool(volatile)
    assert question.compress is (compress is not False)
    assert question.binary is (binary is not False)
    assert decode_question(pack_data(["id", 4, [], [], {"close": volatile}])).close is bool(
        volatile
    )


@given(names, names, st.sampled_from(StatementKind))
def test_a_server_says_nothing_more_unless_it_says_so(
    ident: str, node: str, kind: StatementKind
) -> None:
    assert Statement(ident, node, kind).is_last
    parts: dict[StatementKind, list[JSON]] = {
        StatementKind.ANSWERED: ["a", []],
        StatementKind.SOCKETS: [[]],
    }
    message = pack_data([ident, node, int(kind), *parts.get(kind, [])])
    assert decode_statement(message).is_last


@given(JUNK, st.sampled_from(QuestionKind))
@example(None, QuestionKind.FETCH)
@example([], QuestionKind.CALL)
@example({}, QuestionKind.JOIN)
def test_members_are_an_object(members: JSON, kind: QuestionKind) -> None:
    message: JSON = ["id", int(kind), [], [], members]
    question = attempt(RemoteProtocolError, decode_question, pack_data(message))
    if not isinstance(members, dict):
        assert isinstance(question, RemoteProtocolError)
        assert str(question).startswith("invalid question: ")
        assert str(question).endswith(" in place of members")
    elif not members and kind not in (QuestionKind.CALL, QuestionKind.FORGET):
        assert question == Question("id", kind)


@given(JUNK)
@example(None)
@example({})
@example([5, {}])
def test_sockets_are_a_list(sockets: JSON) -> None:
    statement = attempt(RemoteProtocolError, decode_statement, pack_data(["id", "me", 3, sockets]))
    if isinstance(sockets, list):
        assert isinstance(statement, Statement)
        assert len(statement.sockets) == sum(isinstance(one, dict) for one in sockets)
    else:
        assert isinstance(statement, RemoteProtocolError)
        assert str(statement).startswith("invalid statement: sockets with ")


@given(st.lists(JUNK, max_size=4), JUNK)
def test_sockets_are_objects(sockets: list[JSON], is_last: JSON) -> None:
    statement = decode_statement(pack_data(["id", "me", 3, sockets, is_last]))
    objects = [one for one in sockets if isinstance(one, dict)]
    assert pack_data(list(statement.sockets)) == pack_data(objects)
    assert statement.is_last is (is_last is not False)


@given(st.lists(JUNK, max_size=2), UNSENDABLE)
def test_what_cannot_be_sent_is_told(values: list[JSON], unsendable: object) -> None:
    data: list[JSON] = ["x", *values, unsendable]  # type: ignore[list-item]  # which is the point
    with pytest.raises(LocalProtocolError, match="cannot be sent to other servers: "):
        encode_question(Question("id", QuestionKind.CALL, data=data))
    answered = Statement("id", "me", StatementKind.ANSWERED, ("a",), args=tuple(data))
    with pytest.raises(LocalProtocolError, match="cannot be sent to other servers: "):
        encode_statement(answered)
    assert size_of(data) is None
    assert size_of(values) == len(pack_data(values))
