"""The browser's clients, as socket.io 2.5 and 4.8 serve theirs."""

import errno
import hashlib
import logging
import os
import resource
from pathlib import Path

import pytest

from tests.support.bodies import body_of
from trio_sio.browser_client import RELEASES, V4
from trio_sio.engine.http.cors import EchoCORS
from trio_sio.engine.http.static_files import StaticFiles
from trio_sio.http import Headers, Request, Response

KEPT = [("Cache-Control", "public, max-age=0"), ("Access-Control-Allow-Origin", "*")]
SCRIPT = "/socket.io/socket.io.js"


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    (tmp_path / "socket.io.js").write_bytes(b"script")
    (tmp_path / "socket.io.js.map").write_bytes(b"{}")
    return StaticFiles(tmp_path, "/socket.io", EchoCORS().file_headers)


def etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def asked(files: StaticFiles, request: Request) -> Response:
    response = files.answer(request)
    assert response is not None
    return response


def get(target: str, method: str = "GET", **fields: str) -> Request:
    return Request(method, target, Headers(fields.items()))


@pytest.mark.parametrize("more", ["", "?v=1", "foo"])
def test_the_script(files: StaticFiles, more: str) -> None:
    response = files.answer(get("/socket.io/socket.io.js" + more))
    assert response is not None
    assert (response.status, response.body) == (200, b"script")
    assert response.headers == [
        ("Content-Type", "application/javascript"),
        ("ETag", etag(b"script")),
        *KEPT,
    ]


def test_its_map(files: StaticFiles) -> None:
    response = asked(files, get(SCRIPT + ".map"))
    assert (response.status, response.body) == (200, b"{}")
    assert response.headers == [("Content-Type", "application/json"), ("ETag", etag(b"{}")), *KEPT]


