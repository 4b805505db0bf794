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

Nurseries of our own that nobody sees make groups as well; `with ungrouped():` around them raises
what was raised in them, and no groups:

    with ungrouped():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(function)
"""

import math
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, NoReturn, TypeVar

import trio

from trio_sio.exceptions import Disconnected

EXITS = (KeyboardInterrupt, SystemExit)
"""Nobody's failure: somebody wants the program to end."""

_SEVERAL = "several failures"
_OF_NOBODY = {
    *("Exceptions from Trio nursery", "errors in async test and trio fixtures", "", _SEVERAL)
}
"""What groups are called that Trio, pytest-trio, `except*` and we make; others the application has
made."""

_NEVER_MOVED = (*EXITS, trio.Cancelled)

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


def ungroup(error: BaseException) -> BaseException:
    """Return an exception without the groups that nurseries have put around it.

    Groups that the application has made stay as they are. So does what contains a cancellation, or
    somebody's wish to end the program: a scope around splits it.

    Args:
        error: an exception or a group.

    Returns:
        What was raised, if it is one; if there are several, one group of them. It takes over the
        notes of groups that are left out.
    """
    if any(isinstance(leaf, _NEVER_MOVED) for leaf in leaves(error)):
        return error
    notes: list[str] = []
    found = list({id(one): one for one in _members(error, notes)}.values())
    if len(found) > 1 and [*map(id, found)] == [*map(id, _children(error))]:
        return error
    alone = found[0] if len(found) == 1 else BaseExceptionGroup(_SEVERAL, found)
    for note in notes:
        alone.add_note(note)
    return alone


def _children(error: BaseException) -> Sequence[BaseException]:
    return error.exceptions if isinstance(error, BaseExceptionGroup) else ()


def _members(error: BaseException, notes: list[str]) -> Iterator[BaseException]:
    """Yield what was raised: `leaves`, but the application's own groups are members.

    Args:
        error: an exception or a group.
        notes: takes the notes of groups that are no members.
    """
    if isinstance(error, BaseExceptionGroup) and error.message in _OF_NOBODY:
        notes += getattr(error, "__notes__", ())
        for one in error.exceptions:
            yield from _members(one, notes)
    else:
        yield error


class ungrouped:
    """Raise what comes out of the block as `ungroup` returns it."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Do nothing yet."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not isinstance(error, BaseExceptionGroup):
            return
        found = ungroup(error)
        try:
            if found is not error:
                _raise_alone(found)
        finally:
            del error, found  # their tracebacks hold us


def _raise_alone(error: BaseException) -> NoReturn:
    """Raise an exception; what is being handled, such as its groups, is not shown along with it."""
    context = error.__context__
    try:
        raise error
    finally:
        error.__context__ = context
        del error, context  # its traceback holds us


class KeptFailures:
    """Failures that are raised at the end, whatever else is raised there.

    It is made when there is one, as a task that waits for days should not hold it:

        kept: KeptFailures | None = None
        try:
            await function()
        except* failed_leaves() as errors:
            kept = KeptFailures(errors)
        finally:
            with raised(kept):
                clean_up()

    Args:
        error: the first.
    """

    __slots__ = ("_error", "_passing")

    def __init__(self, error: BaseException) -> None:
        self._error = error
        self._passing: BaseException | None = None

    def add(self, error: BaseException) -> None:
        """Keep what the application's code raised, beside what it has raised before."""
        self._error = BaseExceptionGroup(_SEVERAL, [self._error, error])

    def __enter__(self) -> None:
        """Begin what has to be done before, in a `finally` clause."""
        self._passing = sys.exception()  # what has come out of the task as well

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        other = self._passing if error is None else error
        if other is not None:
            self.add(other)
        kept = self._error
        try:
            _raise_alone(kept)
        finally:
            self._passing = None
            del error, kept, other  # their tracebacks hold us


def keep(error: BaseException, kept: KeptFailures | None) -> KeptFailures:
    """Return what has been kept and one more failure."""
    if kept is None:
        return KeptFailures(error)
    kept.add(error)
    return kept


_NOTHING_KEPT = nullcontext()


def raised(kept: KeptFailures | None) -> AbstractContextManager[None]:
    """Return the context manager that raises what was kept, if anything was."""
    return kept or _NOTHING_KEPT


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
