"""Ends that explain themselves: what `socket.detail` says to "disconnect" handlers, and the log."""

import logging
from collections.abc import Awaitable, Callable

import pytest
import trio

import trio_sio
from tests.support.peers import served
from tests.support.raw import Raw, RawPolling, raw
from tests.support.raw_websocket import CLOSE, TEXT, RawWebSocket, frame
from tests.support.servers import MakeServer

pytestmark = pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])

OPTIONS = {"max_http_buffer_size": 20_000, "max_attachments": 2}
Act = Callable[[Raw, trio_sio.Server], Awaitable[object]]


class Left:
    """What the "disconnect" handler of a server was told."""

    def __init__(self, io: trio_sio.Server) -> None:
        self.details: list[trio_sio.DisconnectDetail | None] = []
        self.happened = trio.Event()

        @io.on("disconnect")
        def note(socket: trio_sio.Socket, reason: str) -> None:
            self.details.append(socket.detail)
            self.happened.set()


def websocket(*frames: bytes) -> Act:
    async def act(wire: Raw, io: trio_sio.Server) -> RawWebSocket:
        joined = await wire.joined()
        await joined.stream.send_all(b"".join(frames))
        return joined

    return act


def polling(*bodies: bytes) -> Act:
    async def act(wire: Raw, io: trio_sio.Server) -> None:
        client: RawPolling = await wire.polling()
        for body in bodies:
            await client.post(body)

    return act


async def overflow(wire: Raw, io: trio_sio.Server) -> RawPolling:
    client = await wire.polling()
    for _ in range(20):
        await io.emit("news", "x" * 100)
    return client


@pytest.mark.parametrize(
    ("act", "reason", "text", "option", "limit", "size"),
    [
        pytest.param(
            websocket(frame(TEXT, b"4" + b"x" * 20_000)),
            "transport error",
            "a message of more than 20000 bytes",
            "max_http_buffer_size",
            20_000,
            None,
            id="message over the limit",
        ),
        pytest.param(
            polling(b"30000:4" + b"x" * 29_999),
            "transport error",
            "a body of 30006 bytes; 20000 are allowed",
            "max_http_buffer_size",
            20_000,
            30_006,
            id="POST over the limit",
        ),
        pytest.param(
            websocket(frame(TEXT, b"4\xff")),
            "transport error",
            "a text message that is not UTF-8",
            "",
            None,
            None,
            id="no text",
        ),
        pytest.param(
            websocket(frame(TEXT, b"", fin=False), frame(0, b"", fin=False) * 5000),
            "transport error",
            "a message of more than 4096 fragments",
            "max_fragments",
            4096,
            4097,
            id="fragments",
        ),
        pytest.param(
            websocket(frame(TEXT, b"9")),
            "parse error",
            "parse error: a packet begins with 0 to 6 or b, this one with '9'",
            "",
            None,
            None,
            id="packet",
        ),
        pytest.param(
            websocket(frame(TEXT, b'42["x"')),
            "forced close",
            "invalid payload",
            "",
            None,
            None,
            id="payload",
        ),
        pytest.param(
            overflow,
            "slow consumer",
            "11 packets wait for a client that does not take them",
            "max_outbox",
            10,
            11,
            id="slow consumer",
        ),
        pytest.param(
            websocket(frame(CLOSE, b"")), "transport close", "", "", None, None, id="goodbye"
        ),
    ],
)
async def test_what_is_known_of_an_end(
    act: Act,
    reason: str,
    text: str,
    option: str,
    limit: float | None,
    size: float | None,
    make_server: MakeServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "trio_sio")
    io = make_server(**OPTIONS, max_outbox=10)
    left = Left(io)
    async with served(io) as url, raw(url) as wire:
        begun = trio.current_time()
        client = await act(wire, io)
        await left.happened.wait()
        (detail,) = left.details
        assert detail is not None
        assert detail.reason == reason
        assert detail.text.startswith(text)
        assert bool(detail.text) == bool(text)
        assert (detail.option, detail.limit, detail.size) == (option, limit, size)
        assert begun - 1 < detail.last_seen <= trio.current_time()
        told = [message for message in caplog.messages if text and text in message]
        assert len(told) == bool(text)
        assert all(option in message for message in told)
        if isinstance(client, RawWebSocket):
            await client.stream.aclose()


async def test_silence_and_strangers(make_server: MakeServer) -> None:
    io = make_server(ping_interval=0.1, ping_timeout=0.1)
    left = Left(io)
    async with served(io) as url, raw(url) as wire:
        await wire.joined()
        await left.happened.wait()
        (detail,) = left.details
        assert detail is not None
        assert (detail.reason, detail.option) == ("ping timeout", "ping_timeout")
        assert detail.text.startswith("nothing was heard for 0.")


async def test_a_stranger_over_his_budget(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "trio_sio")
    io = make_server(handshake_buffer_size=1000)

    @io.use
    async def wait(socket: trio_sio.Socket) -> None:
        await trio.sleep_forever()

    async with served(io) as url, raw(url) as wire:
        stranger = await wire.websocket()
        assert str(await stranger.receive()).startswith("0{")
        (session,) = io.engine.sessions.values()
        assert session.detail is None
        await stranger.send("4" + "x" * 40_000)
        opcode, _ = await stranger.receive_frame()
        assert opcode == CLOSE
        detail = session.detail
        assert detail is not None
        assert (detail.option, detail.limit) == ("handshake_buffer_size", 1000)
        assert session.last_seen <= trio.current_time()
    assert "(handshake_buffer_size)" in caplog.text


async def test_a_socket_that_leaves_alone_has_none(make_server: MakeServer) -> None:
    io = make_server()
    left = Left(io)
    async with served(io) as url, raw(url) as wire:
        joined = await wire.joined()
        await joined.send("41")
        await left.happened.wait()
        assert left.details == [None]
