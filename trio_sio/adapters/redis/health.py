"""Whether Redis can be reached, and what was missed while it could not."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

import trio

from trio_sio.abc import AdapterHost
from trio_sio.failures import failures

T = TypeVar("T")
FunctionT = TypeVar("FunctionT", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which events of other servers may not have come.

    Attributes:
        began: when something came last from Redis (`trio.current_time()`).
        ended: when everything was subscribed to again.
        cause: a sentence.
    """

    began: float
    ended: float
    cause: str

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.ended - self.began

    def merged(self, later: "Gap") -> "Gap":
        """Return one gap for two, from the beginning of this to the end of the other."""
        return Gap(self.began, later.ended, self.cause)


class Part(Enum):
    """What has to be well, in the order in which problems are told."""

    PUBLISHER = "publisher"
    SUBSCRIBER = "subscriber"
    PROBE = "probe"


_NOT_CONNECTED = "Redis is not connected to"
_UNPROVEN = "no probe has come back yet"


class Health:
    """What is wrong at the moment.

    Args:
        changed: is told whether everything is well, whenever that changes.
    """

    def __init__(self, changed: Callable[[bool], object]) -> None:
        self._changed = changed
        self._problems = dict.fromkeys(Part, _NOT_CONNECTED)
        self._lot = trio.lowlevel.ParkingLot()
        self._is_settled = False

    @property
    def healthy(self) -> bool:
        """Whether everything is well."""
        return not any(self._problems.values())

    @property
    def problem(self) -> str:
        """What is wrong, as a sentence; `""` if nothing is."""
        return next(filter(None, self._problems.values()), "")

    def begin(self) -> None:
        """Begin anew: nothing runs."""
        self._is_settled = False
        for part in Part:
            self.find(part, _NOT_CONNECTED)

    def find(self, part: Part, problem: str) -> None:
        """Note what is wrong with a part; `""` if nothing is any more."""
        was_healthy = self.healthy
        self._problems[part] = problem
        if problem:  # what a probe has proven no longer holds
            self._problems[Part.PROBE] = problem if part is Part.PROBE else _UNPROVEN
        if self.healthy is not was_healthy:
            self._changed(self.healthy)
        if not self._is_settled:
            self._settle()

    def _settle(self) -> None:
        """Let go whoever waits for the first attempts, if these have succeeded or failed."""
        problems = set(self._problems.values())
        if _NOT_CONNECTED not in problems and problems != {"", _UNPROVEN}:
            self._is_settled = True
            self._lot.unpark_all()

    async def wait_settled(self) -> None:
        """Wait until all is well for the first time, or it is known what is wrong."""
        while not self._is_settled:
            await self._lot.park()


class Notices(Generic[T]):
    """Tells functions of the application something, one after the other, in a task of its own.

    What happens while they take their time is merged, so one notice waits at most.

    Args:
        name: of the decorator that registers them, for the log.
        merge: makes one notice of two.
    """

    def __init__(self, name: str, merge: Callable[[T, T], T]) -> None:
        self._name = name
        self._merge = merge
        self._functions: list[Callable[[T], object]] = []
        self._pending: list[T] = []
        self._lot = trio.lowlevel.ParkingLot()

    def add(self, function: FunctionT) -> FunctionT:
        """Register a function."""
        if not callable(function):
            raise TypeError(f"{self._name} takes a function, not {function!r}")
        self._functions.append(function)
        return function

    def tell(self, notice: T) -> None:
        """Have the functions called soon."""
        if self._pending:
            notice = self._merge(self._pending.pop(), notice)
        self._pending.append(notice)
        self._lot.unpark_all()

    async def run(self, host: AdapterHost) -> None:
        """Call the functions; a task."""
        while True:
            while not self._pending:
                await self._lot.park()
            notice = self._pending.pop()
            for function in tuple(self._functions):
                try:
                    result = function(notice)
                    if isinstance(result, Awaitable):
                        await result
                except failures() as error:
                    name = getattr(function, "__qualname__", type(function).__name__)
                    host.report(error, "a function of %s failed: %s", self._name, name)
