"""What this process has of a server at a moment: objects, tasks, descriptors, timers, numbers.

Two moments of the same server are compared, to see that clients that went have left nothing.
"""

import gc
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CoroutineType

import trio_sio
from trio_sio.engine.runtime.stalls import Stall
from trio_sio.engine.runtime.timers import Timer
from trio_sio.testing.machines.remains import all_tasks, numbers_of

PACKAGES = {"trio_sio", "h11", "websockets", "trio_websocket", "wsproto"}


@dataclass(frozen=True)
class Remains:
    """A moment.

    Attributes:
        objects: by type: of the package and of the libraries behind its doors.
        tasks: by name: of the whole program.
        descriptors: of the process.
        timers: what the engine will call at a time. A deadline needs no count of its own: a task
            is in its scope.
        numbers: what the server says of itself.
    """

    objects: Counter[str]
    tasks: Counter[str]
    descriptors: int
    timers: int
    numbers: Mapping[str, int]

    @classmethod
    def of(cls, io: trio_sio.Server, **numbers: int) -> "Remains":
        """Collect garbage, and count.

        Args:
            io: the server.
            **numbers: what else is to be as it was.
        """
        gc.collect()
        return cls(
            Counter(_kinds()),
            Counter(task.name for task in all_tasks()),
            len(os.listdir("/proc/self/fd")),
            len(io.engine.runtime.timers),
            {**numbers_of(io), **numbers},
        )

    def __str__(self) -> str:
        sessions, rooms = self.numbers["sessions"], self.numbers["rooms"]
        return (
            f"{self.objects.total():7} objects {self.tasks.total():6} tasks"
            f" {self.descriptors:6} descriptors {sessions:6} sessions {rooms:6} rooms"
        )

    def beyond(self, before: "Remains") -> str:
        """Say what there is beyond what was there before; nothing if all is as it was."""
        parts = [f"{kind}: {more}" for kind, more in (self.objects - before.objects).items()]
        parts += [f"task {name}: {more}" for name, more in (self.tasks - before.tasks).items()]
        for name in ("descriptors", "timers"):
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
        if kind is Stall:
            continue  # the latest ones are kept, whoever caused them
        if kind is CoroutineType:
            if "/trio_sio/" in one.cr_code.co_filename:
                yield f"coroutine {one.cr_code.co_qualname}"
        elif str(kind.__module__).partition(".")[0] in PACKAGES:
            yield f"{kind.__module__}.{kind.__qualname__}"
