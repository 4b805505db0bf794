"""The session's cookie, byte for byte, beside that of a running server of socket.io 2.5."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import trio_sio
from tests.support.peers import JAVASCRIPT, served
from tests.support.raw import raw

pytestmark = pytest.mark.node

SCRIPT = JAVASCRIPT / "cookies.js"

# JavaScript's options, and ours.
TABLE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"cookie": "abc"}, {"cookie": "abc"}),
    ({"cookie": False}, {"cookie": None}),
    ({"cookiePath": "/x/y"}, {"cookie_path": "/x/y"}),
    ({"cookiePath": False}, {"cookie_path": None}),
    ({"cookiePath": False, "cookieHttpOnly": True}, {"cookie_path": None}),
    ({"cookieHttpOnly": False}, {"cookie_http_only": False}),
    (
        {"cookie": {"name": "abc", "path": "/", "httpOnly": True, "sameSite": "lax"}},
        {"cookie": "abc", "cookie_same_site": "Lax"},
    ),
    (
        {"cookie": {"name": "io", "path": "/", "httpOnly": True}},
        {"cookie_same_site": None},
    ),
    (
        {
            "cookie": {
                "name": "io",
                "path": "/x",
                "httpOnly": True,
                "sameSite": "none",
                "secure": True,
                "maxAge": 60,
                "domain": "a.example",
            }
        },
        {
            "cookie_path": "/x",
            "cookie_same_site": "None",
            "cookie_secure": True,
            "cookie_max_age": 60,
            "cookie_domain": "a.example",
        },
    ),
    (
        {"cookie": {"name": "io", "domain": "a.example", "sameSite": "strict", "secure": True}},
        {"cookie_path": None, "cookie_domain": "a.example", "cookie_secure": True},
    ),
    *(
        ({"sid": sid}, {"generate_id": lambda request, sid=sid: sid})
        for sid in ("a b", "w1.abc", "a;b=c,d", "é/ü?&%20", '"\\', "-_.!~*'()", "\U0001f600")
    ),
]


@pytest.fixture(scope="module")
def theirs() -> list[dict[str, Any]]:
    """The answers of the servers of socket.io, one for each row."""
    lines = "".join(f"{json.dumps(options)}\n" for options, _ in TABLE)
    command = ["node", str(Path(SCRIPT))]
    run = subprocess.run(command, input=lines, capture_output=True, check=True, encoding="utf-8")
    return [json.loads(line) for line in run.stdout.splitlines()]


@pytest.mark.parametrize("row", range(len(TABLE)))
async def test_the_cookie(row: int, theirs: list[dict[str, Any]]) -> None:
    io = trio_sio.Server(**TABLE[row][1])
    async with served(io) as url, raw(url) as wire:
        target, first = await wire.handshake()
        (session,) = io.engine.sessions.values()
        target = f"{target.partition('&sid=')[0]}&sid={quote(session.id, safe='')}"
        await io.emit("something")
        second = await wire.get(target)
        assert second.status == 200, second
    ours = [answer.headers.get_all("set-cookie") for answer in (first, second)]
    assert _named(ours, session.id) == _named(theirs[row]["cookies"], theirs[row]["id"])


def _named(cookies: list[list[str]], sid: str) -> list[list[str]]:
    """Return the fields with the same id in all, unless that was chosen."""
    plain = sid if len(sid) == 20 and sid.isascii() else ""
    return [[one.replace(plain, "SID") if plain else one for one in each] for each in cookies]


def test_the_servers_are_different_ones(theirs: list[dict[str, Any]]) -> None:
    """So that the table does not compare nothing with nothing."""
    assert len(theirs) == len(TABLE)
    seen = {tuple(one.partition("; ")[2] for one in answer["cookies"][0]) for answer in theirs}
    assert len(seen) >= 8
