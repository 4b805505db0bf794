"""How many arguments handlers take: seen when one is registered, explained when a call fails.

Handlers of a socket's own life ("disconnect", "error", …) may leave out arguments from the end.
An event of a client has as many arguments as the client likes. Nothing is counted before a handler
is called: Python itself refuses a wrong number, and only then is the signature looked at.
"""

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from types import FunctionType, MethodType, TracebackType

from trio_sio.exceptions import WrongArguments
from trio_sio.logs.shown import quoted
from trio_sio.protocol.socketio.unsendable import type_name

_ACK_NAMES = frozenset({"ack", "acknowledge", "callback", "cb", "done", "fn", "respond"})
"""What the last parameter is called by those who expect to be given a function for the answer."""

_DATA_NAMES = frozenset({"data", "message", "msg", "payload", "text"})
"""What the first parameter is called by those who do not expect the socket there."""

_MANY = 64
"""Arguments that are tried at most."""


def function_name(function: Callable[..., object]) -> str:
    """Return module and name of a function, of a method, or of what a partial calls."""
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__qualname__", None)
    return f"{function.__module__}.{name}" if name else f"an object of {type_name(function)}"


def fit(event: str, function: Callable[..., object], offered: Sequence[str]) -> int | None:
    """Return how many of the arguments that there are a handler is to be given.

    Args:
        event: what it handles.
        function: the handler.
        offered: what the arguments are, for the error's text.

    Returns:
        A number, `None` for all.

    Raises:
        TypeError: it takes none of `()` to `offered`.
    """
    number = _fit_code(function, len(offered))
    if number is None:
        number = _fit_signature(function, len(offered))
    if number is None:
        gets = f"({', '.join(offered)})"
        text = f"a handler of {quoted(event)} gets {gets}, and may leave out arguments at the end"
        raise TypeError(f"{text}; {_shown(function)} takes others")
    return None if number == len(offered) else number


def _fit_code(function: Callable[..., object], most: int) -> int | None:
    """As `_fit_signature`, for plain functions, in a hundredth of the time."""
    bound = 0
    if type(function) is MethodType:
        function, bound = function.__func__, 1
    if type(function) is not FunctionType or "__wrapped__" in function.__dict__:
        return None
    code = function.__code__
    if code.co_kwonlyargcount or code.co_flags & inspect.CO_VARARGS:
        return None
    takes = code.co_argcount - bound
    required = takes - len(function.__defaults__ or ())
    return min(takes, most) if required <= most and takes >= 0 else None


def _fit_signature(function: Callable[..., object], most: int) -> int | None:
    """Return how many of `most` arguments can be given, `None` if no number can."""
    own = _signature(function)
    if own is None:  # written in C: nobody can tell
        return most
    possible = [number for number in range(most, -1, -1) if _can_take(own, number)]
    wrapped = _signature(function, follow_wrapped=True)
    if wrapped is not None:  # a decorator that passes on whatever it gets
        possible.sort(key=lambda number: not _can_take(wrapped, number))
    return possible[0] if possible else None


def wrong_arguments(
    error: BaseException,
    function: Callable[..., object],
    event: str,
    args: tuple[object, ...],
    *,
    lead: int,
    ack: bool,
    frames: int = 2,
) -> WrongArguments | None:
    """Return the explanation of a call that failed because of the number of arguments.

    Args:
        error: what the call raised.
        function: the handler.
        event: what the client sent.
        args: what it was called with.
        lead: how many of them, at the beginning, are not the client's.
        ack: whether the last one is not, either.
        frames: of the package, from the one that has caught the error to the one that has called
            the handler.

    Returns:
        `None` if the handler has begun, whatever it raised then.
    """
    if type(error) is not TypeError or not _is_of_call(error.__traceback__, frames):
        return None
    signature = _signature(function)
    if signature is None or _can_take(signature, len(args)):
        return None
    sent = len(args) - lead - ack
    text = (
        f"the client sent {sent} argument{'' if sent == 1 else 's'} for {quoted(event)}, and "
        f"{_shown(function)} takes {_taken(signature, lead + ack)}"
    )
    return WrongArguments(text + _hint(signature, len(args), lead, ack=ack))


def _is_of_call(traceback: TracebackType | None, frames: int) -> bool:
    """Whether an exception comes from a call itself: from no frame below the one that called."""
    while traceback is not None and frames:
        traceback, frames = traceback.tb_next, frames - 1
    return traceback is None and not frames


def _taken(signature: inspect.Signature, others: int) -> str:
    """Return the numbers of arguments of a client that can be taken, in words."""
    numbers = [number - others for number in range(_MANY) if _can_take(signature, number)]
    if not numbers or numbers[-1] < 0:
        return "none" if numbers else "keyword arguments that nobody gives it"
    least = max(numbers[0], 0)
    if numbers[-1] + others == _MANY - 1:
        return f"at least {least}"
    return str(least) if least == numbers[-1] else f"{least} to {numbers[-1]}"


def _hint(signature: inspect.Signature, given: int, lead: int, *, ack: bool) -> str:
    names = [
        one.name
        for one in signature.parameters.values()
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    if not ack and names and names[-1] in _ACK_NAMES and _can_take(signature, given + 1):
        return f"; with ack=True it would be given {names[-1]!r}"
    if lead and names and names[0] in _DATA_NAMES:
        return "; the socket is its first argument"
    return ""


def _signature(
    function: Callable[..., object], *, follow_wrapped: bool = False
) -> inspect.Signature | None:
    try:
        return inspect.signature(function, follow_wrapped=follow_wrapped)
    except (TypeError, ValueError):  # a builtin that has none
        return None


def _can_take(signature: inspect.Signature, number: int) -> bool:
    try:
        signature.bind(*[None] * number)
    except TypeError:
        return False
    return True


def _shown(function: Callable[..., object]) -> str:
    """Return a function's name and parameters, without their types."""
    signature = _signature(function)
    if signature is None:
        return function_name(function)
    empty = inspect.Parameter.empty
    parameters = [one.replace(annotation=empty) for one in signature.parameters.values()]
    bare = signature.replace(parameters=parameters, return_annotation=empty)
    return f"{function_name(function)}{bare}"
