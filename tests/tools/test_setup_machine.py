"""The set-up of the machine: what is made, when it is made again, what is said if it fails."""

import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools import setup_machine
from tools.setup_machine import ROOT, SetupError


class Commands:
    """Stands where `run` does: notes the commands and runs none."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []

    def __call__(self, command: Sequence[str | Path], **_: object) -> None:
        self.ran.append([Path(command[0]).name, *map(str, command[1:])])
        if command[1:3] == ["-m", "venv"]:
            Path(command[3]).mkdir()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    commands = Commands()
    monkeypatch.setattr(setup_machine, "run", commands)
    return commands


def test_run(capfd: pytest.CaptureFixture[str]) -> None:
    setup_machine.run([sys.executable, "-c", "print('hello')"])
    assert capfd.readouterr().out == "hello\n"


def test_run_names_the_command_that_failed() -> None:
    with pytest.raises(SetupError, match=r"^`sh -c exit 3` ended with exit code 3$"):
        setup_machine.run(["/bin/sh", "-c", "exit 3"])
    with pytest.raises(SetupError, match=r"^`sh -c exit 3 … z` ended"):
        setup_machine.run(["/bin/sh", "-c", "exit 3", "x", "y", "z"])
    with pytest.raises(SetupError, match=r"^cannot run /nowhere: No such file or directory$"):
        setup_machine.run(["/nowhere"])


def test_environment_is_made_once_and_again_after_a_change(
    commands: Commands, tmp_path: Path
) -> None:
    source, folder = tmp_path / "source", tmp_path / "environment"
    source.write_text("one")
    setup_machine.environment(folder, "package", made_from=[source])
    made = [
        [Path(sys.executable).name, "-m", "venv", str(folder)],
        ["python", "-m", "pip", "install", "--quiet", "package"],
    ]
    assert commands.ran == made

    setup_machine.environment(folder, "package", made_from=[source])
    assert commands.ran == made

    (folder / "old").touch()
    source.write_text("two")
    setup_machine.environment(folder, "package", made_from=[source])
    assert commands.ran == made * 2
    assert not (folder / "old").exists()


def test_environment_that_failed_is_made_again(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(command: Sequence[str | Path], **_: object) -> None:
        commands(command)
        if "pip" in command:
            raise SetupError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(setup_machine, "run", no_network)
        with pytest.raises(SetupError, match="no network"):
            setup_machine.environment(tmp_path / "environment", "package", made_from=[])
    setup_machine.environment(tmp_path / "environment", "package", made_from=[])
    assert len(commands.ran) == 4


def test_venv_is_installed_where_it_is_missing(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(setup_machine, "_has_ensurepip", lambda: False)
    monkeypatch.setattr(setup_machine, "apt_install", installed.append)
    setup_machine.environment(tmp_path / "environment", made_from=[])
    assert installed == ["python3-venv"]


def test_apt_install(commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match="there is no apt-get to install it with"):
        setup_machine.apt_install("chromium")

    (tmp_path / "apt-get").touch(mode=0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="as root: apt-get install chromium"):
        setup_machine.apt_install("chromium")
    assert commands.ran == []

    (tmp_path / "sudo").touch(mode=0o755)
    setup_machine.apt_install("chromium")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    setup_machine.apt_install("chromium")
    programs = [words[: words.index("-qq")] for words in commands.ran]
    apt = str(tmp_path / "apt-get")
    sudo = ["sudo", "env", "DEBIAN_FRONTEND=noninteractive", apt]
    install = ["install", "--yes", "--no-install-recommends"]
    assert programs == [
        [*sudo, "update"],
        [*sudo, *install],
        ["apt-get", "update"],
        ["apt-get", *install],
    ]
    assert commands.ran[-1][-1] == "chromium"


def test_chromium_is_installed_only_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(setup_machine, "apt_install", installed.append)
    monkeypatch.setenv("PATH", str(tmp_path))
    setup_machine.chromium()
    (tmp_path / "chromium").touch(mode=0o755)
    setup_machine.chromium()
    assert installed == ["chromium"]


def test_node_is_missing(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"^Node\.js 20 or later with npm is not installed$"):
        setup_machine.node_modules()


def test_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert setup_machine.requirements("test") == project["dependency-groups"]["test"]
    assert "python-socketio[client]==4.6.1" in setup_machine.requirements("test")


@pytest.mark.parametrize("folder", ["tests/javascript", "benchmarks/servers"])
def test_lock_files_name_no_addresses(folder: str) -> None:
    """Whose mirror made the lock file is nobody's business; the hashes say what is installed."""
    lock = (ROOT / folder / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert lock.count('"integrity": "sha512-') > 30