@pytest.mark.parametrize("target", [SCRIPT, SCRIPT + ".map"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_browser_has_is_not_sent_again(
    files: StaticFiles, method: str, target: str
) -> None:
    """The 304 has what a cache has to know again of the 200 (RFC 9110, 15.4.5)."""
    (_, *again) = full = asked(files, get(target)).headers
    assert full[0][0] == "Content-Type"
    for tag in (dict(full)["ETag"], "W/" + dict(full)["ETag"], f'"a", {dict(full)["ETag"]}', "*"):
        request = Request(method, target, Headers([("If-None-Match", tag)]))
        response = asked(files, request)
        assert (response.status, response.headers, response.body) == (304, again, b"")
    request = Request(method, target, Headers([("If-None-Match", '"2.5.0"')]))
    assert asked(files, request).status == 200


# -- two generations ----------------------------------------------------------------------------

OF_2 = ("socket.io.slim.js", "socket.io.dev.js")
OF_4 = ("socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The package's own folder, each file of which says what it is."""
    for release in RELEASES:
        for path in release.placed:
            (tmp_path / path).parent.mkdir(exist_ok=True)
            (tmp_path / path).write_text(f"{release.version} {Path(path).name}")
    monkeypatch.setattr("trio_sio.engine.http.static_files.client_folder", lambda: tmp_path)
    return tmp_path


def served(folder: bool | Path | str) -> StaticFiles:
    """What serves the files of a folder, below the usual path."""
    return StaticFiles(folder, "/socket.io", EchoCORS().file_headers)


def served_as(files: StaticFiles, name: str) -> str:
    """What comes for a name, with the version that its tag and its type tell."""
    response = asked(files, get(f"/socket.io/{name}"))
    headers = dict(response.headers)
    content = body_of(response).decode()
    version = content.partition(" ")[0]
    kind = "application/json" if ".js.map" in name else "application/javascript"
    assert headers["Content-Type"] == kind + ("; charset=utf-8" if version == "4.8.4" else "")
    assert headers["ETag"] == f'"{version}"'
    again = asked(files, get(f"/socket.io/{name}", **{"If-None-Match": f'"{version}"'}))
    assert again.status == 304
    return content


@pytest.mark.parametrize("option", [True, "4"])
def test_names_of_one_generation(own: Path, option: bool | str) -> None:
    files = served(option)
    for suffix in ("", ".map", "?v=2", "?v=4", ".map?t=1"):
        path = suffix.partition("?")[0]
        for name in OF_2:
            assert served_as(files, name + suffix) == f"2.5.0 {name}{path}"
        for name in OF_4:
            assert served_as(files, name + suffix) == f"4.8.4 {name}{path}"


@pytest.mark.parametrize("name", ["socket.io.js", "socket.io.js.map"])
def test_the_plain_name_is_of_the_generation_that_is_asked_for(own: Path, name: str) -> None:
    files, files_4 = served(True), served("4")
    for query, version, version_4 in (
        *(("", "2.5.0", "4.8.4"), ("?", "2.5.0", "4.8.4"), ("?t=1&v", "2.5.0", "4.8.4")),
        *(("?v=4", "4.8.4", "4.8.4"), ("?t=1&v=4", "4.8.4", "4.8.4"), ("?v=4&", "4.8.4", "4.8.4")),
        *(("?v=2", "2.5.0", "2.5.0"), ("?v=44", "2.5.0", "4.8.4"), ("?xv=4", "2.5.0", "4.8.4")),
    ):
        assert served_as(files, name + query) == f"{version} {name}"
        assert served_as(files_4, name + query) == f"{version_4} {name}"


def test_names_of_4_match_as_a_whole_and_those_of_2_by_their_beginning(own: Path) -> None:
    files, files_4 = served(True), served("4")
    for name in OF_4:
        for more in ("foo", ".mapfoo", "/", "%20", ".ma"):
            assert files.answer(get(f"/socket.io/{name}{more}")) is None
            assert files_4.answer(get(f"/socket.io/{name}{more}")) is None
    for more in ("foo", ".mapfoo", "/"):
        assert body_of(asked(files, get(SCRIPT + more))).startswith(b"2.5.0 ")
        assert asked(files, get(f"/socket.io/socket.io.slim.js{more}")).status == 200
        assert files_4.answer(get(SCRIPT + more)) is None
    for name in ("socket.io.esm.js", "socket.io.slim.min.js", "socket.io.", "v4/socket.io.js"):
        assert files.answer(get(f"/socket.io/{name}")) is None


def test_a_client_of_4_that_is_missing_is_not_replaced_by_one_of_2(own: Path) -> None:
    for path in V4.placed:
        (own / path).unlink()
    for option in (True, "4"):
        files = served(option)
        response = asked(files, get(SCRIPT + "?v=4"))
        assert response.status == 404
        assert b"v4/socket.io.js is not installed" in body_of(response)
        assert asked(files, get(SCRIPT + "?v=2")).status == 200


def test_a_folder_of_the_applications_may_hold_both_or_one(
    files: StaticFiles, tmp_path: Path
) -> None:
    assert asked(files, get(SCRIPT + "?v=4")).body == b"script"  # there is one for everybody
    assert asked(files, get("/socket.io/socket.io.min.js")).status == 404
    (tmp_path / "socket.io.min.js").write_bytes(b"min")  # as in the folder `dist` of 4.x
    assert asked(files, get("/socket.io/socket.io.min.js")).body == b"min"
    (tmp_path / "v4").mkdir()
    (tmp_path / "v4" / "socket.io.js").write_bytes(b"script of 4")  # as `fetch-client` puts it
    both = served(tmp_path)
    response = asked(both, get(SCRIPT + "?v=4"))
    assert (response.body, dict(response.headers)["ETag"]) == (b"script of 4", etag(b"script of 4"))
    assert asked(both, get(SCRIPT)).body == b"script"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "X"])
def test_a_file_can_only_be_got(files: StaticFiles, method: str) -> None:
    response = files.answer(get("/socket.io/socket.io.js", method))
    assert response is not None
    assert (response.status, response.body) == (405, b"")
    assert {("Allow", "GET, HEAD"), ("Cache-Control", "no-store")} <= set(response.headers)
    head = files.answer(get("/socket.io/socket.io.js", "HEAD"))
    assert head == files.answer(get("/socket.io/socket.io.js"))


@pytest.mark.parametrize(
    "target", ["/socket.io/?transport=polling", "/socket.io/other.js", "/socket.io.js", "/"]
)
def test_everything_else_is_somebody_elses(files: StaticFiles, target: str) -> None:
    assert files.answer(get(target)) is None


def problems(caplog: pytest.LogCaptureFixture) -> list[str]:
    assert {record.levelno for record in caplog.records} <= {logging.WARNING}
    return [record.getMessage() for record in caplog.records]


def test_without_the_files_it_says_so_until_they_come(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = StaticFiles(tmp_path, "/socket.io", EchoCORS().file_headers)
    for _ in range(3):
        response = asked(files, get(SCRIPT))
        assert (response.status, dict(response.headers)["Cache-Control"]) == (404, "no-store")
        assert b"trio-sio fetch-client" in body_of(response)
    assert len(problems(caplog)) == 1
    (tmp_path / "socket.io.js").write_bytes(b"script")
    assert asked(files, get(SCRIPT)).body == b"script"
    (tmp_path / "socket.io.js").unlink()
    assert asked(files, get(SCRIPT)).body == b"script"  # which is kept


def test_a_server_without_a_free_descriptor_reads_it_later(
    files: StaticFiles, caplog: pytest.LogCaptureFixture
) -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    for _ in range(2):
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        try:
            responses = [asked(files, get(SCRIPT)) for _ in range(3)]
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for response in responses:
            assert (response.status, dict(response.headers)["Cache-Control"]) == (503, "no-store")
            assert b"socket.io.js cannot be read at present" in body_of(response)
    (line,) = problems(caplog)
    assert line.endswith("cannot be read: Too many open files")
    assert asked(files, get(SCRIPT)).body == b"script"


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ENFILE, errno.ENOMEM])
def test_what_passes_is_not_kept(
    number: int,
    files: StaticFiles,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(path: Path) -> bytes:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fail)
        assert asked(files, get(SCRIPT)).status == 503
    assert asked(files, get(SCRIPT)).body == b"script"
    assert len(problems(caplog)) == 1


def test_each_new_problem_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    files = StaticFiles(tmp_path / "client", "/socket.io", EchoCORS().file_headers)
    assert asked(files, get(SCRIPT)).status == 404
    (tmp_path / "client").symlink_to(tmp_path / "client")
    assert asked(files, get(SCRIPT)).status == 503
    (tmp_path / "client").unlink()
    (tmp_path / "client").write_bytes(b"no folder")
    assert asked(files, get(SCRIPT)).status == 404
    assert ["is not in" in line for line in problems(caplog)] == [*(True, False, True)]
