"""The page's files: what is served where, and with which headers."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

import trio_sio
import trio_sio.demo.page
from tests.support.bodies import body_of
from trio_sio.demo.page import UNDER_THE_HOOD, Page

PAGE = Page()
FOLDER = Path(trio_sio.demo.page.__file__).with_name("page")
SCRIPTS = [f"/{path.relative_to(FOLDER).as_posix()}" for path in FOLDER.rglob("*.js")]
CLIENT = "/socket.io/socket.io.js"
CLIENT_4 = "/socket.io/socket.io.min.js"


async def get(path: str, method: str = "GET") -> trio_sio.Response:
    return await PAGE(trio_sio.Request(method, path))


def header(response: trio_sio.Response, name: str) -> str:
    (value,) = [value for key, value in response.headers if key.lower() == name]
    return value


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/?nick=Anna", "text/html; charset=utf-8"),
        ("/style/style.css", "text/css; charset=utf-8"),
        ("/demo.js", "text/javascript; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ],
)
async def test_file(path: str, content_type: str) -> None:
    response = await get(path)
    assert response.status == 200
    assert header(response, "content-type") == content_type
    assert header(response, "x-content-type-options") == "nosniff"
    assert header(response, "content-security-policy").startswith("default-src 'none'; ")
    assert response.body


@pytest.mark.parametrize("path", ["/", "/index.html", UNDER_THE_HOOD])
@pytest.mark.parametrize(
    ("query", "client", "script"),
    [
        ("", "2", CLIENT),
        ("?client=2", "2", CLIENT),
        ("?client=4", "4", CLIENT_4),
        ("?nick=Anna&client=4&transport=polling", "4", CLIENT_4),
        ("?client=4&client=2", "2", CLIENT),
        ("?client=3", "2", CLIENT),
        ("?client=<script>", "2", CLIENT),
        ("?nick=client=4", "2", CLIENT),
    ],
)
async def test_the_query_says_which_client_it_loads(
    path: str, query: str, client: str, script: str
) -> None:
    html = body_of(await get(path + query)).decode()
    assert re.findall(r'<script src="(/socket\.io/[^"]*)"', html) == [script]
    assert f'<body data-client="{client}" data-transports="polling websocket">' in html


@pytest.mark.parametrize("path", ["/nothing", "/../page.py", "/page.py", "//", "/%2e%2e/page.py"])
async def test_nothing_else_is_served(path: str) -> None:
    response = await get(path)
    assert response.status == 404
    assert header(response, "content-type") == "text/plain; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/nothing"])
async def test_head(path: str) -> None:
    response, full = await get(path, "HEAD"), await get(path)
    assert response.status == full.status
    assert response.body == b""
    assert header(response, "content-length") == str(len(body_of(full)))


async def test_other_methods() -> None:
    response = await get("/", "POST")
    assert response.status == 405
    assert header(response, "allow") == "GET, HEAD"


async def test_all_that_the_page_loads_is_there() -> None:
    seen = set()
    wanted = {"/"}
    while wanted:
        path = wanted.pop()
        seen.add(path)
        response = await get(path)
        assert response.status == 200, path
        text = body_of(response).decode()
        found = re.findall(r'(?:src|href)="(/[^"]*\.(?:js|css|svg))"|from "(\.[^"]*)"', text)
        wanted |= {urljoin(path, one or other) for one, other in found} - seen - {CLIENT}
    assert {"/demo.js", "/theme.js", "/style/style.css", "/favicon.svg"} <= seen
    assert set(SCRIPTS) <= seen


async def test_nothing_runs_inline_and_nothing_comes_from_elsewhere() -> None:
    html = body_of(await get("/")).decode()
    assert not re.search(r"""\s(?:on\w+|style)\s*=\s*["']""", html)
    assert not re.search(r"<script(?![^>]*\ssrc=)", html)
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!/|#)""", html)


async def test_each_element_that_the_scripts_ask_for_is_in_the_page() -> None:
    html = body_of(await get("/")).decode()
    ids = re.findall(r'\sid="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    for path in SCRIPTS:
        script = body_of(await get(path)).decode()
        assert set(re.findall(r'\$\("([^"]+)"\)', script)) <= set(ids)


async def test_visitors_words_never_become_markup() -> None:
    for path in SCRIPTS:
        script = body_of(await get(path)).decode()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write", script)
