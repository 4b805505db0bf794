"""Waiting for other tasks, and in which Trio run they are.

The waits do what Trio's own `Event` and `ParkingLot` do, for less: a server keeps several of them
for each of its clients, of which nearly all are idle. So whatever takes memory is made when a task
has to wait, and given back afterwards. `trio_sio.channel` has the channel that goes with them.

LazyEvent   happens once
Notifier    happens again and again
Condition   a notifier whose waiters each wait for a predicate
Parked      one task, until another one wakes it
Home        the Trio run in which objects live, and the only one that may call them
"""

import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import trio


class LazyEvent:
    """A `trio.Event` that allocates only when a task waits for it, 260 bytes less until then.

    Attributes:
        is_set: whether it has happened.
    """

    __slots__ = ("_event", "is_set")

    def __init__(self) -> None:
        self.is_set = False
        self._event: trio.Event | None = None

    def set(self) -> None:
        """Set the event and wake everyone who waits for it; setting it again does nothing."""
        self.is_set = True
        if self._event is not None:
            self._event.set()

    async def wait(self) -> None:
        """Return once the event is set."""
        if self.is_set:
            await trio.lowlevel.checkpoint()
            return
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()


class Notifier:
    """Wakes everyone who waits, as often as it is told to; 40 bytes while nobody does.

    It has no memory: a notification that comes before `wait` is called does not end that wait.
    """

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: trio.Event | None = None

    def notify_all(self) -> None:
        """Wake everyone who waits at this moment."""
        if self._event is not None:
            self._event.set()
            self._event = None

    async def wait(self) -> None:
        """Return after the next `notify_all`."""
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()


async def settle(rounds: int) -> None:
    """Let all other tasks run for some iterations of the event loop.

    Args:
        rounds: the number of iterations. A task that was woken needs one to run; each task that
            it wakes in turn needs another.
    """
    for _ in range(rounds):
        await trio.lowlevel.checkpoint()


_SETTLING_ROUNDS = 5
"""Iterations after which a reader has taken what has arrived. A socket needs one to hand over its
bytes, a stream in memory three."""


class Condition:
    """As `threading.Condition`, with a predicate for each waiter and no lock.

    Whoever changes what the predicates depend on calls `notify_all`.
    """

    __slots__ = ("_changed",)

    def __init__(self) -> None:
        self._changed = Notifier()

    def notify_all(self) -> None:
        """Have every waiter evaluate its predicate again."""
        self._changed.notify_all()

    async def wait_for(self, predicate: Callable[[], bool]) -> None:
        """Return as soon as the predicate is true; no other task has run since it was evaluated.

        Args:
            predicate: evaluated at the beginning, and soon after each `notify_all`.
        """
        await trio.lowlevel.checkpoint()
        while not predicate():
            await self._changed.wait()
            await settle(_SETTLING_ROUNDS)


class Parked:
    """At most one task that waits until another task wakes it.

    Attributes:
        task: the task that waits, `None` if none does.
    """

    __slots__ = ("task",)

    def __init__(self) -> None:
        self.task: trio.lowlevel.Task | None = None

    def park(self) -> Coroutine[Any, Any, Any]:
        """Wait until `wake` is called; to be awaited at once.

        Raises:
            trio.BusyResourceError: another task waits here.
        """
        if self.task is not None:
            raise trio.BusyResourceError("another task is waiting")
        self.task = trio.lowlevel.current_task()
        return trio.lowlevel.wait_task_rescheduled(self._abort)  # noqa: ASYNC105 - by the caller

    def wake(self) -> None:
        """Let the task go on; nothing happens if none waits."""
        task, self.task = self.task, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    def _abort(self, error: object) -> trio.lowlevel.Abort:
        """Forget the task: it has been cancelled (called by Trio)."""
        self.task = None
        return trio.lowlevel.Abort.SUCCEEDED


# -- the right Trio run --------------------------------------------------------------------------


def running_loop() -> str:
    """Return which event loop runs in this thread: "Trio", "asyncio", or "" for none."""
    if trio.lowlevel.in_trio_task():
        return "Trio"
    asyncio: Any = sys.modules.get("asyncio")  # it takes 50 ms to import, and cannot run without
    try:
        return "" if asyncio is None or asyncio.get_running_loop() is None else "asyncio"
    except RuntimeError:
        return ""


