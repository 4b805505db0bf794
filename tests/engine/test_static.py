"""The browser's client, as socket.io 2.5 serves it."""

import logging
from pathlib import Path

import pytest

from trio_sio import client_files
from trio_sio.engine.message import Headers, Request
from trio_sio.engine.static import ClientFiles

ETAG = f'"{client_files.VERSION}"'


@pytest.fixture
def files(tmp_path: Path) -> ClientFiles:
    (tmp_path / "socket.io.js").write_bytes(b"script")
    (tmp_path / "socket.io.js.map").write_bytes(b"{}")
    return ClientFiles(tmp_path, "/socket.io")


def get(target: str, method: str = "GET", **fields: str) -> Request:
    return Request(method, target, Headers(fields.items()))


@pytest.mark.parametrize("more", ["", "?v=1", "foo"])
def test_the_script(files: ClientFiles, more: str) -> None:
    response = files.answer(get("/socket.io/socket.io.js" + more))
    assert response is not None
    assert (response.status, response.body) == (200, b"script")
    assert dict(response.headers) == {
        "Content-Type": "application/javascript",
        "ETag": ETAG,
        "Cache-Control": "public, max-age=0",
    }


def test_its_map(files: ClientFiles) -> None:
    response = files.answer(get("/socket.io/socket.io.js.map"))
    assert response is not None
    assert (response.status, response.body) == (200, b"{}")
    assert dict(response.headers) == {"Content-Type": "application/json", "ETag": ETAG}


@pytest.mark.parametrize(
    ("etag", "status"),
    [(ETAG, 304), ("W/" + ETAG, 200), (client_files.VERSION, 200), ("", 200), ('"x"', 200)],
)
def test_what_the_browser_has_is_not_sent_again(files: ClientFiles, etag: str, status: int) -> None:
    request = Request("GET", "/socket.io/socket.io.js", Headers([("If-None-Match", etag)]))
    response = files.answer(request)
    assert response is not None
    assert response.status == status
    assert (response.body == b"") is (status == 304)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "X"])
def test_a_file_can_only_be_got(files: ClientFiles, method: str) -> None:
    response = files.answer(get("/socket.io/socket.io.js", method))
    assert response is not None
    assert (response.status, response.body) == (405, b"")
    assert response.headers == [("Allow", "GET, HEAD")]
    head = files.answer(get("/socket.io/socket.io.js", "HEAD"))
    assert head == files.answer(get("/socket.io/socket.io.js"))


@pytest.mark.parametrize(
    "target", ["/socket.io/?transport=polling", "/socket.io/other.js", "/socket.io.js", "/"]
)
def test_everything_else_is_somebody_elses(files: ClientFiles, target: str) -> None:
    assert files.answer(get(target)) is None


def test_without_the_files_it_says_so_and_warns_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = ClientFiles(tmp_path, "/socket.io")
    for _ in range(3):
        response = files.answer(get("/socket.io/socket.io.js"))
        assert response is not None
        assert response.status == 404
        assert b"trio-sio fetch-client" in response.body
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
