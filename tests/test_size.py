"""How large files, folders and classes of the package may grow before they are split by noun."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tools.source import Source, Sources, attributes_of_classes, read_package

LINES = 400
FILES = 12
ATTRIBUTES = 16

PACKAGE = read_package()

# The router's files stand on shelves, which test_layers.py holds.
LARGE_FOLDERS = {"router"}


@pytest.mark.parametrize("name", PACKAGE)
def test_file_is_not_too_long(name: str) -> None:
    assert PACKAGE[name].lines <= LINES


def large_folders(sources: Sources) -> Iterator[tuple[str, int]]:
    """Which folders have too many files, and how many."""
    sizes = Counter(
        source.folder for source in sources.values() if not source.name.endswith("__init__.py")
    )
    yield from ((folder, size) for folder, size in sizes.items() if size > FILES)


def large_classes(sources: Sources) -> Iterator[tuple[str, int]]:
    """Which classes assign too many attributes to `self`, and how many."""
    for source in sources.values():
        for name, attributes in attributes_of_classes(source).items():
            if len(attributes) > ATTRIBUTES:
                yield name, len(attributes)


def test_folder_has_not_too_many_files() -> None:
    found = {name: size for name, size in large_folders(PACKAGE) if name not in LARGE_FOLDERS}
    assert found == {}


def test_class_has_not_too_many_attributes() -> None:
    assert dict(large_classes(PACKAGE)) == {}


def test_the_checker_counts_files_of_a_folder() -> None:
    names = [f"room/file_{number}.py" for number in range(FILES)]
    names += ["room/__init__.py", "room/inner/file.py", "file.py"]
    assert list(large_folders({name: Source(name, "") for name in names})) == []
    names.append("room/another.py")
    assert list(large_folders({name: Source(name, "") for name in names})) == [("room", FILES + 1)]


ASSIGNMENTS = """
class Large:
    shared = 1

    def __init__(self, other):
        self.one: int = 1
        self.two, (self.three, *self.four) = other
        self.one += 1
        with other as self.five:
            for self.six in other:
                other.seven = self.eight
        self.nine.ten = self.eleven[0] = 1

        def later():
            self.twelve = 1

    @staticmethod
    def make(this):
        this.thirteen = 1

class Small:
    def __init__(this):
        this.one = 1
"""


def test_the_checker_counts_attributes_of_a_class() -> None:
    source = Source("large.py", ASSIGNMENTS)
    names = {"one", "two", "three", "four", "five", "six", "twelve"}
    assert attributes_of_classes(source) == {"Large": names, "Small": {"one"}}
    many = "; ".join(f"self.a{number} = 1" for number in range(ATTRIBUTES + 1))
    large = Source("large.py", f"class Large:\n    def f(self): {many}")
    few = Source("few.py", f"class Few:\n    def f(self): {many.partition('; ')[2]}")
    assert list(large_classes({"large.py": large, "few.py": few})) == [("Large", ATTRIBUTES + 1)]