class _Thread(threading.local):
    """What is known of the current thread.

    Attributes:
        token: the Trio run whose objects may be called here.
    """

    token: object = "no Trio run"

    def admit(self, token: trio.lowlevel.TrioToken) -> None:
        """Let the objects of a Trio run be called here, from now on."""
        self.token = token


THREAD = _Thread()
"""The current thread; see `Home`."""


class Home:
    """The Trio run in which a server lives, and the only one that may call its objects.

    A call from anywhere else would find the server in the middle of a step, and wake no task. So
    each method that sends or changes something, or reads what changes, begins with `check`. On the
    way of each event that is one comparison, which takes about 0.1 µs and no call
    (`python3 -m timeit -s "from trio_sio.sync import THREAD as t" "t.token is None"`):

        if THREAD.token is not home.token:
            home.check("socket.emit")

    It fails, and `check` looks more closely, also while nothing is served, and in Trio's guest
    mode, in which the thread runs another loop between two steps of Trio: what is not async may be
    called there, too.

    Attributes:
        token: the run; `None` while there is none, and any may call.
    """

    __slots__ = ("token",)

    def __init__(self) -> None:
        self.token: trio.lowlevel.TrioToken | None = None

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Live in the current Trio run as long as this lasts."""
        self.token = trio.lowlevel.current_trio_token()
        if not _is_guest():
            THREAD.admit(self.token)
        try:
            yield
        finally:
            self.token = None

    def check(self, name: str) -> None:
        """Raise unless the Trio run is the right one.

        Args:
            name: the async function that was called, such as "socket.emit".

        Raises:
            RuntimeError: it is another one, or Trio does not run here; what to do.
        """
        if not (trio.lowlevel.in_trio_task() and self._is_here()):
            self._refuse(name, "run")

    def check_sync(self, name: str) -> None:
        """As `check`, for a function that is not async."""
        if not self._is_here():
            self._refuse(name, "run_sync")

    def claim(self, name: str) -> None:
        """As `check`; the first Trio run that calls is the right one, until it has ended."""
        if not self._is_here() and trio.lowlevel.in_trio_run() and _has_ended(self.token):
            self.token = None
        self.check(name)
        self.token = trio.lowlevel.current_trio_token()

    def check_while_serving(self, name: str) -> None:
        """As `check_sync`, for what may be done from anywhere while nothing is served."""
        if self.token is not None:
            self.check_sync(name)

    def _is_here(self) -> bool:
        if not trio.lowlevel.in_trio_run():
            return False
        return self.token is None or self.token is trio.lowlevel.current_trio_token()

    def _refuse(self, name: str, how: str) -> NoReturn:
        hint = f"from a thread, call `trio.from_thread.{how}({name}, ...)`"
        loop = running_loop()
        if loop == "Trio":
            problem = "this is another Trio run than the one in which its server serves"
            hint += ", and use one Trio run for the server and all that calls it"
        elif loop:
            problem = "this is a Trio server, and asyncio runs here"
            hint += (
                "; serve with `trio_sio.run(io)` or `trio.run(...)`, or with"
                " `trio_sio.asgi.Application(io)` and `hypercorn --worker-class trio`"
            )
        else:
            problem = "this is a Trio server, and Trio does not run in this thread"
            hint += "; serve with `trio_sio.run(io)`, or call it from a task of `trio.run(...)`"
        raise RuntimeError(f"{name} has done nothing: {problem}; {hint}")


def _has_ended(token: trio.lowlevel.TrioToken | None) -> bool:
    try:
        if token is not None:
            token.run_sync_soon(bool, idempotent=True)  # it does nothing
    except trio.RunFinishedError:
        return True
    return False


def _is_guest() -> bool:
    """Whether Trio does not have the thread for itself: nobody down here has called `trio.run`."""
    frame = sys._getframe()
    while frame.f_code is not trio.run.__code__:
        if frame.f_back is None:
            return True
        frame = frame.f_back
    return False
