"""How events travel: compressed or not, volatile or not, and what becomes of a full outbox."""

import gzip
import zlib
from typing import Any

import pytest
import trio

import trio_sio
from tests.support.peers import WEBSOCKET, peer, served
from tests.support.raw import Raw, raw
from tests.support.raw_websocket import TEXT, RawWebSocket, frame
from tests.support.refusals import told
from tests.support.servers import MakeServer

LONG = "x" * 2000
EVENT = f'42["x","{LONG}"]'
OFFER = "permessage-deflate; client_max_window_bits"
COMPRESSED = TEXT | 0x40  # RSV1


async def compressing(wire: Raw) -> RawWebSocket:
    """A WebSocket that offers permessage-deflate and has joined "/"."""
    websocket = await wire.websocket(Sec_WebSocket_Extensions=OFFER)
    assert str(await websocket.receive()).startswith("0{")
    assert await websocket.receive() == "40"
    return websocket


def inflate(data: bytes) -> str:
    return zlib.decompressobj(-15).decompress(data + b"\0\0\xff\xff").decode()


# -- per_message_deflate -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "agreed"),
    [
        (None, None),
        (False, None),
        (True, "permessage-deflate"),
        ({"server_max_window_bits": 10}, "permessage-deflate; server_max_window_bits=10"),
        ({"client_max_window_bits": 11}, "permessage-deflate; client_max_window_bits=11"),
        (
            {"server_no_context_takeover": True, "client_no_context_takeover": True},
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        ),
    ],
)
async def test_deflate_is_negotiated(
    option: Any,  # noqa: ANN401
    agreed: str | None,
    make_server: MakeServer,
) -> None:
    options = {} if option is None else {"per_message_deflate": option}
    async with served(make_server(**options)) as url, raw(url) as wire:
        websocket = await compressing(wire)
        assert websocket.headers.get("sec-websocket-extensions") == agreed
        plain = await wire.joined()  # it did not offer it
        assert "sec-websocket-extensions" not in plain.headers


@pytest.mark.parametrize(("option", "threshold"), [(True, 1024), ({"threshold": 100}, 100)])
async def test_deflate_has_a_threshold_and_exceptions(
    option: Any,  # noqa: ANN401
    threshold: int,
    make_server: MakeServer,
) -> None:
    io = make_server(per_message_deflate=option)
    async with served(io) as url, raw(url) as wire:
        websocket = await compressing(wire)
        (socket,) = io.sockets.connected.values()
        under, over = ("y" * (threshold - len('42["x",""]') - 1 + extra) for extra in (0, 1))
        await io.emit("x", under)
        assert await websocket.receive_frame() == (TEXT, f'42["x","{under}"]'.encode())
        await io.emit("x", over)
        opcode, payload = await websocket.receive_frame()
        assert (opcode, inflate(payload)) == (COMPRESSED, f'42["x","{over}"]')
        for emitter in (
            io.compress(False),
            socket.compress(False),
            io.to(socket.id).compress(False),
        ):
            await emitter.emit("x", LONG)
            assert await websocket.receive_frame() == (TEXT, EVENT.encode())
        await socket.compress(True).emit("x", LONG)
        assert (await websocket.receive_frame())[0] == COMPRESSED


async def test_compressed_messages_come_in(make_server: MakeServer) -> None:
    io = make_server(per_message_deflate=True)
    io.on("x", lambda _socket, text: text)
    async with served(io) as url, raw(url) as wire:
        websocket = await compressing(wire)
        deflater = zlib.compressobj(wbits=-15)
        data = deflater.compress(b'427["x","hi"]') + deflater.flush(zlib.Z_SYNC_FLUSH)
        await websocket.stream.send_all(frame(TEXT, data[:-4], rsv=0x40))
        assert await websocket.receive() == '437["hi"]'


def test_one_library_cannot_deflate() -> None:
    with pytest.raises(ValueError, match="'per_message_deflate' needs ws_engine 'websockets'"):
        trio_sio.Server(ws_engine="trio-websocket", per_message_deflate=True)


# -- http_compression ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "accept", "encoding"),
    [
        ({}, "gzip, deflate, br", "gzip"),
        ({}, "gzip;q=0.5, deflate;q=0.8", "deflate"),
        ({}, "br", ""),
        ({}, "", ""),
        ({"http_compression": False}, "gzip", ""),
        ({"http_compression": {"threshold": 3000}}, "gzip", ""),
        ({"http_compression": {"threshold": 100, "level": 9}}, "gzip", "gzip"),
    ],
)
async def test_polling_answers_are_compressed(
    options: dict[str, Any], accept: str, encoding: str, make_server: MakeServer
) -> None:
    io = make_server(**options)
    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        fields = {"Accept-Encoding": accept}
        await io.emit("x", LONG)
        response = await wire.get(polling.target, fields)
        assert response.headers.get("content-encoding", "") == encoding
        body = response.body
        if encoding:
            body = gzip.decompress(body) if encoding == "gzip" else zlib.decompress(body)
        assert body == f"{len(EVENT)}:{EVENT}".encode()
        await io.compress(False).emit("x", LONG)
        response = await wire.get(polling.target, fields)
        assert "content-encoding" not in response.headers
        assert response.body == f"{len(EVENT)}:{EVENT}".encode()
        ok = await wire.post(polling.target, b"1:2", fields)
        assert (ok.body, "content-encoding" in ok.headers) == (b"ok", False)


