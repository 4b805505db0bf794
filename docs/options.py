"""`python docs/options.py` writes `docs/options.md` from the declarations in `trio_sio/options`."""

import ast
import collections.abc
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from trio_sio import EngineOptions, ServerOptions
from trio_sio.adapters.redis.options import RedisOptions
from trio_sio.options.basics import BasicOptions
from trio_sio.options.compression import FLAG, PARAMETERS
from trio_sio.options.cookie import ByProtocol
from trio_sio.options.declaration import Declaration, Group, Options

PAGE = Path(__file__).with_suffix(".md")

INTRODUCTION = """\
# Options

`Server` takes all of these as keyword arguments, `Engine` takes those that are not marked. Times
are in seconds, sizes in bytes. An option that does not exist is a `TypeError`, a value that is not
allowed a `TypeError` or a `ValueError`, both at once and by name. The types of options that take a
word are `OverflowPolicy`, `FloodPolicy`, `WSEngine` and `TransportName` in `trio_sio.options`.

*Written by `python docs/options.py` from `trio_sio/options`, which has the help that editors
show.*
"""

REDIS = """\
## Options of RedisAdapter

`RedisAdapter(url, ...)` takes these; [From one process to a cluster](cluster.md) explains them.
"""

COMPRESSION = """\
## Parameters of compression

`per_message_deflate` and `http_compression` take a dict with some of these in place of `True`:
`Server(http_compression={"threshold": 4096, "level": 1})`.
"""

CLASSES = (BasicOptions, EngineOptions, ServerOptions)
"""What `Server` takes; each has those of the one before, and declares its own."""

SERVER_ONLY = "*(`Server` only)*"


def page() -> str:
    """Return the page."""
    helps = {name: text for one in CLASSES for name, text in helps_of(one).items()}
    declared = ServerOptions.declarations()
    order = [name for name in helps if name in declared]
    parts = [INTRODUCTION]
    for group in Group:
        names = [name for name in order if declared[name].group is group]
        parts.append(f"## {group.value}\n\n{_table(names, helps, declared)}")
        parts.append("\n".join(_notes(names, helps)) + "\n")
    parts.append(f"{COMPRESSION}\n{_compression_table()}")
    parts.append(f"{REDIS}\n{_redis_table()}")
    return "\n".join(parts)


def helps_of(options: type[Options]) -> dict[str, str]:
    """Return the docstring of each option that a class of options declares with one."""
    (body,) = ast.parse(inspect.getsource(options)).body
    assert isinstance(body, ast.ClassDef)
    return {
        statement.target.id: inspect.cleandoc(docstring.value.value)
        for statement, docstring in zip(body.body, body.body[1:], strict=False)
        if isinstance(statement, ast.AnnAssign)
        and isinstance(statement.target, ast.Name)
        and isinstance(docstring, ast.Expr)
        and isinstance(docstring.value, ast.Constant)
        and isinstance(docstring.value.value, str)
    }


def _table(names: list[str], helps: Mapping[str, str], declared: Mapping[str, Declaration]) -> str:
    hints = get_type_hints(ServerOptions)
    rows = ["| option | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name in names:
        unit = declared[name].unit
        kind = shown_type(hints[name]) + (f" ({unit})" if unit else "")
        meaning, *_ = helps[name].partition("\n")
        if name not in EngineOptions.declarations():
            meaning = f"{meaning} {SERVER_ONLY}"
        cells = [code(name), kind, _default(name, unit), meaning]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _notes(names: list[str], helps: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        _, _, note = helps[name].partition("\n\n")
        if note:
            lines = " ".join(note.split("\n"))
            yield f"- {code(name)}: {lines}"


def _default(name: str, unit: str) -> str:
    default = shown_default(getattr(ServerOptions(), name), unit)
    if name not in EngineOptions.declarations():
        return default
    of_engine = shown_default(getattr(EngineOptions(), name), unit)
    return default if of_engine == default else f"{default}; `Engine` alone: {of_engine}"


def _compression_table() -> str:
    rows = ["| parameter | values | option |", "| --- | --- | --- |"]
    options: dict[str, list[str]] = {}
    allowed: dict[str, range] = {}
    for option, parameters in PARAMETERS.items():
        for name, values in parameters.items():
            options.setdefault(name, []).append(code(option))
            allowed[name] = values
    for name, values in allowed.items():
        shown = "`True`, `False`" if values is FLAG else f"{values[0]} to {values[-1]:,}"
        rows.append(f"| {code(name)} | {shown} | {', '.join(options[name])} |")
    return "\n".join(rows) + "\n"


def _redis_table() -> str:
    helps, hints = helps_of(RedisOptions), get_type_hints(RedisOptions)
    rows = ["| option | type | default | meaning |", "| --- | --- | --- | --- |"]
    for name, declared in RedisOptions.declarations().items():
        kind = shown_type(hints[name]) + (f" ({declared.unit})" if declared.unit else "")
        default = shown_default(getattr(RedisOptions(), name), declared.unit)
        rows.append(f"| {code(name)} | {kind} | {default} | {helps[name]} |")
    return "\n".join(rows) + "\n"


def code(text: str) -> str:
    """Return a span of code. It stands in a table, where no two Markdowns agree on a `|`."""
    assert "|" not in text
    return f"`{text}`"


def shown_type(hint: Any) -> str:  # noqa: ANN401 - types have no type of their own
    """Return a type as a reader wants it: words in place of `Literal`, no signatures."""
    *others, last = _alternatives(hint)
    return f"{', '.join(others)} or {last}" if others else last


def _alternatives(hint: Any) -> Iterator[str]:  # noqa: ANN401
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        for argument in arguments:
            yield from _alternatives(argument)
    elif origin is Literal:
        yield from (code(f'"{one}"') for one in arguments)
    elif origin is collections.abc.Callable:
        yield "function"
    elif origin is not None:
        item = f" of {shown_type(arguments[0])}" if len(arguments) == 1 else ""
        yield code(origin.__name__) + item
    elif hint is not ByProtocol:
        yield code("None" if hint is type(None) else hint.__name__)


def shown_default(value: object, unit: str) -> str:
    """Return a default value: sizes in a unit that divides them, thousands apart."""
    if isinstance(value, ByProtocol):
        return value.value
    if isinstance(value, bool) or value is None:
        return code(repr(value))
    if isinstance(value, (int, float)):
        for size, name in ((2**20, "MiB"), (2**10, "KiB")):
            if unit == "bytes" and value % size == 0:
                return f"{value // size} {name}"
        return f"{value:,g}" if value < 1000 else f"{value:,}"
    return code(repr(value).replace("'", '"'))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
