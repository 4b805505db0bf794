"""Limits of what a client may send; each tells the client, the log and the disconnect's detail."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

import trio_sio
from tests.support.peers import served
from tests.support.raw import POLLING, Raw, raw
from tests.support.raw_websocket import BINARY, CLOSE, TEXT, RawWebSocket, frame
from tests.support.servers import MakeServer

HEAD = '51-["data",{"_placeholder":true,"num":0}]'


class Ends:
    """Notes how sockets of "/" left."""

    def __init__(self, io: trio_sio.Server) -> None:
        self._put, self._get = trio.open_memory_channel[trio_sio.DisconnectDetail](100)
        io.on("disconnect", self._note)

    def _note(self, socket: trio_sio.Socket, reason: object) -> None:
        if socket.detail is not None:
            assert socket.detail.reason == reason
            self._put.send_nowait(socket.detail)

    async def next(self) -> trio_sio.DisconnectDetail:
        """Wait for the next."""
        return await self._get.receive()


@asynccontextmanager
async def watched(io: trio_sio.Server) -> AsyncIterator[tuple[Raw, Ends]]:
    """The server, raw connections to it, and the ends; at last, somebody else is not concerned."""
    ends = Ends(io)
    async with served(io) as url, raw(url) as wire:
        honest = await wire.joined()
        yield wire, ends
        await honest.send("2honest")
        assert await honest.receive() == "3"


def told(caplog: pytest.LogCaptureFixture, option: str) -> int:
    """How many lines of the log name an option."""
    return sum(option in record.getMessage() for record in caplog.records)


async def close_code(websocket: RawWebSocket) -> int:
    """Return the code of the close frame that comes next."""
    first, payload = await websocket.receive_frame()
    assert first == CLOSE
    return int.from_bytes(payload[:2], "big")


async def test_max_packet_bytes(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """All attachments of a packet count together; those of the next count anew."""
    caplog.set_level(logging.INFO)
    io = make_server(max_packet_bytes=1000)
    heard: list[object] = []
    io.on("data", lambda _, *args: heard.append(args))
    async with watched(io) as (wire, ends):
        websocket = await wire.joined()
        for _ in range(3):
            await websocket.send("4" + HEAD)
            await websocket.send(b"\x04" + b"x" * 900)
        await websocket.send("4" + HEAD.replace("51-", "53-"))
        await websocket.send(b"\x04" + b"x" * 500)
        await websocket.send(b"\x04" + b"x" * 500)
        detail = await ends.next()
    assert heard == [(b"x" * 900,)] * 3
    assert (detail.reason, detail.option) == ("forced close", "max_packet_bytes")
    assert (detail.limit, detail.size) == (1000, 1000 + len(HEAD))
    assert told(caplog, "max_packet_bytes") == 1


async def test_attachments_timeout(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a packet is not kept for ever; a whole one is no half, however old."""
    caplog.set_level(logging.INFO)
    io = make_server(attachments_timeout=0.2)
    async with watched(io) as (wire, ends):
        whole, half = await wire.joined(), await wire.joined()
        await whole.send("4" + HEAD)
        await whole.send(b"\x04x")
        await half.send("4" + HEAD.replace("51-", "52-"))
        await half.send(b"\x04x")
        detail = await ends.next()
        await whole.send("2whole")
        assert await whole.receive() == "3"
    assert (detail.option, detail.limit) == ("attachments_timeout", 0.2)
    assert told(caplog, "attachments_timeout") == 1


async def test_a_later_half_has_its_own_time(make_server: MakeServer) -> None:
    """The clock that an earlier packet set going is not this one's."""
    io = make_server(attachments_timeout=0.5)
    heard = trio.Event()
    io.on("data", lambda _, *args: heard.set() if args == (b"2",) else None)
    async with watched(io) as (wire, ends):
        websocket = await wire.joined()
        await websocket.send("4" + HEAD)
        await websocket.send(b"\x041")
        await trio.sleep(0.3)
        await websocket.send("4" + HEAD)
        await trio.sleep(0.3)  # the first one's time is over
        await websocket.send(b"\x042")
        await heard.wait()
        await websocket.send("4" + HEAD)
        assert (await ends.next()).option == "attachments_timeout"


