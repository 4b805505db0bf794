"""Checks the arguments of an event before its handler is called, and makes values of their types.

A check is made when a handler is registered. `conversion` knows what a value of a type is.
"""

from collections.abc import Callable

from trio_sio.declared_event import Event
from trio_sio.exceptions import PacketRefused
from trio_sio.router.argument_types import ArgumentTypes, of_event, of_function
from trio_sio.router.arity import function_name


class ArgumentRefused(PacketRefused):
    """Arguments that a handler does not take.

    Attributes:
        loggable: the reason without anything that the client sent.
    """

    def __init__(self, reason: str, loggable: str) -> None:
        super().__init__(reason)
        self.loggable = loggable


class ArgumentCheck:
    """Checks and converts the arguments of one handler.

    Args:
        types: what the handler takes.
        function: the handler, for errors.
        lead: how many arguments come before those of the client.
        trail: how many come after them.

    Raises:
        ImportError: msgspec is missing.
        TypeError: values of an argument's type cannot come from a client.
    """

    __slots__ = ("_conversion", "_lead", "_required", "_rest", "_trail", "_types")

    def __init__(
        self, types: ArgumentTypes, function: Callable[..., object], *, lead: int, trail: int
    ) -> None:
        from trio_sio.router import conversion

        self._types = tuple(one.type for one in types.arguments)
        self._rest = types.rest
        self._required = types.required
        self._lead = lead
        self._trail = trail
        self._conversion = conversion
        further = () if self._rest is None else (self._rest,)
        for number, declared in enumerate((*self._types, *further), 1):
            try:
                conversion.check_type(declared)
            except (TypeError, ValueError, NameError) as error:
                why = str(error).splitlines()[-1]
                text = f"argument {number} of {function_name(function)} cannot be checked: {why}"
                raise TypeError(text) from error

    def convert(self, args: tuple[object, ...]) -> tuple[object, ...]:
        """Return the arguments of a call with values of their types.

        Raises:
            ArgumentRefused: one is wrong, missing or too many.
        """
        end = len(args) - self._trail
        sent = args[self._lead : end]
        self._check_number(len(sent))
        types, convert, wrong = self._types, self._conversion.convert, self._conversion.WrongValue
        converted: list[object] = []
        for index, value in enumerate(sent):
            declared = types[index] if index < len(types) else self._rest
            try:
                converted.append(convert(value, declared))
            except wrong as error:
                what = f"argument {index + 1}: "
                raise ArgumentRefused(what + error.reason, what + error.loggable) from None
        return (*args[: self._lead], *converted, *args[end:])

    def _check_number(self, number: int) -> None:
        most = len(self._types)
        if number < self._required:
            text = f"argument {number + 1} is missing"
        elif number > most and self._rest is None:
            text = f"argument {most + 1} is one too many"
        else:
            return
        raise ArgumentRefused(text, text)


def make_check(
    event: str, function: Callable[..., object], *, lead: int, trail: int, is_asked_for: bool
) -> ArgumentCheck | None:
    """Return the check for a handler.

    Args:
        event: a name, or a declared event: then its types count, not those of the function.
        function: the handler.
        lead: how many arguments come before those of the client.
        trail: how many come after them.
        is_asked_for: this handler is to be checked, even if it has no types.

    Returns:
        `None` if there are no types, and nobody has asked for this one.

    Raises:
        TypeError: values of an argument's type cannot come from a client.
    """
    types = of_function(function, first=lead, last=trail)
    declared = of_event(event) if isinstance(event, Event) else None
    if declared is not None:
        types = declared.without_more_defaults(types.required)
    if not (types.is_annotated or is_asked_for):
        return None
    if trail:  # what is missing would move the callable that comes last
        types = types.without_more_defaults(len(types.arguments))
    return ArgumentCheck(types, function, lead=lead, trail=trail)
