"""docs/bounds.md names all that is kept for clients and all tasks, and says what is true of them.

A container on an object, or a task that is started, without a row fails; so does a row about
something that is gone, a default that is not the option's, and a test that does not exist.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tools.source import read_package
from trio_sio.options import ServerOptions

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "bounds.md").read_text("utf-8")
COLUMNS = ["where", "what, and for whom", "bound", "at the bound", "freed", "tests"]

OF_USERS = ("conformance", "demo", "testing")
"""Parts of the package that are applications of it, or clients."""

CONTAINERS = {
    *("list", "dict", "set", "bytearray", "deque", "OrderedDict", "Counter", "defaultdict"),
    *("fromkeys", "open_memory_channel", "BytesIO", "StringIO", "Queue", "SimpleQueue"),
    "ParkingLot",
    *("WeakSet", "WeakKeyDictionary", "WeakValueDictionary"),
}
DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
CACHES = {"cache", "lru_cache", "cached_property"}
STARTERS = {"start", "start_soon", "serve_listeners", "wrap_server_stream", "spawn_system_task"}
GIVEN = STARTERS - {"start", "serve_listeners"}
"""Who is given one of these, starts something."""

VALUED = re.compile(r"`(\w+)`(?: \(([^)]+)\))?")
UNITS = {"KiB": 2**10, "MiB": 2**20, "s": 1}


class Place(NamedTuple):
    """Where something is kept, by its attribute; or a task is started: `its_function()`."""

    file: str
    name: str


class Row(NamedTuple):
    """What the document says of one or more places."""

    places: list[Place]
    bound: str
    reaction: str
    tests: list[str]


# -- what the source has ---------------------------------------------------------------------------


def places(tree: ast.Module) -> Iterator[str]:
    """Yield the names of what is kept, and of the tasks that are started."""
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and _is_empty(statement.value):
            yield from (name.id for name in _targets(statement) if isinstance(name, ast.Name))
    called = {id(function) for node in ast.walk(tree) for function in _called(node)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            yield from _kept(node)
        elif isinstance(node, ast.ClassDef):
            yield from _default_factories(node)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            decorators = {_name(one) for one in node.decorator_list}
            if decorators & CACHES:
                yield node.name
            if decorators & STARTERS:
                yield f"{node.name}()"
        elif isinstance(node, ast.Call) and _name(node.func) in STARTERS:
            is_soon = _name(node.func) == "start_soon" and node.args
            task = ast.unparse(node.args[0]) if is_soon else _name(node.func)
            yield f"{task.removeprefix('self.')}()"
        elif isinstance(node, ast.Attribute) and node.attr in GIVEN and id(node) not in called:
            yield f"{node.attr}()"


def _called(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Call(func=function):
            return [function]
        case ast.FunctionDef(decorator_list=functions):
            return functions
        case ast.AsyncFunctionDef(decorator_list=functions):
            return functions
    return []


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value) | ast.Call(func=value):
            return _name(value)
    return "?"


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _kept(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    for target in _targets(node):
        ones: list[ast.expr] = target.elts if isinstance(target, ast.Tuple) else [target]
        values: list[ast.expr | None] = [node.value] * len(ones)
        if isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(ones):
            values = [*node.value.elts]
        for one, value in zip(ones, values, strict=True):
            if isinstance(one, ast.Attribute) and _grows(value):
                yield one.attr


def _grows(value: ast.expr | None) -> bool:
    match value:
        case ast.Call():
            return _name(value.func) in CONTAINERS
        case ast.BoolOp(values=values):
            return any(map(_grows, values))
        case ast.IfExp(body=one, orelse=other):
            return _grows(one) or _grows(other)
        case ast.Constant(value=bytes()):
            return True
    return isinstance(value, DISPLAYS)


def _is_empty(value: ast.expr | None) -> bool:
    """Whether a container of a module's is there to be filled, and not a table."""
    if isinstance(value, ast.Dict):
        return not value.keys
    if isinstance(value, (ast.List, ast.Set)):
        return not value.elts
    return isinstance(value, ast.Call) and _grows(value) and not value.args