async def test_attachments_for_a_namespace_never_joined_are_not_kept(
    make_server: MakeServer,
) -> None:
    """They are read past, and cost the client nothing; its next packets are understood."""
    io = make_server(max_packet_bytes=1000)
    io.of("/other")
    heard = trio.Event()
    io.on("data", lambda _, data: heard.set())
    async with watched(io) as (wire, _):
        websocket = await wire.joined()
        await websocket.send('452-/other,["data",{"_placeholder":true,"num":0}]')
        for _ in range(2):
            await websocket.send(b"\x04" + b"x" * 900)
        await websocket.send("4" + HEAD)
        await websocket.send(b"\x04x")
        await heard.wait()


async def test_max_payload_packets(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What was within the limit is heard."""
    caplog.set_level(logging.INFO)
    io = make_server(max_payload_packets=3)
    heard: list[str] = []
    io.on("a", lambda _: heard.append("a"))
    async with watched(io) as (wire, ends):
        polling = await wire.polling()
        assert await polling.post(b'7:42["a"]' * 3) == (200, b"ok")
        await polling.post(b'7:42["a"]' * 4)
        detail = await ends.next()
    assert heard == ["a"] * 6
    assert (detail.reason, detail.option) == ("transport error", "max_payload_packets")
    assert told(caplog, "max_payload_packets") == 1


@pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])
async def test_max_fragments(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """Empty ones count too; several fragments within the limit are one message."""
    caplog.set_level(logging.INFO)
    io = make_server(max_fragments=5)
    heard = trio.Event()
    io.on("a", lambda _: heard.set())
    async with watched(io) as (wire, ends):
        websocket = await wire.joined()
        parts = frame(TEXT, b'42["a', fin=False) + frame(0, b"", fin=False) * 3 + frame(0, b'"]')
        await websocket.stream.send_all(parts)
        await heard.wait()
        parts = frame(BINARY, b"\x04", fin=False) + frame(0, b"", fin=False) * 5
        await websocket.stream.send_all(parts)
        assert await close_code(websocket) == 1009
        detail = await ends.next()
    assert (detail.option, detail.limit, detail.size) == ("max_fragments", 5, 6)
    assert told(caplog, "max_fragments") == 1


@pytest.mark.parametrize("more", ["", "Expect: 100-continue\r\n"])
async def test_max_headers(
    more: str, make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    """However the head is read."""
    caplog.set_level(logging.INFO)
    async with watched(make_server(max_headers=10)) as (wire, _):
        for fields, status in [(10, b"200"), (11, b"431")]:
            stream = await wire.connect()
            lines = "".join(f"X-{number}: 1\r\n" for number in range(fields - 1 - bool(more)))
            head = f"GET {POLLING} HTTP/1.1\r\nHost: a\r\n{more}{lines}\r\n"
            await stream.send_all(head.encode())
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += await stream.receive_some()
            assert answer.startswith(b"HTTP/1.1 " + status)
    assert told(caplog, "max_headers") == 1


async def test_handshake_packets(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """Who has not been let in may not say much; who has been may."""
    caplog.set_level(logging.INFO)
    io = make_server(handshake_packets=10)
    passing, waiting = trio.Event(), trio.Event()
    passing.set()
    gates = [passing, waiting]  # the honest client passes, the stranger waits

    @io.use
    async def wait(_: trio_sio.Socket) -> None:
        await gates.pop(0).wait()

    heard = 0

    @io.on("a")
    def count(_: trio_sio.Socket) -> int:
        nonlocal heard
        heard += 1
        return heard

    async with served(io) as url, raw(url) as wire:
        honest = await wire.joined()
        stranger = await wire.websocket()
        assert str(await stranger.receive())[:2] == "0{"
        for _ in range(11):
            await stranger.send('42["a"]')
        assert await stranger.rest()  # it is told, and that is the end
        for number in range(20):
            await honest.send(f'42{number}["a"]')
            assert await honest.receive() == f"43{number}[{number + 1}]"
    assert told(caplog, "handshake_packets") == 1
    assert io.statistics().limits == {"handshake_packets": 1}


async def test_max_namespaces(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    """More are refused; leaving one makes room."""
    caplog.set_level(logging.INFO)
    io = make_server(max_namespaces=3)
    for name in "abc":
        io.of(name)
    async with watched(io) as (wire, _):
        websocket = await wire.joined("/a", "/b")
        await websocket.send("40/c,")
        assert await websocket.receive() == '44/c,"too many namespaces (max_namespaces is 3)"'
        await websocket.send("41/a,")
        await websocket.send("40/c,")
        assert await websocket.receive() == "40/c,"
    assert told(caplog, "max_namespaces") == 1


async def test_max_pending_namespaces(make_server: MakeServer) -> None:
    """Those whose middleware has yet to agree have a limit of their own."""
    io = make_server(max_pending_namespaces=2)
    gate = trio.Event()

    async def wait(_: trio_sio.Socket) -> None:
        await gate.wait()

    for name in "abc":
        io.of(name).use(wait)
    async with watched(io) as (wire, _):
        websocket = await wire.joined()
        for name in "abc":
            await websocket.send(f"40/{name},")
        refusal = '44/c,"too many namespaces (max_pending_namespaces is 2)"'
        assert await websocket.receive() == refusal
        gate.set()
        assert {await websocket.receive(), await websocket.receive()} == {"40/a,", "40/b,"}


async def test_max_rooms(make_server: MakeServer) -> None:
    """The handler is told; the client stays where it is, and leaving makes room."""
    io = make_server(max_rooms=2)

    @io.on("join")
    async def join(socket: trio_sio.Socket, *rooms: str) -> str | list[str]:
        try:
            await socket.join(*rooms)
        except trio_sio.LimitReached as reached:
            return str(reached)
        return sorted(socket.rooms - {socket.id})

    @io.on("leave")
    async def leave(socket: trio_sio.Socket, room: str) -> None:
        await socket.leave(room)

    async with watched(io) as (wire, _):
        websocket = await wire.joined()
        for said, heard in [
            ('420["join","a","b"]', '430[["a","b"]]'),
            ('421["join","c"]', '431["a socket would be in 3 rooms (max_rooms is 2)"]'),
            ('422["leave","a"]', "432[]"),
            ('423["join","c"]', '433[["b","c"]]'),
        ]:
            await websocket.send(said)
            assert await websocket.receive() == heard


async def test_max_pending_acks(make_server: MakeServer) -> None:
    """Answers that never come take no more than so much; one that comes makes room."""
    io = make_server(max_pending_acks=2)
    answered = trio.Event()

    @io.on("go")
    async def go(socket: trio_sio.Socket) -> str:
        for _ in range(2):
            await socket.emit("ask", ack=lambda: answered.set())
        with pytest.raises(trio_sio.LimitReached, match="max_pending_acks is 2"):
            await socket.emit("ask", ack=answered.set)
        with pytest.raises(trio_sio.LimitReached, match="a client owes 2 answers"):
            await socket.call("ask")
        return "done"

    @io.on("again")
    async def again(socket: trio_sio.Socket) -> None:
        await socket.emit("ask", ack=answered.set)

    async with watched(io) as (wire, _):
        websocket = await wire.joined()
        await websocket.send('420["go"]')
        first = str(await websocket.receive())
        assert first.endswith('["ask"]')
        await websocket.receive()
        assert await websocket.receive() == '430["done"]'
        await websocket.send("43" + first[2:].removesuffix('["ask"]') + "[]")
        await answered.wait()
        await websocket.send('421["again"]')
        assert str(await websocket.receive()).endswith('["ask"]')
