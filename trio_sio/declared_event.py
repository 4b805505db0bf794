"""Declared events: a name with the types of its arguments and of its answer.

`emit`, `call`, `on` and `once` take one in place of a name. For type checkers a declared event is
no `str`, so that wrong arguments do not pass for those of an undeclared event; when the program
runs it is one, so that sending it costs nothing more.
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, TypeVarTuple, overload

if TYPE_CHECKING:

    class _Name:
        def __new__(cls, name: str) -> Self: ...
else:
    _Name = str

Answer = TypeVar("Answer")
Arguments = TypeVarTuple("Arguments")


class Event(_Name, Generic[Answer, *Arguments]):
    """A declared event: `Event[Answer, *Arguments](name)`.

    `price = Event[float, str]("price")` is an event with a text as argument, which is answered
    with a number; the answer of an event that has none is `None`. `event` declares one by a
    function.

    Args:
        name: the event's name.
        description: what it is for.
        function: what declares its types; `event` gives it.

    Attributes:
        description, function: the same.
    """

    def __new__(
        cls, name: str, description: str = "", function: Callable[..., object] | None = None
    ) -> Self:
        return super().__new__(cls, name)

    def __init__(
        self, name: str, description: str = "", function: Callable[..., object] | None = None
    ) -> None:
        self.description = description
        self.function = function

    def __repr__(self) -> str:
        return f"<Event {str(self)!r}>"


@overload
def event(function: Callable[[*Arguments], Answer], /) -> Event[Answer, *Arguments]: ...
@overload
def event(
    *, name: str
) -> Callable[[Callable[[*Arguments], Answer]], Event[Answer, *Arguments]]: ...
def event(function: Callable[..., Any] | None = None, /, *, name: str | None = None) -> Any:
    """Declare an event by a function, which is never called; a decorator.

    The function has the event's arguments and returns its answer. mypy wants a body from one that
    answers: `raise NotImplementedError`.

    Args:
        function: its name is the event's, its docstring the description.
        name: another name, such as one with a space.

    Raises:
        TypeError: what is decorated has no name.
    """

    def declare(function: Callable[..., Any]) -> Event[Any, *tuple[Any, ...]]:
        chosen = getattr(function, "__name__", "") if name is None else name
        if not chosen:
            raise TypeError(f"@event needs a function with a name, not {function!r}")
        return Event(chosen, inspect.getdoc(function) or "", function)

    return declare if function is None else declare(function)
