"""What users may import is re-exported as `X as X`, and everything of it has a docstring."""

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1] / "trio_sio"
PUBLIC = [
    *("trio_sio", "trio_sio.asgi", "trio_sio.emitter", "trio_sio.testing"),
    *("trio_sio.testing.machines", "trio_sio.workers"),
]


def exports(source: str) -> Iterator[str]:
    """The names a module re-exports.

    Raises:
        AssertionError: The module does anything else.
    """
    docstring, *statements = ast.parse(source).body
    assert isinstance(docstring, ast.Expr), "the docstring comes first"
    for statement in statements:
        assert isinstance(statement, ast.ImportFrom), f"line {statement.lineno} is no re-export"
        for alias in statement.names:
            assert alias.asname == alias.name, f"{alias.name} is not written as `X as X`"
            yield alias.name


def undocumented(module: ModuleType, names: Iterator[str]) -> Iterator[str]:
    """Classes and functions without a docstring, and their public methods and properties."""
    for name in names:
        thing = getattr(module, name)
        if inspect.isclass(thing):
            yield from _undocumented_in(thing)
        elif inspect.isfunction(thing) and not inspect.getdoc(thing):
            yield name


def _undocumented_in(cls: type) -> Iterator[str]:
    # A dataclass without a docstring gets its signature for one.
    if not cls.__doc__ or cls.__doc__.startswith(f"{cls.__name__}("):
        yield cls.__name__
    for name, member in vars(cls).items():
        is_callable = inspect.isfunction(member) or isinstance(
            member, classmethod | staticmethod | property
        )
        if is_callable and not name.startswith("_") and not inspect.getdoc(getattr(cls, name)):
            yield f"{cls.__name__}.{name}"


def _source(name: str) -> str:
    return ROOT.parent.joinpath(*name.split("."), "__init__.py").read_text("utf-8")


@pytest.mark.parametrize("name", PUBLIC)
def test_module_only_re_exports(name: str) -> None:
    names = list(exports(_source(name)))
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_is_documented(name: str) -> None:
    assert list(undocumented(importlib.import_module(name), exports(_source(name)))) == []


def test_exceptions_are_public() -> None:
    from trio_sio import exceptions

    defined = [
        name
        for name, thing in vars(exceptions).items()
        if inspect.isclass(thing) and issubclass(thing, Exception) and not name.startswith("_")
    ]
    assert set(defined) <= set(exports(_source("trio_sio")))


@pytest.mark.parametrize(
    "source",
    [
        "from a import X as X",  # no docstring
        '"""Doc."""\nfrom a import X',
        '"""Doc."""\nfrom a import X as Y',
        '"""Doc."""\nimport a',
        '"""Doc."""\nX = 1',
        '"""Doc."""\ndef f(): ...',
    ],
)
def test_the_check_refuses(source: str) -> None:
    with pytest.raises(AssertionError):
        list(exports(source))


def test_the_check_finds_what_is_undocumented(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("module")
    monkeypatch.setitem(sys.modules, "module", module)  # where `inspect` looks for the heir's base
    code = '''
class Good:
    """Doc."""
    def method(self): "Doc."
    def _private(self): ...
class Heir(Good):
    """Doc."""
    def method(self): ...
class Bad:
    def method(self): ...
    @property
    def value(self): ...
def bad(): ...
'''
    exec(code, vars(module))
    names = iter(["Good", "Heir", "Bad", "bad"])
    assert list(undocumented(module, names)) == ["Bad", "Bad.method", "Bad.value", "bad"]
