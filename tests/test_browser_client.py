"""Fetching the browser client, with an npm that is a shell script of ours."""

import base64
import hashlib
import io
import os
import shlex
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from trio_sio import browser_client
from trio_sio.browser_client import FILES, ClientFilesError, client_folder, fetch, is_complete, main

COMPLETE = {f"package/{name}": f"content of {name}".encode() for name in FILES}
NAMES = {Path(name).name for name in FILES}


def archive(files: Mapping[str, bytes | tarfile.TarInfo]) -> bytes:
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
        program.write_text(f'#!/bin/sh\necho "$@" > {shlex.quote(str(self._notes))}\n{script}\n')
        program.chmod(0o755)

    def packs(self, data: bytes) -> None:
        package = self._folder / "package.tgz"
        package.write_bytes(data)
        self.does(f"/bin/cp {shlex.quote(str(package))} fetched.tgz")

    @property
    def arguments(self) -> list[str]:
        return self._notes.read_text().split()


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return FakeNpm(folder)


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_fetch(npm: FakeNpm, tmp_path: Path) -> None:
    data = archive({**COMPLETE, "package/lib/index.js": b"not wanted"})
    npm.packs(data)
    folder = tmp_path / "deep" / "client"

    assert not is_complete(folder)
    fetch(folder, integrity=integrity(data))

    assert is_complete(folder)
    assert contents(folder) == {*NAMES, "VERSION"}
    assert (folder / "socket.io.js").read_bytes() == b"content of dist/socket.io.js"
    assert (folder / "VERSION").read_text() == "socket.io-client 2.5.0\n"
    assert npm.arguments[:2] == ["pack", "socket.io-client@2.5.0"]


def test_files_are_readable_by_others(npm: FakeNpm, tmp_path: Path) -> None:
    data = archive(COMPLETE)
    npm.packs(data)
    before = os.umask(0o022)
    try:
        fetch(tmp_path / "client", integrity=integrity(data))
    finally:
        os.umask(before)
    for path in (tmp_path / "client").iterdir():
        assert path.stat().st_mode & 0o777 == 0o644


def test_fetch_replaces_old_files_and_leaves_others_alone(npm: FakeNpm, tmp_path: Path) -> None:
    data = archive(COMPLETE)
    npm.packs(data)
    (tmp_path / "socket.io.js").write_text("old")
    (tmp_path / "mine.js").write_text("mine")

    fetch(tmp_path, integrity=integrity(data))

    assert (tmp_path / "socket.io.js").read_bytes() == COMPLETE["package/dist/socket.io.js"]
    assert (tmp_path / "mine.js").read_text() == "mine"
    assert contents(tmp_path) == {*NAMES, "VERSION", "mine.js", "bin"}


@pytest.mark.parametrize("gone", ["socket.io.js", "LICENSE", "VERSION"])
def test_a_folder_that_lacks_a_file_is_not_complete(
    npm: FakeNpm, tmp_path: Path, gone: str
) -> None:
    data = archive(COMPLETE)
    npm.packs(data)
    fetch(tmp_path, integrity=integrity(data))
    (tmp_path / gone).unlink()
    assert not is_complete(tmp_path)


def test_another_version_is_not_complete(npm: FakeNpm, tmp_path: Path) -> None:
    data = archive(COMPLETE)
    npm.packs(data)
    fetch(tmp_path, integrity=integrity(data))
    (tmp_path / "VERSION").write_text("socket.io-client 2.4.0\n")
    assert not is_complete(tmp_path)


def test_another_package_is_not_opened(npm: FakeNpm, tmp_path: Path) -> None:
    data = archive(COMPLETE)
    npm.packs(data)
    with pytest.raises(ClientFilesError) as caught:
        fetch(tmp_path / "client")
    assert f"expected {browser_client.INTEGRITY}, got {integrity(data)}" in str(caught.value)
    assert not (tmp_path / "client").exists()


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
def test_names_in_the_package_choose_no_place(npm: FakeNpm, tmp_path: Path, evil: str) -> None:
    data = archive({evil: b"evil", **COMPLETE})
    npm.packs(data)
    folder = tmp_path / "client"
    fetch(folder, integrity=integrity(data))
    assert contents(folder) == {*NAMES, "VERSION"}
    assert contents(tmp_path) == {"bin", "client"}


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
    npm: FakeNpm, tmp_path: Path, member: tarfile.TarInfo, expected: str
) -> None:
    data = archive({**COMPLETE, "package/dist/socket.io.js": member})
    npm.packs(data)
    with pytest.raises(ClientFilesError, match=expected):
        fetch(tmp_path / "client", integrity=integrity(data))
    assert not (tmp_path / "client").exists()


def without_one() -> bytes:
    return archive({name: data for name, data in COMPLETE.items() if "slim.js" not in name})


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (without_one, r"the package has no file package/dist/socket\.io\.slim\.js"),
        (lambda: b"no archive at all", "the package cannot be read"),
        (lambda: b"", "the package cannot be read"),
        (lambda: archive(COMPLETE)[:-20], "the package cannot be read"),
    ],
    ids=["file missing", "not an archive", "empty", "cut short"],
)
def test_unusable_package(
    npm: FakeNpm, tmp_path: Path, make: Callable[[], bytes], expected: str
) -> None:
    data = make()
    npm.packs(data)
    with pytest.raises(ClientFilesError, match=expected):
        fetch(tmp_path / "client", integrity=integrity(data))


def test_folder_cannot_be_written(npm: FakeNpm, tmp_path: Path) -> None:
    data = archive(COMPLETE)
    npm.packs(data)
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "client"
    with pytest.raises(ClientFilesError, match=rf"^cannot write to {folder}: Not a directory$"):
        fetch(folder, integrity=integrity(data))


def test_command_says_where_the_client_is(
    npm: FakeNpm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = archive(COMPLETE)
    npm.packs(data)
    fetch(tmp_path / "client", integrity=integrity(data))
    npm.does("exit 1")

    assert main(["--to", str(tmp_path / "client"), "--if-missing"]) == 0

    assert capsys.readouterr().out == f"socket.io-client 2.5.0 is in {tmp_path / 'client'}\n"


def test_command_fails_in_one_line(
    npm: FakeNpm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npm.packs(b"something else")
    assert main(["--to", str(tmp_path / "client")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("trio-sio: socket.io-client 2.5.0 as fetched is not the published")


def test_client_folder_is_in_the_package() -> None:
    assert client_folder() == Path(browser_client.__file__).parent / "client"
