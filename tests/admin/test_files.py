"""The page's files: what is served where, and with which headers."""

import pytest

import trio_sio
from trio_sio.admin.files import PageFiles

FILES = PageFiles("/admin/", "/admin", "Under the hood")


def get(path: str, method: str = "GET", files: PageFiles = FILES) -> trio_sio.Response | None:
    return files.answer(trio_sio.Request(method, path), "/socket.io", ["websocket"])


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/admin/", "text/html; charset=utf-8"),
        ("/admin/?theme=dark", "text/html; charset=utf-8"),
        ("/admin/index.html", "text/html; charset=utf-8"),
        ("/admin/view.js", "text/javascript; charset=utf-8"),
        ("/admin/view.css", "text/css; charset=utf-8"),
    ],
)
def test_file(path: str, content_type: str) -> None:
    response = get(path)
    assert response is not None
    headers = dict(response.headers)
    assert response.status == 200
    assert headers["Content-Type"] == content_type
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; ")
    assert "inline" not in headers["Content-Security-Policy"]
    assert response.body


@pytest.mark.parametrize("path", ["/admin/nothing", "/admin/../files.py", "/admin/%2e%2e/files.py"])
def test_nothing_else_is_served(path: str) -> None:
    response = get(path)
    assert response is not None
    assert response.status == 404


@pytest.mark.parametrize("path", ["/", "/administration", "/other/admin/"])
def test_other_paths_are_for_others(path: str) -> None:
    assert get(path) is None


def test_without_the_slash() -> None:
    response = get("/admin")
    assert response is not None
    assert (response.status, dict(response.headers)["Location"]) == (308, "/admin/")


def test_head() -> None:
    response, full = get("/admin/", "HEAD"), get("/admin/")
    assert response is not None
    assert full is not None
    assert isinstance(full.body, bytes)
    assert (response.status, response.body) == (200, b"")
    assert dict(response.headers)["Content-Length"] == str(len(full.body))


def test_other_methods() -> None:
    response = get("/admin/", "POST")
    assert response is not None
    assert (response.status, dict(response.headers)["Allow"]) == (405, "GET, HEAD")


def test_at_the_root() -> None:
    files = PageFiles("/", "/admin", "Under the hood")
    response = get("/", files=files)
    assert response is not None
    assert response.status == 200


def test_what_the_application_says_is_escaped() -> None:
    files = PageFiles("/admin/", '/"><img onerror=x>', "<b>")
    response = get("/admin/", files=files)
    assert response is not None
    assert isinstance(response.body, bytes)
    assert b"<img" not in response.body
    assert b"<title>&lt;b&gt;</title>" in response.body
