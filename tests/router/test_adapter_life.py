"""The tasks of a factory of adapters: when they run, and what their failures cost."""

from collections.abc import Iterator

import pytest
import trio

from trio_sio import MemoryAdapter, Server, Socket
from trio_sio.abc import AdapterHost, AdapterNamespace
from trio_sio.router.adapter_life import FIRST_DELAY, GOODBYE
from trio_sio.statistics import AdapterStatistics
from trio_sio.testing import connect


class Service:
    """A factory of memory adapters with a task that tells what becomes of it."""

    def __init__(self, failures: Iterator[Exception] | None = None, *, closing: float = 0) -> None:
        self.told: list[str] = []
        self.host: AdapterHost | None = None
        self._failures = failures or iter(())
        self._closing = closing

    def __call__(self, namespace: AdapterNamespace) -> MemoryAdapter:
        return MemoryAdapter(namespace)

    async def run(
        self,
        host: AdapterHost,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        self.host = host
        self.told.append("run")
        for error in self._failures:
            raise error
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            self.told.append("cancelled")

    async def aclose(self) -> None:
        self.told.append("aclose")
        await trio.sleep(self._closing)
        self.told.append("closed")

    def statistics(self) -> AdapterStatistics:
        return AdapterStatistics(published=3)


async def test_it_begins_before_the_first_client_and_ends_after_the_last(
    autojump_clock: trio.abc.Clock,
) -> None:
    service = Service()
    io = Server(adapter=service)

    @io.on("connection")
    def connection(socket: Socket) -> None:
        service.told.append("connection")

    @io.on("disconnect")
    async def disconnect(socket: Socket, reason: str) -> None:
        await trio.sleep(0.1)
        service.told.append("disconnect")

    async with io:
        assert service.told == ["run"]
        async with connect(io):
            pass
    expected = ["run", "connection", "disconnect", "aclose", "closed", "cancelled"]
    assert service.told == expected


async def test_it_outlives_the_clients_when_everything_is_cancelled(
    autojump_clock: trio.abc.Clock,
) -> None:
    service = Service()
    io = Server(adapter=service, raise_errors=False)

    @io.on("disconnect")
    async def disconnect(socket: Socket, reason: str) -> None:
        await trio.sleep(0.1)
        service.told.append("disconnect")

    with trio.CancelScope() as scope:
        async with io, connect(io):
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert service.told == ["run", "disconnect", "aclose", "closed", "cancelled"]


async def test_it_outlives_no_client(autojump_clock: trio.abc.Clock) -> None:
    """A handler that hangs has `grace` seconds, and the tasks end behind it."""
    service = Service()
    io = Server(adapter=service, raise_errors=False, grace=3)

    @io.on("disconnect")
    async def disconnect(socket: Socket, reason: str) -> None:
        await trio.sleep_forever()

    with trio.CancelScope() as scope:
        async with io, connect(io):
            scope.cancel()
            begun = trio.current_time()
            await trio.lowlevel.checkpoint()
    assert service.told[-1] == "cancelled"
    assert trio.current_time() - begun <= 3 + GOODBYE


@pytest.mark.parametrize("way", ["tcp", "listeners"])
async def test_serving_without_entering_runs_it_too(way: str) -> None:
    service = Service()
    io = Server(adapter=service)
    async with trio.open_nursery() as nursery:
        if way == "tcp":
            await nursery.start(io.serve_tcp, 0, "127.0.0.1")
        else:
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
            await nursery.start(io.serve_listeners, listeners)
        assert service.told == ["run"]
        await nursery.start(io.serve_tcp, 0, "127.0.0.1")  # a second port of the same server
        assert service.told == ["run"]
        assert io.statistics().adapter.healthy
        nursery.cancel_scope.cancel()
    assert service.told[0] == "run"
    assert service.told[-1] == "cancelled"
    assert not io.statistics().adapter.healthy


async def test_a_failure_is_logged_and_counted_and_it_runs_again(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(iter([ValueError("one"), ValueError("two")]))
    io = Server(adapter=service, raise_errors=False)
    begun = trio.current_time()
    async with io, connect(io) as client:
        await trio.sleep(4 * FIRST_DELAY)
        assert service.told == ["run", "run", "run"]
        await io.emit("still here")
        assert await client.receive() == ["still here"]
        assert io.statistics().adapter == AdapterStatistics(published=3, failures=2)
    assert trio.current_time() - begun >= 3 * FIRST_DELAY
    assert "ValueError: one" in caplog.text


async def test_with_raise_errors_a_failure_ends_the_server(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server(adapter=Service(iter([ValueError("one")])), raise_errors=True)
    with pytest.raises(ValueError, match="one"):
        async with io:
            await trio.sleep_forever()


async def test_its_goodbye_is_limited(autojump_clock: trio.abc.Clock) -> None:
    service = Service(closing=1000)
    async with Server(adapter=service):
        begun = trio.current_time()
    assert trio.current_time() - begun == pytest.approx(GOODBYE)
    assert service.told == ["run", "aclose", "cancelled"]


async def test_a_failing_goodbye_ends_it_all_the_same(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Service):
        async def aclose(self) -> None:
            raise ValueError("no goodbye")

    service = Failing()
    async with Server(adapter=service, raise_errors=False):
        pass
    assert service.told == ["run", "cancelled"]
    assert "no goodbye" in caplog.text


async def test_a_factory_without_tasks_is_only_called(autojump_clock: trio.abc.Clock) -> None:
    async with Server(adapter=MemoryAdapter) as io:
        assert io.statistics().adapter == AdapterStatistics()


async def test_what_the_application_failed_in_is_reported(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service()
    async with Server(adapter=service, raise_errors=False):
        assert service.host is not None
        service.host.report(ValueError("hook"), "the hook of %s failed", "/chat")
    assert "the hook of /chat failed" in caplog.text
    service = Service()
    async with Server(adapter=service, raise_errors=True):
        assert service.host is not None
        with pytest.raises(ValueError, match="hook"):
            service.host.report(ValueError("hook"), "the hook of %s failed", "/chat")


async def test_clients_of_a_foreign_engine_are_warned_about(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server(adapter=Service())
    async with io.engine, connect(io):
        pass
    assert "reaches no other server" in caplog.text
