"""What a process has of a server at a moment: objects, tasks, file descriptors, numbers."""

import gc
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import CoroutineType

import trio

from tests.support.stage import Stage
from trio_sio.engine.runtime.timers import Timer

PACKAGES = {"trio_sio", "h11", "websockets", "trio_websocket", "wsproto"}


@dataclass(frozen=True)
class Remains:
    """All of it; two of the same server are compared.

    Attributes:
        objects: of the package and of the libraries behind its doors, by type.
        tasks: of the whole program.
        descriptors: of the process.
        numbers: what the server says of itself.
    """

    objects: Counter[str]
    tasks: int
    descriptors: int
    numbers: dict[str, int]

    @classmethod
    def of(cls, stage: Stage) -> "Remains":
        """Take them down."""
        gc.collect()
        return cls(
            Counter(_kinds()),
            len(list(_tasks(trio.lowlevel.current_root_task()))),
            len(os.listdir("/proc/self/fd")),
            _numbers(stage),
        )

    def __str__(self) -> str:
        sessions, rooms = self.numbers["sessions"], self.numbers["rooms"]
        return (
            f"{sum(self.objects.values()):7} objects {self.tasks:6} tasks"
            f" {self.descriptors:6} descriptors {sessions:6} sessions {rooms:6} rooms"
        )

    def beyond(self, before: "Remains") -> str:
        """Say what there is beyond what was there before; nothing if all is as it was."""
        parts = [f"{kind}: {more}" for kind, more in (self.objects - before.objects).items()]
        for name in ("tasks", "descriptors"):
            ours, theirs = getattr(self, name), getattr(before, name)
            if ours > theirs:
                parts.append(f"{name}: {ours - theirs}")
        for name, number in self.numbers.items():
            if number != before.numbers[name]:
                parts.append(f"{name}: {number} after {before.numbers[name]}")
        return ", ".join(parts)


def _kinds() -> Iterator[str]:
    for one in gc.get_objects():
        kind = type(one)
        if kind is Timer and not one.is_due:
            continue  # a thousand that were cancelled may wait to be swept up together
        if kind is CoroutineType:
            if "/trio_sio/" in one.cr_code.co_filename:
                yield f"coroutine {one.cr_code.co_qualname}"
        elif str(kind.__module__).partition(".")[0] in PACKAGES:
            yield f"{kind.__module__}.{kind.__qualname__}"


def _tasks(task: trio.lowlevel.Task | None) -> Iterator[trio.lowlevel.Task]:
    assert task is not None
    yield task
    for nursery in task.child_nurseries:
        for child in nursery.child_tasks:
            yield from _tasks(child)


def _numbers(stage: Stage) -> dict[str, int]:
    io = stage.io
    statistics = io.statistics()
    namespaces = io.router.namespaces.values()
    return {
        "connections": statistics.connections,
        "sessions": statistics.sessions,
        "queued": statistics.queued,
        "queued_bytes": statistics.queued_bytes,
        "clients": len(io.router.clients),
        "sockets": sum(len(one.sockets) for one in namespaces),
        "users": sum(one.users for one in namespaces),
        "rooms": sum(len(vars(one.adapter)["rooms"]) for one in namespaces),
        "members": sum(len(vars(one.adapter)["sids"]) for one in namespaces),
        "namespaces": len(io.router.namespaces),
        "calls of the alarm": len(io.engine.runtime.timers),
        "halted": stage.halted,
    }
