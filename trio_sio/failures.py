"""What the application's code raises, sorted: its failures, and what has to go on out.

    try:
        await handler()
    except failures() as error:
        found = sort(error, ConnectionRefused)

Whatever a handler raises is its failure; `asyncio.CancelledError` and `GeneratorExit`, which some
library may have meant for itself, are no exceptions to that. Three things go on out:
KeyboardInterrupt, SystemExit, and `trio.Cancelled` while a scope around is cancelled.

Handlers with nurseries of their own raise groups, and groups in groups, of all of these together;
so it is always the leaves that are looked at.
"""

import math
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Generic, TypeVar

import trio

from trio_sio.exceptions import Disconnected

EXITS = (KeyboardInterrupt, SystemExit)
"""Nobody's failure: somebody wants the program to end."""

E = TypeVar("E", bound=Exception)


def failures() -> tuple[type[BaseException], ...]:
    """Return what an `except` clause has to catch of the exception that has come to it.

    Python asks for the classes of a clause only then, so this costs nothing as long as all goes
    well. They are none if the exception, or each leaf of the group, has to go on out.
    """
    error = sys.exception()
    if error is None or all(map(_is_exit, leaves(error))):
        return ()
    return (type(error),)


def failed_leaves() -> tuple[type[BaseException], ...]:
    """Return what an `except*` clause has to catch; as `failures`, for the leaves of a group."""
    error = sys.exception()
    if error is None:
        return ()
    return tuple({type(leaf) for leaf in leaves(error) if not _is_exit(leaf)})


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions of a group and of the groups in it; a single one is its own leaf."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error


def _is_exit(error: BaseException) -> bool:
    if not trio.lowlevel.in_trio_task():  # the coroutine is thrown away: nothing can be awaited
        return True
    if isinstance(error, trio.Cancelled):  # of nobody's scope, it was kept and raised again
        return trio.current_effective_deadline() == -math.inf
    return isinstance(error, EXITS)


class Never(Exception):
    """For `sort`, where nothing can be refused; nobody raises it."""


@dataclass(frozen=True, slots=True)
class Sorted(Generic[E]):
    """The parts of what the application raised.

    Attributes:
        exits: what has to be raised again.
        refusal: the first refusal; it is no failure.
        failure: the rest, which somebody has to hear of.
    """

    exits: BaseException | None
    refusal: E | None
    failure: BaseException | None


def sort(error: BaseException, refusal: type[E], *, is_over: bool = False) -> Sorted[E]:
    """Take apart what the application raised.

    Args:
        error: an exception or a group.
        refusal: what is a refusal where it was raised.
        is_over: whether the client has left: that it could not be spoken to is nobody's failure.
    """
    exits, rest = _split(error, _is_exit)
    refused, rest = _split(rest, lambda leaf: isinstance(leaf, refusal))
    if is_over:
        _, rest = _split(rest, lambda leaf: isinstance(leaf, Disconnected))
    first = None if refused is None else next(leaves(refused))
    return Sorted(exits, first if isinstance(first, refusal) else None, rest)


def _split(
    error: BaseException | None, condition: Callable[[BaseException], bool]
) -> tuple[BaseException | None, BaseException | None]:
    """Return the leaves that fulfil a condition and the others, each in their groups."""
    if isinstance(error, BaseExceptionGroup):
        return error.split(lambda one: not isinstance(one, BaseExceptionGroup) and condition(one))
    return (error, None) if error is not None and condition(error) else (None, error)


def take_each(*steps: Callable[[], object]) -> None:
    """Take steps in their order, each in any case; what one raises is raised behind the last."""
    with ExitStack() as stack:
        for step in reversed(steps):
            stack.callback(step)


async def await_each(*steps: Callable[[], Awaitable[object]]) -> None:
    """As `take_each`, for steps that are awaited one after the other."""
    try:
        await steps[0]()
    finally:
        if len(steps) > 1:
            await await_each(*steps[1:])


def check_returned(who: str, returned: object) -> None:
    """Look at what a function returned that refuses clients by raising.

    Args:
        who: the function, for the error's text.
        returned: what it returned.

    Raises:
        TypeError: an exception; whoever returns one does not want the client to be let in.
    """
    kind = returned if isinstance(returned, type) else type(returned)
    if issubclass(kind, BaseException):
        raise TypeError(f"{who} returned {kind.__name__}: raise it to refuse")


def verdict(who: str, returned: object) -> bool | None:
    """Return whether a client is let in, by what a function returned; `None` if that was nothing.

    Raises:
        TypeError: as `check_returned`.
    """
    check_returned(who, returned)
    return None if returned is None else bool(returned)
