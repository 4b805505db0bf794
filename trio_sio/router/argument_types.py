"""The types of an event's arguments and of its answer, as a function or a declaration says them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from types import MethodType, SimpleNamespace
from typing import Any, get_args, get_type_hints

from trio_sio.declared_event import Event


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument.

    Attributes:
        name: of the parameter; `""` if only its type is known.
        type: its annotation; `Any` if it has none.
        optional: it may be missing.
    """

    name: str
    type: Any
    optional: bool = False


@dataclass(frozen=True, slots=True)
class ArgumentTypes:
    """All arguments of an event.

    Attributes:
        arguments: those with a place of their own.
        rest: the type of any further ones; `None` if there may be none.
        answer: the type of the answer; `Any` if nothing says it.
        is_annotated: whether any type has been declared.
    """

    arguments: tuple[Argument, ...]
    rest: Any = None
    answer: Any = Any
    is_annotated: bool = True

    @property
    def required(self) -> int:
        """How many arguments there must be."""
        return max(
            (n for n, one in enumerate(self.arguments, 1) if not one.optional),
            default=0,
        )

    def without_more_defaults(self, required: int) -> "ArgumentTypes":
        """Return the same with that many arguments required at least."""
        arguments = tuple(
            replace(one, optional=one.optional and n >= required)
            for n, one in enumerate(self.arguments)
        )
        return replace(self, arguments=arguments)


def of_function(function: Callable[..., object], *, first: int = 0, last: int = 0) -> ArgumentTypes:
    """Return the types that a function declares.

    Args:
        function: a handler, or the declaration of an event.
        first: how many of its first parameters are no arguments of the event.
        last: how many of its last positional ones are none, either.

    Raises:
        TypeError: it has no signature, or an annotation names what its module does not have.
    """
    try:
        signature = inspect.signature(function)
    except ValueError as error:
        raise TypeError(f"{function!r} has no signature") from error
    positional, rest = [], None
    for one in signature.parameters.values():
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD):
            positional.append(one)
        elif one.kind is one.VAR_POSITIONAL:
            rest = one
    chosen = positional[first : len(positional) - last]
    empty = inspect.Parameter.empty
    wanted = {one.name: one.annotation for one in chosen if one.annotation is not empty}
    if rest is not None and rest.annotation is not empty:
        wanted[rest.name] = rest.annotation
    is_annotated = bool(wanted)
    if signature.return_annotation is not empty:
        wanted["return"] = signature.return_annotation
    types = _resolved(function, wanted)
    return ArgumentTypes(
        tuple(Argument(x.name, types.get(x.name, Any), x.default is not empty) for x in chosen),
        None if rest is None else types.get(rest.name, Any),
        types.get("return", Any),
        is_annotated,
    )


def _resolved(function: Callable[..., object], annotations: dict[str, Any]) -> dict[str, Any]:
    """Return annotations with the types that strings name."""
    innermost: Any = function
    while isinstance(innermost, partial):
        innermost = innermost.func
    if isinstance(innermost, MethodType):
        innermost = innermost.__func__
    innermost = inspect.unwrap(innermost)
    if not hasattr(innermost, "__globals__"):
        innermost = getattr(type(innermost), "__call__", innermost)  # noqa: B004 - its signature
    scope = getattr(innermost, "__globals__", {})
    try:
        holder = SimpleNamespace(__annotations__=annotations)
        return get_type_hints(holder, globalns=scope, localns={}, include_extras=True)
    except NameError as error:
        raise TypeError(f"an annotation of {function!r} cannot be resolved: {error}") from error


def of_event(event: Event[Any, *tuple[Any, ...]]) -> ArgumentTypes | None:
    """Return the types that an event is declared with, `None` if it is not."""
    if event.function is not None:
        return of_function(event.function)
    declared = getattr(event, "__orig_class__", None)
    if declared is None:
        return None
    answer, *types = get_args(declared)
    rest = None
    if types and getattr(types[-1], "__unpacked__", False):  # *tuple[int, ...]
        rest = get_args(types.pop())[0]
    return ArgumentTypes(tuple(Argument("", one) for one in types), rest, answer)
