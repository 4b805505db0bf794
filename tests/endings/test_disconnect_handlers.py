"""How long the handlers of the last events hold a server that is cancelled or left.

They alone are shielded: each socket's have `grace` seconds. A client's sockets depart one after
the other, but one that hangs is waited for no longer than `grace`, so however many there are, the
whole takes `grace` twice.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support.stage import GRACE, Guest, Stage, by_tcp, until
from trio_sio.adapters.memory import MemoryAdapter


@pytest.fixture(autouse=True)
def no_records(caplog: pytest.LogCaptureFixture) -> None:
    """Handlers that are cut off are reported, rightly."""
    caplog.set_level(logging.CRITICAL, "trio_sio")


@asynccontextmanager
async def ended(
    stage: Stage, clock: MockClock, how: str
) -> AsyncIterator[tuple[Guest, list[float]]]:
    """A guest of a server that is ended behind the body; then the list has the seconds it took."""
    listener, open_stream = await by_tcp()
    took: list[float] = []
    over, leave = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:

        async def serve(task_status: trio.TaskStatus[trio.CancelScope]) -> None:
            with trio.CancelScope() as scope:
                async with stage.io, trio.open_nursery() as inner:
                    await inner.start(stage.io.serve_listeners, [listener])
                    task_status.started(scope)
                    await leave.wait()
                    inner.cancel_scope.cancel()
            over.set()

        scope = await nursery.start(serve)
        guest = Guest(open_stream)
        yield guest, took
        begun = trio.current_time()
        if how == "cancel":
            scope.cancel()
        else:
            leave.set()
        clock.autojump_threshold = 0
        await over.wait()
        took.append(trio.current_time() - begun)
        await guest.cut()
    assert stage.halted == 0


class Heard:
    """Notes the namespaces whose handler has begun."""

    def __init__(self, stage: Stage, names: list[str]) -> None:
        self.names: list[str] = []
        self._stage = stage
        for name in names:
            stage.io.of(name).on("disconnect", self._hang)

    async def _hang(self, socket: trio_sio.Socket, _reason: str) -> None:
        self.names.append(socket.namespace.name)
        await self._stage.halt()


@pytest.mark.parametrize("how", ["cancel", "leave"])
@pytest.mark.parametrize(("count", "graces"), [(1, 1), (2, 2), (5, 2)])
async def test_handlers_of_many_namespaces_take_grace_twice_at_most(
    count: int, graces: int, how: str, mock_clock: MockClock
) -> None:
    stage = Stage()
    names = [f"/farewells-{number}" for number in range(count)]
    heard = Heard(stage, names)
    async with ended(stage, mock_clock, how) as (guest, took):
        await guest.join(*names)
    assert sorted(heard.names) == names
    assert took == [pytest.approx(graces * GRACE, abs=0.3)]


@pytest.mark.parametrize("how", ["cancel", "leave"])
async def test_each_socket_has_its_handler_run_though_another_hangs(
    how: str, mock_clock: MockClock
) -> None:
    """Those behind the one that hangs get time of their own."""
    stage = Stage()
    left: list[str] = []

    async def clean_up(socket: trio_sio.Socket, _reason: str) -> None:
        await trio.sleep(GRACE / 2)
        left.append(socket.namespace.name)

    stage.io.of("/clean").on("disconnect", clean_up)
    async with ended(stage, mock_clock, how) as (guest, took):
        await guest.join("/farewells", "/clean")
    assert left == ["/clean"]
    assert took[0] <= 2 * GRACE


@pytest.mark.parametrize("how", ["cancel", "leave"])
async def test_who_left_and_comes_back_meanwhile_waits_no_longer(
    how: str, mock_clock: MockClock
) -> None:
    stage = Stage()
    async with ended(stage, mock_clock, how) as (guest, took):
        websocket = await guest.join("/farewells")
        await websocket.send("41/farewells,")
        await until(lambda: stage.halted == 1, lambda: stage.halted)
        await websocket.send("40/farewells,")
        assert await websocket.receive() == "40/farewells,"  # its id is free by now
        await websocket.send("41/farewells,")
    assert took[0] <= 2 * GRACE


@pytest.mark.parametrize("how", ["cancel", "leave"])
async def test_error_handlers_share_the_time(how: str, mock_clock: MockClock) -> None:
    """A packet that broke the protocol: all sockets hear of it before the first one leaves."""
    stage = Stage()
    for name in ("/one", "/two"):
        stage.io.of(name).on("error", stage.halt)
        stage.io.of(name).on("disconnect", stage.halt)
    async with ended(stage, mock_clock, how) as (guest, took):
        websocket = await guest.join("/one", "/two")
        await websocket.send("9")
        await until(lambda: stage.halted > 0, lambda: stage.halted)
    assert took[0] <= 2 * GRACE


class DeafAdapter(MemoryAdapter):
    """Asks another server, which does not answer, when a socket leaves."""

    async def remove_all(self, socket_id: str) -> None:
        await super().remove_all(socket_id)
        await trio.sleep_forever()


@pytest.mark.parametrize("how", ["cancel", "leave"])
async def test_an_adapter_that_waits_holds_it_for_grace(how: str, mock_clock: MockClock) -> None:
    stage = Stage(adapter=DeafAdapter)
    async with ended(stage, mock_clock, how) as (guest, took):
        await guest.join()
    assert took == [pytest.approx(GRACE, abs=0.3)]


async def test_a_handler_that_ignores_its_end_takes_grace_once_more(mock_clock: MockClock) -> None:
    """The event's handler gets `grace`, and then those of the last events get theirs."""
    stage = Stage()
    async with ended(stage, mock_clock, "leave") as (guest, took):
        websocket = await guest.join("/farewells")
        stage.io.of("/farewells").on("work", stage.halt)
        await websocket.send('42/farewells,["work"]')
        await until(lambda: stage.halted == 1, lambda: stage.halted)
    assert took == [pytest.approx(2 * GRACE, abs=0.3)]
