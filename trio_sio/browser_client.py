"""The browser client that a server hands out, the files of the npm package `socket.io-client`.

They are not part of the source: `npm pack` fetches the one pinned package, which is opened only
if its sha512 is the published one. That happens when a wheel is built (the build hook loads this
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
from pathlib import Path

PACKAGE = "socket.io-client"
VERSION = "2.5.0"
# As published with the package. A new version needs a new value, and a look at FILES.
INTEGRITY = (
    "sha512-lOO9clmdgssDykiOmVQQitwBAF3I6mYcQAo7hQ7AM6Ny"
    "5X7fp8hIJ3HcQs3Rjz4SoggoxA1OgrQyY8EgTbcPYw=="
)
FILES = (
    "LICENSE",
    "dist/socket.io.js",
    "dist/socket.io.js.map",
    "dist/socket.io.dev.js",
    "dist/socket.io.dev.js.map",
    "dist/socket.io.slim.js",
    "dist/socket.io.slim.js.map",
    "dist/socket.io.slim.dev.js",
    "dist/socket.io.slim.dev.js.map",
)

# Written last: a folder is complete if it has it, and it tells an older client from this one.
_STAMP = "VERSION"
# npm tries again by itself for minutes when there is no network; nobody should wait for ever.
_PATIENCE = 300.0


class ClientFilesError(Exception):
    """The client could not be fetched; the text is a sentence that says why."""


def client_folder() -> Path:
    """Where the files are looked for: `client/` inside the installed package."""
    return Path(__file__).with_name("client")


def is_complete(folder: Path) -> bool:
    """Whether `folder` holds all files of the pinned version."""
    try:
        stamp = (folder / _STAMP).read_text("utf-8")
    except OSError:
        return False
    return stamp == _stamp() and all((folder / Path(name).name).is_file() for name in FILES)


def fetch(destination: Path, *, integrity: str = INTEGRITY) -> None:
    """Fetch the client with npm, check it, and put its files into `destination`.

    Files of other names in `destination` stay. Nothing is written if anything is wrong.

    Args:
        destination: The folder; made if it is missing.
        integrity: What the package's hash must be, `sha512-` and base64.

    Raises:
        ClientFilesError: npm is missing or failed, the package is not the published one, or
            the folder cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="trio-sio-") as scratch:
        archive = _npm_pack(Path(scratch)).read_bytes()
    _check(archive, integrity)
    _write(destination, _members(archive))


def main(argv: Sequence[str]) -> int:
    """`trio-sio fetch-client [--to FOLDER] [--if-missing]`; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="trio-sio fetch-client",
        description=f"Fetch the browser client, {PACKAGE} {VERSION}, with npm.",
    )
    parser.add_argument(
        "--to",
        metavar="FOLDER",
        type=Path,
        default=client_folder(),
        help="folder to put it into, the installed package's by default",
    )
    parser.add_argument("--if-missing", action="store_true", help="do nothing if it is there")
    options = parser.parse_args(argv)
    folder: Path = options.to
    try:
        if not (options.if_missing and is_complete(folder)):
            fetch(folder)
    except ClientFilesError as error:
        sys.stderr.write(f"trio-sio: {error}\n")
        return 1
    sys.stdout.write(f"{PACKAGE} {VERSION} is in {folder}\n")
    return 0


def _npm_pack(scratch: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise ClientFilesError(
            f"npm is not installed; it is needed to fetch {PACKAGE} {VERSION} for browsers"
        )
    command = [npm, "pack", f"{PACKAGE}@{VERSION}", f"--pack-destination={scratch}"]
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


def _check(archive: bytes, integrity: str) -> None:
    digest = hashlib.sha512(archive).digest()
    got = f"sha512-{base64.b64encode(digest).decode('ascii')}"
    if got != integrity:
        raise ClientFilesError(
            f"{PACKAGE} {VERSION} as fetched is not the published package: "
            f"expected {integrity}, got {got}"
        )


def _members(archive: bytes) -> Mapping[str, bytes]:
    """The wanted files, by the name they get."""
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
            return {Path(name).name: _member(tar, f"package/{name}") for name in FILES}
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise ClientFilesError(f"the package cannot be read: {error}") from error


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
    return f"{PACKAGE} {VERSION}\n"
