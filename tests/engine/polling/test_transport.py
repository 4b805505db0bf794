"""Polling without HTTP: what a GET takes, what a POST brings, and how it ends."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.engine.polling.test_posts import deliver, make
from trio_sio.abc import TransportClosed
from trio_sio.engine.polling.held_poll import HeldPoll
from trio_sio.engine.polling.posts import Overlap
from trio_sio.engine.polling.transport import (
    MAX_ANSWERS,
    PollingTransport,
)
from trio_sio.http import Response
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.version import EIO3

MESSAGE = EnginePacketType.MESSAGE


async def hold(transport: PollingTransport) -> list[Encoded]:
    """Hold a GET; return what it is answered with."""
    answered = trio.Event()
    held = HeldPoll()
    held.begin(answered.set)
    transport.begin_hold(held)
    try:
        await answered.wait()
    finally:
        transport.end_hold(held)
    return held.items


async def test_a_poll_takes_everything_that_waits(autojump_clock: MockClock) -> None:
    transport, outbox = make()
    items = [Encoded(("4a",)), Encoded(("4b",))]
    for item in items:
        outbox.send_nowait(item)
    assert transport.poll_nowait() == items
    assert transport.poll_nowait() == []
    assert not transport.writable


async def test_a_held_poll_is_answered_by_what_comes(autojump_clock: MockClock) -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def poll() -> None:
            assert transport.poll_nowait() == []
            assert await hold(transport) == [EIO3.noop]

        await wait_all_tasks_blocked()
        assert transport.writable
        assert transport.direct
        with pytest.raises(Overlap):
            transport.poll_nowait()
        transport.release()
        assert not transport.writable
        transport.release()  # nobody is there to release
    assert transport.poll_nowait() == []


async def test_who_takes_no_answers_gets_no_further_ones(autojump_clock: MockClock) -> None:
    """Each may hold a whole outbox, which fills again."""
    transport, outbox = make()
    cuts = [lambda number=number: number for number in range(MAX_ANSWERS)]
    for cut in cuts:
        outbox.send_nowait(Encoded(("4a",)))
        assert transport.poll_nowait()
        transport.begin_answer(cut)
    outbox.send_nowait(Encoded(("4a",)))
    with pytest.raises(Overlap):
        transport.poll_nowait()
    assert len(outbox) == 1
    transport.end_answer(cuts[0])
    assert transport.poll_nowait()


async def test_a_poll_may_be_answered_where_the_answer_is_made(autojump_clock: MockClock) -> None:
    transport, _ = make()
    answers: list[list[Encoded]] = []
    woken: list[str] = []
    for can in (True, False):

        def respond(items: list[Encoded]) -> Response:
            assert transport.poll_nowait() == []  # it is held no more
            answers.append(items)
            return Response(200)

        held = HeldPoll(respond)
        held.begin(lambda: woken.append("woken"), [lambda _: False, lambda _: True][can])
        transport.begin_hold(held)
        assert not held.is_over
        transport.send_nowait([EIO3.noop])
        assert held.is_over
        assert (answers, held.items) == ([[EIO3.noop]], [] if can else [EIO3.noop])
        assert woken == ([] if can else ["woken"])
        answers.clear()
    later = HeldPoll()
    transport.begin_hold(later)
    transport.end_hold(held)  # by then another GET is held
    assert transport.writable


async def test_a_poll_that_is_given_up_is_held_no_more(autojump_clock: MockClock) -> None:
    transport, _ = make()
    with trio.move_on_after(1):
        await hold(transport)
    assert not transport.writable
    assert transport.poll_nowait() == []


@pytest.mark.parametrize(
    ("options", "parts", "body", "binary"),
    [
        ({}, ("4a", "4€"), "2:4a2:4€".encode(), False),
        ({}, ("4a", b"\1"), b"\0\2\xff4a\1\2\xff\4\1", True),
        ({"base64": True}, ("4a", b"\1"), b"2:4a6:b4AQ==", False),
        ({"jsonp": "7"}, ('4"', b"\1"), rb'___eio[7]("2:4\"6:b4AQ==");', False),
        ({"jsonp": ""}, ("4\u2028",), rb'___eio[]("2:4\u2028");', False),
    ],
)
def test_the_body_of_an_answer(
    options: dict[str, object], parts: tuple[str | bytes, ...], body: bytes, binary: bool
) -> None:
    transport = PollingTransport(**{"base64": False, **options})  # type: ignore[arg-type]
    items = [Encoded((part,)) for part in parts]
    assert transport.form.is_binary(items) is binary
    assert transport.form.encode(items, is_binary=binary) == body


@pytest.mark.parametrize(("by_client", "answer"), [(False, EIO3.close), (True, EIO3.noop)])
async def test_the_end_answers_a_held_poll(
    by_client: bool, answer: Encoded, autojump_clock: MockClock
) -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def poll() -> None:
            assert await hold(transport) == [answer]

        await wait_all_tasks_blocked()
        await transport.finish(by_client=by_client, orderly=False)
    with pytest.raises(TransportClosed):
        await transport.receive()


async def test_an_orderly_end_waits_for_the_next_poll(autojump_clock: MockClock) -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def finish() -> None:
            await transport.finish(by_client=False, orderly=True)
            assert trio.current_time() == 5.0

        await trio.sleep(5)
        assert transport.poll_nowait() == [EIO3.noop, EIO3.close]


async def test_an_orderly_end_does_not_wait_for_ever(autojump_clock: MockClock) -> None:
    transport, _ = make()
    await transport.finish(by_client=False, orderly=True)
    assert trio.current_time() == 30.0


async def test_moving_on_lets_the_reader_finish_what_has_arrived(
    autojump_clock: MockClock,
) -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, transport, b"2:4a2:4b")
        assert await transport.receive() == EnginePacket(MESSAGE, "a")
        transport.abandon()
        assert await transport.receive() == EnginePacket(MESSAGE, "b")
        with pytest.raises(TransportClosed):
            await transport.receive()
    await deliver(transport, b"2:4c")  # is answered all the same, and goes nowhere


async def test_when_polling_is_over_nobody_waits_until_all_has_been_received(
    autojump_clock: MockClock,
) -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.wait_heard)
        await wait_all_tasks_blocked()
        assert len(nursery.child_tasks) == 1
        transport.abandon()
    await transport.wait_heard()


async def test_at_the_end_nothing_that_was_sent_is_kept(autojump_clock: MockClock) -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, transport, b"2:4a2:4b")
        assert await transport.receive() == EnginePacket(MESSAGE, "a")
        await transport.finish(by_client=True, orderly=False)
    with pytest.raises(TransportClosed):
        await transport.receive()


async def test_a_client_without_a_request_for_long_is_gone(autojump_clock: MockClock) -> None:
    transport, _ = make()
    transport.poll_nowait()
    waiting = HeldPoll()
    transport.begin_hold(waiting)
    await trio.sleep(100)
    assert not transport.is_gone(trio.current_time(), 30)  # its GET is held
    transport.end_hold(waiting)
    await trio.sleep(29)
    assert not transport.is_gone(trio.current_time(), 30)
    await trio.sleep(1)
    assert transport.is_gone(trio.current_time(), 30)
    transport.posts.begin(lambda: None)
    assert not transport.is_gone(trio.current_time(), 30)
    transport.posts.end()
    assert not transport.is_gone(trio.current_time(), 30)


async def test_a_client_that_left_its_post_is_gone() -> None:
    transport, _ = make()
    left = False
    transport.posts.begin(lambda: None, lambda: left)
    assert not transport.is_gone(1000, 30)
    left = True
    assert transport.is_gone(1000, 30)
