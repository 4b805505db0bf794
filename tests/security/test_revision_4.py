"""Hostile clients of Engine.IO 4: what only they can send.

A neighbour of 2.x is served beside each of them, in order (`beside`).
"""

import json

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.security.clients import end_of, is_served, joined, opened, polling
from tests.security.heard import Heard, only_the_neighbour_is_left
from tests.security.neighbour import beside
from tests.support.examples import examples
from tests.support.servers import MakeServer
from trio_sio.testing.wire import WireClient, open_wire
from trio_sio.testing.wire_http import WireResponse
from trio_sio.testing.wire_websocket import WebSocketClosed

# -- payloads --------------------------------------------------------------------------------------

BROKEN = [
    *(b"", b"\x1e", b"3\x1e", b"\x1e3", b"3\x1e\x1e3", b"\x1e" * 10_000),
    *(b"3\x1e7", b"3\x1ex", b"3\x1e\xef\xbb\xbf3", b"3\x1e\x00", b"3\x1e:3", b"8"),
]
"""Bodies in which a packet is empty, or of no known type."""


@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:12]))
@pytest.mark.parametrize("is_polling", [False, True])
async def test_a_broken_payload_ends_the_session_that_sent_it(
    body: bytes, is_polling: bool, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """What stands before is heard, what stands behind is not, and a held poll is let go."""
    io = make_server()
    heard = Heard(io)
    async with beside(io) as wire:
        client = await polling(wire, eio=4)
        if is_polling:
            await client.poller.send_request("GET", client.target)
            await wait_all_tasks_blocked()
        before = b'420["echo","before"]\x1e' if body else b""
        behind = b'\x1e421["echo","behind"]' if body else b""
        assert (await client.post_body(before + body + behind)).body == b"ok"
        if is_polling:
            assert (await client.poller.receive_response()).status == 200
        else:
            assert (await client.poller.request("GET", client.target)).status in (200, 400)
        await only_the_neighbour_is_left(io)
        assert heard.events == ([("before",)] if body else [])
        assert heard.ends == ["parse error"]


@examples(60)
@given(
    parts=st.lists(
        st.sampled_from(
            [b'42["echo"]', b"3", b"bAQID", b"", b"7", b"x", b"\xff", b"\x00", b"1", b"2"]
        )
        | st.binary(max_size=6),
        max_size=8,
    )
)
def test_any_payload_is_read_or_ends_the_session(parts: list[bytes]) -> None:
    """No error comes out of the server, nobody else is touched, and nothing is left."""
    trio.run(_post_any, b"\x1e".join(parts), clock=MockClock(autojump_threshold=0))


async def _post_any(body: bytes) -> None:
    io = trio_sio.Server(raise_errors=True)
    Heard(io)
    async with beside(io) as wire:
        client = await polling(wire, eio=4)
        response = await client.post_body(body)
        assert response.status == 200
        for connection in (client.poller, client.poster):
            await connection.aclose()
        await trio.sleep(120)
        await only_the_neighbour_is_left(io)


# -- joining ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [90_000, 300_000])
@pytest.mark.parametrize("is_polling", [False, True])
async def test_what_a_stranger_says_of_itself_is_limited(
    size: int, is_polling: bool, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """`handshake_buffer_size`, and by WebSocket one read more."""
    io = make_server()
    heard = Heard(io)
    auth = json.dumps({"token": "x" * size})
    async with beside(io) as wire:
        if is_polling:
            client = await wire.handshake(eio=4)
            response = await client.post_body(f"40{auth}".encode())
            assert response.status == (200 if size < 100_000 else 413)
        else:
            websocket = await opened(wire, eio=4)
            await websocket.send(f"40{auth}")
            if size > 100_000:
                assert await end_of(websocket) == 1009
        await wait_all_tasks_blocked()
        assert len(heard.connections) == 1 + (size < 100_000)
        if size < 100_000:
            (socket,) = [one for one in io.sockets.connected.values() if one.protocol == 5]
            assert socket.handshake.auth == {"token": "x" * size}


@pytest.mark.parametrize("depth", [1000, 9_000, 40_000])
@pytest.mark.parametrize("shape", [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
async def test_deep_auth(
    depth: int, shape: tuple[str, str], autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """It is read up to the depth to which all JSON is read, and ends the session beyond."""
    io = make_server(handshake_buffer_size=1_000_000)
    heard = Heard(io)
    opening, closing = shape
    async with beside(io) as wire:
        websocket = await opened(wire, eio=4)
        await websocket.send('40{"a":' + opening * depth + "0" + closing * depth + "}")
        if depth < 10_000:
            assert str(await websocket.receive()).startswith('40{"sid"')
            assert await is_served(websocket)
        else:
            await end_of(websocket)
        await wait_all_tasks_blocked()
        assert len(heard.connections) == 1 + (depth < 10_000)


@pytest.mark.parametrize("auth", ["", '{"token":1}', '{"__proto__":{"admin":true},"sid":"x"}'])
@pytest.mark.parametrize("count", [2, 5])
async def test_whoever_joins_several_times_in_one_breath_has_one_socket(
    count: int, auth: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """While middleware decides, and once it is in; and it leaves nothing in rooms."""
    io = make_server()
    heard = Heard(io)
    async with beside(io) as wire:
        for name in ("", "/slow,"):
            client = await wire.handshake(eio=4)
            body = b"\x1e".join([f"40{name}{auth}".encode()] * count)
            assert (await client.post_body(body)).status == 200
            (answer,) = await client.poll()
            assert str(answer).startswith(f'40{name}{{"sid"')
            assert (await client.post_body(body)).status == 200
            assert (await client.post_body(f'42{name}["echo"]'.encode())).status == 200
            await wait_all_tasks_blocked()
        assert len(io.sockets.connected) == 2  # the neighbour is the other one
        assert len(io.of("/slow").connected) == 1
        assert len(heard.connections) == 3
        assert heard.events == [(), ()]
        assert len(await io.sockets.adapter.all_rooms()) == 2


async def test_what_comes_right_behind_the_asking_meets_no_handler_too_early(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Middleware that refuses, or is still asking, is not passed by who does not wait for it."""
    io = make_server()
    heard = Heard(io)
    async with beside(io) as wire:
        for name in ("/slow", "/closed"):
            client = await wire.handshake(eio=4)
            packets = [f"40{name},", f'42{name},["echo","early"]', f"41{name},", f"43{name},1[]"]
            assert (await client.post_body("\x1e".join(packets).encode())).status == 200
            assert heard.events == []
        await trio.sleep(5)
        assert heard.events == []
        assert len(io.of("/closed").connected) == 0


@pytest.mark.parametrize("packet", ["3", "40[1]", '42["echo"]', "b!!!", "6"])
async def test_who_never_joins_is_closed(
    packet: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """However busily it talks: `handshake_packets`, `connect_timeout`, or what it says wrong."""
    io = make_server(connect_timeout=45.0)
    async with beside(io) as wire:
        websocket, start = await opened(wire, eio=4), trio.current_time()
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def chatter() -> None:
                while True:
                    try:
                        await websocket.send(packet)
                    except (trio.BrokenResourceError, trio.ClosedResourceError, WebSocketClosed):
                        return
                    await trio.sleep(1)

            await end_of(websocket)
            assert trio.current_time() - start <= 46
            nursery.cancel_scope.cancel()
        await websocket.aclose()
        await only_the_neighbour_is_left(io)


# -- the heartbeat ---------------------------------------------------------------------------------


async def test_pongs_that_nobody_asked_for_postpone_nothing(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Who floods with them is pinged when it is time, and gone if it does not answer that."""
    io = make_server(ping_interval=10.0, ping_timeout=5.0)
    heard = Heard(io)
    async with beside(io) as wire:
        websocket, start = await joined(wire, eio=4), trio.current_time()
        for _ in range(90):
            for _ in range(20):
                await websocket.send("3")
            await trio.sleep(0.1)
        assert await websocket.receive() == "2"
        assert trio.current_time() - start == pytest.approx(10, abs=0.6)
        await end_of(websocket)
        assert trio.current_time() - start == pytest.approx(15, abs=1)
        await websocket.aclose()
        await only_the_neighbour_is_left(io)
        assert heard.ends == ["ping timeout"]


@pytest.mark.parametrize("packet", ["2", "2probe", "2x"])
@pytest.mark.parametrize("is_polling", [False, True])
async def test_a_ping_of_a_client_ends_it(
    packet: str, is_polling: bool, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    heard = Heard(io)
    async with beside(io) as wire:
        if is_polling:
            client = await polling(wire, eio=4)
            await client.post_body(f'420["echo"]\x1e{packet}\x1e421["echo"]'.encode())
        else:
            websocket = await joined(wire, eio=4)
            await websocket.send(packet)
            await end_of(websocket)
            await websocket.aclose()
        await only_the_neighbour_is_left(io)
        assert heard.events == ([()] if is_polling else [])
        assert heard.ends == ["transport error"]


# -- clients that say 4 and speak 3 ----------------------------------------------------------------


@pytest.mark.parametrize(
    "behind", ["2", "2probe", "3", "40{}", "40/slow,", '42["echo"]', "44", "1", "7", "", b"\x04x"]
)
async def test_who_is_taken_for_a_client_of_3_is_one_in_all(
    behind: str | bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """A ping before anything else makes it one: it has no more rights by that."""
    io = make_server()
    heard = Heard(io)
    async with beside(io) as wire:
        websocket = await opened(wire, eio=4)
        await websocket.send("2")
        assert [await websocket.receive(), await websocket.receive()] == ["40", "3"]
        await wait_all_tasks_blocked()
        assert io.statistics().sessions_by_protocol == {3: 2, 4: 0}
        socket = [*io.sockets.connected.values()][-1]
        assert (socket.protocol, socket.id) == (4, socket.conn.id)
        await websocket.send(behind)
        await trio.sleep(80)
        await websocket.aclose()
        await only_the_neighbour_is_left(io)
        assert len(heard.connections) == 2 + (behind == "40/slow,")
        assert set(heard.ends) <= {"ping timeout", "transport close", "parse error", "forced close"}


@pytest.mark.parametrize("first", ["2probe", "2x", b"2", "3"])
async def test_nothing_else_makes_it_one(
    first: str | bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Neither where 3 is not spoken, nor in a session that polls, nor later."""
    io = make_server()
    heard = Heard(io)
    async with beside(io) as wire:
        websocket = await opened(wire, eio=4)
        await websocket.send(first)
        await websocket.send("2")
        await end_of(websocket)
        await websocket.aclose()
        session = await wire.handshake(eio=4)
        await session.post("2")
        await session.aclose()
        await only_the_neighbour_is_left(io)
        assert len(heard.connections) == 1


async def test_nobody_speaks_3_where_4_alone_is_spoken(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(protocols=(4,))
    heard = Heard(io)
    async with open_wire(io) as wire:
        websocket = await opened(wire, eio=4)
        await websocket.send("2")
        await end_of(websocket)
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert (heard.connections, io.statistics().sessions) == ([], 0)


# -- other people's sessions -----------------------------------------------------------------------


async def test_a_socket_s_id_opens_no_session(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """It is shown to others in chats; in 2.x it is the session's."""
    io = make_server()
    Heard(io)
    async with beside(io) as wire:
        client = await polling(wire, eio=4)
        (socket,) = [one for one in io.sockets.connected.values() if one.protocol == 5]
        assert client.sid not in socket.id
        for method in ("GET", "POST"):
            response = await _ask(wire, method, socket.id)
            assert response.status == 400
            assert json.loads(response.body)["code"] == 1
        assert (await client.post_body(b'427["echo",1]')).status == 200
        assert await client.poll() == ["437[1]"]


async def _ask(wire: WireClient, method: str, sid: str) -> WireResponse:
    return await wire.request(
        method, wire.target("polling", sid=sid, eio=4), {}, b"3" if method == "POST" else b""
    )
