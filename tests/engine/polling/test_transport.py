"""Polling without HTTP: what a GET takes, what a POST brings, and how it ends."""

from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.engine.session.outboxes import make_outbox
from trio_sio.abc import TransportClosed
from trio_sio.engine.http.holding import HeldResponse
from trio_sio.engine.polling.transport import (
    CLOSE,
    MAX_ANSWERS,
    NOOP,
    POSTS_AHEAD,
    Overlap,
    PollingTransport,
)
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.engine.session.outbox import Outbox
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType

MESSAGE = EnginePacketType.MESSAGE


def make(*, base64: bool = False, jsonp: str | None = None) -> tuple[PollingTransport, Outbox]:
    transport = PollingTransport(base64=base64, jsonp=jsonp)
    outbox = make_outbox(transport)
    transport.attach(outbox)
    return transport, outbox


async def hold(transport: PollingTransport) -> list[Encoded]:
    """Hold a GET; return what it is answered with."""
    answered = trio.Event()
    held = HeldResponse(answered.set)
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
            assert await hold(transport) == [NOOP]

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

        def respond(items: list[Encoded], can: bool = can) -> bool:
            assert transport.poll_nowait() == []  # it is held no more
            answers.append(items)
            return can

        held = HeldResponse(lambda: woken.append("woken"), respond)
        transport.begin_hold(held)
        assert not held.is_over
        transport.send_nowait([NOOP])
        assert held.is_over
        assert (answers, held.items) == ([[NOOP]], [] if can else [NOOP])
        assert woken == ([] if can else ["woken"])
        answers.clear()
    later = HeldResponse(lambda: None)
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
    assert transport.is_binary(items) is binary
    assert transport.payload(items, is_binary=binary) == body


async def deliver(transport: PollingTransport, body: bytes, *, binary: bool = False) -> None:
    transport.begin_post(lambda: None)
    await transport.deliver(body, binary=binary)
    transport.end_post()


@pytest.mark.parametrize(
    ("jsonp", "binary", "body"),
    [
        (None, False, b"2:4a2:4b"),
        (None, True, b"\0\2\xff4a\0\2\xff4b"),
        ("0", False, b"d=2%3A4a2%3A4b"),
    ],
)
async def test_packets_arrive_in_their_order(
    jsonp: str | None, binary: bool, body: bytes, autojump_clock: MockClock
) -> None:
    transport, _ = make(jsonp=jsonp)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: deliver(transport, body, binary=binary))
        assert await transport.receive() == EnginePacket(MESSAGE, "a")
        assert await transport.receive() == EnginePacket(MESSAGE, "b")


async def test_a_post_is_answered_when_the_reader_has_taken_it(
    autojump_clock: MockClock,
) -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, transport, b"2:4a")
        await wait_all_tasks_blocked()
        with pytest.raises(Overlap):
            transport.begin_post(lambda: None)
        await transport.receive()
        await wait_all_tasks_blocked()
        transport.begin_post(lambda: None)


async def test_some_posts_may_be_let_ahead_of_the_reader(autojump_clock: MockClock) -> None:
    transport, _ = make()
    for _ in range(2):  # and as many again, once the reader has caught up
        for number in range(POSTS_AHEAD):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(deliver, transport, b"2:4%d" % number)
                await wait_all_tasks_blocked()
                transport.let_ahead()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(deliver, transport, b"2:4z")
            await wait_all_tasks_blocked()
            transport.let_ahead()
            await wait_all_tasks_blocked()
            assert len(nursery.child_tasks) == 1
            heard = [(await transport.receive()).data for _ in range(POSTS_AHEAD + 1)]
        assert heard == ["0", "1", "2", "z"]


async def test_what_came_before_an_error_counts(autojump_clock: MockClock) -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, transport, b"2:4anonsense")
        assert await transport.receive() == EnginePacket(MESSAGE, "a")
        with pytest.raises(RemoteProtocolError, match="parse error"):
            await transport.receive()


