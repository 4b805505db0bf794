"""Checks, and what they are about."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from trio_sio.conformance.target import Target

CheckFunction = Callable[..., Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that holds for a server.

    Attributes:
        name: such as `events/echo[polling]`.
        sentence: what holds.
        run: raises `Unexpected` where it does not.
        has_parts: whether it limits the time of its parts itself, and may take long altogether.
    """

    name: str
    sentence: str
    run: Callable[[Target], Awaitable[None]]
    has_parts: bool = False


class Area:
    """Checks of one kind; they are in the order of their definition.

    Args:
        name: the first part of their names.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._checks: list[Check] = []

    def __iter__(self) -> Iterator[Check]:
        return iter(self._checks)

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
                self._add(partial(function, **{parameter: value}), f"[{value}]", function)
            return function

        return add

    def _add(
        self,
        run: Callable[[Target], Awaitable[None]],
        suffix: str,
        function: CheckFunction | None = None,
    ) -> None:
        named: Any = function or run
        name = f"{self.name}/{named.__name__.replace('_', '-')}{suffix}"
        sentence = " ".join((named.__doc__ or "").split())
        self._checks.append(Check(name, sentence, run))
