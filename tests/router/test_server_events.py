"""Handlers of what other servers say: which are called, and which answer."""

import pytest

from trio_sio.protocol.socketio.packet import JSON
from trio_sio.router.server_events import RESERVED, ServerEvents, check_server_event
from trio_sio.statistics import NamespaceCounters


class Heard:
    """Takes answers."""

    def __init__(self) -> None:
        self.answers: list[JSON] = []

    async def answer(self, data: JSON) -> None:
        self.answers.append(data)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_reserved_names(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is reserved: namespaces say it themselves"):
        check_server_event(name)
    with pytest.raises(ValueError, match="is reserved"):
        ServerEvents(NamespaceCounters()).add(name, print)


def test_what_is_no_name_and_no_handler() -> None:
    with pytest.raises(TypeError, match="an event name must be a str"):
        check_server_event(5)
    with pytest.raises(TypeError, match="a handler must be callable"):
        ServerEvents(NamespaceCounters()).add("x", "no function")  # type: ignore[arg-type]


async def test_handlers_are_called_in_their_order_the_parents_first() -> None:
    calls: list[object] = []
    parent = ServerEvents(NamespaceCounters())
    events = ServerEvents(NamespaceCounters(), parent)

    async def own(*args: object) -> None:
        calls.append(("own", *args))

    events.add("x", own)
    events.add("x", lambda *args: calls.append(("second", *args)))
    parent.add("x", lambda *args: calls.append(("parent's", *args)))
    parent.add("y", lambda: calls.append("other"))
    assert events.are_heard
    assert not ServerEvents(NamespaceCounters(), parent).are_heard
    await events.hear(["x", 1, {"a": b"b"}], None)
    await events.hear(["nobody's"], None)
    args = (1, {"a": b"b"})
    assert calls == [("parent's", *args), ("own", *args), ("second", *args)]
    await parent.hear(["x"], None)
    assert calls[3:] == [("parent's",)]


async def test_what_is_heard_once_is_removed_before_it_is_called() -> None:
    calls: list[object] = []
    parent = ServerEvents(NamespaceCounters())
    events, others = (ServerEvents(NamespaceCounters(), parent) for _ in range(2))

    async def again(number: int) -> None:
        calls.append(number)
        if number:
            await events.hear(["x", number - 1], None)

    events.add("x", again, once=True)
    events.add("x", lambda number: calls.append(f"always {number}"))
    parent.add("x", lambda number: calls.append(f"parent's {number}"), once=True)
    await events.hear(["x", 2], None)
    assert calls == ["parent's 2", 2, "always 1", "always 2"]
    await others.hear(["x", 3], None)  # the parent's was for the first event of any
    assert len(calls) == 4
    assert events.names() == ["x"]
    assert parent.names() == []


async def test_handlers_are_removed() -> None:
    calls: list[object] = []
    parent = ServerEvents(NamespaceCounters())
    events = ServerEvents(NamespaceCounters(), parent)
    for table, name in ((parent, "x"), (events, "x"), (events, "x"), (events, "y")):
        table.add(name, calls.append)
    events.remove("x", calls.append)
    events.remove("x", print)
    events.remove("nobody's", print)
    await events.hear(["x", 1], None)
    assert calls == [1, 1]
    events.remove_all("x")
    assert (events.names(), events.are_heard) == (["y"], True)
    await events.hear(["x", 2], None)
    assert calls == [1, 1, 2]  # the parent's stays
    events.remove_all()
    assert not events.are_heard


@pytest.mark.parametrize(
    ("results", "answers"),
    [
        ((), []),
        ((None,), [None]),
        (("a",), ["a"]),
        ((None, "b", "c"), ["b"]),
        ((False, "b"), [False]),
        ((ValueError(), "b"), ["b"]),
        (("a", ValueError()), ["a"]),
        ((None, ValueError()), []),
        ((ValueError(),), []),
    ],
)
async def test_who_answers(results: tuple[object, ...], answers: list[JSON]) -> None:
    counters, heard = NamespaceCounters(), Heard()
    events = ServerEvents(counters)
    for result in results:

        async def handler(result: object = result) -> object:
            if isinstance(result, Exception):
                raise result
            return result

        events.add("x", handler)
    failed = sum(isinstance(one, Exception) for one in results)
    for answer in (None, heard.answer):
        try:
            await events.hear(["x"], answer)
        except ValueError:
            assert failed
        else:
            assert not failed
    assert heard.answers == answers
    assert counters.failures == 2 * failed


async def test_all_failures_come_out_together() -> None:
    events = ServerEvents(NamespaceCounters())

    def fail() -> None:
        raise KeyError("x")

    events.add("x", fail)
    events.add("x", fail)
    with pytest.raises(BaseExceptionGroup) as caught:
        await events.hear(["x"], None)
    assert [type(one) for one in caught.value.exceptions] == [KeyError, KeyError]
