"""Refusals that explain themselves: the reference's code; a sentence in the body and in the log."""

import json
import logging
import re

import pytest

from tests.support.peers import served
from tests.support.raw import raw
from tests.support.servers import MakeServer
from trio_sio.options import Origins

POLLING = "/socket.io/?EIO=3&transport=polling"
NOT_SPOKEN = (
    "this server speaks Engine.IO 3 (Socket.IO 2.x) and 4 (Socket.IO 3.x and 4.x), by its option"
    " 'protocols'; the query says EIO=5"
)
NO_UPGRADE = (
    "transport=websocket without an upgrade: there is no 'Upgrade: websocket' and no"
    " 'Connection: upgrade'; does a proxy pass them on?"
)
NO_SID = (
    "the method of a handshake is GET, not POST; the query has no 'sid': does a proxy change it?"
)
NOBODY = (
    "no session 'nobody' is here; it has ended, or its requests are not all sent to the same server"
)


@pytest.mark.parametrize(
    ("method", "target", "status", "code", "message", "detail"),
    [
        (
            "GET",
            "/socket.io/?EIO=3",
            400,
            0,
            "Transport unknown",
            "the query must have one 'transport' of polling, websocket, not ''",
        ),
        (
            "GET",
            "/socket.io/?EIO=3&transport=pigeon",
            400,
            0,
            "Transport unknown",
            "the query must have one 'transport' of polling, websocket, not 'pigeon'",
        ),
        (
            "GET",
            POLLING + "&sid=nobody",
            400,
            1,
            "Session ID unknown",
            NOBODY,
        ),
        (
            "POST",
            POLLING,
            400,
            2,
            "Bad handshake method",
            NO_SID,
        ),
        (
            "GET",
            "/socket.io/?EIO=3&transport=websocket",
            400,
            3,
            "Bad request",
            NO_UPGRADE,
        ),
        (
            "GET",
            "/socket.io/?EIO=5&transport=polling",
            400,
            5,
            "Unsupported protocol version",
            NOT_SPOKEN,
        ),
    ],
)
async def test_what_was_seen_and_what_is_accepted(
    method: str,
    target: str,
    status: int,
    code: int,
    message: str,
    detail: str,
    make_server: MakeServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "trio_sio.engine")
    async with served(make_server()) as url, raw(url) as wire:
        response = await wire.request(method, target)
        assert response.status == status
        assert json.loads(response.body) == {"code": code, "message": message, "detail": detail}
    (record,) = caplog.records
    assert (record.levelno, detail in record.getMessage()) == (logging.WARNING, True)


A, B = "https://a.example", "https://b.example"


@pytest.mark.parametrize(
    ("origins", "fields", "detail"),
    [
        (A, {"Origin": B}, f"option 'origins' accepts '{A}', not '{B}'"),
        ([A, "c:*"], {"Origin": B}, f"option 'origins' accepts '{A}', 'c:*', not '{B}'"),
        (f"{A} c:*", {"Referer": B}, f"option 'origins' accepts '{A}', 'c:*', not '{B}'"),
        (A, {}, f"option 'origins' accepts '{A}', not one that is missing or null"),
        (A, {"Origin": "null"}, f"option 'origins' accepts '{A}', not one that is missing or null"),
        (
            lambda origin: False,
            {"Origin": B},
            f"the function of option 'origins' does not accept this origin: '{B}'",
        ),
    ],
)
async def test_origins(
    origins: Origins,
    fields: dict[str, str],
    detail: str,
    make_server: MakeServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "trio_sio.engine")
    async with served(make_server(origins=origins)) as url, raw(url) as wire:
        response = await wire.get(POLLING, fields)
        assert response.status == 403
        assert json.loads(response.body) == {"code": 4, "message": "Forbidden", "detail": detail}
        websocket = await wire.websocket(**fields)
        assert await websocket.rest() == f"\n{detail}\n".encode()
    first, count = caplog.records  # the second refusal is like the first
    assert (first.levelno, detail in first.getMessage()) == (logging.WARNING, True)
    assert "… and 1 more like it in the last " in count.getMessage()


