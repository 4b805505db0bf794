"""Answers at an outbox that is full: they wait in line, and their handlers with them."""

from collections.abc import Callable

import pytest
import trio
from hypothesis import HealthCheck, given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.examples import examples
from trio_sio import Server, Session, Socket
from trio_sio.testing.wire import WireSession, open_wire

Ack = Callable[..., None]

MAX_OUTBOX = 2
"""Packets: few enough to be full at once, while the client does not poll."""


class Host:
    """A server whose handlers answer in every way, and that notes in which order they did."""

    def __init__(self, **options: int) -> None:
        self.io = Server(max_outbox=MAX_OUTBOX, raise_errors=True, **options)  # type: ignore[arg-type]  # numbers all
        self.sent: list[str] = []
        self.sockets: list[Socket] = []
        self.acks: list[Ack] = []
        self.io.on("connection", self.sockets.append)
        self.io.on("return", self._return)
        self.io.on("ack", self._ack, ack=True)
        self.io.on("late", self._late, ack=True)
        self.io.on("beside", self._beside, concurrent=True)
        self.io.on("keep", lambda _, ack: self.acks.append(ack), ack=True)
        self.io.on("emit", self._emit)

    def _return(self, _: Socket, number: int) -> int:
        self.sent.append(f"43{number}[{number}]")
        return number

    def _ack(self, _: Socket, number: int, ack: Ack) -> None:
        self.sent.append(f"43{number}[{number}]")
        ack(number)
        ack("a second one does not count")

    async def _late(self, _: Socket, number: int, ack: Ack) -> None:
        await trio.sleep(1)
        self._ack(_, number, ack)
        await trio.sleep(1)

    async def _beside(self, _: Socket, number: int) -> int:
        await trio.sleep(3)
        return self._return(_, number)

    async def _emit(self, socket: Socket, number: int) -> None:
        self.sent.append(f'42["news",{number}]')
        await socket.emit("news", number)

    @property
    def session(self) -> Session:
        session = self.sockets[0].session
        assert isinstance(session, Session)
        return session


async def hear(session: WireSession, count: int) -> list[object]:
    """Poll until so many packets have come."""
    heard: list[object] = []
    while len(heard) < count:
        heard += [packet for packet in await session.poll() if packet != "40"]
    return heard


KINDS = st.lists(
    st.sampled_from(["return", "ack", "emit", "late", "beside"]), min_size=1, max_size=30
)


@examples(50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=KINDS)
async def test_answers_leave_in_the_order_in_which_they_were_given(
    autojump_clock: MockClock, kinds: list[str]
) -> None:
    """And so do the emits to the same client, which wait in the same line."""
    host = Host()
    async with host.io, open_wire(host.io) as wire, trio.open_nursery() as nursery:
        session = await wire.handshake()
        ids = ["" if kind == "emit" else number for number, kind in enumerate(kinds)]
        asked = [f'42{ids[number]}["{kind}",{number}]' for number, kind in enumerate(kinds)]
        nursery.start_soon(session.post, *asked)
        await trio.sleep(5)
        assert await hear(session, len(kinds)) == host.sent


async def test_at_a_full_outbox_the_client_is_not_read_any_more(
    autojump_clock: MockClock,
) -> None:
    """What waits is the outbox, one answer and the inbox; the rest is with the client's request."""
    host = Host(max_inbox=3)
    async with host.io, open_wire(host.io) as wire, trio.open_nursery() as nursery:
        session = await wire.handshake()
        before = trio.lowlevel.current_statistics().tasks_living
        asked = [f'42{number}["return",{number}]' for number in range(500)]
        nursery.start_soon(session.post, *asked)
        await trio.sleep(5)
        assert len(host.sent) == MAX_OUTBOX + 1
        assert len(host.sockets[0].inbox) == 3
        assert len(host.session.outbox) == MAX_OUTBOX
        # That of the POST, and no task for each answer.
        assert trio.lowlevel.current_statistics().tasks_living <= before + 2
        assert await hear(session, 500) == host.sent


