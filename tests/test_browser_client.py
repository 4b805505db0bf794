"""Fetching the browser clients, with an npm that is a shell script of ours."""

import base64
import dataclasses
import hashlib
import io
import json
import os
import shlex
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.peers import JAVASCRIPT
from trio_sio import browser_client
from trio_sio.browser_client import (
    PACKAGE,
    RELEASES,
    V2,
    V4,
    ClientFilesError,
    Release,
    client_folder,
    fetch,
    is_complete,
    main,
)

Members = Mapping[str, "bytes | tarfile.TarInfo"]

COMPLETE: Mapping[str, Members] = {
    release.version: {
        f"package/{name}": f"{name} of {release.version}".encode() for name in release.files
    }
    for release in RELEASES
}
PATHS = {path for release in RELEASES for path in release.placed} | {"VERSION"}


def archive(files: Members) -> bytes:
    """A package as npm makes it; a value may also be a member of another kind."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            if isinstance(content, bytes):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                content.name = name
                tar.addfile(content)
    return buffer.getvalue()


def integrity(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


class FakeNpm:
    """The only program on the PATH; notes its arguments and does what it is told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._notes = folder / "arguments"

    def does(self, script: str) -> None:
        program = self._folder / "npm"
        program.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(self._notes))}\n{script}\n')
        program.chmod(0o755)

    def packs(self, packages: Mapping[str, bytes]) -> None:
        """Fetch these, by their versions."""
        for version, data in packages.items():
            (self._folder / f"{PACKAGE}@{version}").write_bytes(data)
        self.does(f'/bin/cp {shlex.quote(str(self._folder))}/"$2" fetched.tgz')

    @property
    def arguments(self) -> list[list[str]]:
        """Of each time that it ran."""
        return [line.split() for line in self._notes.read_text().splitlines()]


def published(packages: Mapping[str, bytes]) -> list[Release]:
    """Our releases, as if these were the published packages."""
    return [
        dataclasses.replace(release, integrity=integrity(packages[release.version]))
        for release in RELEASES
    ]


def complete(**changes: Members) -> Mapping[str, bytes]:
    """Packages with all that is wanted, and with changed members: `v4={…}`."""
    return {
        release.version: archive({**COMPLETE[release.version], **changes.get(which, {})})
        for which, release in (("v2", V2), ("v4", V4))
    }


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return FakeNpm(folder)


def contents(folder: Path) -> set[str]:
    """The paths of all files below it."""
    paths = [path for path in folder.rglob("*") if not path.is_dir()]
    return {path.relative_to(folder).as_posix() for path in paths}


def test_fetch(npm: FakeNpm, tmp_path: Path) -> None:
    packages = complete(v2={"package/lib/index.js": b"not wanted"})
    npm.packs(packages)
    folder = tmp_path / "deep" / "client"

    assert not is_complete(folder)
    fetch(folder, releases=published(packages))

    assert is_complete(folder)
    assert contents(folder) == PATHS
    assert (folder / "socket.io.js").read_bytes() == b"dist/socket.io.js of 2.5.0"
    assert (folder / "v4" / "socket.io.js").read_bytes() == b"dist/socket.io.js of 4.8.4"
    assert (folder / "VERSION").read_text() == "socket.io-client 2.5.0\nsocket.io-client 4.8.4\n"
    assert [arguments[:2] for arguments in npm.arguments] == [
        ["pack", "socket.io-client@2.5.0"],
        ["pack", "socket.io-client@4.8.4"],
    ]


def test_files_are_readable_by_others(npm: FakeNpm, tmp_path: Path) -> None:
    packages = complete()
    npm.packs(packages)
    before = os.umask(0o022)
    try:
        fetch(tmp_path / "client", releases=published(packages))
    finally:
        os.umask(before)
    for path in (tmp_path / "client").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644)


