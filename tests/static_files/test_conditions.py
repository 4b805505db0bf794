"""Conditional requests and ranges."""

from pathlib import Path

import pytest

import trio_sio
from tests.static_files.asking import DATE, LARGE, asked, content


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        *[("If_None_Match", one, 304) for one in ("ETAG", "*", 'W/ETAG, "x"', '"a,b", ETAG')],
        *[("If_None_Match", one, 200) for one in ('"x"', "ETA", "")],
        *[("If_Modified_Since", one, 304) for one in (DATE, "Tue, 14 Nov 2023 22:13:21 GMT")],
        *[("If_Modified_Since", one, 200) for one in ("Tue, 14 Nov 2023 22:13:19 GMT", "x", "")],
        *[("If_Match", one, 200) for one in ("ETAG", "*")],
        *[("If_Match", one, 412) for one in ('"x"', "W/ETAG")],
        ("If_Unmodified_Since", DATE, 200),
        ("If_Unmodified_Since", "Tue, 14 Nov 2023 22:13:19 GMT", 412),
        ("If_Unmodified_Since", "x", 200),
    ],
)
async def test_conditions(folder: Path, field: str, value: str, status: int) -> None:
    serve = trio_sio.static(folder)
    etag = dict((await serve(asked("HEAD", "/large.bin"))).headers)["ETag"]
    request = asked("GET", "/large.bin", **{field: value.replace("ETAG", etag)})
    response = await serve(request)
    assert response.status == status
    if status == 304:
        headers = dict(response.headers)
        assert (headers["ETag"], headers["Last-Modified"], response.body) == (etag, DATE, b"")


async def test_no_match_goes_before_a_date(folder: Path) -> None:
    request = asked("GET", "/large.bin", If_None_Match='"x"', If_Modified_Since=DATE)
    assert (await trio_sio.static(folder)(request)).status == 200


SIZE = len(LARGE)


@pytest.mark.parametrize(
    ("range_", "part"),
    [
        *[("bytes=0-0", (0, 1)), ("bytes=5-", (5, SIZE)), ("bytes=-5", (SIZE - 5, SIZE))],
        *[("bytes=100-300000", (100, 300_001)), (f"bytes=1-{SIZE + 9}", (1, SIZE))],
        *[(f"bytes=-{SIZE * 2}", (0, SIZE)), ("bytes=7-7", (7, 8))],
        *[(f"bytes={SIZE}-", 416), ("bytes=-0", 416), (f"bytes={SIZE}-{SIZE + 1}", 416)],
        *[(one, 200) for one in ("bytes=5-4", "bytes=-", "bytes=0-1,3-4", "x=0-1", "bytes=a-", "")],
    ],
)
async def test_ranges(folder: Path, range_: str, part: tuple[int, int] | int) -> None:
    response = await trio_sio.static(folder)(asked("GET", "/large.bin", Range=range_))
    headers = dict(response.headers)
    if part == 416:
        assert (response.status, headers["Content-Range"]) == (416, f"bytes */{SIZE}")
    elif part == 200:
        assert (response.status, await content(response)) == (200, LARGE)
    else:
        assert isinstance(part, tuple)
        start, end = part
        assert response.status == 206
        assert headers["Content-Range"] == f"bytes {start}-{end - 1}/{SIZE}"
        assert headers["Content-Length"] == str(end - start)
        assert await content(response) == LARGE[start:end]


@pytest.mark.parametrize(
    ("condition", "status"),
    [("ETAG", 206), (DATE, 206), ("W/ETAG", 200), ('"x"', 200), ("nonsense", 200)],
)
async def test_a_range_of_the_file_that_the_client_has(
    folder: Path, condition: str, status: int
) -> None:
    serve = trio_sio.static(folder)
    etag = dict((await serve(asked("HEAD", "/large.bin"))).headers)["ETag"]
    condition = condition.replace("ETAG", etag)
    request = asked("GET", "/large.bin", Range="bytes=1-2", If_Range=condition)
    assert (await serve(request)).status == status
