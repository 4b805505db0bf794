"""The browser clients that a server hands out, the files of the npm package `socket.io-client`.

Two releases of it: 2.5.0 for pages written for Socket.IO 2.x, and 4.8.4 for those of 3.x and 4.x.
Files of both have the same names, so those of 4.8.4 lie in a folder `v4` beside the others.

They are not part of the source: `npm pack` fetches the pinned packages, which are opened only
if their sha512 is the published one. That happens when a wheel is built (the build hook loads this
file by its path, so it may import the standard library only) and by `trio-sio fetch-client`.

Only members of known names are read, and each is written under a name of ours, so nothing in an
archive can choose where a file goes.
"""

import argparse
import base64
import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "socket.io-client"


@dataclass(frozen=True)
class Release:
    """One version of the package, and what is wanted of it.

    Args:
        version: As npm knows it.
        integrity: The package's hash as published with it: `sha512-` and base64.
        folder: Where its files go, below that of the clients; "" for that itself.
        files: Their names in the package.
    """

    version: str
    integrity: str
    folder: str
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """What it is called: `socket.io-client 2.5.0`."""
        return f"{PACKAGE} {self.version}"

    @property
    def placed(self) -> tuple[str, ...]:
        """The files by the paths they get, below the folder of the clients."""
        return tuple(Path(self.folder, Path(file).name).as_posix() for file in self.files)


def _with_maps(*scripts: str) -> tuple[str, ...]:
    scripts_and_maps = (f"dist/{script}{end}" for script in scripts for end in ("", ".map"))
    return ("LICENSE", *scripts_and_maps)


# A new version needs a new hash, and a look at the files.
V2 = Release(
    version="2.5.0",
    integrity=(
        "sha512-lOO9clmdgssDykiOmVQQitwBAF3I6mYcQAo7hQ7AM6Ny"
        "5X7fp8hIJ3HcQs3Rjz4SoggoxA1OgrQyY8EgTbcPYw=="
    ),
    folder="",
    files=_with_maps(
        "socket.io.js", "socket.io.dev.js", "socket.io.slim.js", "socket.io.slim.dev.js"
    ),
)
V4 = Release(
    version="4.8.4",
    integrity=(
        "sha512-7wjKAvVXYOJsbmUgkWbnhPD4bFpkqrUR0++XOjpGFmqD"
        "qsqV1CI93VTraeExLxpjxEqrWgFoSRZu1ihjLWfkAA=="
    ),
    folder="v4",
    files=_with_maps(
        "socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"
    ),
)
RELEASES = (V2, V4)

# Written last: a folder is complete if it has it, and it tells older clients from these.
_STAMP = "VERSION"
_BOTH = " and ".join(release.name for release in RELEASES)
# npm tries again by itself for minutes when there is no network; nobody should wait for ever.
_PATIENCE = 300.0


class ClientFilesError(Exception):
    """A client could not be fetched; the text is a sentence that says why."""


def client_folder() -> Path:
    """Where the files are looked for: `client/` inside the installed package."""
    return Path(__file__).with_name("client")


def is_complete(folder: Path) -> bool:
    """Whether `folder` holds all files of the pinned versions."""
    try:
        stamp = (folder / _STAMP).read_text("utf-8")
    except OSError:
        return False
    files = (folder / path for release in RELEASES for path in release.placed)
    return stamp == _stamp() and all(file.is_file() for file in files)


def fetch(destination: Path, *, releases: Sequence[Release] = RELEASES) -> None:
    """Fetch the clients with npm, check them, and put their files into `destination`.

    Files of other names in `destination` stay. Nothing is written if anything is wrong.

    Args:
        destination: The folder; made if it is missing.
        releases: What to fetch.

    Raises:
        ClientFilesError: npm is missing or failed, a package is not the published one, or
            the folder cannot be written.
    """
    files: dict[str, bytes] = {}
    for release in releases:
        with tempfile.TemporaryDirectory(prefix="trio-sio-") as scratch:
            archive = _npm_pack(release, Path(scratch)).read_bytes()
        _check(release, archive)
        files.update(_members(release, archive))
    _write(destination, files)


