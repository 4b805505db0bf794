"""Outboxes without a session."""

from typing import TYPE_CHECKING

from trio_sio.abc import Transport
from trio_sio.disconnect import Explanation
from trio_sio.engine.runtime.tick import TickFlusher
from trio_sio.engine.session.outbox import Outbox
from trio_sio.options import EngineOptions
from trio_sio.sync import Home

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio_sio.engine.session.writer import Writer


class Owner:
    """Takes note of what an outbox asks of its session.

    Attributes:
        backlogs: whether the client is behind, each time that this has changed.
        limits: what was reached without ending the session.
        on_backlog: called besides.
        failures: what was raised at the end of a tick.
        slow: why the session is to end.
        wakes: how often there was work for a writer.
        writer: is woken, if there is one.
    """

    def __init__(self) -> None:
        self.backlogs: list[bool] = []
        self.failures: list[BaseException] = []
        self.limits: list[str] = []
        self.on_backlog: Callable[[bool], object] = self.backlogs.append
        self.slow: list[Explanation] = []
        self.wakes = 0
        self.writer: Writer | None = None

    def wake_writer(self) -> None:
        self.wakes += 1
        if self.writer is not None:
            self.writer.wake()

    def backlog_changed(self, is_behind: bool) -> None:
        self.on_backlog(is_behind)

    def slow_consumer(self, why: Explanation) -> None:
        self.slow.append(why)

    def count_limit(self, option: str) -> None:
        self.limits.append(option)

    def flush_failed(self, error: BaseException) -> None:
        self.failures.append(error)


def make_outbox(
    transport: Transport,
    packets: int = 10,
    size: int = 1000,
    owner: Owner | None = None,
    tick: TickFlusher | None = None,
) -> Outbox:
    """An outbox of which half may wait until its client is behind, and a quarter again."""
    limits = EngineOptions(
        max_outbox=packets, max_outbox_bytes=size, high_water=0.5, low_water=0.25
    )
    return Outbox(transport, limits, tick or TickFlusher(), owner or Owner(), Home())
