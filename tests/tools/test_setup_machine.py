"""The set-up of the machine: what is made, when it is made again, what is said if it fails."""

import os
import subprocess
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
    with pytest.raises(SetupError, match=r"^chromium: not installed, and there is no apt"):
        setup_machine.apt_install("chromium")

    (tmp_path / "apt-get").touch(mode=0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SetupError, match="as root: apt-get install chromium"):
        setup_machine.apt_install("chromium")
    assert commands.ran == []

    (tmp_path / "sudo").touch(mode=0o755)
    setup_machine.apt_install("chromium")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    setup_machine.apt_install("redis-server", "redis-sentinel")
    programs = [words[: words.index("-qq")] for words in commands.ran]
    apt = str(tmp_path / "apt-get")
    sudo = ["sudo", "env", "DEBIAN_FRONTEND=noninteractive"]
    quietly = ["sh", str(ROOT / "tools" / "without_services.sh"), apt]
    install = ["install", "--yes", "--no-install-recommends"]
    assert programs == [
        [*sudo, apt, "update"],
        [*sudo, *quietly, *install],
        ["apt-get", "update"],
        [*quietly, *install],
    ]
    assert all("DPkg::Lock::Timeout=300" in words for words in commands.ran)
    assert commands.ran[1][-1] == "chromium"
    assert commands.ran[-1][-2:] == ["redis-server", "redis-sentinel"]


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


def test_servers_are_installed_only_where_they_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed: list[tuple[str, ...]] = []
    monkeypatch.setattr(setup_machine, "apt_install", lambda *names: installed.append(names))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(setup_machine, "_FOR_SERVERS", str(tmp_path / "sbin"))
    setup_machine.servers("redis")
    (tmp_path / "redis-server").touch(mode=0o755)
    setup_machine.servers("redis")
    (tmp_path / "redis-sentinel").touch(mode=0o755)
    setup_machine.servers("redis")
    assert installed == [("redis-server", "redis-sentinel"), ("redis-sentinel",)]

    setup_machine.servers("nginx")
    (tmp_path / "sbin").mkdir()
    (tmp_path / "sbin" / "nginx").touch(mode=0o755)
    setup_machine.servers("nginx")
    assert installed[2:] == [("nginx",)]
    assert setup_machine.find_program("nginx") == str(tmp_path / "sbin" / "nginx")


def test_services_are_not_started_while_packages_are_installed(tmp_path: Path) -> None:
    """What asks the policy is told no, and a policy of the machine's own is left as it is."""
    policy = tmp_path / "policy-rc.d"
    script = (ROOT / "tools" / "without_services.sh").read_text("utf-8")
    assert "\npolicy=/usr/sbin/policy-rc.d\n" in script
    script = script.replace("/usr/sbin/policy-rc.d", str(policy))

    def code(*command: str) -> int:
        done = subprocess.run(["sh", "-c", script, "sh", *command], check=False)
        return done.returncode

    assert code(str(policy)) == 101
    assert not policy.exists()
    assert code("false") == 1
    assert not policy.exists()
    policy.write_text("#!/bin/sh\nexit 7\n")
    policy.chmod(0o755)
    assert code(str(policy)) == 7
    assert policy.read_text() == "#!/bin/sh\nexit 7\n"


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
