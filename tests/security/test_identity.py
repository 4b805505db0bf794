"""Who is who, and who may come in: ids, origins, cookies, rooms, the protocol's version."""

import json
import math
from collections import Counter

import pytest
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio
from tests.security.clients import (
    is_served,
    is_served_by_polling,
    joined,
    polling,
    refusal,
    socket_id,
)
from tests.security.neighbour import beside
from tests.support.servers import MakeServer
from trio_sio.engine import handshake as host
from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.http import Headers, Request
from trio_sio.testing.wire import text_payload
from trio_sio.testing.wire_websocket import handshake_headers

ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
GOOD = {"Origin": "https://good.example"}
BAD = [
    "https://evil.example",
    "http://good.example",
    "https://good.example:444",
    "https://good.example.evil.example",
    "https://evil.example/https://good.example",
    "https://good.example@evil.example",
    "https://notgood.example",
    "null",
    "*",
    "https://good.example, https://evil.example",
]


# -- ids -----------------------------------------------------------------------------------------


async def test_cve_2017_16031_ids_have_120_bits_and_all_of_them_vary() -> None:
    """Six standard deviations: of a fair source, one run in a million falls outside."""
    engine = trio_sio.Engine()
    request = Request("GET", "/", Headers())
    connection = HTTPConnection(memory_stream_pair()[1])
    ids = [await host.new_id(engine.sessions, request, connection) for _ in range(4000)]
    assert len(set(ids)) == len(ids)
    assert min(map(len, ids)) * math.log2(len(ALPHABET)) >= 120
    for position in range(len(ids[0])):
        letters = Counter(one[position] for one in ids)
        assert set(letters) == ALPHABET
        mean = len(ids) / len(ALPHABET)
        assert all(abs(count - mean) < 6 * math.sqrt(mean) for count in letters.values())


