"""What other servers state, in whatever order, as often as they like, whoever they are."""

from tests.support.recipient import Ledger
from trio_sio.adapters.cluster.many.asking import NAMELESS, _Call, _Deed
from trio_sio.protocol.cluster.question import Statement, StatementKind


def asked(node: str, *names: str, lost: tuple[str, ...] = ()) -> Statement:
    return Statement("id", node, StatementKind.ASKED, names, lost)


def answered(node: str, name: str) -> Statement:
    return Statement("id", node, StatementKind.ANSWERED, (name,), args=(name,))


def left(node: str, *names: str) -> Statement:
    return Statement("id", node, StatementKind.LEFT, names)


def test_each_server_is_owed_until_it_has_spoken_and_then_its_sockets() -> None:
    ledger = Ledger()
    call = _Call(ledger, {"one": "web-1", "two": "web-2"}, 2)
    assert ledger.expected == ["web-1", "web-2"]
    call.take(answered("one", "a"))  # it has not said whom it has asked
    call.take(asked("three", "x"))  # nobody knows it
    assert ledger.expected == ["web-1", "web-2"]
    call.take(asked("one", "a", "b", lost=("c",)))
    call.take(asked("one", "again"))
    assert (sorted(ledger.expected), ledger.lost) == (["a", "b", "web-2"], ["c"])
    call.take(answered("two", "a"))  # it is not its socket
    call.take(answered("one", "a"))
    call.take(answered("one", "a"))
    call.take(left("one", "a", "b", "x"))
    assert (ledger.taken, ledger.expected) == ([("a", ["a"])], ["web-2"])
    call.take(asked("two"))
    assert ledger.expected == []


def test_an_answer_that_cannot_be_passed_on_is_missing() -> None:
    ledger = Ledger()
    call = _Call(ledger, {"one": "web-1"}, 1)
    call.take(asked("one", "a", "b"))
    call.take(Statement("id", "one", StatementKind.LOST, ("a",)))
    assert (ledger.expected, ledger.lost, ledger.taken) == (["b"], ["a"], [])


def test_servers_without_a_name_are_owed_by_their_number() -> None:
    ledger = Ledger()
    call = _Call(ledger, {"one": "web-1"}, 2)
    assert ledger.expected == [NAMELESS] * 2
    call.take(asked("two", "a"))
    call.take(asked("one"))
    call.take(asked("three", "x"))  # it has come since
    assert ledger.expected == ["a"]


def test_a_namespace_that_has_gone_leaves_what_is_owed_missing() -> None:
    ledger = Ledger()
    call = _Call(ledger, {"one": "web-1", "two": "web-2"}, 2)
    call.take(asked("one", "a"))
    call.cut()
    assert (ledger.expected, sorted(ledger.lost)) == ([], ["a", "web-2"])


def test_a_deed_is_done_when_each_server_has_said_all() -> None:
    deed = _Deed(2)
    part = Statement("id", "one", StatementKind.SOCKETS, is_last=False)
    whole = Statement("id", "one", StatementKind.SOCKETS)
    for statement in (part, whole, whole, Statement("id", "two", StatementKind.DONE), whole):
        deed.take(statement)
    assert (len(deed.said), deed.nodes) == (3, {"one", "two"})
