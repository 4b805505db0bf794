"""How an option is declared: its name, type, default, check, group and unit, in one place.

    max_outbox: int = option(512, count(), Group.LIMITS, unit="packets", counted=True)

A docstring follows, which editors show. Its first line goes into the table of `docs/options.md`,
which `docs/options.py` writes, and further lines below the table.
"""

import difflib
import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Concatenate, NamedTuple, ParamSpec, Self, TypeVar

from attrs import evolve, field, fields_dict, frozen as frozen

from trio_sio.options.checks import Check

T = TypeVar("T")
P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")


class Group(Enum):
    """Whom an option concerns; the value is a heading of `docs/options.md`."""

    BASICS = "What everybody needs"
    OPERATION = "What operators need"
    LIMITS = "Limits"


class Declaration(NamedTuple):
    """What is known of an option besides its name, type, default and help.

    Attributes:
        group: whom it concerns.
        unit: of its value; `""` for none.
        counted: whether `statistics().limits` counts how often it was reached.
    """

    group: Group
    unit: str
    counted: bool


def option(default: T, check: Check, group: Group, *, unit: str = "", counted: bool = False) -> T:
    """Declare an option, in the body of a class of options.

    Args:
        default: its value if none is given.
        check: is called with its name and each value that it is given.
        group: whom it concerns.
        unit: of its value.
        counted: whether it is a limit that `statistics().limits` counts.
    """
    return field(
        default=default,
        validator=lambda _options, attribute, value: check(attribute.name, value),
        metadata={Declaration: Declaration(group, unit, counted)},
    )


def with_default(options: type["Options"], name: str, default: T) -> T:
    """Declare an option as a base class does, with another default."""
    declared = fields_dict(options)[name]
    return field(default=default, validator=declared.validator, metadata=declared.metadata)


@frozen(kw_only=True)
class Options:
    """A set of options; immutable, and checked when it is made."""

    @classmethod
    def declarations(cls) -> Mapping[str, Declaration]:
        """Return the names of all options, and what is known of each."""
        return {name: one.metadata[Declaration] for name, one in fields_dict(cls).items()}

    @classmethod
    def of(cls, options: Mapping[str, object]) -> Self:
        """Make a set of options of keyword arguments.

        Raises:
            TypeError: an option that does not exist (a near one is suggested), or a wrong type.
            ValueError: a value out of its range.
        """
        cls._check_names(options)
        return cls(**options)

    def changed(self, changes: Mapping[str, object]) -> Self:
        """Return these options with some changed; raises as `of`."""
        self._check_names(changes)
        return evolve(self, **changes)

    def changes(self) -> dict[str, object]:
        """Return the options whose values are not the defaults."""
        declared = fields_dict(type(self))
        return {
            name: getattr(self, name)
            for name, one in declared.items()
            if getattr(self, name) != one.default
        }

    @classmethod
    def _check_names(cls, names: Mapping[str, object]) -> None:
        known = cls.declarations()
        for name in names:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"unknown option {name!r}{hint}")


def takes(
    options: Callable[P, object],
) -> Callable[[Callable[Concatenate[S, ...], R]], Callable[Concatenate[S, P], R]]:
    """Give a method the keyword arguments of a class of options.

    Type checkers, editors, `help` and `inspect.signature` then know each option; the method itself
    is the same as before, and a call costs no more.
    """
    signature = inspect.signature(options)

    def give(method: Callable[Concatenate[S, ...], R]) -> Callable[Concatenate[S, P], R]:
        own = inspect.signature(method)
        parameters = [next(iter(own.parameters.values())), *signature.parameters.values()]
        method.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        return method

    return give
