"""A visitor knows what is still to come, and remembers the rest."""

import pytest
import trio

from tests.support.conformance import http, payload, scripted
from trio_sio.conformance.comparison.line import body_of
from trio_sio.conformance.comparison.visitor import MARK, NOWHERE, Polls, Visitor
from trio_sio.testing.wire_http import WireConnection


def joined(*namespaces: str) -> Visitor:
    visitor = Visitor("0")
    for name in namespaces:
        visitor.take("40" if name == "/" else f"40{name},")
    visitor.take_heard({})
    return visitor


async def test_marks_are_answered(autojump_clock: trio.testing.MockClock) -> None:
    visitor = joined("/", "/chat")
    assert list(visitor.marks()) == [[f'42{MARK + 1}["ack"]', f'42/chat,{MARK + 2}["ack"]']]
    for packet in (f"43{MARK + 1}[]", '42["a"]', f"43/chat,{MARK + 2}[]"):
        with trio.move_on_after(1) as scope:
            await visitor.answered()
        assert scope.cancelled_caught
        visitor.take(packet)
    await visitor.answered()
    assert visitor.take_heard({}) == {"/": ['42["a"]']}


async def test_who_is_in_no_namespace_pings() -> None:
    visitor = joined("/")
    visitor.said(["41", b"\x04", "2"])
    assert list(visitor.marks()) == [["2"]]
    visitor.take("3")
    await visitor.answered()
    visitor.take("3")
    assert visitor.take_heard({}) == {"engine": ["3"]}


async def test_who_speaks_protocol_5_asks_for_what_is_not_there(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Twice, and for acknowledgements only where it is still in by then."""
    visitor = Visitor("0", 5)
    visitor.take('40{"sid":"a"}')
    visitor.take('40/chat,{"sid":"b"}')
    marks = visitor.marks()
    for _ in range(2):
        assert next(marks) == [f"40{NOWHERE},"]
        with trio.move_on_after(1) as scope:
            await visitor.answered()
        assert scope.cancelled_caught
        visitor.take("41/chat,")
        visitor.take(f'44{NOWHERE},{{"message":"Invalid namespace"}}')
        await visitor.answered()
    assert next(marks) == [f'42{MARK + 1}["ack"]']
    assert NOWHERE not in visitor.take_heard({})


@pytest.mark.parametrize("protocol", [4, 5])
async def test_who_has_left_before_the_answer_came_is_not_in(protocol: int) -> None:
    visitor = Visitor("0", protocol)
    visitor.said(["40/chat,", "41/chat,"])
    visitor.take('40/chat,{"sid":"a"}')
    assert not visitor.joined
    visitor.said(["41/chat,", "40/chat,"])
    visitor.take('40/chat,{"sid":"b"}')
    assert visitor.joined == {"/chat"}


async def test_ids_of_sockets_are_new() -> None:
    visitor = Visitor("0", 5)
    for packet in ('40{"sid":"a"}', '40/chat,{"sid":"a"}', '40/private,{"sid":"S"}'):
        visitor.take(packet)
    assert visitor.take_heard({"S": "<0>"}) == {
        "/": ['40{"sid":"<id>"}'],
        "/chat": ['40/chat,{"sid":"<id of another>"}'],
        "/private": ['40/private,{"sid":"<0>"}'],
    }


async def test_no_answer_comes_from_a_namespace_that_was_left() -> None:
    visitor = joined("/", "/chat")
    list(visitor.marks())
    visitor.take(f"43{MARK + 1}[]")
    visitor.take("41/chat,")
    await visitor.answered()
    assert visitor.joined == {"/"}


async def test_the_end_is_told_once() -> None:
    visitor = joined("/")
    list(visitor.marks())
    visitor.end("CLOSE")
    visitor.end("too late")
    await visitor.answered()
    assert visitor.take_heard({}) == {"end": ["CLOSE"]}
    assert visitor.take_heard({}) == {}


async def test_what_was_asked() -> None:
    visitor = joined("/")
    visitor.take('4217["question"]')
    assert visitor.asked == "17"


async def polled(*responses: bytes) -> tuple[Visitor, Polls]:
    visitor = Visitor("0")
    async with scripted(*responses) as target:
        connection = await target.connect()
        polls = Polls(visitor, connection, "/", body_of)
        await polls.run()
        await connection.aclose()
    assert polls.stopped.is_set()
    return visitor, polls


async def test_polls_until_the_end() -> None:
    visitor, _ = await polled(payload("40", "6"), payload("1"))
    assert visitor.take_heard({}) == {"/": ["40"], "end": ["CLOSE"]}


async def test_polls_of_engine_io_4() -> None:
    visitor = Visitor("0", 5)
    async with scripted(http('40{"sid":"a"}\x1ebAQI='), http("6\x1e1")) as target:
        connection = await target.connect()
        await Polls(visitor, connection, "/", body_of).run()
        await connection.aclose()
    assert visitor.take_heard({}) == {
        "/": ['40{"sid":"<id>"}'],
        "engine": [r"b'\x01\x02'"],
        "end": ["CLOSE"],
    }


async def test_a_session_that_is_unknown_has_ended() -> None:
    visitor, _ = await polled(http('{"code":1,"message":"Session ID unknown"}', 400))
    assert visitor.ended == "CLOSE"


async def test_other_refusals_are_told() -> None:
    visitor, _ = await polled(http("no", 500))
    assert visitor.ended == "a poll was answered 500 no"


async def test_what_is_no_payload() -> None:
    visitor, _ = await polled(http("what"))
    assert visitor.ended == "a poll was answered b'what', which is no payload"


async def test_a_poll_of_a_session_that_moves() -> None:
    visitor = Visitor("0")
    stream, server = trio.testing.memory_stream_pair()
    polls = Polls(visitor, WireConnection(stream), "/", body_of)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(polls.run)
        await server.receive_some()
        polls.move()
        await server.send_all(payload("1"))
    assert visitor.ended is None
    assert visitor.take_heard({}) == {"engine": ["1 by polling"]}