async def test_a_path_that_is_not_the_servers(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "trio_sio.engine")
    async with served(make_server(path="/here")) as url, raw(url) as wire:
        response = await wire.get(POLLING)
        text = "Nothing is at /socket.io/; this server answers at /here/"
        assert response.status == 404
        assert response.body == f"{text}\n".encode()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert re.fullmatch(
        r"refused GET /socket.io/\?EIO=3&transport=polling from 127.0.0.1: this server answers at"
        r" /here/; is that the client's option 'path'\?",
        record.getMessage(),
    )


async def test_a_later_client_is_refused_by_websocket_too(make_server: MakeServer) -> None:
    async with served(make_server()) as url, raw(url) as wire:
        websocket = await wire.websocket("/socket.io/?EIO=5&transport=websocket")
        assert websocket.status == "HTTP/1.1 400 Bad Request"
        assert await websocket.rest() == f"Unsupported protocol version\n{NOT_SPOKEN}\n".encode()


OF_W3 = (
    "this session belongs to node w3; this is w1: send all requests of a session to the same node"
    " (session affinity)"
)


@pytest.mark.parametrize(
    ("method", "more"), [("GET", ""), ("POST", ""), ("GET", "&j=0"), ("POST", "&j=0")]
)
async def test_a_session_of_another_node(
    method: str, more: str, make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "trio_sio.engine")
    body = b"1:2" if method == "POST" else b""
    here, there = make_server(node_id="w1"), make_server(node_id="w3")
    async with served(there) as there_url, raw(there_url) as owner:
        target, _ = await owner.handshake()
        async with served(here) as url, raw(url) as wire:
            for _ in range(3):
                response = await wire.request(method, target + more, body=body)
                assert response.status == 400
                assert json.loads(response.body) == {
                    "code": 1,
                    "message": "Session ID unknown",
                    "detail": OF_W3,
                }
            refused = here.statistics().refused
            assert (refused["other_node"], refused["session_id_unknown"]) == (3, 0)
        assert (await owner.post(target, b"1:2")).status == 200  # it goes on
    first, count = caplog.records  # the other two are like the first
    assert (first.levelno, OF_W3 in first.getMessage()) == (logging.WARNING, True)
    assert "&sid=w3." in first.getMessage()
    assert "… and 2 more like it in the last " in count.getMessage()


async def test_an_upgrade_at_another_node(make_server: MakeServer) -> None:
    here, there = make_server(node_id="w1"), make_server(node_id="w3")
    async with served(there) as there_url, raw(there_url) as owner:
        target, _ = await owner.handshake()
        async with served(here) as url, raw(url) as wire:
            websocket = await wire.websocket(target.replace("=polling", "=websocket"))
            assert websocket.status == "HTTP/1.1 400 Bad Request"
            assert await websocket.rest() == f"Session ID unknown\n{OF_W3}\n".encode()
        assert here.statistics().refused["other_node"] == 1


@pytest.mark.parametrize(
    ("node_id", "sid", "detail"),
    [
        ("w1", "nobody", NOBODY),  # it names no node
        ("", f"w3.{'a' * 20}", NOBODY.replace("nobody", "w3.aaaaaa…")),  # nor does this server
        (
            *("w1", f"w1.{'a' * 20}"),
            "no session 'w1.aaaaaa…' is here; it has ended, or node w1 has been restarted",
        ),
    ],
)
async def test_a_session_that_is_no_other_nodes(
    node_id: str, sid: str, detail: str, make_server: MakeServer
) -> None:
    io = make_server(node_id=node_id)
    async with served(io) as url, raw(url) as wire:
        response = await wire.get(f"{POLLING}&sid={sid}")
        assert json.loads(response.body)["detail"] == detail
        assert io.statistics().refused["session_id_unknown"] == 1
