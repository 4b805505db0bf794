"""The types that functions and declarations say."""

import functools
from collections.abc import Callable
from typing import Any

import pytest

import trio_sio
from trio_sio.router.argument_types import Argument, ArgumentTypes, of_event, of_function


def handle(socket: "trio_sio.Socket", a: "int", b: str = "", *rest: bool, key: int = 0) -> "float":
    return 1.0


class Holder:
    def method(self, a: int) -> None: ...

    def __call__(self, a: "int") -> None: ...


@functools.wraps(handle)
def wrapper(*args: object) -> float:
    return handle(*args)  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [handle, wrapper, functools.partial(handle)])
def test_of_function(function: Callable[..., object]) -> None:
    types = of_function(function, first=1)
    arguments = Argument("a", int), Argument("b", str, optional=True)
    assert types == ArgumentTypes(arguments, bool, float)
    assert types.required == 1
    assert types.without_more_defaults(2).required == 2


def test_of_methods() -> None:
    for function in (Holder().method, Holder()):
        assert of_function(function).arguments == (Argument("a", int),)
    assert of_function(handle, first=1, last=1).arguments == (Argument("a", int),)


def test_what_is_not_annotated_is_any() -> None:
    types = of_function(lambda a, *b: None)
    assert types == ArgumentTypes((Argument("a", Any),), Any, Any, is_annotated=False)
    assert of_function(lambda: None).required == 0


def test_only_the_arguments_of_the_event_are_resolved() -> None:
    def own(socket: "Missing", a: int) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert of_function(own, first=1).arguments == (Argument("a", int),)
    with pytest.raises(TypeError, match="cannot be resolved: name 'Missing'"):
        of_function(own)


def test_of_events() -> None:
    @trio_sio.event
    def move(to: str, fast: bool = False) -> int:
        raise NotImplementedError

    declared = of_event(move)
    assert declared is not None
    assert declared.arguments == (Argument("to", str), Argument("fast", bool, optional=True))
    assert declared.answer is int
    price = of_event(trio_sio.Event[float, str, int]("price"))
    assert price == ArgumentTypes((Argument("", str), Argument("", int)), None, float)
    many = of_event(trio_sio.Event[None, str, *tuple[int, ...]]("many"))
    assert many == ArgumentTypes((Argument("", str),), int, type(None))
    assert of_event(trio_sio.Event("bare")) is None
