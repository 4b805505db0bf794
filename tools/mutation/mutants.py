"""The mutants of a module: its source, changed in one place by an operator of Cosmic Ray."""

import ast
import re
import tomllib
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.plugins import get_operator, operator_names

from tools.setup_machine import ROOT

SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"][
    "mutation"
]
"""What `pyproject.toml` says about mutation testing."""

SOURCE = ROOT / SETTINGS["source"]
TESTS = ROOT / SETTINGS["tests"]

_Position = tuple[int, int]
"""A line, counted from 1, and a column, counted from 0."""


class Mutant(NamedTuple):
    """One change of a module.

    Attributes:
        operator: the name of Cosmic Ray's operator, without its group.
        occurrence: which of the places where the operator applies, counted from 0.
        line: of the change, counted from 1.
        before: that line.
        after: the lines that stand in its place.
        source: the whole module with the change.
    """

    operator: str
    occurrence: int
    line: int
    before: str
    after: str
    source: str

    @property
    def key(self) -> str:
        """What names the mutant for as long as nobody edits its line."""
        return f"{self.before} -> {self.after}"


class Module:
    """A module that is to be mutated.

    Args:
        path: its file.

    Attributes:
        path: the same.
        source: what it says.
        mutants: what it could say; each changes what the module does when it runs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = path.read_text("utf-8")
        self.mutants = sorted(self._find(), key=lambda mutant: mutant.line)

    def _find(self) -> Iterator[Mutant]:
        tree = get_ast(self.source)
        types = _types(self.source)
        seen = {None, _meaning(self.source)}
        for name in operators():
            for occurrence, place in enumerate(list(_places(tree, name))):
                if not any(first <= place.start < end for first, end in types):
                    source = _changed(tree, place)
                    meaning = _meaning(source)
                    if meaning not in seen:
                        seen.add(meaning)
                        before, after = _difference(self.source, source)
                        yield Mutant(name, occurrence, place.start[0], before, after, source)


class _Place(NamedTuple):
    """Where an operator applies: a node of the tree, and which change of it."""

    operator: Any
    node: Any
    number: int
    start: _Position


def _places(tree: Any, name: str) -> Iterator[_Place]:  # noqa: ANN401
    operator = get_operator(f"core/{name}")()
    for node in ast_nodes(tree):
        for number, (start, _) in enumerate(operator.mutation_positions(node)):
            yield _Place(operator, node, number, start)


def _changed(tree: Any, place: _Place) -> str:  # noqa: ANN401
    """Return the source with one change; the tree is afterwards what it was."""
    parent = place.node.parent
    was = [(node, dict(_state(node))) for node in (parent, *ast_nodes(place.node))]
    try:
        instead = place.operator.mutate(place.node, place.number)
        if instead is not place.node:
            at = parent.children.index(place.node)
            parent.children[at : at + 1] = [] if instead is None else [instead]
        return str(tree.get_code())
    except AttributeError:  # the operator for `except` knows no names with a dot
        return "("  # no program
    finally:
        for node, state in was:
            for name, value in state.items():
                setattr(node, name, value)


def _state(node: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    if hasattr(node, "children"):
        yield "children", list(node.children)
    else:
        yield "value", node.value


@cache
def operators() -> tuple[str, ...]:
    """Return the names of the operators that are used: without arguments, and not left out."""
    without = [re.compile(pattern) for pattern in SETTINGS["without"]]
    return tuple(
        name
        for name in (full.removeprefix("core/") for full in sorted(operator_names()))
        if not get_operator(f"core/{name}").arguments()
        and not any(pattern.match(name) for pattern in without)
    )


def _meaning(source: str) -> object:
    """Return what a source does, whatever it looks like; `None`: it is no program."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # such as a comparison with a literal
            return _steps(compile(source, "", "exec", dont_inherit=True))
    except SyntaxError:  # such as `not x := y`
        return None


def _steps(code: CodeType) -> tuple[object, ...]:
    constants = tuple(
        _steps(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts
    )
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_exceptiontable


def _types(source: str) -> list[tuple[_Position, _Position]]:
    """Return where types are: annotations do nothing, and of the rest every change is an error."""
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.arg() | ast.AnnAssign():
                found.append(node.annotation)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.append(node.returns)
            case ast.Call(func=ast.Name("isinstance"), args=[_, kind]):
                found.append(kind)
    return [
        ((node.lineno, node.col_offset), (node.end_lineno or 0, node.end_col_offset or 0))
        for node in found
        if node is not None
    ]


def _difference(before: str, after: str) -> tuple[str, str]:
    """Return the lines that differ, joined and without their indent."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return _join(old), _join(new)


def _join(lines: list[str]) -> str:
    return " ".join(line.strip() for line in lines)
