"""Checks, and what they are about."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from trio_sio.conformance.target import Target
from trio_sio.testing.clients.dialect import PROTOCOLS
from trio_sio.testing.clients.transports import TRANSPORTS, transports_of

CheckFunction = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that holds for a server.

    Attributes:
        name: such as `events/echo[polling]`.
        sentence: what holds.
        run: raises `Unexpected` where it does not.
        has_parts: whether it limits the time of its parts itself, and may take long altogether.
        protocols: the revisions of Socket.IO in which it holds.
    """

    name: str
    sentence: str
    run: Callable[[Target], Awaitable[None]]
    has_parts: bool = False
    protocols: tuple[int, ...] = PROTOCOLS


class Part:
    """Checks that hold in some revisions of Socket.IO.

    Args:
        name: the first part of their names.
        protocols: the revisions.
        checks: where they are put.
    """

    def __init__(self, name: str, protocols: tuple[int, ...], checks: list[Check]) -> None:
        self.name = name
        self._protocols = protocols
        self._checks = checks

    def check(self, function: CheckFunction) -> CheckFunction:
        """Add a check, a function of the target whose docstring says what holds."""
        self._add(function, "")
        return function

    def check_with(
        self, values: Sequence[Any], parameter: str = "how"
    ) -> Callable[[CheckFunction], CheckFunction]:
        """Add a check for each value of a parameter, such as each transport."""

        def add(function: CheckFunction) -> CheckFunction:
            for value in values:
                run = partial(function, **{parameter: value})
                spoken = tuple(
                    one for one in self._protocols if value not in TRANSPORTS or _has(one, value)
                )
                self._add(run, f"[{value}]", function, spoken)
            return function

        return add

    def _add(
        self,
        run: Callable[[Target], Awaitable[None]],
        suffix: str,
        function: CheckFunction | None = None,
        protocols: tuple[int, ...] | None = None,
    ) -> None:
        named: Any = function or run
        name = f"{self.name}/{named.__name__.replace('_', '-')}{suffix}"
        sentence = " ".join((named.__doc__ or "").split())
        spoken = self._protocols if protocols is None else protocols
        self._checks.append(Check(name, sentence, run, protocols=spoken))


class Area(Part):
    """Checks of one kind; they are in the order of their definition.

    Args:
        name: the first part of their names.
        protocols: the revisions of Socket.IO in which they hold, unless `only` says another one.
    """

    def __init__(self, name: str, protocols: tuple[int, ...] = PROTOCOLS) -> None:
        super().__init__(name, protocols, [])

    def __iter__(self) -> Iterator[Check]:
        return iter(self._checks)

    def only(self, protocol: int) -> Part:
        """Return what adds checks that hold in this revision alone."""
        return Part(self.name, (protocol,), self._checks)


def _has(protocol: int, how: str) -> bool:
    return how in transports_of(protocol)
