"""What the engine calls from its own tasks may raise: that costs one session, never the engine."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.abc import Transport
from trio_sio.engine.polling.held_poll import HeldPoll
from trio_sio.engine.runtime.timers import Timers
from trio_sio.failures import leaves
from trio_sio.http import Response
from trio_sio.protocol.encoded import Encoded
from trio_sio.testing.wire import StreamPair, WireSession, open_wire

FAILURES: dict[str, Callable[[], BaseException]] = {
    "an error": lambda: ValueError("a mistake"),
    "asyncio's": lambda: asyncio.CancelledError("a mistake"),
    "GeneratorExit": lambda: GeneratorExit("a mistake"),
    "a group": lambda: BaseExceptionGroup("", [ExceptionGroup("", [KeyError("a mistake")])]),
}

every_failure = pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())

FILL = 6
"""Messages that put a client behind who has room for eight."""


class Application:
    """A handler whose first session has a listener of its own; the other one is a neighbour.

    Attributes:
        sessions: those that have begun.
    """

    def __init__(self, listener: Callable[[bool], object]) -> None:
        self.sessions: list[trio_sio.Session] = []
        self._listener = listener

    async def __call__(self, session: trio_sio.Session) -> None:
        if not self.sessions:
            session.on_backlog(self._listener)
        self.sessions.append(session)
        while True:
            await session.send(await session.receive())

    def fill(self) -> None:
        """Put the first session's client behind."""
        for number in range(FILL):
            self.sessions[0].send_nowait(str(number))


async def by_a_poll(polling: WireSession) -> None:
    await polling.poll()


async def by_an_upgrade(polling: WireSession) -> None:
    await polling.upgrade()


async def not_at_all(polling: WireSession) -> None:
    pass


CatchUp = Callable[[WireSession], Awaitable[object]]

WHEN = [
    pytest.param(True, not_at_all, id="behind"),
    pytest.param(False, by_a_poll, id="caught up by a poll"),
    pytest.param(False, by_an_upgrade, id="caught up by an upgrade"),
]


