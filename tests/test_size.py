"""A file of the package that outgrows 400 lines is split by noun."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "trio_sio"
LIMIT = 400


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_file_is_not_too_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LIMIT
