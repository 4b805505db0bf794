"""Why sockets leave, over WebSocket: what is done, what handlers hear, what is on the wire."""

from collections.abc import Awaitable, Callable

import pytest

import trio_sio
from tests.api.watched import Watched
from tests.support.peers import served
from tests.support.raw import raw
from tests.support.raw_websocket import CLOSE, TEXT, RawWebSocket, frame
from tests.support.servers import MakeServer

EMPTY_CLOSE = (CLOSE, b"")
ALL = ("/", "/admin")
Act = Callable[[Watched, RawWebSocket], Awaitable[object]]

pytestmark = pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])


def closing(code: int) -> tuple[int, bytes]:
    return CLOSE, code.to_bytes(2, "big")


def sending(data: str | bytes) -> Act:
    return lambda watched, websocket: websocket.send(data)


def sending_frame(data: bytes) -> Act:
    return lambda watched, websocket: websocket.stream.send_all(data)


async def close_session(watched: Watched, websocket: RawWebSocket) -> None:
    watched.session.close()


@pytest.mark.parametrize(
    ("act", "reason", "leaver", "words"),
    [
        (sending("41"), "client namespace disconnect", "/", []),
        (sending("41/admin,"), "client namespace disconnect", "/admin", []),
        (lambda w, _: w.sockets["/"].disconnect(), "server namespace disconnect", "/", ["41"]),
        (
            lambda w, _: w.sockets["/admin"].disconnect(),
            "server namespace disconnect",
            "/admin",
            ["41/admin,"],
        ),
    ],
)
async def test_one_namespace_is_left_and_the_connection_stays(
    act: Act, reason: str, leaver: str, words: list[str], make_server: MakeServer
) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        await watched.came(*ALL)
        await act(watched, websocket)
        await watched.all_left(reason, leaver)
        await websocket.send("2still here")
        heard = [await websocket.receive() for _ in range(len(words) + 1)]
        assert heard == [*words, "3"]
        (other,) = {*ALL} - {leaver}
        assert watched.sockets[other].connected


@pytest.mark.parametrize(
    ("act", "reason", "frames"),
    [
        pytest.param(
            lambda w, _: w.sockets["/admin"].disconnect(close=True),
            "server namespace disconnect",
            [(TEXT, b"41"), (TEXT, b"41/admin,"), EMPTY_CLOSE],
            id="socket.disconnect(True)",
        ),
        pytest.param(sending("1"), "transport close", [EMPTY_CLOSE], id="CLOSE packet"),
        pytest.param(
            sending_frame(frame(CLOSE, b"")), "transport close", [EMPTY_CLOSE], id="close frame"
        ),
        pytest.param(
            sending_frame(frame(CLOSE, b"\x03\xe9bye")),
            "transport close",
            [(CLOSE, b"\x03\xe9bye")],
            id="close frame with a code",
        ),
        pytest.param(
            sending_frame(frame(TEXT, b"4", mask=False)),
            "transport error",
            [closing(1002)],
            id="protocol error",
        ),
        pytest.param(
            sending_frame(frame(TEXT, b"4\xff")), "transport error", [closing(1007)], id="no UTF-8"
        ),
        pytest.param(sending("4" + "x" * 20_000), "transport error", [closing(1009)], id="too big"),
        pytest.param(sending("9"), "parse error", [EMPTY_CLOSE], id="no packet of Engine.IO"),
        pytest.param(close_session, "forced close", [EMPTY_CLOSE], id="session.close()"),
    ],
)
async def test_all_namespaces_are_left(
    act: Act, reason: str, frames: list[tuple[int, bytes]], make_server: MakeServer
) -> None:
    watched = Watched(make_server(max_http_buffer_size=10_000))
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        await watched.came(*ALL)
        await act(watched, websocket)
        heard = [await websocket.receive_frame() for _ in frames]
        if frames == [closing(1009)]:  # one of the libraries adds a sentence
            heard = [(opcode, payload[:2]) for opcode, payload in heard]
        assert heard == frames
        await watched.all_left(reason, *ALL)
        await websocket.stream.send_eof()
        assert await websocket.rest() == b""


async def test_a_packet_that_cannot_be_decoded(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        await websocket.send('42/admin,["unclosed"')
        assert await websocket.receive_frame() == EMPTY_CLOSE
        await watched.all_left("forced close", *ALL, error="invalid payload")


async def test_the_connection_drops(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        await websocket.stream.aclose()
        await watched.all_left("transport close", *ALL)


async def test_silence(make_server: MakeServer) -> None:
    watched = Watched(make_server(ping_interval=0.1, ping_timeout=0.2))
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        assert await websocket.receive_frame() == EMPTY_CLOSE
        await watched.all_left("ping timeout", *ALL)


async def test_the_server_closes(make_server: MakeServer) -> None:
    """There are no DISCONNECT packets: clients are to come back."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        await watched.came(*ALL)
        await watched.io.aclose()
        assert await websocket.receive_frame() == EMPTY_CLOSE
        await watched.all_left("server shutting down", *ALL)


async def test_a_client_that_does_not_keep_up(make_server: MakeServer) -> None:
    watched = Watched(make_server(max_outbox=4))
    async with served(watched.io) as url, raw(url) as wire:
        await wire.joined("/admin")
        for _ in range(400):
            await watched.io.emit("flood", "x" * 100_000)
        await watched.all_left("slow consumer", *ALL)


async def test_a_middleware_that_fails_costs_nobody_else_anything(make_server: MakeServer) -> None:
    """The reference ends the whole connection; here the namespace is refused and no more."""
    io = make_server(raise_errors=False)
    watched = Watched(io)

    @io.of("/broken").use
    async def fail(socket: trio_sio.Socket) -> None:
        raise ZeroDivisionError

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/admin")
        await websocket.send("40/broken,")
        assert await websocket.receive() == '44/broken,"Internal server error"'
        await websocket.send("2")
        assert await websocket.receive() == "3"
        assert watched.order == []
