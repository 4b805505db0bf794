"""Puts a mutant in place of its module, which is imported already or will be.

What a mutant changes inside a function is exchanged in the function that is there: its code. All
other changes take effect while the module is imported, so they need a process of their own, which
imports the mutant instead.
"""

import gc
import importlib.machinery
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

Codes = dict[CodeType, CodeType]
"""By a function's code: what stands in its place."""


def changed_functions(path: Path, before: str, after: str) -> Codes | None:
    """Return the code that differs; None: it is not only that of functions.

    Args:
        path: the module's file.
        before: what it says.
        after: what the mutant says.
    """
    try:
        return dict(_changes(_compile(path, before), _compile(path, after)))
    except _Elsewhere:
        return None


def _compile(path: Path | str, source: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # such as `is` with a number
        return compile(source, str(path), "exec", dont_inherit=True)


class _Elsewhere(Exception):
    """The mutant differs outside of functions."""


def _changes(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield what differs among the functions that a module's or a class's code defines."""
    inner = [[one for one in code.co_consts if _is_code(one)] for code in (old, new)]
    if _outside(old) != _outside(new) or len(inner[0]) != len(inner[1]):
        raise _Elsewhere
    for before, after in zip(*inner, strict=True):
        if before.co_flags & 2:  # CO_NEWLOCALS: a function; without it, a class
            if before != after:
                yield before, after
        else:
            yield from _changes(before, after)


def _outside(code: CodeType) -> tuple[object, ...]:
    constants = [repr(one) for one in code.co_consts if not _is_code(one)]
    return code.co_code, constants, code.co_names, code.co_exceptiontable


def _is_code(constant: object) -> bool:
    return isinstance(constant, CodeType)


class Functions:
    """The functions of a module that is imported.

    Args:
        path: the module's file.
    """

    def __init__(self, path: Path) -> None:
        self._found: dict[CodeType, list[FunctionType]] = {}
        gc.unfreeze()
        for one in gc.get_objects():
            if type(one) is FunctionType and one.__code__.co_filename == str(path):
                self._found.setdefault(one.__code__, []).append(one)
        gc.collect()
        gc.freeze()

    def knows(self, codes: Codes) -> bool:
        """Whether all that is to be exchanged is there."""
        return all(
            before in self._found and before.co_freevars == after.co_freevars
            for before, after in codes.items()
        )

    def exchange(self, codes: Codes) -> None:
        """Put a mutant's code in place."""
        for before, after in codes.items():
            for function in self._found[before]:
                function.__code__ = after


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return _compile(self.path, self._source)


class _Finder(MetaPathFinder):
    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path = name, path
        self._source = source

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        loader = _Loader(fullname, str(self._path), self._source)
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


def import_instead(name: str, path: Path, source: str) -> None:
    """Have the coming import of a module read `source`."""
    assert name not in sys.modules
    sys.meta_path.insert(0, _Finder(name, path, source))
