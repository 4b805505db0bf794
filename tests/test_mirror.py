"""Each file of the package has a test file of its name at the same place."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def mirror(source: Path) -> Path:
    """Where the tests of a source file are; both relative to the project."""
    return Path("tests", *source.parts[1:-1], f"test_{source.name}")


def _has_code_to_test(source: Path) -> bool:
    # `__init__.py` files only re-export, which test_exports.py looks at; the demo and its command
    # line are tested as a person uses them.
    return not source.name.startswith("__") and source.parts[1] != "demo"


SOURCES = sorted(
    source
    for source in (path.relative_to(ROOT) for path in (ROOT / "trio_sio").rglob("*.py"))
    if _has_code_to_test(source)
)


@pytest.mark.parametrize("source", SOURCES, ids=Path.as_posix)
def test_source_has_tests(source: Path) -> None:
    tests = ROOT / mirror(source)
    assert tests.is_file()
    assert "def test_" in tests.read_text("utf-8")


def test_mirror() -> None:
    assert mirror(Path("trio_sio/engine/http/h11.py")) == Path("tests/engine/http/test_h11.py")
    assert mirror(Path("trio_sio/statistics.py")) == Path("tests/test_statistics.py")
