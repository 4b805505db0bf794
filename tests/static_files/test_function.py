"""How files are served."""

from pathlib import Path

import pytest

import trio_sio
from tests.static_files.asking import LARGE, asked, content
from tests.support.socket_pairs import socket_pair
from trio_sio.testing.wire import open_wire


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/", "text/html; charset=utf-8", b"<p>index"),
        ("/index.html?a=/..", "text/html; charset=utf-8", b"<p>index"),
        ("/deep/", "text/html; charset=utf-8", b"<p>deep"),
        ("/a%20b%20%C3%A9.txt", "text/plain; charset=utf-8", b"words"),
        ("/app.js", "text/javascript; charset=utf-8", b"0"),
        ("/empty.css", "text/css; charset=utf-8", b""),
        ("/pack.tar.gz", "application/octet-stream", b"gz"),
        ("/large.bin", "application/octet-stream", LARGE),
        ("/inside.txt", "text/html; charset=utf-8", b"<p>deep"),
    ],
)
async def test_files(folder: Path, path: str, kind: str, body: bytes) -> None:
    serve = trio_sio.static(folder, max_age=60)
    response = await serve(asked("GET", path))
    headers = dict(response.headers)
    assert (response.status, headers["Content-Type"]) == (200, kind)
    assert (headers["Content-Length"], await content(response)) == (str(len(body)), body)
    assert headers["Cache-Control"] == "public, max-age=60"
    head = await serve(asked("HEAD", path))
    assert (head.headers, head.body) == (response.headers, b"")


async def test_what_is_no_file_goes_to_the_next(folder: Path) -> None:
    async def page(request: trio_sio.Request) -> trio_sio.Response:
        return trio_sio.Response.text(200, f"page {request.method} {request.path}")

    serve = trio_sio.static(folder, prefix="/assets", otherwise=page)
    assert (await serve(asked("GET", "/assets/app.js"))).body == b"0"
    for path in ("/app.js", "/assets", "/assetsapp.js", "/assets/nothing", "/assets/../secret.txt"):
        assert (await serve(asked("GET", path))).body == f"page GET {path}\n".encode()
    assert (await serve(asked("POST", "/assets/app.js"))).body == b"page POST /assets/app.js\n"
    response = await trio_sio.static(folder)(asked("POST", "/app.js"))
    assert (response.status, dict(response.headers)["Allow"]) == (405, "GET, HEAD")


SIZE = len(LARGE)


async def test_over_the_wire(folder: Path) -> None:
    io = trio_sio.Server(fallback=trio_sio.static(folder), raise_errors=True)
    async with open_wire(io, streams=socket_pair) as wire:
        connection = wire.connect()
        for method in ("GET", "HEAD", "GET"):
            response = await connection.request(method, "/large.bin")
            assert response.headers["content-length"] == str(SIZE)
            assert response.body == (LARGE if method == "GET" else b"")


def test_wrong_arguments(folder: Path) -> None:
    with pytest.raises(NotADirectoryError, match="is not a folder"):
        trio_sio.static(folder / "app.js")
    for prefix in ("a", "/a/", "/"):
        with pytest.raises(ValueError, match="prefix must begin"):
            trio_sio.static(folder, prefix=prefix)