async def test_what_comes_behind_a_close_does_not(autojump_clock: MockClock) -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, transport, b"2:4a1:1nonsense")
        assert await transport.receive() == EnginePacket(MESSAGE, "a")
        assert (await transport.receive()).type is EnginePacketType.CLOSE
        with trio.move_on_after(10) as silence:
            await transport.receive()
        assert silence.cancelled_caught


@pytest.mark.parametrize("body", [b"", b"nothing=here"])
async def test_a_form_without_packets_waits_for_nobody(
    body: bytes, autojump_clock: MockClock
) -> None:
    transport, _ = make(jsonp="0")
    await deliver(transport, body)


@pytest.mark.parametrize(("by_client", "answer"), [(False, CLOSE), (True, NOOP)])
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
        assert transport.poll_nowait() == [NOOP, CLOSE]


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


async def test_one_can_wait_until_all_has_been_received(autojump_clock: MockClock) -> None:
    transport = PollingTransport(base64=False)
    waited: list[float] = []

    async def wait() -> None:
        await transport.wait_heard()
        waited.append(trio.current_time())

    async def receive() -> None:
        while True:
            await transport.receive()
            await trio.sleep(10)  # a limit holds it up

    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await trio.sleep(1)
        nursery.start_soon(receive)  # nobody received until now
        await wait_all_tasks_blocked()
        transport.begin_post(lambda: None)
        nursery.start_soon(wait)
        nursery.start_soon(wait)
        await trio.sleep(3)
        await transport.deliver(b"2:4a2:4b", binary=False)
        transport.end_post()
        await trio.sleep(100)
        assert [at - begun for at in waited] == [1.0, 24.0, 24.0]
        nursery.cancel_scope.cancel()


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
    waiting = HeldResponse(lambda: None)
    transport.begin_hold(waiting)
    await trio.sleep(100)
    assert not transport.is_gone(trio.current_time(), 30)  # its GET is held
    transport.end_hold(waiting)
    await trio.sleep(29)
    assert not transport.is_gone(trio.current_time(), 30)
    await trio.sleep(1)
    assert transport.is_gone(trio.current_time(), 30)
    transport.begin_post(lambda: None)
    assert not transport.is_gone(trio.current_time(), 30)
    transport.end_post()
    assert not transport.is_gone(trio.current_time(), 30)


async def test_a_client_that_left_its_post_is_gone() -> None:
    transport, _ = make()
    left = False
    transport.begin_post(lambda: None, lambda: left)
    assert not transport.is_gone(1000, 30)
    left = True
    assert transport.is_gone(1000, 30)


async def test_a_payload_of_many_packets_is_taken_by_turns() -> None:
    taken, turns = 0, []

    async def turn() -> None:
        await trio.lowlevel.checkpoint()
        turns.append(taken)

    transport = PollingTransport(base64=False, turn=turn)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, transport, b"2:4a" * 100)
        while taken < 100:
            await transport.receive()
            taken += 1
    steps = [b - a for a, b in pairwise([0, *turns, taken])]
    assert steps[0] == FIRST_QUANTUM
    assert max(steps) == QUANTUM


async def test_a_payload_is_decoded_as_its_packets_are_taken() -> None:
    transport, _ = make()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(deliver, transport, b"2:4a" * 1000 + b"no payload")
        for _ in range(1000):
            assert (await transport.receive()).data == "a"
        with pytest.raises(RemoteProtocolError):
            await transport.receive()


async def test_a_client_that_sends_now_and_then_needs_no_turn() -> None:
    async def turn() -> None:
        raise AssertionError("it would have to wait for others")

    transport = PollingTransport(base64=False, turn=turn)
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(deliver, transport, b"2:4a")
            await transport.receive()
            await wait_all_tasks_blocked()
            with trio.move_on_after(0):
                await transport.receive()  # it comes for more, and waits
