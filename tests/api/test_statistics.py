"""The server in numbers."""

import re

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support import modern
from tests.support.held_loop import Counter
from tests.support.peers import served
from tests.support.raw import raw
from tests.support.servers import MakeServer
from trio_sio.statistics import PROTOCOLS, REFUSALS, added_up
from trio_sio.testing import open_wire


async def test_what_there_is_and_what_has_ended(make_server: MakeServer, counter: Counter) -> None:
    io = make_server(max_http_buffer_size=1000, max_connections=3)
    async with served(io) as url, raw(url) as wire:
        before = io.statistics()
        nothing = dict.fromkeys(REFUSALS, 0)
        assert before == trio_sio.EngineStatistics(
            *(0, 0, 0, 0, 0, 0, 0, {}, {}), refused=nothing, namespaces={"/": added_up([])}
        )
        clients = [await wire.joined() for _ in range(3)]
        assert (await (await wire.connect()).receive_some()).startswith(b"HTTP/1.1 503")
        now = io.statistics()
        assert (now.connections, now.refused_connections, now.sessions) == (3, 1, 3)
        assert (now.opened, now.joined, now.refused) == (3, 3, {**nothing, "full": 1})
        assert now.ended == {}
        await clients[0].send("1")
        await clients[1].send("4" + "x" * 2000)
        for client in clients[:2]:
            await client.receive_frame()
            await client.stream.aclose()
        with trio.fail_after(5):
            while io.statistics().connections > 1:  # noqa: ASYNC110 - they end soon
                await trio.sleep(0.01)
        now = io.statistics()
        assert (now.connections, now.sessions) == (1, 1)
        assert now.ended == {"transport close": 1, "transport error": 1}
        assert now.limits == {"max_http_buffer_size": 1, "max_connections": 1}
        alone = io.engine.statistics()
        assert (alone.ended, alone.limits, alone.opened) == (now.ended, now.limits, now.opened)
        assert (alone.joined, alone.namespaces) == (0, {})


async def test_clients_are_counted_by_what_they_speak(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    assert io.statistics().sessions_by_protocol == dict.fromkeys(PROTOCOLS, 0)
    async with modern.client(io, eio=3), modern.client(io, eio=3):
        async with modern.client(io) as websocket:
            await modern.join(websocket)
            async with open_wire(io) as wire:
                await wire.connect().request("GET", "/socket.io/?EIO=4&transport=polling")
                await wire.connect().request("GET", "/socket.io/?EIO=5&transport=polling")
                now = io.statistics()
                assert now.sessions_by_protocol == {3: 2, 4: 2}
                assert now.opened_by_protocol == {3: 2, 4: 2}
                assert (now.sessions, now.opened) == (4, 4)
        await wait_all_tasks_blocked()
    await wait_all_tasks_blocked()
    now = io.statistics()
    assert now.opened_by_protocol == {3: 2, 4: 2}
    assert sum(now.sessions_by_protocol.values()) == now.sessions


async def test_queues_and_what_was_dropped(make_server: MakeServer) -> None:
    io = make_server(max_outbox=3, on_overflow="drop_newest")
    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        for _ in range(5):
            await io.emit("news", "x" * 100)
        await io.volatile.emit("news")
        now = io.statistics()
        assert (now.queued, now.dropped) == (3, 3)
        assert now.limits == {"max_outbox": 2}  # a volatile event finds no limit in its way
        assert 300 < now.queued_bytes == now.largest_queue < 500
        (session,) = io.engine.sessions.values()
        mine = session.statistics()
        assert (mine.queued, mine.queued_bytes, mine.dropped) == (3, now.queued_bytes, 3)
        assert mine.last_seen == session.last_seen <= trio.current_time()
        await polling.get()
        await wait_all_tasks_blocked()
        now = io.statistics()
        assert (now.queued, now.queued_bytes, now.largest_queue, now.dropped) == (0, 0, 0, 3)
        await polling.post(b"1:1")
        with trio.fail_after(5):
            while io.statistics().sessions:  # noqa: ASYNC110 - it ends soon
                await trio.sleep(0.01)
        assert io.statistics().dropped == 3
        assert io.statistics().limits == {"max_outbox": 2}


async def test_each_namespace_counts_for_itself(make_server: MakeServer) -> None:
    io = make_server(raise_errors=False)
    chat, rooms = io.of("/chat"), io.of(re.compile("/room-[0-9]+"))
    chat.on("ask", lambda socket: "answer")
    rooms.on("fail", lambda socket: 1 / 0)
    gone = trio.Event()
    rooms.on("disconnect", lambda socket, reason: gone.set())
    async with served(io) as url, raw(url) as wire:
        client = await wire.joined("/chat", "/room-1", "/room-2")
        for packet in ('42/room-1,["fail"]', '42/room-2,["fail"]', '42/chat,1["ask"]'):
            await client.send(packet)
        assert await client.receive() == '43/chat,1["answer"]'
        await rooms.emit("news")
        assert await client.receive() == '42/room-1,["news"]'
        assert await client.receive() == '42/room-2,["news"]'
        of_chat, of_rooms = chat.statistics(), rooms.statistics()
        assert (of_chat.sockets, of_chat.events_in, of_chat.events_out) == (1, 1, 0)
        assert (of_chat.calls, of_chat.failures) == (1, 0)
        assert (of_rooms.sockets, of_rooms.events_in, of_rooms.events_out) == (2, 2, 2)
        assert (of_rooms.calls, of_rooms.failures) == (2, 2)
        assert of_rooms.call_seconds > 0
        await client.send("41/room-1,")
        await gone.wait()
        of_rooms = rooms.statistics()
        assert (of_rooms.sockets, of_rooms.joined, of_rooms.events_in) == (1, 2, 2)
        assert of_rooms.left["client namespace disconnect"] == 1
        whole = io.statistics()
        assert (whole.sockets, whole.events_in, whole.events_out, whole.failures) == (3, 3, 2, 2)
        assert list(whole.namespaces) == ["/", "/chat", "/room-[0-9]+"]