def test_fetch_replaces_old_files_and_leaves_others_alone(npm: FakeNpm, tmp_path: Path) -> None:
    packages = complete()
    npm.packs(packages)
    folder = tmp_path / "client"
    (folder / "v4").mkdir(parents=True)
    for path in ("socket.io.js", "v4/socket.io.js"):
        (folder / path).write_text("old")
    for path in ("mine.js", "v4/mine.js"):
        (folder / path).write_text("mine")

    fetch(folder, releases=published(packages))

    assert (folder / "socket.io.js").read_bytes() == b"dist/socket.io.js of 2.5.0"
    assert (folder / "v4" / "socket.io.js").read_bytes() == b"dist/socket.io.js of 4.8.4"
    assert (folder / "mine.js").read_text() == "mine"
    assert contents(folder) == {*PATHS, "mine.js", "v4/mine.js"}


@pytest.mark.parametrize("gone", sorted(PATHS))
def test_a_folder_that_lacks_a_file_is_not_complete(
    npm: FakeNpm, tmp_path: Path, gone: str
) -> None:
    packages = complete()
    npm.packs(packages)
    fetch(tmp_path, releases=published(packages))
    (tmp_path / gone).unlink()
    assert not is_complete(tmp_path)


@pytest.mark.parametrize("stamp", ["socket.io-client 2.5.0\n", "socket.io-client 2.4.0\n", ""])
def test_other_versions_are_not_complete(npm: FakeNpm, tmp_path: Path, stamp: str) -> None:
    packages = complete()
    npm.packs(packages)
    fetch(tmp_path, releases=published(packages))
    (tmp_path / "VERSION").write_text(stamp)
    assert not is_complete(tmp_path)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
def test_another_package_is_not_opened(npm: FakeNpm, tmp_path: Path, release: Release) -> None:
    """Not even that which is the published one is written then."""
    packages = complete()
    npm.packs(packages)
    ours = [release if one.version == release.version else one for one in published(packages)]
    with pytest.raises(ClientFilesError) as caught:
        fetch(tmp_path / "client", releases=ours)
    got = integrity(packages[release.version])
    assert str(caught.value) == (
        f"socket.io-client {release.version} as fetched is not the published package: "
        f"expected {release.integrity}, got {got}"
    )
    assert not (tmp_path / "client").exists()


def test_the_hashes_are_those_of_the_peers_of_the_tests() -> None:
    lock = json.loads((JAVASCRIPT / "package-lock.json").read_text())["packages"]
    for release, folder in ((V2, "socket.io-client"), (V4, "socket.io-client-4.8")):
        package = lock[f"node_modules/{folder}"]
        assert (package["version"], package["integrity"]) == (release.version, release.integrity)


def test_npm_is_missing(npm: FakeNpm, tmp_path: Path) -> None:
    with pytest.raises(ClientFilesError, match=r"^npm is not installed"):
        fetch(tmp_path / "client")


def test_npm_fails(npm: FakeNpm, tmp_path: Path) -> None:
    npm.does(
        "echo 'npm error code E503' >&2\n"
        "echo 'npm error 503 Service Unavailable' >&2\n"
        "echo 'npm error A complete log of this run can be found in: /home/me/log' >&2\n"
        "exit 1"
    )
    with pytest.raises(ClientFilesError, match=r"^npm failed: npm error 503 Service Unavailable$"):
        fetch(tmp_path / "client")


def test_npm_fails_without_a_word(npm: FakeNpm, tmp_path: Path) -> None:
    npm.does("exit 7")
    with pytest.raises(ClientFilesError, match=r"^npm failed: exit code 7, without a word$"):
        fetch(tmp_path / "client")


def test_npm_cannot_be_started(npm: FakeNpm, tmp_path: Path) -> None:
    npm.does("")
    (tmp_path / "bin" / "npm").write_text("#!/nowhere/sh\n")
    with pytest.raises(ClientFilesError, match=r"^npm could not be started: No such file"):
        fetch(tmp_path / "client")


