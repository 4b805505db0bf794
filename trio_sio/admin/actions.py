"""Buttons of the view that the application registers."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

Value = bool | int | float | str
"""What an argument can be; its default says which kind, and the page has a field for it."""

Function = Callable[..., Awaitable[Any]]

MAX_TEXT = 1000
"""Characters of an argument that is text."""


MAX_NUMBER = 2**53
"""JavaScript knows no larger whole numbers."""


class BadArguments(Exception):
    """What the page has sent does not fit the action; the text is for the operator."""


@dataclass(frozen=True, slots=True)
class Action:
    """One button.

    Attributes:
        label: what stands on it.
        function: called with the operator's socket, and the arguments by name.
        description: a sentence beside it.
        danger: whether the page asks before it calls.
        arguments: names and defaults.
    """

    label: str
    function: Function
    description: str
    danger: bool
    arguments: Mapping[str, Value]

    def row(self) -> dict[str, object]:
        """Return the button as JSON."""
        kinds = {bool: "boolean", int: "integer", float: "number", str: "text"}
        return {
            "label": self.label,
            "description": self.description,
            "danger": self.danger,
            "arguments": [
                {"name": name, "value": value, "kind": kinds[type(value)]}
                for name, value in self.arguments.items()
            ],
        }

    def checked(self, given: object) -> dict[str, Value]:
        """Return the arguments to call it with.

        Raises:
            BadArguments: one is unknown, or of another kind.
        """
        if not isinstance(given, dict):
            raise BadArguments("The arguments have to be an object.")
        unknown = given.keys() - self.arguments.keys()
        if unknown:
            raise BadArguments(f"{self.label} has no such argument.")
        return {
            name: _checked(name, default, given.get(name, default))
            for name, default in self.arguments.items()
        }


def _checked(name: str, default: Value, value: object) -> Value:
    kind = type(default)
    if isinstance(value, str):
        if kind is str and len(value) <= MAX_TEXT:
            return value
    elif isinstance(value, bool):
        if kind is bool:
            return value
    elif isinstance(value, (int, float)) and -MAX_NUMBER <= value <= MAX_NUMBER:  # no NaN is
        if kind is float:
            return float(value)
        if kind is int and isinstance(value, int):
            return value
    raise BadArguments(f"{name} has to be like {default!r}.")


class ActionTable:
    """The buttons of one view, by label."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}

    def add(self, action: Action) -> None:
        """Add a button.

        Raises:
            TypeError: it has no label, no function, or a default of another kind.
            ValueError: there is one with this label.
        """
        if not isinstance(action.label, str) or not action.label:
            raise TypeError(f"an action needs a label, not {action.label!r}")
        if not callable(action.function):
            raise TypeError(f"an action must be a function, not {action.function!r}")
        for name, value in action.arguments.items():
            if type(value) not in (bool, int, float, str):
                raise TypeError(f"the default of {name} must be a bool, int, float or str")
        if action.label in self._actions:
            raise ValueError(f"there is an action {action.label!r} already")
        self._actions[action.label] = action

    def get(self, label: object) -> Action | None:
        """Return the button with this label, if there is one."""
        return self._actions.get(label) if isinstance(label, str) else None

    def rows(self) -> list[dict[str, object]]:
        """Return all buttons as JSON, in the order of their registration."""
        return [action.row() for action in self._actions.values()]
