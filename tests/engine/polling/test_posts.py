"""What a POST brings: who takes it, in which order, and when the POST is answered."""

from itertools import pairwise

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.engine.session.outboxes import make_outbox
from trio_sio.engine.polling.posts import POSTS_AHEAD, Overlap
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.engine.session.outbox import Outbox
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType

MESSAGE = EnginePacketType.MESSAGE


def make(*, base64: bool = False, jsonp: str | None = None) -> tuple[PollingTransport, Outbox]:
    transport = PollingTransport(base64=base64, jsonp=jsonp)
    outbox = make_outbox(transport)
    transport.attach(outbox)
    return transport, outbox


async def deliver(transport: PollingTransport, body: bytes, *, binary: bool = False) -> None:
    transport.posts.begin(lambda: None)
    await transport.posts.deliver(body, binary=binary)
    transport.posts.end()


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
            transport.posts.begin(lambda: None)
        await transport.receive()
        await wait_all_tasks_blocked()
        transport.posts.begin(lambda: None)


async def test_some_posts_may_be_let_ahead_of_the_reader(autojump_clock: MockClock) -> None:
    transport, _ = make()
    for _ in range(2):  # and as many again, once the reader has caught up
        for number in range(POSTS_AHEAD):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(deliver, transport, b"2:4%d" % number)
                await wait_all_tasks_blocked()
                transport.posts.let_ahead()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(deliver, transport, b"2:4z")
            await wait_all_tasks_blocked()
            transport.posts.let_ahead()
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
        transport.posts.begin(lambda: None)
        nursery.start_soon(wait)
        nursery.start_soon(wait)
        await trio.sleep(3)
        await transport.posts.deliver(b"2:4a2:4b", binary=False)
        transport.posts.end()
        await trio.sleep(100)
        assert [at - begun for at in waited] == [1.0, 24.0, 24.0]
        nursery.cancel_scope.cancel()


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
