"""The browser's client, as socket.io 2.5 serves it."""

import errno
import hashlib
import logging
import os
import resource
from pathlib import Path

import pytest

from tests.support.bodies import body_of
from trio_sio import browser_client
from trio_sio.engine.http.static_files import StaticFiles
from trio_sio.http import Headers, Request, Response

KEPT = [("Cache-Control", "public, max-age=0"), ("Access-Control-Allow-Origin", "*")]
SCRIPT = "/socket.io/socket.io.js"


@pytest.fixture
def files(tmp_path: Path) -> StaticFiles:
    (tmp_path / "socket.io.js").write_bytes(b"script")
    (tmp_path / "socket.io.js.map").write_bytes(b"{}")
    return StaticFiles(tmp_path, "/socket.io")


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


def test_a_file_of_the_packages_own_has_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trio_sio.browser_client.client_folder", lambda: Path(__file__).parent)
    monkeypatch.setattr(Path, "read_bytes", lambda path: b"script")
    headers = asked(StaticFiles(True, "/socket.io"), get(SCRIPT)).headers
    assert dict(headers)["ETag"] == f'"{browser_client.VERSION}"'


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
    files = StaticFiles(tmp_path, "/socket.io")
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
    files = StaticFiles(tmp_path / "client", "/socket.io")
    assert asked(files, get(SCRIPT)).status == 404
    (tmp_path / "client").symlink_to(tmp_path / "client")
    assert asked(files, get(SCRIPT)).status == 503
    (tmp_path / "client").unlink()
    (tmp_path / "client").write_bytes(b"no folder")
    assert asked(files, get(SCRIPT)).status == 404
    assert ["is not in" in line for line in problems(caplog)] == [*(True, False, True)]
