"""The transport of messages: sizes, and when everything has been heard."""

from collections.abc import Iterable

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio.abc import TransportClosed
from trio_sio.engine.websocket.backends.base import Settings
from trio_sio.engine.websocket.messages import MessageTransport
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.version import EIO3
from trio_sio.protocol.websocket.errors import WebSocketClosed


class MemorySocket:
    """A WebSocket in memory."""

    def __init__(self) -> None:
        self.hung_up = False
        self.sent: list[str | bytes] = []
        self.code: int | None = None
        self.has_ended = False
        self.put, self._get = trio.open_memory_channel[str | bytes](10)

    async def accept(self, subprotocol: str | None, fields: Iterable[tuple[str, str]]) -> None:
        await trio.lowlevel.checkpoint()

    async def receive(self) -> str | bytes:
        try:
            return await self._get.receive()
        except trio.EndOfChannel:
            raise WebSocketClosed from None

    async def send(self, message: str | bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.sent.append(message)

    async def finish(self, code: int) -> None:
        await trio.lowlevel.checkpoint()
        self.code = code

    def end(self) -> None:
        self.has_ended = True


def transport(*, base64: bool = False) -> tuple[MessageTransport, MemorySocket]:
    options = EngineOptions(max_http_buffer_size=100, handshake_buffer_size=10)
    socket = MemorySocket()
    settings = Settings.of(options, trio.lowlevel.checkpoint)
    return MessageTransport(socket, settings, EIO3, base64=base64), socket


@pytest.mark.parametrize(
    ("joined", "limit", "option"),
    [(False, 10, "handshake_buffer_size"), (True, 100, "max_http_buffer_size")],
)
@pytest.mark.parametrize("unit", ["x", "ü", "€", b"\x04"])
async def test_sizes(unit: str | bytes, limit: int, option: str, *, joined: bool) -> None:
    each = len(unit.encode()) if isinstance(unit, str) else 1
    first: str | bytes = "4" if isinstance(unit, str) else b"\x04"
    count = (limit - 1) // each
    websocket, socket = transport()
    if joined:
        websocket.lift_limits()
    await socket.put.send(first + unit * count)  # type: ignore[operator]
    packet = await websocket.receive()
    assert packet.data == unit * count
    await socket.put.send(first + unit * (count + 1))  # type: ignore[operator]
    with pytest.raises(TransportClosed) as caught:
        await websocket.receive()
    assert caught.value.code == 1009
    assert caught.value.why is not None
    assert caught.value.why.option == option
    await websocket.finish(by_client=False, orderly=False)
    assert (socket.code, socket.has_ended) == (1009, True)


@pytest.mark.parametrize(("base64", "expected"), [(False, b"\x04\x01"), (True, "b4AQ==")])
async def test_sending(expected: str | bytes, *, base64: bool) -> None:
    websocket, socket = transport(base64=base64)
    await websocket.send([Encoded.of_messages(["a", b"\x01"]), EIO3.pong])
    assert socket.sent == ["4a", expected, "3"]


async def test_everything_is_heard_when_it_waits_for_more() -> None:
    websocket, socket = transport()
    await socket.put.send("4a")
    heard = trio.Event()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def wait() -> None:
            await websocket.wait_heard()
            heard.set()

        await wait_all_tasks_blocked()
        assert not heard.is_set()
        assert (await websocket.receive()).data == "a"
        await wait_all_tasks_blocked()
        assert not heard.is_set()
        nursery.start_soon(websocket.receive)
        await heard.wait()
        nursery.cancel_scope.cancel()


async def test_nothing_more_is_heard_after_the_end() -> None:
    websocket, socket = transport()
    socket.put.close()
    with pytest.raises(TransportClosed) as caught:
        await websocket.receive()
    assert (caught.value.reason, caught.value.code) == ("transport close", None)
    await websocket.aclose()
    await websocket.wait_heard()
    await websocket.wait_closed()
    assert not websocket.writable


async def test_it_sends_nothing_without_waiting() -> None:
    websocket, _ = transport()
    assert not websocket.direct
    with pytest.raises(trio.WouldBlock):
        websocket.send_nowait([EIO3.pong])