async def test_an_answer_given_after_its_handler_has_ended_does_not_wait(
    autojump_clock: MockClock,
) -> None:
    host = Host()
    async with host.io, open_wire(host.io) as wire:
        session = await wire.handshake()
        await session.post('420["keep"]')
        await wait_all_tasks_blocked()
        (ack,) = host.acks
        for number in range(MAX_OUTBOX):
            host.sockets[0].emit_nowait("x", number)
        with pytest.raises(trio.WouldBlock):
            ack("too late")
        await session.poll()
        ack("now")
        ack("once only")
        assert await session.poll() == ['430["now"]']


async def test_leaving_withdraws_an_answer_that_waits(autojump_clock: MockClock) -> None:
    """Or a client that asks, leaves and joins again would make the line ever longer."""
    host = Host(grace=1)
    async with host.io, open_wire(host.io) as wire:
        session = await wire.handshake()
        await session.post(*(f'42{number}["return",{number}]' for number in range(5)))
        await wait_all_tasks_blocked()
        assert host.session.outbox.is_waited_for
        await session.post("41")
        await trio.sleep(5)
        assert not host.session.outbox.is_waited_for


async def test_the_end_of_the_session_ends_an_answer_that_waits(autojump_clock: MockClock) -> None:
    host = Host()
    async with host.io, open_wire(host.io) as wire:
        session = await wire.handshake()
        await session.post(*(f'42{number}["return",{number}]' for number in range(5)))
        await wait_all_tasks_blocked()
        host.session.close()
        await trio.sleep(60)
        assert host.io.sockets.connected == {}


async def test_an_answer_does_not_wait_longer_than_its_handler_lives(
    autojump_clock: MockClock,
) -> None:
    """Or a client that joins, asks and leaves in turn has any number of answers wait."""
    host = Host(grace=1)
    acks: list[Ack] = []
    room = host.io.of("/room")

    @room.on("hang", ack=True)
    async def hang(_: Socket, ack: Ack) -> None:
        ack("an answer")
        await trio.sleep_forever()

    @room.on("hang without an answer", ack=True)
    async def hang_without_an_answer(_: Socket, ack: Ack) -> None:
        acks.append(ack)
        await trio.sleep_forever()

    async with host.io, open_wire(host.io) as wire:
        session = await wire.handshake()
        outbox = host.session.outbox
        for event in ["hang", "hang without an answer"]:
            await session.post("40/room,")
            await wait_all_tasks_blocked()
            for number in range(MAX_OUTBOX):
                if len(outbox) < MAX_OUTBOX:
                    await host.session.send(f"2[{number}]")
            await session.post(f'42/room,1["{event}"]')
            await wait_all_tasks_blocked()
            assert outbox.is_waited_for is (event == "hang")
            await session.post("41/room,")
            await trio.sleep(2)
            assert not outbox.is_waited_for
            if event == "hang":
                await session.poll()
        with pytest.raises(trio.WouldBlock):
            acks[0]("too late")
        assert not outbox.is_waited_for


async def test_of_handlers_that_run_beside_each_other_one_waits_with_the_answer(
    autojump_clock: MockClock,
) -> None:
    """And all of them come to their end."""
    host = Host()

    async def first(_: Socket) -> str:
        return "an answer"

    async def second(_: Socket) -> None:
        await trio.sleep(1)

    for handler in (first, second):
        host.io.on("both", handler, concurrent=True)
    async with host.io, open_wire(host.io) as wire:
        session = await wire.handshake()
        (socket,) = host.sockets
        for number in range(MAX_OUTBOX):
            await host.session.send(f"2[{number}]")
        await session.post('427["both"]')
        await trio.sleep(2)
        assert socket.background.running == 1
        assert (await hear(session, MAX_OUTBOX + 1))[-1] == '437["an answer"]'
        await wait_all_tasks_blocked()
        assert socket.background.running == 0
