"""What is found, and what never is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

import trio_sio
from tests.static_files.asking import asked, content
from trio_sio.static_files.folder import PIECE, File, FileChanged, Folder


@pytest.mark.parametrize(
    "path",
    [
        *("/../secret.txt", "/%2e%2e/secret.txt", "/deep/../../secret.txt", "/..%2fsecret.txt"),
        *("/..%5csecret.txt", "/..\\secret.txt", "/%2e%2e%2fsecret.txt", "/%252e%252e/secret.txt"),
        *("//etc/passwd", "/%2fetc/passwd", "/%2Fetc%2Fpasswd", "/C:/x", "/C%3a%5cx", "/deep//"),
        *(
            "/.env",
            "/%2eenv",
            "/.git/config",
            "/deep/./index.html",
            "/to-dot",
            "/index.html%00.txt",
        ),
        *("/out.txt", "/outside/secret.txt", "/outside/site-secret/a.txt", "/../site-secret/a.txt"),
        *("/circle", "/pipe", "/nothing", "/index.html/", "/index.html/x", "/deep/er/", "/%ff"),
        *("/" + "a" * 5_000, "/" + "deep/" * 500, "*", "", "/%"),
    ],
)
async def test_what_is_never_served(folder: Path, path: str) -> None:
    response = await trio_sio.static(folder)(asked("GET", path))
    assert response.status == 404
    assert b"secret" not in await content(response)


async def test_a_folder_without_its_slash_leads_to_it_and_nowhere_else(folder: Path) -> None:
    serve = trio_sio.static(folder)
    response = await serve(asked("GET", "/deep"))
    assert (response.status, response.headers) == (308, [("Location", "/deep/")])
    assert (await serve(asked("GET", "//deep"))).status == 404
    assert (await trio_sio.static(folder, index=None)(asked("GET", "/deep"))).status == 404


async def test_dot_files_if_they_are_wanted(folder: Path) -> None:
    response = await trio_sio.static(folder, dot_files=True)(asked("GET", "/.git/config"))
    assert response.status == 200
    assert (await trio_sio.static(folder, dot_files=True)(asked("GET", "/.."))).status == 404


async def test_it_does_not_wait_for_a_pipe(folder: Path) -> None:
    with trio.fail_after(5):
        assert (await trio_sio.static(folder)(asked("GET", "/pipe"))).status == 404


def replace_by_file(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"y" * path.stat().st_size)
    other.replace(path)


def replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("../secret.txt")


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


REPLACED = [replace_by_file, replace_by_link, replace_by_pipe, Path.unlink]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders, and replaces no file")
@pytest.mark.parametrize("replace", REPLACED)
def test_a_file_that_is_replaced_is_not_taken_for_the_one_that_was_found(
    replace: Callable[[Path], None], folder: Path
) -> None:
    path = folder / "large.bin"
    path.write_bytes(b"x" * 10)
    found = Folder(folder.resolve(), "", None, dot_files=False).find("/large.bin")
    assert isinstance(found, File)
    assert found.read(2, 5) == b"x" * 5
    replace(path)
    with pytest.raises(FileChanged):
        found.open(0)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders, and replaces no file")
@pytest.mark.parametrize("replace", REPLACED)
async def test_no_head_gets_the_content_of_another_file(
    replace: Callable[[Path], None], folder: Path
) -> None:
    path = folder / "large.bin"
    path.write_bytes(b"x" * (PIECE + 1))
    response = await trio_sio.static(folder)(asked("GET", "/large.bin"))
    replace(path)
    with pytest.raises(FileChanged):  # the connection is cut
        await content(response)
    response = await trio_sio.static(folder)(asked("GET", "/large.bin"))
    is_there = path.exists() and path.is_file() and not path.is_symlink()
    assert response.status == (200 if is_there else 404)
