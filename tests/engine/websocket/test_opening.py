"""Which transport a WebSocket gets."""

import trio
from trio.testing import memory_stream_pair

from tests.engine.websocket.test_messages import MemorySocket
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.backends.auto import choose
from trio_sio.engine.websocket.backends.base import Settings
from trio_sio.engine.websocket.messages import MessageTransport
from trio_sio.engine.websocket.opening import FrameOpening, MessageOpening
from trio_sio.engine.websocket.transport import WebSocketTransport
from trio_sio.http import Request
from trio_sio.options import EngineOptions
from trio_sio.protocol.engineio.version import EIO3

OPTIONS = EngineOptions()
TURN = trio.lowlevel.checkpoint


async def test_messages() -> None:
    opening = MessageOpening(MemorySocket(), Settings.of(OPTIONS, TURN))
    assert not opening.has_tasks
    async with opening.open(EIO3, base64=False) as transport:
        assert isinstance(transport, MessageTransport)


async def test_frames() -> None:
    agreement = choose(OPTIONS, TURN)(Request("GET", "/"))
    ours, _ = memory_stream_pair()
    opening = FrameOpening(ByteStream(ours), agreement)
    assert opening.has_tasks is agreement.has_tasks
    async with opening.open(EIO3, base64=False) as transport:
        assert isinstance(transport, WebSocketTransport)