def _default_factories(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=target, value=ast.Call(keywords=keywords)):
                if any(keyword.arg == "default_factory" for keyword in keywords):
                    yield _name(target)


def names(tree: ast.Module) -> set[str]:
    """Return everything that a row may speak of: attributes, functions, classes, constants."""
    found = set(places(tree))
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name):
                found.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
    return found


def constants(tree: ast.Module) -> Iterator[tuple[str, object]]:
    """Yield the constants of a module that are plain numbers, or computed of such."""
    for statement in tree.body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value is not None:
            parts = list(ast.walk(statement.value))
            if all(isinstance(one, (ast.Constant, ast.BinOp, ast.operator)) for one in parts):
                value = eval(ast.unparse(statement.value))  # arithmetic, and nothing else
                yield from ((_name(target), value) for target in _targets(statement))


PACKAGE = read_package()


@cache
def names_in(here: str) -> set[str]:
    """Return what a row may speak of in a file; nothing if there is no such file."""
    return names(PACKAGE[here].tree) if here in PACKAGE else set()


@cache
def all_constants() -> list[tuple[str, object]]:
    """Return the constants of all files."""
    return [pair for source in PACKAGE.values() for pair in constants(source.tree)]


# -- what the document has -------------------------------------------------------------------------


def rows(text: str) -> Iterator[Row]:
    """Yield the rows of all tables that have our columns."""
    lines = [
        [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    for cells in lines:
        if cells == COLUMNS or set("".join(cells)) <= set("-| "):
            continue
        assert len(cells) == len(COLUMNS), cells
        tests = re.findall(r"`(tests/[^`]+)`", cells[5])
        yield Row(list(_places_of(cells[0])), cells[2], cells[3], tests)


def _places_of(cell: str) -> Iterator[Place]:
    file = ""
    for span in re.findall(r"`([^`]+)`", cell):
        if span.endswith(".py"):
            file = span
        else:
            yield Place(file, span)


def value_of(text: str) -> object:
    """Return the value that is written behind an option or a constant, in parentheses."""
    if text in ("no limit", "depends on the client"):
        return None
    number, _, unit = text.replace(",", "").partition(" ")
    try:
        return ast.literal_eval(number) * UNITS[unit] if unit else ast.literal_eval(number)
    except (KeyError, SyntaxError, ValueError):
        raise AssertionError(f"no value: {text!r}") from None


ROWS = list(rows(DOCUMENT))
OPTIONS = {name: getattr(ServerOptions(), name) for name in ServerOptions.declarations()}
TOLD = {place for row in ROWS for place in row.places}


def id_of(row: Row) -> str:
    return " ".join(row.places[0])


# -- the two agree ---------------------------------------------------------------------------------


@pytest.mark.parametrize("here", [one for one in PACKAGE if not one.startswith(OF_USERS)])
def test_all_that_is_kept_or_started_has_a_row(here: str) -> None:
    missing = {Place(here, name) for name in places(PACKAGE[here].tree)} - TOLD
    assert missing == set(), "what bounds it? docs/bounds.md has to say"


@pytest.mark.parametrize("row", ROWS, ids=id_of)
def test_what_a_row_speaks_of_exists(row: Row) -> None:
    assert row.places
    assert [place for place in row.places if place.name not in names_in(place.file)] == []


@pytest.mark.parametrize("row", ROWS, ids=id_of)
def test_options_and_constants_have_the_values_that_are_written(row: Row) -> None:
    for name, value in VALUED.findall(f"{row.bound} {row.reaction}"):
        if name in OPTIONS:
            assert value, f"{name} needs its default behind it"
            assert value_of(value) == OPTIONS[name], name
        elif name.isupper():
            assert value, f"{name} needs its value behind it"
            assert (name, value_of(value)) in all_constants()


def options_of(row: Row) -> list[str]:
    return [name for name in re.findall(r"`(\w+)`", row.bound) if name in OPTIONS]


@pytest.mark.parametrize("row", [row for row in ROWS if options_of(row)], ids=id_of)
def test_each_option_that_bounds_something_has_a_test_that_goes_over_it(row: Row) -> None:
    texts = [source_of(test) for test in row.tests]
    assert [name for name in options_of(row) if not any(name in text for text in texts)] == []


def source_of(test: str) -> str:
    """Return the source of a test, with its parameters; `""` if there is no such test."""
    path, _, name = test.partition("::")
    text = (ROOT / path).read_text("utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            first = min(one.lineno for one in [node, *node.decorator_list])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    return ""


@pytest.mark.parametrize("test", sorted({test for row in ROWS for test in row.tests}))
def test_each_test_that_is_named_exists(test: str) -> None:
    assert source_of(test)


def test_each_limit_among_the_options_bounds_something() -> None:
    limits = {name for name in OPTIONS if re.match("max_|handshake_|.*_timeout$", name)}
    assert limits - {name for row in ROWS for name in options_of(row)} == set()


def test_each_file_is_written_as_it_is_found() -> None:
    assert {place.file for place in TOLD} <= set(PACKAGE)


# -- it finds what it looks for --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("self.a = []", ["a"]),
        ("self.a: dict[str, int] = {}", ["a"]),
        ("self.a = b''", ["a"]),
        ("self.a = None", []),
        ("a, self.b = self.b, {}", ["b"]),
        ("self.a, self.b = 1, deque()", ["b"]),
        ("self.a, self.b = trio.open_memory_channel[int](0)", ["a", "b"]),
        ("self.a = self.a or collections.Counter()", ["a"]),
        ("self.a = [] if b else None", ["a"]),
        ("self.a = {b for b in c}", ["a"]),
        ("self.a = defaultdict(list)", ["a"]),
        ("a = deque()", ["a"]),
        ("a = {}", ["a"]),
        ("a = {1: 2}", []),
        ("class A:\n    b: list[int] = field(default_factory=list)", ["b"]),
        ("@cache\ndef a(): ...", ["a"]),
        ("@lru_cache(maxsize=None)\ndef a(): ...", ["a"]),
        ("nursery.start_soon(self.a, b)", ["a()"]),
        ("nursery.start_soon(a)", ["a()"]),
        ("nursery.start_soon(self.a.b, c)", ["a.b()"]),
        ("await nursery.start(a)", ["start()"]),
        ("@nursery.start_soon\nasync def a(): ...", ["a()"]),
        ("f(nursery.start_soon)", ["start_soon()"]),
        ("await trio.serve_listeners(a, b)", ["serve_listeners()"]),
    ],
)
def test_what_is_found(source: str, found: list[str]) -> None:
    assert sorted(places(ast.parse(source))) == found


def test_rows_are_read() -> None:
    head = f"| {' | '.join(COLUMNS)} |\n| --- | --- | --- | --- | --- | --- |\n"
    line = "| `a.py` `b` `c()`; `d.py` `e` | what | `f` (1) | waits | x | `tests/a.py::test_b` |\n"
    (row,) = rows(head + line)
    assert row.places == [Place("a.py", "b"), Place("a.py", "c()"), Place("d.py", "e")]
    assert row[1:] == ("`f` (1)", "waits", ["tests/a.py::test_b"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("512", 512),
        ("100,000", 100_000),
        ("8 MiB", 8 * 2**20),
        ("0.25 s", 0.25),
        ("True", True),
        ('"disconnect"', "disconnect"),
    ],
)
def test_values_are_read(text: str, value: object) -> None:
    assert value_of(text) == value
    assert value_of("no limit") is None
    with pytest.raises(AssertionError, match="no value"):
        value_of("some")
