"""Targets of requests: names in the query that mean something elsewhere, and paths that climb."""

import json
from urllib.parse import quote

import pytest
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.security.clients import is_served, is_served_by_polling, polling, socket_id
from tests.security.neighbour import beside, talk_raw
from tests.support.modern import join
from tests.support.servers import MakeServer
from trio_sio.testing.wire import WireClient, text_payload
from trio_sio.testing.wire_websocket import WireWebSocket, handshake_headers

NAMES = [
    *("__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "valueOf"),
    *("__class__", "__dict__", "__init__", "name", "get", "keys", "", " ", "\0", "0"),
    *("polling ", "Polling", "POLLING", "poll\u0131ng", "polling\0", "websocket,polling", "memory"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("headers", [{}, handshake_headers()], ids=["polling", "websocket"])
async def test_cve_2023_31125_an_odd_transport_is_refused_and_sets_nothing_off(
    eio: int, headers: dict[str, str], name: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        for sid in ("", f"&sid={session.sid}"):
            target = f"/socket.io/?EIO={eio}&transport={quote(name)}{sid}"
            assert (await wire.request("GET", target, headers)).status == 400
        await wait_all_tasks_blocked()
        assert io.statistics().sessions == 2


@pytest.mark.parametrize("name", NAMES)
async def test_cve_2023_31125_neither_does_an_odd_sid(
    eio: int, name: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server()) as wire:
        for method in ("GET", "POST", "DELETE"):
            target = f"/socket.io/?EIO={eio}&transport=polling&sid={quote(name)}x"
            assert (await wire.request(method, target)).status == 400


QUERIES = [
    "&__proto__=1&constructor=2&__class__=3&hasOwnProperty=4",
    "&__proto__[transport]=x&transport[__proto__]=x",
    "&a[b][c][d]=1&a[]=1&a[]=2",
    "&=&==&=x&&&",
    "&%ff=%fe&%00=%0d%0a",
    "&%zz=%&%",
    "&b64=__proto__",
    "&" + "a=1;" * 900,
    "&" + "&" * 900,
    "&x=" + "%41" * 4000,
    "&eio=__proto__&t=" + "9" * 5000,
]


@pytest.mark.parametrize("query", QUERIES)
async def test_no_id_javascript_names_in_the_query_are_names_and_nothing_else(
    eio: int, query: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """They are found under themselves, and change nothing about whoever sends them."""
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire, query.removeprefix("&"), eio=eio)
        sid = socket_id(session, io.sockets.connected)
        handshake = io.sockets.connected[sid].handshake
        assert type(handshake.query) is dict
        assert all(isinstance(key, str) for key in handshake.query)
        if query == QUERIES[0]:
            assert handshake.query["__proto__"] == "1"
            assert handshake.query["__class__"] == "3"
        assert await is_served_by_polling(session)


async def test_no_id_javascript_names_in_the_query_are_no_script(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """`j` is a number, or nothing; clients of 4.x have none, and theirs means nothing."""
    async with beside(make_server()) as wire:
        query = "j=%27%29;alert(1)//&b64=__proto__"
        if eio == 4:
            session = await polling(wire, query, eio=4)
            assert session.response.headers["content-type"].startswith("text/plain")
            assert await is_served_by_polling(session)
            return
        opening = await wire.request("GET", wire.target("polling", query))
        assert opening.text.startswith("___eio[1](")
        sid = opening.text.partition('\\"sid\\":\\"')[2].partition("\\")[0]
        target = wire.target("polling", query, sid)
        response = await wire.request("POST", target, None, b"d=1:2")
        assert (response.status, response.body) == (200, b"ok")
        assert (await wire.request("GET", target)).body == b'___eio[1]("1:3");'


async def test_no_id_javascript_a_query_of_thousands_of_names_is_refused(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server()) as wire:
        target = wire.target("polling", "&".join(f"{number}=" for number in range(2500)))
        assert len(target) < 16 * 1024
        assert (await wire.request("GET", target)).status == 400
        assert (await talk_raw(wire, b"GET /?" + b"a" * 100_000)).status in (400, 414, 431)


CLIMBING = [
    "../secret.txt",
    "..%2fsecret.txt",
    "%2e%2e/secret.txt",
    "%2e%2e%2fsecret.txt",
    "..\\secret.txt",
    "..%5csecret.txt",
    "socket.io.js/../../secret.txt",
    "socket.io.js%2f..%2f..%2fsecret.txt",
    "socket.io.js/../secret.txt",
    "socket.io.js\\..\\..\\secret.txt",
    "socket.io.js%00/../../secret.txt",
    "socket.io.js.map/../../secret.txt",
    "socket.io.dev.js/../secret.txt",
    "socket.io.dev.js/../../secret.txt",
    "....//secret.txt",
    "//secret.txt",
    "secret.txt",
    ".",
    "..",
]


@pytest.mark.parametrize("path", CLIMBING)
async def test_no_id_python_engineio_paths_do_not_climb_out_of_the_clients_folder(
    path: str,
    autojump_clock: MockClock,
    tmp_path_factory: pytest.TempPathFactory,
    make_server: MakeServer,
) -> None:
    """Which file is meant is looked up among a few names; no path is ever made of a target."""
    above = tmp_path_factory.mktemp("above")
    folder = above / "client"
    folder.mkdir()
    (above / "secret.txt").write_text("secret")
    (folder / "secret.txt").write_text("secret")
    (folder / "socket.io.js").write_text("script")
    (folder / "socket.io.js.map").write_text("map")
    (folder / "v4").mkdir()
    (folder / "v4" / "socket.io.min.js").write_text("script")
    (folder / "socket.io.dev.js").mkdir()  # one can climb out of a folder, but not out of a file
    async with beside(make_server(serve_client=folder)) as wire:
        assert (await wire.request("GET", "/socket.io/socket.io.js")).text == "script"
        response = await wire.request("GET", f"/socket.io/{path}")
        assert b"secret" not in response.body.replace(b"secret.txt", b"")
        assert response.status in (200, 400, 404)
        assert response.status != 200 or response.text in ("script", "map")


# -- requests at the wrong time ------------------------------------------------------------------


async def test_no_id_python_engineio_requests_before_the_session_answers_find_it(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """An id may be guessed before its owner knows it; what is sent then waits its turn."""
    io = make_server(generate_id=lambda request: request.headers["x-id"])
    heard: list[object] = []
    io.on("say", lambda _, word: heard.append(word))

    def said(word: str) -> bytes:
        joining = ["40"] if eio == 4 else []
        return text_payload([*joining, f'42["say","{word}"]'], eio)

    async with beside(io, {"X-Id": "neighbour"}) as wire:
        target = wire.target("polling", sid="early", eio=eio)
        assert (await wire.request("POST", target, None, said("b"))).status == 400
        first, second = wire.connect(), wire.connect()
        await first.send_request("GET", wire.target("polling", eio=eio), {"X-Id": "early"})
        await second.send_request("POST", target, None, said("a"))
        assert (await first.receive_response()).status == 200
        assert (await second.receive_response()).status in (200, 400)
        await wait_all_tasks_blocked()
        assert heard in ([], ["a"])


@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("POST", b"1:1")])
async def test_no_id_python_engineio_polls_after_the_upgrade_are_refused(
    eio: int, method: str, body: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """By the session's own client or by others; the session is not touched."""
    io = make_server()
    async with beside(io) as wire:
        for websocket, sid in (await _upgraded(wire, eio), await _direct(wire, eio)):
            target = wire.target("polling", sid=sid, eio=eio)
            response = await wire.request(method, target, None, body)
            assert (response.status, b'"code":3' in response.body) == (400, True)
            again = wire.target("websocket", sid=sid, eio=eio)
            other = wire.connect()
            assert (await other.request("GET", again, handshake_headers())).status == 101
            assert (await other.receive_rest())[:1] == b"\x88"
            assert await is_served(websocket)


async def _upgraded(wire: WireClient, eio: int) -> tuple[WireWebSocket, str]:
    session = await polling(wire, eio=eio)
    return await session.upgrade(), session.sid


async def _direct(wire: WireClient, eio: int) -> tuple[WireWebSocket, str]:
    websocket = await wire.websocket(eio=eio)
    opening = str(await websocket.receive())
    if eio == 4:
        await join(websocket)
    else:
        assert await websocket.receive() == "40"
    sid: str = json.loads(opening[1:])["sid"]
    return websocket, sid
