"""Reads the package's source: its imports, and what classes and functions do to objects.

`tests/test_walls.py` and its neighbours hold rules about it, `python3 -m benchmarks.structure`
prints it. Nothing of the package is imported, only parsed.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple, TypeGuard

from tools.setup_machine import ROOT

PACKAGE = ROOT / "trio_sio"

Graph = Mapping[str, frozenset[str]]
"""By file: the files of the package that it imports."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_SETTERS = ("setattr", "delattr", "object.__setattr__", "object.__delattr__")
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    """One file.

    Attributes:
        name: relative to the package, as in "engine/engine.py".
        text: what it says.
    """

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """What it says, parsed: not before it is asked for, since that takes most of the time."""
        return ast.parse(self.text)

    @property
    def lines(self) -> int:
        """How many lines it has, empty ones included."""
        return len(self.text.splitlines())

    @property
    def folder(self) -> str:
        """Where it is, relative to the package; "" at its top."""
        return self.name.rpartition("/")[0]


Sources = Mapping[str, Source]
"""By name."""


@cache
def read_package(root: Path = PACKAGE) -> Sources:
    """Read all files of a package, once in a process."""
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    return {name: Source(name, (root / name).read_text("utf-8")) for name in names}


# Imports


def imported_names(tree: ast.AST) -> Iterator[str]:
    """Yield full names: `from a import b` is `a.b`, since b may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph(sources: Sources) -> Graph:
    """Return all imports; one for types only counts, too, since types are the design."""
    return {
        name: frozenset(_files_imported(source, sources) - {name})
        for name, source in sources.items()
    }


def _files_imported(source: Source, sources: Sources) -> set[str]:
    found = {file_of(imported, sources) for imported in imported_names(source.tree)}
    return {name for name in found if name is not None}


def file_of(imported: str, sources: Sources) -> str | None:
    """Return the file that `import imported` reads, a module's or a package's; None: not ours."""
    top, *path = imported.split(".")
    if top != PACKAGE.name:
        return None
    for end in range(len(path), -1, -1):
        stem = "/".join(path[:end])
        for name in (f"{stem}.py", f"{stem}/__init__.py".removeprefix("/")):
            if name in sources:
                return name
    return None


def circles(graph: Graph) -> list[list[str]]:
    """Return the files that import each other, by whatever detour: one list for each circle."""
    reached = {name: _reachable(name, graph) for name in graph}
    found = {
        tuple(sorted(other for other in graph if other in reached[name] and name in reached[other]))
        for name in graph
    }
    return sorted(list(circle) for circle in found if circle)


def _reachable(start: str, graph: Graph) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in graph.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return seen


# Classes


def attributes_of_classes(source: Source) -> dict[str, set[str]]:
    """Return, by class, the attributes that its own methods assign to `self`."""
    return {
        node.name: set(_assigned_to_self(node))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef)
    }


def _assigned_to_self(node: ast.ClassDef) -> Iterator[str]:
    for method in node.body:
        if isinstance(method, _FUNCTION) and (self := _self_of(method)):
            yield from (
                target.attr for target in _assignments(method) if _is_name(target.value, self)
            )


def _self_of(method: _Function) -> str | None:
    if any(_is_name(decorator, "staticmethod") for decorator in method.decorator_list):
        return None
    first = _first_parameter(method)
    return None if first is None else first.arg


# What is done to the objects of others


class Assignment(NamedTuple):
    """An attribute set, or deleted, that is not `self`'s.

    Attributes:
        where: the file, and the function with its class.
        target: what is assigned, as it is written.
    """

    where: str
    target: str


def foreign_assignments(source: Source) -> list[Assignment]:
    """Return where a file sets attributes of an object other than `self`.

    An object is its maker's until the function ends: what a class method sets on `cls(...)` or
    `object.__new__(...)`, and a decorator on the function that it defines, is not foreign.
    """
    return list(_foreign(source.tree, source.name, "", frozenset()))


def _foreign(node: ast.AST, file: str, path: str, own: frozenset[str]) -> Iterator[Assignment]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _foreign(child, file, f"{path}.{child.name}", frozenset())
        elif isinstance(child, _FUNCTION):
            is_method = isinstance(node, ast.ClassDef)
            self = {_self_of(child) or ""} if is_method else set()
            inner = own | self | set(_made_here(child))
            yield from _foreign(child, file, f"{path}.{child.name}", inner)
        else:
            changed = _changed_object(child)
            if changed is not None and not _is_one_of(changed, own):
                yield Assignment(f"{file}:{path.lstrip('.')}", ast.unparse(child))
            yield from _foreign(child, file, path, own)


def _made_here(function: _Function) -> Iterator[str]:
    """Yield the names of objects that a function makes and may therefore fill."""
    for node in ast.walk(function):
        if isinstance(node, _FUNCTION) and node is not function:
            yield node.name
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="cls"))):
                yield name
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Attribute(attr="__new__"))
            ):
                yield name


def _changed_object(node: ast.AST) -> ast.AST | None:
    """Return the object that gets, or loses, an attribute here."""
    if _is_set(node):
        return node.value
    if isinstance(node, ast.Call) and ast.unparse(node.func) in _SETTERS:
        return node.args[0] if node.args else None
    return None


def _assignments(function: ast.AST) -> Iterator[ast.Attribute]:
    return (node for node in ast.walk(function) if _is_set(node))


def _is_set(node: ast.AST) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_one_of(node: ast.AST, names: frozenset[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


class Exile(NamedTuple):
    """A module's function that does a method's work.

    Attributes:
        where: its file and name.
        owner: the file and name of the class that its first parameter is of.
        used: the attributes of it that the function uses.
    """

    where: str
    owner: str
    used: frozenset[str]


def exiled_methods(source: Source, sources: Sources) -> list[Exile]:
    """Return the functions whose first parameter is a class of another file of the package."""
    homes = _homes_of_classes(source, sources)
    return [
        Exile(f"{source.name}:{node.name}", homes[owner], frozenset(_used(node, first.arg)))
        for node in source.tree.body
        if isinstance(node, _FUNCTION)
        and (first := _first_parameter(node)) is not None
        and (owner := _annotated(first)) in homes
    ]


def _homes_of_classes(source: Source, sources: Sources) -> dict[str, str]:
    """Return, by the name that it has here, the home of each imported class of the package."""
    homes = {}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            home = file_of(node.module, sources)
            for alias in node.names:
                if home not in (None, source.name) and _has_class(sources[home], alias.name):
                    homes[alias.asname or alias.name] = f"{home}:{alias.name}"
    return homes


def _has_class(source: Source, name: str) -> bool:
    return any(isinstance(node, ast.ClassDef) and node.name == name for node in source.tree.body)


def _first_parameter(function: _Function) -> ast.arg | None:
    parameters = [*function.args.posonlyargs, *function.args.args]
    return parameters[0] if parameters else None


def _annotated(parameter: ast.arg) -> str:
    """Return the class that a parameter is said to be of: without type arguments and quotes."""
    if parameter.annotation is None:
        return ""
    return ast.unparse(parameter.annotation).strip("'\"").partition("[")[0]


def _used(function: _Function, name: str) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and _is_name(node.value, name):
            yield node.attr