def main(argv: Sequence[str]) -> int:
    """`trio-sio fetch-client [--to FOLDER] [--if-missing]`; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="trio-sio fetch-client",
        description=f"Fetch the browser clients, {_BOTH}, with npm.",
    )
    parser.add_argument(
        "--to",
        metavar="FOLDER",
        type=Path,
        default=client_folder(),
        help="folder to put them into, the installed package's by default",
    )
    parser.add_argument("--if-missing", action="store_true", help="do nothing if they are there")
    options = parser.parse_args(argv)
    folder: Path = options.to
    try:
        if not (options.if_missing and is_complete(folder)):
            fetch(folder)
    except ClientFilesError as error:
        sys.stderr.write(f"trio-sio: {error}\n")
        return 1
    sys.stdout.write(f"{_BOTH} are in {folder}\n")
    return 0


def _npm_pack(release: Release, scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise ClientFilesError(
            f"npm is not installed; it is needed to fetch {release.name} for browsers"
        )
    command = [npm, "pack", f"{PACKAGE}@{release.version}", f"--pack-destination={scratch}"]
    try:
        # In a folder of its own, so that no package.json around it has a say.
        done = subprocess.run(
            [*command, "--ignore-scripts", "--loglevel=error"],
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            check=False,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise ClientFilesError(f"npm did not finish within {_PATIENCE:g} seconds") from None
    except OSError as error:
        raise ClientFilesError(f"npm could not be started: {error.strerror}") from error
    if done.returncode:
        raise ClientFilesError(f"npm failed: {_last_words(done.stderr, done.returncode)}")
    packed = list(scratch.glob("*.tgz"))
    if len(packed) != 1:
        raise ClientFilesError(f"npm pack left {len(packed)} packages where one was expected")
    return packed[0]


def _last_words(stderr: str, returncode: int) -> str:
    """The last line that is about the failure, not about where npm keeps its log."""
    lines = [line.strip() for line in stderr.splitlines()]
    about = [line for line in lines if line and " log of this run " not in line]
    return about[-1] if about else f"exit code {returncode}, without a word"


def _check(release: Release, archive: bytes) -> None:
    digest = hashlib.sha512(archive).digest()
    got = f"sha512-{base64.b64encode(digest).decode('ascii')}"
    if got != release.integrity:
        raise ClientFilesError(
            f"{release.name} as fetched is not the published package: "
            f"expected {release.integrity}, got {got}"
        )


def _members(release: Release, archive: bytes) -> Mapping[str, bytes]:
    """The wanted files, by the paths they get."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            found = [_member(tar, f"package/{name}") for name in release.files]
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise ClientFilesError(f"the package cannot be read: {error}") from error
    return dict(zip(release.placed, found, strict=True))


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    try:
        member = tar.getmember(name)
    except KeyError:
        raise ClientFilesError(f"the package has no file {name}") from None
    # A link would be followed by `extractfile`; what it points to is not what we asked for.
    content = tar.extractfile(member) if member.isreg() else None
    if content is None:
        raise ClientFilesError(f"{name} in the package is not a plain file")
    return content.read()


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    with _naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # On the same file system as the folder, so that `os.replace` is atomic: a server that
        # reads a file meanwhile gets the whole old one or the whole new one.
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as half_way:
            for name, content in files.items():
                (folder / name).parent.mkdir(exist_ok=True)
                Path(half_way, name).parent.mkdir(exist_ok=True)
                Path(half_way, name).write_bytes(content)
            Path(half_way, _STAMP).write_text(_stamp(), "utf-8")
            for name in (*files, _STAMP):
                os.replace(Path(half_way, name), folder / name)


@contextlib.contextmanager
def _naming(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ClientFilesError(f"cannot write to {folder}: {error.strerror or error}") from error


def _stamp() -> str:
    return "".join(f"{release.name}\n" for release in RELEASES)
