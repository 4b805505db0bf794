"""What a machine needs before the tests or the demo can run; each is made once and then kept.

Standard library only: this runs before there is a virtual environment. What is made leaves a
stamp, a hash of what it was made from, and is made again when that changes.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import IO

try:
    import tomllib
except ImportError:
    sys.exit("Python 3.11 or later is needed.")

ROOT = Path(__file__).parent.parent
JAVASCRIPT = ROOT / "tests" / "javascript"
PYTHON_SOCKETIO_5 = ROOT / ".venv-socketio5"
"""The environment of python-socketio 5: one environment holds one version."""
_WITHOUT_SERVICES = ROOT / "tools" / "without_services.sh"

# What `--without` can leave out.
PEERS = (
    *("node", "chromium", "python-socketio", "python-socketio-5", "redis"),
    *("nginx", "haproxy", "caddy", "apache", "prometheus", "atheris"),
)

# Debian's packages have the names of their programs.
SERVERS = {
    "redis": ("redis-server", "redis-sentinel"),
    "nginx": ("nginx",),
    "haproxy": ("haproxy",),
    "caddy": ("caddy",),
    "apache": ("apache2",),
    "prometheus": ("prometheus",),
}
"""By peer: the servers that tests start with files and ports of their own."""

_APT_WAITS = 300
"""Seconds that apt waits for another apt to end."""

_FOR_SERVERS = "/usr/sbin:/usr/local/sbin"
"""Where Debian has nginx and haproxy, and not every user's PATH looks."""


OUTPUT: ContextVar[IO[str] | None] = ContextVar("OUTPUT", default=None)
"""Where the output of commands goes; each thread may have its own."""


class SetupError(Exception):
    """Something is missing and could not be installed; the text is a sentence."""


def run(
    command: Sequence[str | Path], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> None:
    """Run a command whose output goes where ours goes, or to `OUTPUT`."""
    sys.stdout.flush()  # what it prints comes after what we said
    output = OUTPUT.get()
    errors = None if output is None else subprocess.STDOUT
    try:
        done = subprocess.run(
            command,
            check=False,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
    except OSError as error:
        raise SetupError(f"cannot run {command[0]}: {error.strerror}") from error
    if done.returncode:
        words = [Path(command[0]).name, *map(str, command[1:])]
        if len(words) > 5:
            words[3:-1] = ["…"]
        raise SetupError(f"`{' '.join(words)}` ended with exit code {done.returncode}")


def environment(folder: Path, *pip_install: str, made_from: Iterable[Path]) -> None:
    """Make a virtual environment in `folder` and install into it.

    It is made anew, not brought up to date, when one of the files `made_from` has changed: what
    an older version of them asked for must not hide that the new one forgot it.
    """
    stamp = _Stamp(folder / "made-from", [sys.version, *pip_install], made_from)
    if stamp.is_current():
        return
    shutil.rmtree(folder, ignore_errors=True)
    _make_environment(folder)
    run([program(folder, "python"), "-m", "pip", "install", "--quiet", *pip_install])
    stamp.write()


def program(folder: Path, name: str) -> Path:
    """A program that is installed in the virtual environment."""
    return folder / ("Scripts" if os.name == "nt" else "bin") / name


def requirements(group: str) -> list[str]:
    """A dependency group of pyproject.toml: the pip of Python 3.11 does not know groups yet."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    return [str(requirement) for requirement in groups[group]]


def python_socketio_5() -> None:
    """Install python-socketio 5, a client of the tests, in its own environment."""
    wanted = requirements("python-socketio-5")
    environment(PYTHON_SOCKETIO_5, *wanted, made_from=[ROOT / "pyproject.toml"])


def browser_client(folder: Path) -> None:
    """Fetch the client that the server hands out, if the build could not; then it says why."""
    run([program(folder, "trio-sio"), "fetch-client", "--if-missing"])


def node_modules(folder: Path = JAVASCRIPT) -> None:
    """Install a folder's packages of npm exactly as its lock file says."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise SetupError("Node.js 20 or later with npm is not installed")
    made_from = [folder / "package.json", folder / "package-lock.json"]
    stamp = _Stamp(folder / "node_modules" / ".made-from", [], made_from)
    if stamp.is_current():
        return
    run([npm, "ci", "--loglevel=error"], cwd=folder)
    stamp.write()


def chromium() -> None:
    """Install Debian's Chromium; npm's browsers come from elsewhere and are not wanted."""
    if shutil.which("chromium") is None:
        apt_install("chromium")


def servers(peer: str) -> None:
    """Install the servers of a peer that are missing; the package's own one is not started."""
    missing = [name for name in SERVERS[peer] if find_program(name) is None]
    if missing:
        apt_install(*missing)


def find_program(name: str) -> str | None:
    """Return the path of a program; servers are found where only root's PATH looks, too."""
    return shutil.which(name) or shutil.which(name, path=_FOR_SERVERS)


def apt_install(*packages: str) -> None:
    """Install Debian packages, as root or through sudo; services among them are not started."""
    names = " ".join(packages)
    apt = shutil.which("apt-get")
    if apt is None:
        raise SetupError(f"{names}: not installed, and there is no apt-get to install it with")
    as_root = _as_root(names)
    # A new machine may be busy with updates of its own.
    quiet = ["-qq", "-o", "Dpkg::Use-Pty=0", "-o", f"DPkg::Lock::Timeout={_APT_WAITS}"]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run([*as_root, apt, "update", *quiet], env=env)
    install = [apt, "install", "--yes", "--no-install-recommends", *quiet, *packages]
    run([*as_root, "sh", _WITHOUT_SERVICES, *install], env=env)


def _as_root(packages: str) -> list[str]:
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo is None:
        raise SetupError(f"{packages}: not installed; as root: apt-get install {packages}")
    return [sudo, "env", "DEBIAN_FRONTEND=noninteractive"]


def _make_environment(folder: Path) -> None:
    if not _has_ensurepip():  # Debian's python3 comes without it
        apt_install("python3-venv")
    run([sys.executable, "-m", "venv", folder])


def _has_ensurepip() -> bool:
    # In a process of its own, since it is asked again after something was installed.
    command = [sys.executable, "-c", "import ensurepip"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


class _Stamp:
    """A file that tells what its neighbours were made from."""

    def __init__(self, path: Path, words: Iterable[str], files: Iterable[Path]) -> None:
        self._path = path
        digest = hashlib.sha256("\0".join(words).encode())
        for file in sorted(files):
            digest.update(f"\0{file}\0".encode())
            digest.update(file.read_bytes())
        self._text = digest.hexdigest()

    def is_current(self) -> bool:
        try:
            return self._path.read_text("utf-8") == self._text
        except OSError:
            return False

    def write(self) -> None:
        self._path.write_text(self._text, "utf-8")
