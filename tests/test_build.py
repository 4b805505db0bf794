"""The wheel and the sdist, built from a copy of the tree as pip builds them."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from trio_sio.browser_client import RELEASES

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[1]
CLIENT = {f"trio_sio/client/{path}" for release in RELEASES for path in release.placed}
NEVER_COPIED = shutil.ignore_patterns(".git", ".*_cache", ".venv*", "__pycache__", "node_modules")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The project as a fresh clone has it: without the client."""
    copy = tmp_path / "tree"
    shutil.copytree(ROOT, copy, ignore=NEVER_COPIED)
    shutil.rmtree(copy / "trio_sio" / "client", ignore_errors=True)
    return copy


def build(tree: Path, target: str, **environment: str) -> tuple[Path, str]:
    """Build the wheel or the sdist; return it and what was said meanwhile."""
    out = tree.parent / f"{target}-of-{tree.name}"
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)],
        check=False,
        cwd=tree,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    (built,) = out.iterdir()
    return built, done.stdout


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as file:
        return set(file.namelist())


@pytest.mark.node
def test_wheel_has_the_client(tree: Path) -> None:
    wheel, _ = build(tree, "wheel")
    assert names(wheel) >= CLIENT
    assert "trio_sio/py.typed" in names(wheel)
    assert "trio_sio/demo/page/index.html" in names(wheel)
    assert "trio_sio/admin/page/view.js" in names(wheel)
    assert "pytest_trio_sio.py" in names(wheel)
    ours = ("trio_sio/", "trio_sio-", "pytest_trio_sio.py")
    assert not [name for name in names(wheel) if not name.startswith(ours)]


def test_wheel_without_the_client_by_request(tree: Path) -> None:
    wheel, said = build(tree, "wheel", TRIO_SIO_NO_CLIENT="1")
    assert not [name for name in names(wheel) if name.startswith("trio_sio/client/")]
    assert "trio_sio/browser_client.py" in names(wheel)
    assert "without the browser client" not in said


def test_build_goes_on_without_npm(tree: Path) -> None:
    wheel, said = build(tree, "wheel", PATH="")
    assert not [name for name in names(wheel) if name.startswith("trio_sio/client/")]
    assert "built without the browser client: npm is not installed" in said
    assert "`trio-sio fetch-client` gets it later" in said


@pytest.mark.node
def test_sdist_has_no_client_and_builds_a_wheel_that_has(tree: Path, tmp_path: Path) -> None:
    build(tree, "wheel")  # the client lies in the tree now
    sdist, _ = build(tree, "sdist")
    with tarfile.open(sdist) as tar:
        assert not [name for name in tar.getnames() if "/client/" in name]
        tar.extractall(tmp_path / "sdist", filter="data")
    (extracted,) = (tmp_path / "sdist").iterdir()
    wheel, _ = build(extracted, "wheel")
    assert names(wheel) >= CLIENT
