"""What there is of a server, counted: before an attack, and when it is over."""

import gc
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import trio
from trio._core._run import GLOBAL_RUN_CONTEXT

import trio_sio
from trio_sio.engine.runtime.timers import Timer


@dataclass(frozen=True)
class Remains:
    """A moment of this process.

    Attributes:
        tasks: by name, how many there are in the whole tree of tasks.
        sockets: file descriptors that are sockets.
        timers: cancel scopes that have a deadline, and what the engine's alarm will call.
        objects: by class, the objects of the package's classes.
    """

    tasks: Counter[str]
    sockets: int
    timers: int
    objects: Counter[str]

    def beyond(self, before: "Remains") -> dict[str, object]:
        """Return what there is more of than there was before.

        Fewer timers are nothing that remains: before, the alarm may still have been asleep until
        the time of a call that was cancelled.
        """
        surplus = {
            "tasks": dict(self.tasks - before.tasks),
            "sockets": max(0, self.sockets - before.sockets),
            "timers": max(0, self.timers - before.timers),
            "objects": dict(self.objects - before.objects),
        }
        return {name: count for name, count in surplus.items() if count}

    @classmethod
    def count(cls, io: trio_sio.Server) -> "Remains":
        """Count; rubbish is collected first."""
        gc.collect()
        return cls(
            Counter(task.name for task in _tasks()),
            sum(os.readlink(link).startswith("socket:") for link in _descriptors()),
            GLOBAL_RUN_CONTEXT.runner.deadlines._active + len(io.engine.runtime.timers),
            Counter(type(one).__qualname__ for one in gc.get_objects() if _counts(one)),
        )


def _tasks() -> Iterator[trio.lowlevel.Task]:
    root = trio.lowlevel.current_root_task()
    assert root is not None
    found = [root]
    while found:
        task = found.pop()
        yield task
        for nursery in task.child_nurseries:
            found.extend(nursery.child_tasks)


def _descriptors() -> Iterator[str]:
    for number in os.listdir("/proc/self/fd"):
        link = f"/proc/self/fd/{number}"
        if os.path.islink(link):  # not the one of the listing itself, which is closed by now
            yield link


def _counts(one: object) -> bool:
    """Whether it is an object of the package.

    Of calls that were cancelled the alarm keeps a thousand, which hold nothing.
    """
    if not str(type(one).__module__).startswith("trio_sio."):
        return False
    return not isinstance(one, Timer) or one.is_due
