"""What a server has at a moment: its own numbers, and the tasks of the whole program.

Two moments are compared, to see that clients that went have left nothing.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import trio

from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.server import Server


@dataclass(frozen=True)
class Remains:
    """A moment.

    Attributes:
        tasks: by name.
        numbers: what the server has of clients, by what it is.
    """

    tasks: Counter[str]
    numbers: Counter[str]

    @classmethod
    def of(cls, io: Server) -> "Remains":
        """Count; the adapter is the one in memory."""
        return cls(Counter(task.name for task in all_tasks()), Counter(numbers_of(io)))

    def beyond(self, before: "Remains") -> str:
        """Say what there is beyond what was there before; nothing if all is as it was."""
        more = [f"{name}: {count}" for name, count in (self.numbers - before.numbers).items()]
        more += [f"task {name}: {count}" for name, count in (self.tasks - before.tasks).items()]
        return ", ".join(more)


def all_tasks() -> Iterator[trio.lowlevel.Task]:
    """Yield all tasks of the Trio run."""
    root = trio.lowlevel.current_root_task()
    assert root is not None
    found = [root]
    while found:
        task = found.pop()
        yield task
        for nursery in task.child_nurseries:
            found.extend(nursery.child_tasks)


def numbers_of(io: Server) -> dict[str, int]:
    """Return what a server, whose adapter is the one in memory, says of itself."""
    statistics = io.statistics()
    namespaces = io.router.namespaces.values()
    adapters = [one.adapter for one in namespaces if isinstance(one.adapter, MemoryAdapter)]
    return {
        "connections": statistics.connections,
        "sessions": statistics.sessions,
        "queued": statistics.queued,
        "queued_bytes": statistics.queued_bytes,
        "clients": len(io.router.clients),
        "sockets": sum(len(one.sockets) for one in namespaces),
        "users": sum(one.users for one in namespaces),
        "rooms": sum(len(one.rooms) for one in adapters),
        "members": sum(len(one.sids) for one in adapters),
        "namespaces": len(io.router.namespaces),
    }
