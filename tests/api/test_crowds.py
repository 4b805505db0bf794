"""More than a server takes: whom it turns away, whom it waits for no longer, and what it counts."""

import logging

import pytest
import trio

import trio_sio
from tests.api.test_limits import Ends, told, watched
from tests.support.peers import WEBSOCKET, peer, served
from tests.support.raw import POLLING, raw
from tests.support.servers import MakeServer

LARGE = "x" * 7_000_000
"""More than what lies between two sockets that nobody reads from, and less than an outbox takes."""


@pytest.mark.slow
async def test_max_sessions(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """A session takes memory though its client has no connection; who is here stays."""
    caplog.set_level(logging.INFO)
    io = make_server(max_sessions=3)
    async with watched(io) as (wire, ends):
        polling, _ = await wire.handshake()
        websocket = await wire.joined()
        response = await wire.get(POLLING)
        assert response.status == 503
        assert response.body == b"too many clients (max_sessions: there are 3)\n"
        refused = await wire.websocket()
        assert refused.status == "HTTP/1.1 503 Service Unavailable"
        assert (await wire.post(polling, b"1:2")).body == b"ok"  # no new client
        await websocket.send("1")
        await websocket.rest()
        await ends.next()
        while io.statistics().sessions == 3:  # noqa: ASYNC110 - its last handler has run, and now
            await trio.sleep(0.01)
        await wire.joined()
    assert told(caplog, "max_sessions") == 2  # the first, and that there was one more
    assert "there are 3 … and 1 more like it in the last " in caplog.text
    assert io.statistics().limits == {"max_sessions": 2}


@pytest.mark.alone
async def test_answer_timeout(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """A poll's answer that is not taken; a file that is not taken."""
    caplog.set_level(logging.INFO)
    io = make_server(answer_timeout=0.3, http_compression=False)
    async with watched(io) as (wire, ends):
        target, _ = await wire.handshake()
        stream = await wire.connect()
        await stream.send_all(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        sid = target.partition("&sid=")[2]
        await io.sockets.connected[sid].emit("large", LARGE)
        detail = await ends.next()
        assert (detail.reason, detail.option) == ("transport error", "answer_timeout")
        assert (detail.limit, detail.stalled) == (0.3, 0)
    assert told(caplog, "answer_timeout") == 1
    assert io.statistics().limits == {"answer_timeout": 1}


async def test_a_file_that_nobody_takes(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def large(request: trio_sio.Request) -> trio_sio.Response:
        return trio_sio.Response(200, [], LARGE.encode())

    io = make_server(answer_timeout=0.3, fallback=large)
    async with watched(io) as (wire, _):
        stream = await wire.connect()
        await stream.send_all(b"GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
        while not io.statistics().limits:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.01)
        assert io.statistics().limits == {"answer_timeout": 1}
    assert told(caplog, "answer_timeout") == 1


@pytest.mark.alone
async def test_heads_and_connections_are_counted(make_server: MakeServer) -> None:
    """They have no session, but the server's numbers have them all the same."""
    io = make_server(
        max_headers=5, max_header_size=500, head_timeout=0.2, max_connections_per_address=2
    )
    async with served(io) as url, raw(url) as wire:
        for fields in ({f"X-{number}": "1" for number in range(5)}, {"X-Y": "z" * 500}):
            assert (await wire.get(POLLING, fields)).status == 431
        slow, another = await wire.connect(), await wire.connect()
        async with another, slow:
            await slow.send_all(b"GET ")
            third = await wire.connect()
            assert (await third.receive_some()).startswith(b"HTTP/1.1 503 ")
            while await slow.receive_some():
                pass
            while await another.receive_some():
                pass
        assert io.statistics().limits == {
            "max_headers": 1,
            "max_header_size": 1,
            "max_connections_per_address": 1,
            "head_timeout": 2,
        }


async def test_what_the_application_may_not_keep_is_counted(make_server: MakeServer) -> None:
    io = make_server(max_rooms=1, max_pending_acks=1, max_namespaces=1)
    io.of("/a")
    errors: list[trio_sio.LimitReached] = []

    @io.on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        for _ in range(2):
            try:
                await socket.emit("x", ack=print)
            except trio_sio.LimitReached as error:
                errors.append(error)
        try:
            await socket.join("a", "b")
        except trio_sio.LimitReached as error:
            errors.append(error)

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send("40/a,")
        while str(await websocket.receive())[:2] != "44":
            pass
        expected = {"max_rooms": 1, "max_pending_acks": 1, "max_namespaces": 1}
        assert io.statistics().limits == expected
    assert io.statistics().limits == expected  # it has gone, they stay
    assert [error.option for error in errors] == ["max_pending_acks", "max_rooms"]


@pytest.mark.node
@pytest.mark.parametrize("policy", ["disconnect", "drop", "wait"])
async def test_max_events_per_second(policy: str, make_server: MakeServer) -> None:
    """The real client hears of it by "error", and by "disconnect" if that is what happens."""
    rate = 20 if policy == "wait" else 0.001  # else nothing comes free, however slow the machine is
    io = make_server(max_events_per_second=rate, event_burst=5, on_flood=policy)
    ends = Ends(io)
    heard: list[int] = []

    @io.on("say")
    def say(_: trio_sio.Socket, number: int) -> int:
        heard.append(number)
        return number

    async with served(io) as url, peer() as process:
        client = await process.open(url, reconnection=False, **WEBSOCKET.options)
        await client.hear("connect")
        if policy == "wait":
            for number in range(10):
                await client.emit("say", number)
            assert await client.call("say", 10) == [10]
            assert heard == list(range(11))
            return
        for number in range(30):
            await client.emit("say", number)
        (text,) = await client.hear("error")
        assert str(text).startswith("more than 0.001 events a second (max_events_per_second)")
        if policy == "disconnect":
            assert (await ends.next()).option == "max_events_per_second"
            await client.hear("disconnect")
            assert heard == list(range(5))
        else:
            assert heard == list(range(5))
            assert io.statistics().ended == {}
