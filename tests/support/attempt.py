"""Calls what may fail, and returns its error as it returns its result."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")
_Error = TypeVar("_Error", bound=Exception)


def attempt(
    error: type[_Error],
    function: Callable[_Arguments, _Result],
    *args: _Arguments.args,
    **kwargs: _Arguments.kwargs,
) -> _Result | _Error:
    """Return what a function returns, or the error of this type that it raises."""
    try:
        return function(*args, **kwargs)
    except error as raised:
        return raised
