"""The program of a target, as a developer runs it, over one with a fault that takes a while."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.harness.inputs import Found, default_folder

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

FAULTY = '''
"""Any payload has fewer than three packets.

That is not so.
"""

from fuzz import harness
from trio_sio.protocol.engineio.codec_v3 import decode_text_payload
from trio_sio.protocol.errors import RemoteProtocolError


def fuzz(data):
    packets = []
    try:
        packets.extend(decode_text_payload(data))
    except RemoteProtocolError:
        pass
    assert len(packets) < 3, "there are three"
    return len(packets)


if __name__ == "__main__":
    harness.main(fuzz, "faulty")
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fuzz_faulty.py").write_text(FAULTY.lstrip())
    (tmp_path / "good").write_bytes(b"1:21:3")
    (tmp_path / "bad").write_bytes(b"1:21:31:6")
    return tmp_path


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "fuzz_faulty", *arguments],
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "cache")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def check_found(said: str, folder: Path) -> None:
    """What was found is told, kept, and can be tried again."""
    (failure,) = (folder / "failures").iterdir()
    assert f"fails: {failure.read_bytes()!r}" in said
    assert "AssertionError: there are three" in said
    assert "breaks this invariant:\n    Any payload has fewer than three packets.\n" in said
    assert f"    python -m fuzz_faulty {failure}\n" in said
    code, said = run(folder.parent, str(failure))
    assert code == 1
    assert "AssertionError: there are three" in said


@pytest.mark.atheris
def test_a_guided_run_finds_a_fault(folder: Path) -> None:
    found = folder / "found"
    code, said = run(folder, "--seed=3", "--seconds=60", f"--folder={found}")
    assert code == 1, said
    assert "faulty: seed 3, " in said
    assert "INFO: Seed: 3\n" in said
    check_found(said, found)
    assert list((found / "corpus").iterdir())  # what led there
    assert not (folder / "cache").exists()


@pytest.mark.atheris
def test_a_guided_run_that_finds_nothing(folder: Path) -> None:
    (folder / "fuzz_faulty.py").write_text(FAULTY.lstrip().replace("< 3", "< 10_000"))
    code, said = run(folder, "--seconds=1")
    assert code == 0, said
    assert "faulty: nothing found" in said
    assert list((folder / "cache" / "trio_sio_fuzz" / "faulty" / "corpus").iterdir())


def test_a_plain_run_finds_a_fault(folder: Path) -> None:
    found = folder / "found"
    Found(found).corpus.joinpath("seed").write_bytes(b"1:21:3")
    code, said = run(folder, "--plain", "--seed=3", "--seconds=60", f"--folder={found}")
    assert code == 1, said
    check_found(said, found)


def test_inputs_that_are_given_are_tried(folder: Path) -> None:
    assert run(folder, "good") == (0, "faulty: 1 inputs, nothing found\n")
    code, said = run(folder, "good", "bad")
    assert code == 1
    assert "faulty: bad fails: b'1:21:31:6'\nAssertionError: there are three\n" in said
    assert "Any payload has fewer" in said


def test_help(folder: Path) -> None:
    code, said = run(folder, "--help")
    assert code == 0
    assert said.startswith("usage: python -m fuzz_faulty ")


def test_the_folder_is_one_for_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_folder("query") == Path("/caches/trio_sio_fuzz/query")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_folder("query") == Path.home() / ".cache" / "trio_sio_fuzz" / "query"


@pytest.mark.atheris
def test_what_the_test_command_installs_is_there() -> None:
    assert importlib.util.find_spec("atheris") is not None