# -- volatile ------------------------------------------------------------------------------------


@pytest.mark.parametrize("of_socket", [True, False], ids=["socket", "broadcast"])
async def test_volatile_between_two_polls(of_socket: bool, make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling, ready = await wire.polling(), await wire.joined()
        socket = io.sockets.connected[polling.target.rpartition("=")[2]]
        emitter: Any = socket.volatile if of_socket else io.volatile
        await emitter.emit("x", 1)  # nobody holds a poll
        held = await polling.hold(nursery, socket.session)  # type: ignore[arg-type]  # the engine's
        await emitter.emit("x", 2)
        assert await held.answer() == (200, b'9:42["x",2]')
        await io.emit("end")
        assert await polling.get() == (200, b'9:42["end"]')
        heard = [await ready.receive() for _ in range(1 if of_socket else 3)]
        expected = ['42["end"]'] if of_socket else ['42["x",1]', '42["x",2]', '42["end"]']
        assert heard == expected


async def test_volatile_in_the_middle_of_an_upgrade(make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        sid = polling.target.rpartition("=")[2]
        socket = io.sockets.connected[sid]
        websocket = await wire.websocket(f"/socket.io/?EIO=3&transport=websocket&sid={sid}")
        await websocket.send("2probe")
        assert await websocket.receive() == "3probe"
        await socket.volatile.emit("x", 1)
        await io.volatile.emit("x", 2)
        await socket.emit("kept")
        await websocket.send("5")
        assert await websocket.receive() == '42["kept"]'
        await socket.volatile.emit("x", 3)
        assert await websocket.receive() == '42["x",3]'


@pytest.mark.parametrize("of_socket", [True, False], ids=["socket", "broadcast"])
async def test_volatile_when_the_buffer_is_full(of_socket: bool, make_server: MakeServer) -> None:
    io = make_server()
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        (socket,) = io.sockets.connected.values()
        emitter: Any = socket.volatile if of_socket else io.volatile
        sent = 0
        while socket.session.writable:  # until the kernel takes no more
            await socket.emit("flood", "y" * 50_000)
            sent += 1
        await emitter.emit("x", 1)
        await io.emit("end")
        for _ in range(sent):
            assert str(await websocket.receive()).startswith('42["flood"')
        assert await websocket.receive() == '42["end"]'
        while not socket.session.writable:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.005)
        await emitter.emit("x", 2)
        assert await websocket.receive() == '42["x",2]'


# -- the outbox ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ({"max_outbox": 3, "on_overflow": "drop_newest"}, [0, 1, 2]),
        ({"max_outbox": 3, "on_overflow": "drop_oldest"}, [2, 3, 4]),
        ({"max_outbox_bytes": 25, "on_overflow": "drop_newest"}, [0, 1]),
        ({}, [0, 1, 2, 3, 4]),
    ],
)
async def test_what_a_full_outbox_keeps(
    options: dict[str, Any], numbers: list[int], make_server: MakeServer
) -> None:
    io = make_server(**options)
    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        for number in range(5):
            await io.emit("xy", number)
        payload = "".join(f'10:42["xy",{number}]' for number in numbers)
        assert await polling.get() == (200, payload.encode())


@pytest.mark.parametrize("of_socket", [False, True])
@pytest.mark.parametrize(
    ("policy", "numbers"), [("drop_newest", [0, 1, 2]), ("drop_oldest", [2, 3, 4])]
)
async def test_each_emit_may_have_a_policy_of_its_own(
    policy: str, numbers: list[int], of_socket: bool, make_server: MakeServer
) -> None:
    """Here the server's own would show the client out, and an emit to one socket would wait."""
    io = make_server(max_outbox=3)
    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        (socket,) = io.sockets.connected.values()
        emitter: Any = socket if of_socket else io.to(socket.id)
        for number in range(4):
            await emitter.on_overflow(policy).emit("xy", number)
        if of_socket:
            socket.on_overflow(policy).emit_nowait("xy", 4)
        else:
            await emitter.on_overflow(policy).emit("xy", 4)
        payload = "".join(f'10:42["xy",{number}]' for number in numbers)
        assert await polling.get() == (200, payload.encode())


async def test_an_emit_may_insist(make_server: MakeServer) -> None:
    """What must not be lost shows out who cannot take it, though the server would drop."""
    io = make_server(max_outbox=3, on_overflow="drop_newest")
    reasons: list[str] = []
    io.on("disconnect", lambda _socket, reason: reasons.append(reason))
    async with served(io) as url, raw(url) as wire:
        await wire.polling()
        for number in range(5):
            await io.emit("x", number)
        assert reasons == []
        await io.on_overflow("disconnect").emit("important")
    assert reasons == ["slow consumer"]