@every_failure
@pytest.mark.parametrize(("when", "catch_up"), WHEN)
async def test_a_listener_to_the_backlog_that_raises_costs_its_session(
    when: bool,
    catch_up: CatchUp,
    failure: Callable[[], BaseException],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def listen(is_behind: bool) -> None:
        if is_behind is when:
            raise failure()

    application = Application(listen)
    engine = trio_sio.Engine(max_outbox=8, ping_interval=1000)
    async with open_wire(engine, application) as wire:
        polling, neighbour = await wire.handshake(), await wire.websocket()
        await neighbour.receive()
        application.fill()
        await wait_all_tasks_blocked()
        await catch_up(polling)
        await trio.sleep(60)  # whatever it has yet to take is thrown away
        assert application.sessions[0].reason == "forced close"
        detail = application.sessions[0].detail
        assert detail is not None
        assert "on_backlog" in detail.text
        await neighbour.send("4hello")
        assert await neighbour.receive() == "4hello"
        third = await wire.handshake()
        await third.post("4again")
        assert await third.poll() == ["4again"]
        assert polling.sid not in engine.sessions
    (record,) = (one for one in caplog.records if one.levelno >= logging.ERROR)
    assert record.getMessage().startswith(f"the handler of session {polling.sid[:4]}")
    assert record.exc_info is not None
    assert record.exc_info[1] is not None
    assert [*map(repr, leaves(record.exc_info[1]))] == [*map(repr, leaves(failure()))]


@every_failure
@pytest.mark.parametrize(("when", "catch_up"), WHEN)
async def test_raise_errors_lets_it_out(
    when: bool,
    catch_up: CatchUp,
    failure: Callable[[], BaseException],
    autojump_clock: MockClock,
) -> None:
    raised: list[BaseException] = []

    def listen(is_behind: bool) -> None:
        if is_behind is when:
            raised.append(failure())
            raise raised[0]

    application = Application(listen)

    async def live() -> None:
        async with open_wire(trio_sio.Engine(max_outbox=8, raise_errors=True), application) as wire:
            polling = await wire.handshake()
            application.fill()
            await wait_all_tasks_blocked()
            await catch_up(polling)
            await trio.sleep(60)

    (error,) = leaves(failure())
    with pytest.raises(type(error)) as caught:
        await live()
    assert [*leaves(raised[0])] == [caught.value]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_who_wants_the_program_to_end_is_heard(
    kind: type[BaseException], autojump_clock: MockClock
) -> None:
    def listen(_: bool) -> None:
        raise kind

    application = Application(listen)

    async def live() -> None:
        async with open_wire(trio_sio.Engine(max_outbox=8), application) as wire:
            await wire.handshake()
            application.fill()
            await trio.sleep_forever()

    with pytest.raises(BaseExceptionGroup) as caught:
        await live()
    assert kind in map(type, leaves(caught.value))


async def test_what_the_handler_raises_as_well_is_not_lost(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle(session: trio_sio.Session) -> None:
        def listen(_: bool) -> None:
            raise ValueError("the listener's")

        session.on_backlog(listen)
        await trio.sleep(1)  # what is sent before goes along with the handshake
        for number in range(FILL):
            session.send_nowait(str(number))
        try:
            await session.receive()
        except trio_sio.Disconnected:
            raise ValueError("the handler's") from None

    async with open_wire(trio_sio.Engine(max_outbox=8), handle) as wire:
        await wire.handshake()
        await trio.sleep(60)
    assert "the listener's" in caplog.text
    assert "the handler's" in caplog.text


@pytest.mark.parametrize("streams", [memory_stream_pair, socket_pair])
async def test_what_a_listener_sends_overtakes_nothing(
    streams: Callable[[], StreamPair],
) -> None:
    """Its client has caught up: it is told so when what waited has left."""

    def listen(is_behind: bool) -> None:
        if not is_behind:
            application.sessions[0].send_nowait("more")

    application = Application(listen)
    engine = trio_sio.Engine(max_outbox=8)
    async with open_wire(engine, application, streams=streams) as wire:
        polling = await wire.handshake()
        application.fill()
        await wait_all_tasks_blocked()
        websocket = await polling.upgrade()
        heard = [await websocket.receive() for _ in range(FILL + 1)]
        assert heard == [*(f"4{number}" for number in range(FILL)), "4more"]


@pytest.mark.parametrize("message", [{"a": 1}, [1], None, 7], ids=repr)
@pytest.mark.parametrize("verb", ["send", "send_nowait", "send_volatile"])
async def test_what_is_no_message_is_refused_by_the_verb_itself(
    verb: str, message: object, autojump_clock: MockClock
) -> None:
    """Not by the task that makes bytes of it later, which serves everybody."""

    async def handle(session: trio_sio.Session) -> None:
        for _ in range(2):
            session.send_nowait("one leaves at once, the other at the end of the tick")
        with pytest.raises(TypeError, match=f"str or bytes, not {type(message).__name__}"):
            await getattr(session, verb)(message)
        await session.receive()

    async with open_wire(trio_sio.Engine(raise_errors=True), handle) as wire:
        websocket = await wire.websocket()
        for _ in range(2):
            await websocket.receive()
        await websocket.send("4")


class Broken:
    """Of a transport that somebody brought along, say.

    Args:
        whole: the transport.
        failure: makes what it raises.
    """

    def __init__(self, whole: Transport, failure: Callable[[], BaseException]) -> None:
        self._whole = whole
        self._failure = failure
        self.direct = True

    def __getattr__(self, name: str) -> object:
        return getattr(self._whole, name)

    def send_nowait(self, items: Sequence[Encoded]) -> None:
        raise self._failure()

    async def send(self, items: Sequence[Encoded]) -> None:
        raise self._failure()


@every_failure
async def test_a_transport_that_raises_at_the_end_of_a_tick_costs_its_session(
    failure: Callable[[], BaseException],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    application = Application(print)
    engine = trio_sio.Engine(ping_interval=1000)
    async with open_wire(engine, application) as wire:
        websocket, neighbour = await wire.websocket(), await wire.websocket()
        for one in (websocket, neighbour):
            await one.receive()
        session = application.sessions[0]
        session.send_nowait("it waits for the end of the tick")
        session.outbox.switch(Broken(session.transport, failure))  # type: ignore[arg-type]
        await neighbour.send("4hello")
        assert await neighbour.receive() == "4hello"
        await websocket.aclose()
        await trio.sleep(60)
        assert session.reason == "forced close"
        assert [*engine.sessions] == [application.sessions[1].id]
    assert "a mistake" in caplog.text


@every_failure
async def test_a_call_of_the_alarm_that_raises_stops_nobody(
    failure: Callable[[], BaseException],
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise failure()

    timers = Timers()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(timers.run)
        timers.call_at(1, fail)
        await timers.sleep_until(1)
        await timers.sleep_until(2)
        nursery.cancel_scope.cancel()
    assert "a mistake" in caplog.text


@every_failure
def test_an_answer_that_cannot_be_given_at_once_is_left_to_its_task(
    failure: Callable[[], BaseException],
) -> None:
    async def main() -> None:
        woken: list[bool] = []

        def fail(_: object) -> NoReturn:
            raise failure()

        items = [Encoded(("4a",))]
        for hold, send in ((HeldPoll(fail), None), (HeldPoll(lambda _: Response(200)), fail)):
            hold.begin(lambda: woken.append(True), send)
            hold.end(items)
            assert (hold.items, woken) == (items, [True])
            woken.clear()

    trio.run(main)
