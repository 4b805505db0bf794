"""What is limited for clients of both generations: sizes, numbers, silence, and floods."""

import tracemalloc
from contextlib import suppress

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.security.clients import (
    attached,
    end_of,
    enter,
    heartbeat,
    is_served,
    joined,
    polling,
)
from tests.security.heard import Heard, only_the_neighbour_is_left
from tests.security.neighbour import beside
from tests.support.servers import MakeServer
from trio_sio.testing.wire import WireSession, text_payload
from trio_sio.testing.wire_http import WireResponse
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket

# -- sizes and numbers -----------------------------------------------------------------------------


async def test_a_payload_of_too_many_packets(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(max_payload_packets=50)
    heard = Heard(io)
    async with beside(io) as wire:
        client = await polling(wire, eio=eio)
        await client.post(*[heartbeat(eio)] * 50)
        assert heard.ends == []
        await client.post(*[heartbeat(eio)] * 51)
        await wait_all_tasks_blocked()
        assert heard.ends == ["transport error"]
        assert io.statistics().limits == {"max_payload_packets": 1}
        await client.aclose()
        await trio.sleep(60)
        await only_the_neighbour_is_left(io)


@pytest.mark.parametrize("size", [1000, 1001])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_bodies_have_a_limit_in_bytes(
    size: int, is_chunked: bool, eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(max_http_buffer_size=1000)
    heard = Heard(io)
    async with beside(io) as wire:
        client = await polling(wire, eio=eio)
        around = len(text_payload(['42["echo",""]'], eio)) + (1 if eio == 3 else 0)  # "995:"
        body = text_payload([f'42["echo","{"x" * (size - around)}"]'], eio)
        assert len(body) == size
        response = await (_post_in_chunks(client, body) if is_chunked else client.post_body(body))
        await wait_all_tasks_blocked()
        if size == 1000:
            assert (response.status, len(heard.events)) == (200, 1)
        else:
            assert (response.status, heard.events, heard.ends) == (413, [], ["transport error"])


async def _post_in_chunks(client: WireSession, body: bytes) -> WireResponse:
    connection = client.poster
    head = f"POST {client.target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    slices = [body[at : at + 10] for at in range(0, len(body), 10)]
    pieces = b"".join(f"{len(one):x}\r\n".encode() + one + b"\r\n" for one in slices)
    await connection.send(head.encode() + pieces + b"0\r\n\r\n")
    return await connection.receive_response()


@pytest.mark.parametrize("message", ["4" + "x" * 2000, b"x" * 2001, "b4" + "A" * 2000])
async def test_messages_have_a_limit_in_bytes(
    message: str | bytes, eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(max_http_buffer_size=1000)
    heard = Heard(io)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send(message if isinstance(message, str) else attached(message, eio))
        assert await end_of(websocket) == 1009
        await websocket.aclose()
        await only_the_neighbour_is_left(io)
        assert heard.ends == ["transport error"]


async def test_more_namespaces_than_a_client_may_join(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Each is refused by itself, in words; those that it is in go on."""
    io = make_server(max_namespaces=3, max_pending_namespaces=4)
    io.of(lambda name, auth: True)
    async with beside(io) as wire:
        websocket = await joined(wire, "/a", "/b", eio=eio)
        for number in range(500):
            await websocket.send(f"40/n{number},")
            answer = str(await websocket.receive())
            assert answer.startswith(f"44/n{number},")
            assert "max_namespaces" in answer
        await wait_all_tasks_blocked()
        assert io.router.namespaces.keys() <= {"/", "/a", "/b"}
        await websocket.send('42/a,["nothing"]')
        assert await is_served(websocket)


@pytest.mark.parametrize("is_polling", [False, True])
@pytest.mark.parametrize("packet", ["40/{},", "40/slow?a={},", '40/slow,{{"token":"{}"}}'])
async def test_what_a_client_says_to_join_is_limited_ever_after(
    packet: str,
    is_polling: bool,
    eio: int,
    autojump_clock: MockClock,
    make_server: MakeServer,
) -> None:
    """As that of a stranger: a hundred of them wait for middleware at the same time, perhaps."""
    io = make_server()
    heard = Heard(io)
    async with beside(io) as wire:
        for size, is_welcome in ((90_000, True), (100_001, False)):
            text = packet.format("x" * size)
            if is_polling:
                session = await polling(wire, eio=eio)
                await session.post(text)
            else:
                websocket = await joined(wire, eio=eio)
                await websocket.send(text)
            if is_welcome:
                await trio.sleep(2)
                assert heard.ends == []
        if is_polling:
            assert (await session.poll())[-1] == "1"
        else:
            await end_of(websocket)
            await websocket.aclose()
        await wait_all_tasks_blocked()
        assert heard.ends == ["forced close"]
        assert io.statistics().limits == {"handshake_buffer_size": 1}


async def test_names_that_were_refused_are_not_kept(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Whoever is refused may still send something there; that it was refused is remembered."""
    io = make_server()
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        tracemalloc.start()
        try:
            for number in range(200):
                name = f"/{number}" + "x" * 90_000
                await websocket.send(f"40{name},")
                assert str(await websocket.receive()).startswith(f"44{name},")
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < 2_000_000
        await websocket.send(f"42{name},[0]")
        assert await is_served(websocket)


# -- silence ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_polling", [False, True])
async def test_who_falls_silent_is_noticed(
    is_polling: bool, eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """A connection that is half open says nothing of its end."""
    io = make_server()
    heard = Heard(io)
    options = io.engine.options
    async with beside(io) as wire:
        _ = await (polling(wire, eio=eio) if is_polling else joined(wire, eio=eio))
        await trio.sleep(options.ping_interval + options.ping_timeout_of(eio) - 1)
        assert heard.ends == []
        await trio.sleep(3)
        assert heard.ends == ["ping timeout"]
        await trio.sleep(30)  # it does not answer the close frame either
        await only_the_neighbour_is_left(io)


# -- floods ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "packet", ['43{}["x"]', "430[]", '461-{}[{{"_placeholder":true,"num":0}}]']
)
async def test_answers_that_nobody_waits_for_are_nothing(
    packet: str, eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    Heard(io)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        for number in range(2000):
            await websocket.send(packet.format(number))
            if packet.startswith("46"):
                await websocket.send(attached(b"data", eio))
        assert await is_served(websocket)
        socket = [*io.sockets.connected.values()][-1]
        assert len(socket.sender.acks) == 0


FLOODS = ['42["echo"]', "40/n,", "40/slow,", "41/slow,", '40{"a":1}', "41", '45["echo"]']


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("mode", ["drop", "disconnect", "wait"])
async def test_more_events_than_a_client_may_send(
    mode: str, flood: str, eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Joining counts, too. What is dropped is told to a client of 2.x; one of 4.x would take that
    for the end of its namespace.
    """
    io = make_server(max_events_per_second=50, event_burst=50, on_flood=mode)
    heard = Heard(io)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            for _ in range(500):
                await websocket.send(flood)
        said = await _all_that_is_there(websocket)
        assert len(heard.events) <= 80  # the burst, and those of half a second
        if eio == 4:
            assert [packet for packet in said if packet.startswith(("44{", "41"))] == []
        assert len(said) <= 501
        await websocket.aclose()
        await trio.sleep(20)  # what waits for its turn has half the events to come
        await only_the_neighbour_is_left(io)


async def _all_that_is_there(websocket: WireWebSocket) -> list[str]:
    said: list[str] = []
    with trio.move_on_after(0.5), suppress(WebSocketClosed):
        while True:
            said.append(str(await websocket.receive()))
    return said


@pytest.mark.parametrize("name", ["", "/a,"])
async def test_who_joins_and_leaves_by_turns_leaves_nothing(
    name: str, eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Five hundred times in one breath: each socket that was there has left, but for the last.

    To leave what one has not joined yet is nothing, as in the reference.
    """
    io = make_server()
    heard = Heard(io)
    io.of(lambda name, auth: True)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        if name:
            await enter(websocket, "/a", eio=eio)
        await wait_all_tasks_blocked()
        living = trio.lowlevel.current_statistics().tasks_living
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def flood() -> None:
                for _ in range(500):
                    await websocket.send(f"41{name}")
                    await websocket.send(f"40{name}")
                await websocket.send(f"40{name}")  # which is nothing, if it is in

            answers = 0
            with trio.move_on_after(5):
                while True:
                    assert str(await websocket.receive())[:2] == "40"
                    answers += 1
        await wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living <= living
        assert answers <= 501
        assert len(io.sockets.connected) == 2
        assert len(io.of("/a").connected) == (1 if name else 0)
        assert len(heard.ends) == len(heard.connections) - 2
        assert set(heard.ends) <= {"client namespace disconnect"}
        assert await is_served(websocket)
        await websocket.aclose()
        await only_the_neighbour_is_left(io)
        assert len(await io.sockets.adapter.all_rooms()) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_two_requests_at_a_time_end_the_session(
    method: str, eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    heard = Heard(io)
    async with beside(io) as wire:
        client = await polling(wire, eio=eio)
        await client.poller.send_request(method, client.target, {"Content-Length": "90"})
        await wait_all_tasks_blocked()
        second = await wire.request(method, client.target, {"Content-Length": "0"})
        assert second.status == (500 if eio == 3 else 400)
        await client.poller.aclose()
        await only_the_neighbour_is_left(io)
        assert heard.ends == ["transport error"]