async def test_by_default_whoever_falls_behind_is_shown_out(make_server: MakeServer) -> None:
    io = make_server(max_outbox=3)
    reasons: list[str] = []
    io.on("disconnect", lambda _socket, reason: reasons.append(reason))
    async with served(io) as url, raw(url) as wire:
        behind, other = await wire.polling(), await wire.joined()
        for number in range(5):
            await io.emit("x", number)
        assert await behind.get() == (400, told(b'{"code":1,"message":"Session ID unknown"}'))
        assert [await other.receive() for _ in range(5)] == [f'42["x",{n}]' for n in range(5)]
    assert reasons[0] == "slow consumer"


# -- the router's options ------------------------------------------------------------------------


@pytest.mark.node
@pytest.mark.parametrize(("max_inbox", "taken"), [(2, 4), (5, 7)])
async def test_max_inbox(max_inbox: int, taken: int, make_server: MakeServer) -> None:
    """A handler that is busy: so many events wait; the reader has one more and then stops."""
    io = make_server(max_inbox=max_inbox)
    go = trio.Event()
    seen = 0

    @io.on("slow")
    async def slow(socket: trio_sio.Socket, number: int) -> None:
        await go.wait()

    @io.on("quick", concurrent=True)
    async def quick(socket: trio_sio.Socket) -> None:
        nonlocal seen
        seen += 1

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        for number in range(taken):
            await websocket.send(f'42["slow",{number}]')
        await websocket.send("2")
        with trio.move_on_after(0.3):  # the ping is not read: it is behind the last event
            assert await websocket.receive() == "3"
            raise AssertionError("the reader went on")
        go.set()
        assert await websocket.receive() == "3"
        for number in range(taken - 1):
            await websocket.send(f'42["slow",{number}]')
        await websocket.send("2")
        assert await websocket.receive() == "3"


async def test_max_attachments(make_server: MakeServer) -> None:
    io = make_server(max_attachments=2)
    errors: list[str] = []
    io.on("error", lambda _socket, error: errors.append(str(error)))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        with pytest.raises(trio_sio.LocalProtocolError, match="max_attachments is 2"):
            await io.emit("x", b"1", b"2", b"3")
        await io.emit("x", b"1", b"2")
        assert str(await websocket.receive()).startswith("452-")
        assert [await websocket.receive() for _ in range(2)] == [b"\x041", b"\x042"]
        await websocket.send('453-["x"]')
        assert await websocket.receive_frame() == (8, b"")
    assert errors == ["too many attachments: 3, but max_attachments is 2"]


@pytest.mark.parametrize(("grace", "ends"), [(0, False), (5, True)])
async def test_grace(grace: float, ends: bool, make_server: MakeServer) -> None:
    io = make_server(grace=grace)
    story: list[str] = []

    @io.on("work")
    async def work(socket: trio_sio.Socket) -> None:
        story.append("begun")
        await socket.emit("begun")
        with trio.CancelScope() as scope:
            await trio.sleep(0.2)
            story.append("ended")
        assert not scope.cancelled_caught

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send('42["work"]')
        assert await websocket.receive() == '42["begun"]'
    assert story == (["begun", "ended"] if ends else ["begun"])


@pytest.mark.node
async def test_raise_errors(make_server: MakeServer, caplog: pytest.LogCaptureFixture) -> None:
    def fail(socket: trio_sio.Socket) -> None:
        raise ZeroDivisionError("mine")

    lenient = make_server(raise_errors=False)
    lenient.on("fail", fail)
    lenient.on("here?", lambda _socket: "yes")
    async with served(lenient) as url, peer() as process:
        client = await process.connect(url, **WEBSOCKET.options)
        await client.emit("fail")
        assert await client.call("here?") == ["yes"]
    assert "ZeroDivisionError: mine" in caplog.text
    strict = make_server(raise_errors=True)
    strict.on("fail", fail)

    async def serve() -> None:
        async with served(strict) as url, raw(url) as wire:
            await (await wire.joined()).send('42["fail"]')
            await trio.sleep_forever()

    with pytest.raises(ZeroDivisionError, match="mine"):
        await serve()


class Loud(trio_sio.MemoryAdapter):
    """An adapter of the application's own: it says everything twice."""

    async def broadcast(self, packet: trio_sio.Packet, target: trio_sio.abc.Target) -> None:
        await super().broadcast(packet, target)
        await super().broadcast(packet, target)


@pytest.mark.parametrize("as_option", [True, False])
async def test_adapter(as_option: bool, make_server: MakeServer) -> None:
    io = make_server(adapter=Loud) if as_option else make_server()
    if not as_option:
        assert io.adapter is trio_sio.MemoryAdapter
        io.adapter = Loud
    assert isinstance(io.sockets.adapter, Loud)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await io.emit("x")
        await io.emit("end")
        heard = [await websocket.receive() for _ in range(4)]
        assert heard == ['42["x"]', '42["x"]', '42["end"]', '42["end"]']
        with pytest.raises(RuntimeError, match="adapter"):
            io.adapter = trio_sio.MemoryAdapter
