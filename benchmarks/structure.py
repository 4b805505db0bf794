"""The shape of the package in figures: folders, files, circles, classes, reaches into others.

    python3 -m benchmarks.structure                of this tree
    python3 -m benchmarks.structure FOLDER         of the package in another one

The source is parsed, not imported, and the demo is left out. What tests hold to a limit is counted
as they count it.
"""

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tools.source import (
    PACKAGE,
    Source,
    Sources,
    attributes_of_classes,
    circles,
    exiled_methods,
    foreign_assignments,
    import_graph,
    read_package,
)

DEMO = "demo/"
SMALL = 60
MANY_ATTRIBUTES = 12
MANY_USED = 3
"""Attributes of another file's class that a function may use without doing a method's work."""


def rows(sources: Sources) -> Iterator[tuple[str, str]]:
    """Yield what is counted, and the figures."""
    with_code = [source for source in sources.values() if _has_code(source)]
    lengths = [source.lines for source in with_code]
    yield "files / lines", f"{len(with_code)} / {sum(lengths):,}"
    yield "median file, lines", f"{median(lengths):.0f}"
    longest = max(with_code, key=lambda source: source.lines)
    yield "longest file, lines", f"{longest.lines} ({longest.name})"
    yield f"files under {SMALL} lines", str(sum(length < SMALL for length in lengths))
    folder, size = Counter(source.folder for source in with_code).most_common(1)[0]
    yield "files in the largest folder", f"{size} ({folder}/)"
    graph = import_graph(sources)
    yield "imports between files", str(sum(map(len, graph.values())))
    yield "import circles, files in each", ", ".join(str(len(one)) for one in circles(graph)) or "0"
    for name, attributes in _largest_classes(sources):
        yield f"attributes of `{name}`", str(attributes)
    yield (
        "assignments to attributes of other objects",
        str(sum(len(foreign_assignments(source)) for source in sources.values())),
    )
    yield (
        f"functions that use more than {MANY_USED} attributes of another file's class",
        str(sum(_exiles(source, sources) for source in sources.values())),
    )


def _has_code(source: Source) -> bool:
    """Return whether there is more in it than a docstring and names from elsewhere."""
    return not all(
        isinstance(node, ast.Import | ast.ImportFrom | ast.Expr) for node in source.tree.body
    )


def _largest_classes(sources: Sources) -> list[tuple[str, int]]:
    found = [
        (name, len(attributes))
        for source in sources.values()
        for name, attributes in attributes_of_classes(source).items()
        if len(attributes) > MANY_ATTRIBUTES
    ]
    return sorted(found, key=lambda one: (-one[1], one[0]))


def _exiles(source: Source, sources: Sources) -> int:
    return sum(len(one.used) > MANY_USED for one in exiled_methods(source, sources))


def table(sources: Sources) -> str:
    """Return the figures in Markdown."""
    lines = ["| what | figure |", "| --- | --- |"]
    lines += [f"| {what} | {figure} |" for what, figure in rows(sources)]
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        prog="python3 -m benchmarks.structure",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", nargs="?", type=Path, default=PACKAGE.parent)
    folder: Path = parser.parse_args(argv).folder
    sources = read_package(folder / PACKAGE.name)
    print(table({name: one for name, one in sources.items() if not name.startswith(DEMO)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