def test_npm_never_ends(npm: FakeNpm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm.does("exec /bin/sleep 60")
    monkeypatch.setattr(browser_client, "_PATIENCE", 0.1)
    with pytest.raises(ClientFilesError, match=r"^npm did not finish within 0\.1 seconds$"):
        fetch(tmp_path / "client")


def test_npm_packs_nothing(npm: FakeNpm, tmp_path: Path) -> None:
    npm.does("exit 0")
    with pytest.raises(ClientFilesError, match="left 0 packages where one was expected"):
        fetch(tmp_path / "client")


def link(kind: bytes, target: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo()
    member.type = kind
    member.linkname = target
    return member


@pytest.mark.parametrize("which", ["v2", "v4"])
@pytest.mark.parametrize(
    "evil",
    [
        "../evil.js",
        "/evil.js",
        "package/../../evil.js",
        "package/dist/socket.io/../../../evil.js",
        "package/dist/../../evil.js",
    ],
)
def test_names_in_the_package_choose_no_place(
    npm: FakeNpm, tmp_path: Path, evil: str, which: str
) -> None:
    packages = complete(**{which: {evil: b"evil"}})
    npm.packs(packages)
    fetch(tmp_path / "client", releases=published(packages))
    assert contents(tmp_path / "client") == PATHS
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "client"}


@pytest.mark.parametrize("which", ["v2", "v4"])
@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (link(tarfile.SYMTYPE, "/etc/passwd"), "is not a plain file"),
        (link(tarfile.SYMTYPE, "../LICENSE"), "is not a plain file"),
        (link(tarfile.LNKTYPE, "package/LICENSE"), "is not a plain file"),
        (link(tarfile.DIRTYPE, ""), "is not a plain file"),
        (link(tarfile.FIFOTYPE, ""), "is not a plain file"),
    ],
    ids=["absolute link", "relative link", "hard link", "folder", "fifo"],
)
def test_only_plain_files_are_taken(
    npm: FakeNpm, tmp_path: Path, member: tarfile.TarInfo, expected: str, which: str
) -> None:
    packages = complete(**{which: {"package/dist/socket.io.js": member}})
    npm.packs(packages)
    with pytest.raises(ClientFilesError, match=expected):
        fetch(tmp_path / "client", releases=published(packages))
    assert not (tmp_path / "client").exists()


def without_one(members: Members) -> bytes:
    return archive({name: data for name, data in members.items() if "socket.io.js.map" not in name})


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.version)
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (without_one, r"the package has no file package/dist/socket\.io\.js\.map"),
        (lambda members: b"no archive at all", "the package cannot be read"),
        (lambda members: b"", "the package cannot be read"),
        (lambda members: archive(members)[:-20], "the package cannot be read"),
    ],
    ids=["file missing", "not an archive", "empty", "cut short"],
)
def test_unusable_package(
    npm: FakeNpm,
    tmp_path: Path,
    make: Callable[[Members], bytes],
    expected: str,
    release: Release,
) -> None:
    packages = {**complete(), release.version: make(COMPLETE[release.version])}
    npm.packs(packages)
    with pytest.raises(ClientFilesError, match=expected):
        fetch(tmp_path / "client", releases=published(packages))
    assert not (tmp_path / "client").exists()


@pytest.mark.parametrize("place", ["client", "client/v4"])
def test_folder_cannot_be_written(npm: FakeNpm, tmp_path: Path, place: str) -> None:
    packages = complete()
    npm.packs(packages)
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).touch()
    folder = tmp_path / "client"
    with pytest.raises(ClientFilesError, match=rf"^cannot write to {folder}: File exists$"):
        fetch(folder, releases=published(packages))
    assert not (folder / "socket.io.js").exists()


def test_command_says_where_the_clients_are(
    npm: FakeNpm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packages = complete()
    npm.packs(packages)
    fetch(tmp_path / "client", releases=published(packages))
    npm.does("exit 1")

    assert main(["--to", str(tmp_path / "client"), "--if-missing"]) == 0

    said = f"socket.io-client 2.5.0 and socket.io-client 4.8.4 are in {tmp_path / 'client'}\n"
    assert capsys.readouterr().out == said


def test_command_fails_in_one_line(
    npm: FakeNpm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npm.packs(dict.fromkeys(("2.5.0", "4.8.4"), b"something else"))
    assert main(["--to", str(tmp_path / "client")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trio-sio: socket.io-client 2.5.0 as fetched is not the published")


def test_client_folder_is_in_the_package() -> None:
    assert client_folder() == Path(browser_client.__file__).parent / "client"