async def test_cve_2017_16031_ids_come_from_the_systems_random_source(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def system(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    monkeypatch.setattr("secrets.token_bytes", system)
    connection = HTTPConnection(memory_stream_pair()[1])
    request = Request("GET", "/", Headers())
    sid = await host.new_id(trio_sio.Engine().sessions, request, connection)
    assert (sid, asked) == ("A" * 20, [15])


# -- origins -------------------------------------------------------------------------------------


def test_cve_2020_28481_the_default_is_the_documented_one() -> None:
    """Every origin, as Socket.IO 2.x has it; decided in one place, and for all transports."""
    assert trio_sio.Server().engine.options.origins == "*"
    assert trio_sio.Engine().options.origins == "*"


@pytest.mark.parametrize("origin", BAD)
async def test_cve_2020_28481_where_origins_are_given_no_other_page_gets_in(
    eio: int, origin: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(origins=[GOOD["Origin"]])
    async with beside(io, GOOD) as wire:
        response = await wire.request("GET", wire.target("polling", eio=eio), {"Origin": origin})
        assert response.status == 403
        assert "access-control-allow-origin" not in response.headers
        assert "set-cookie" not in response.headers
        assert io.statistics().sessions == 1


@pytest.mark.parametrize("origin", BAD)
async def test_cve_2019_13611_the_origin_is_checked_on_handshakes_and_upgrades_by_websocket(
    eio: int, origin: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(origins=[GOOD["Origin"]])
    fields = handshake_headers({"Origin": origin})
    async with beside(io, GOOD) as wire:
        session = await polling(wire, "", GOOD, eio=eio)
        for sid in ("", session.sid):
            response = await wire.request("GET", wire.target("websocket", sid=sid, eio=eio), fields)
            assert response.status == 400
        response = await wire.request("GET", session.target, {"Origin": origin})
        assert response.status == 403  # nor by polling, though somebody knows the id
        assert await is_served_by_polling(session)


# -- the cookie ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sid", ["a; Domain=evil", "a\r\nX-Evil: 1", 'a"; Path=/', "a,b", "\x00é"])
async def test_ghsa_pxg6_pf52_xh8x_an_id_cannot_break_out_of_the_cookie(
    eio: int, sid: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    ids = iter(["neighbour", sid])
    options = {} if eio == 3 else {"cookie": "io"}  # which clients of 4.x get on request alone
    async with beside(make_server(generate_id=lambda _: next(ids), **options)) as wire:
        response = await wire.request("GET", wire.target("polling", eio=eio))
        name_and_value, *attributes = response.headers["set-cookie"].split("; ")
        same_site = "Strict" if eio == 3 else "Lax"
        assert attributes == ["Path=/", "HttpOnly", f"SameSite={same_site}"]
        value = name_and_value.removeprefix("io=")
        assert set(value) <= ALPHABET | set("%.!~*'()")
        assert len(response.headers.get_all("set-cookie")) == 1
        assert "x-evil" not in response.headers


@pytest.mark.parametrize("text", ["a;b", "a\r\nX-Evil: 1", "a\0", "a\x7f", "é"])
@pytest.mark.parametrize("option", ["cookie", "cookie_path"])
def test_ghsa_pxg6_pf52_xh8x_neither_can_its_name_or_path(option: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"option '{option}'"):
        trio_sio.Server(**{option: text})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["a;b", "a\r\nX-Evil: 1", "a\0", "a\x7f", "é"])
@pytest.mark.parametrize("attribute", ["name", "path", "domain"])
def test_ghsa_pxg6_pf52_xh8x_nor_its_attributes_as_4_has_them(attribute: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"option 'cookie: {attribute}'"):
        trio_sio.Server(cookie={"name": "io", attribute: text})


@pytest.mark.parametrize("name", ["a=b", "a b", "a,b", '"a"', "a/b", ""])
def test_ghsa_pxg6_pf52_xh8x_a_name_is_a_token(name: str) -> None:
    with pytest.raises(ValueError, match="option 'cookie'"):
        trio_sio.Server(cookie=name)


# -- rooms ---------------------------------------------------------------------------------------


async def test_no_id_python_socketio_a_room_named_like_another_sid_cannot_be_closed_by_name(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Leaving the room of somebody else's id does nothing to its owner, nor does its guest's end.

    To join it is the application's decision: no packet of a client names a room.
    """
    io = make_server()

    @io.on("intrude")
    async def intrude(socket: trio_sio.Socket, sid: str) -> bool:
        await socket.join(sid)
        await socket.leave(sid)
        await socket.join(sid)
        return sid in socket.rooms

    async with beside(io) as wire:
        victim, guest = await polling(wire, eio=eio), await joined(wire, eio=eio)
        sid = [*io.sockets.connected][1]  # between the neighbour's and the guest's
        await guest.send(f'420["intrude","{sid}"]')
        assert await guest.receive() == "430[true]"
        await guest.close()
        await wait_all_tasks_blocked()
        assert io.sockets.connected[sid].rooms == {sid}
        await io.to(sid).emit("private")
        assert await victim.poll() == ['42["private"]']


@pytest.mark.parametrize("packet", ["join", "room", "leave", "subscribe"])
async def test_no_id_python_socketio_no_clients_packet_joins_the_room_of_another_sid(
    eio: int, packet: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Neither an event, nor a namespace, nor the query is taken for a room."""
    io = make_server()
    io.of("/other")
    async with beside(io) as wire:
        victim = await polling(wire, eio=eio)
        sid = socket_id(victim, io.sockets.connected)
        spy = await joined(wire, "/other", eio=eio)
        for text in (f'42["{packet}","{sid}"]', f"40/{sid},", f"40/other?{packet}"):
            await spy.send(text)
        assert await spy.receive() == refusal(f"/{sid}", "Invalid namespace", eio)
        if eio == 4:  # which knows no queries there
            assert await spy.receive() == refusal(f"/other?{packet}", "Invalid namespace", eio)
        await wait_all_tasks_blocked()
        await io.to(sid).emit("private")
        assert await victim.poll() == ['42["private"]']
        assert await is_served(spy)


# -- the protocol's version ----------------------------------------------------------------------


@pytest.mark.parametrize("version", ["5", "2", "", "__proto__", "3&EIO=4", "9" * 400])
async def test_no_id_javascript_the_version_of_a_session_stays_what_it_was(
    version: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Payloads and frames are those of protocol 3, whatever later requests say."""
    io = make_server()
    io.on("echo", lambda _, data: data)
    async with beside(io) as wire:
        session = await polling(wire)
        target = session.target.replace("EIO=3", f"EIO={version}")
        response = await wire.request("POST", target, None, b'13:420["echo",1]')
        assert (response.status, response.body) == (200, b"ok")
        response = await wire.request("GET", target)
        assert response.body == b"6:430[1]"
        upgrade = target.replace("transport=polling", "transport=websocket")
        connection = wire.connect()
        response = await connection.request("GET", upgrade, handshake_headers())
        assert response.status == 101
        await connection.aclose()
        await wait_all_tasks_blocked()
        # What protocol 4 would have between packets is no payload here.
        await wire.request("POST", target, None, b"2\x1e2")
        await wait_all_tasks_blocked()
        assert io.statistics().ended == {"parse error": 1}


@pytest.mark.parametrize("version", ["3", "5", "", "__proto__", "4&EIO=3", "04", "%33"])
async def test_no_id_javascript_the_version_of_a_session_of_4_stays_what_it_was(
    version: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Requests that say another one are refused, and touch nothing; so are those that say 4 in a
    session of 3.
    """
    io = make_server()
    async with beside(io) as wire:
        for eio, other in ((4, version), (3, "4")):
            session = await polling(wire, eio=eio)
            target = session.target.replace(f"EIO={eio}", f"EIO={other}")
            response = await wire.request("POST", target, None, text_payload(["1"], eio))
            assert (response.status, json.loads(response.body)["code"]) == (400, 3)
            assert (await wire.request("GET", target)).status == 400
            upgrade = target.replace("transport=polling", "transport=websocket")
            assert (await wire.request("GET", upgrade, handshake_headers())).status == 400
            assert await is_served_by_polling(session)
