"""Frames through a real connection: at once, in part, and at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.engine.session.outboxes import make_outbox
from trio_sio.abc import TransportClosed
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.backends.websockets import negotiator
from trio_sio.engine.websocket.transport import WebSocketTransport
from trio_sio.http import Headers, Request
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded, WireFormat
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.version import EIO3
from trio_sio.protocol.websocket.errors import FrameError
from trio_sio.protocol.websocket.frame import unmask
from trio_sio.protocol.websocket.frame_parser import FrameLimits, FrameParser

if TYPE_CHECKING:
    from trio_sio.engine.websocket.backends.base import Control


class Quiet:
    """A backend that reads these messages, and then the end."""

    control: "Control"

    def __init__(self, *messages: str | bytes, code: int = 1002) -> None:
        self.parser = FrameParser(FrameLimits(1000, 10, 2, 8), unmask)
        self.limit_lifted = False
        self.stopped = False
        self.compresses = True
        self._messages = list(messages)
        self._code = code

    def make(self, control: "Control") -> "Quiet":
        self.control = control
        return self

    async def read(self) -> None:
        await trio.lowlevel.checkpoint()
        if not self._messages:
            raise FrameError(self._code, "that was all")
        self.parser.add(self._messages.pop(0))

    def lift_limit(self) -> None:
        self.limit_lifted = True

    def stop(self) -> None:
        self.stopped = True

    def shared_frames(self, item: Encoded) -> bool:
        return item.compress

    async def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        return b"<own>"


@asynccontextmanager
async def transport(
    backend: Quiet | None = None,
) -> AsyncIterator[tuple[WebSocketTransport, trio.SocketStream]]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        port = listener.socket.getsockname()[1]
        async with await trio.open_tcp_stream("127.0.0.1", port) as other:
            pipe = ByteStream(await listener.accept())
            yield WebSocketTransport(pipe, (backend or Quiet()).make, EIO3), other
            await pipe.aclose()


async def receive_all(stream: trio.SocketStream) -> bytes:
    data = b""
    while more := await stream.receive_some():
        data += more
    return data


async def test_packets_come_out_of_messages() -> None:
    async with transport(Quiet("4a", b"\x04b", b"", "1")) as (ours, _):
        packets = [await ours.receive() for _ in range(4)]
    assert packets == [
        EnginePacket(EnginePacketType.MESSAGE, "a"),
        EnginePacket(EnginePacketType.MESSAGE, b"b"),
        EnginePacket(EnginePacketType.NOOP),
        EnginePacket(EnginePacketType.CLOSE),
    ]


async def test_what_the_kernel_does_not_take_is_sent_later_in_order() -> None:
    items = [Encoded((letter * 3_000_000,)) for letter in "abc"]
    async with transport() as (ours, other):
        assert ours.direct
        ours.send_nowait(items[:2])
        assert (ours.unsent, ours.direct, ours.writable) == (True, False, False)
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def write() -> None:
                await ours.send(items[2:])
                assert (ours.unsent, ours.direct, ours.writable) == (False, True, True)
                await ours.finish(by_client=False, orderly=True)

            data = await receive_all(other)
            await other.aclose()
    sizes = {letter: data.count(letter.encode()) for letter in "abc"}
    assert sizes == dict.fromkeys("abc", 3_000_000)
    assert data.index(b"b") > data.rindex(b"a")
    assert data.index(b"c") > data.rindex(b"b")
    assert data.endswith(b"\x88\x00")


async def test_items_of_ones_own() -> None:
    async with transport() as (ours, other):
        ours.send_nowait([Encoded(("4a",)), Encoded(("4b",), compress=False), Encoded(("4c",))])
        expected = b"\x81\x024a<own>\x81\x024c"
        assert ours.unsent  # they are made in turns
        await ours.send(())
        assert await other.receive_some() == expected


async def test_pongs_go_their_way_and_a_close_frame_waits_for_the_end() -> None:
    backend = Quiet()
    async with transport(backend) as (ours, other):
        backend.control(b"\x8a\x01a")  # a probe: nobody owns the connection
        ours.attach(make_outbox(ours))
        backend.control(b"\x8a\x01b")
        backend.control(b"\x88\x02\x03\xe8")
        assert await other.receive_some() == b"\x8a\x01a\x8a\x01b"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: ours.finish(by_client=True, orderly=False))
            assert await receive_all(other) == b"\x88\x02\x03\xe8"
            assert backend.stopped
            await other.aclose()
        await ours.aclose()
        await ours.wait_closed()


async def test_the_code_of_an_error_is_in_the_close_frame() -> None:
    async with transport(Quiet(code=1009)) as (ours, other):
        with pytest.raises(TransportClosed):
            await ours.receive()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: ours.finish(by_client=False, orderly=False))
            assert await receive_all(other) == b"\x88\x02\x03\xf1"
            await other.aclose()


async def test_no_frame_begins_inside_another() -> None:
    async with transport() as (ours, other):
        ours.send_nowait([Encoded(("x" * 20_000_000,))])
        assert ours.unsent
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: ours.finish(by_client=False, orderly=False))
            await wait_all_tasks_blocked()
            data = await receive_all(other)
            assert not data.endswith(b"\x88\x00")
            await other.aclose()


async def test_the_connection_stays_open_both_ways_until_the_client_has_answered() -> None:
    """Or a proxy would close it, and the kernel drop what the client has not read."""
    async with transport() as (ours, other):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: ours.finish(by_client=False, orderly=True))
            assert await other.receive_some() == b"\x88\x00"
            await other.send_all(b"\x81\x81mask4")  # it was on its way
            await wait_all_tasks_blocked()
            assert not ByteStream(other).has_unread  # nor has it ended
            await other.send_all(b"\x88\x80mask")
            assert await other.receive_some() == b""
            await other.aclose()


HALF = b"\x81\x84mask4"
"""The beginning of a frame."""


class Slow(Quiet):
    """A backend that reads when it is told to."""

    def __init__(self, *messages: str | bytes) -> None:
        super().__init__(*messages)
        self.go, self.wait = trio.open_memory_channel[None](0)

    async def read(self) -> None:
        await self.wait.receive()
        await super().read()


async def test_one_can_wait_until_all_has_been_received() -> None:
    backend = Slow("4a", "4b", "4c")
    async with transport(backend) as (ours, other), trio.open_nursery() as nursery:
        heard: list[str] = []

        async def wait(name: str) -> None:
            await ours.wait_heard()
            heard.append(name)

        async def look(*expected: str) -> None:
            await wait_all_tasks_blocked()
            assert heard == list(expected)

        nursery.start_soon(wait, "first")
        await look()  # nobody receives
        nursery.start_soon(ours.receive)
        await look("first")
        await backend.go.send(None)
        await wait_all_tasks_blocked()
        nursery.start_soon(wait, "second")
        await look("first")  # somebody is busy with what has been received
        backend.parser.feed(HALF)
        nursery.start_soon(ours.receive)
        await look("first")  # something is half here
        await backend.go.send(None)
        await wait_all_tasks_blocked()
        backend.parser.clear()
        await other.send_all(b"x")
        await trio.lowlevel.wait_readable(ours._stream.descriptor)
        nursery.start_soon(ours.receive)
        await look("first")  # something has yet to be read
        await ours._stream.read()
        await backend.go.send(None)
        await wait_all_tasks_blocked()
        nursery.start_soon(ours.receive)
        await look("first", "second")
        backend.parser.feed(HALF)
        nursery.start_soon(wait, "third")
        await look("first", "second")
        ours.abandon()  # nothing is to be heard any more
        await look("first", "second", "third")
        nursery.cancel_scope.cancel()


async def test_joining_lifts_the_limit() -> None:
    backend = Quiet()
    async with transport(backend) as (ours, _):
        ours.lift_limits()
        assert backend.limit_lifted


DEFLATED_TEXT = 0xC1


class Compressing(Quiet):
    """A backend that compresses what is not shared, and says when."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str | bytes] = []

    async def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        self.made += item.parts
        return f"<{item.parts[0]!s}>".encode()


async def test_nothing_is_compressed_in_the_step_of_whoever_emits() -> None:
    """It is done by the client's own writer, in its turns: a broadcast holds nobody up."""
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        await trio.lowlevel.checkpoint()

    negotiate = negotiator(EngineOptions(per_message_deflate={"threshold": 0}), turn)
    offer = Headers([("Sec-WebSocket-Extensions", "permessage-deflate")])
    agreement = negotiate(Request("GET", "/", offer))
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        port = listener.socket.getsockname()[1]
        async with await trio.open_tcp_stream("127.0.0.1", port) as other:
            pipe = ByteStream(await listener.accept())
            async with agreement.open(pipe) as make_backend:
                websocket = WebSocketTransport(pipe, make_backend, EIO3)
            websocket.send_nowait((Encoded(("4first",)),))
            assert turns == 0
            assert (websocket.unsent, websocket.direct) == (True, False)
            await websocket.send([Encoded(("4second",)), Encoded(("3",), compress=False)])
            assert turns == 2
            assert (websocket.unsent, websocket.direct) == (False, True)
            await pipe.aclose()
            data = await receive_all(other)
            assert data[0] == DEFLATED_TEXT
            assert data[2 + data[1]] == DEFLATED_TEXT
            assert data.endswith(b"\x81\x013")


async def test_what_is_shared_leaves_at_once() -> None:
    async with transport(Compressing()) as (websocket, other):
        websocket.send_nowait((Encoded(("3",)), Encoded(("3",))))
        assert not websocket.unsent
        assert await other.receive_some() == b"\x81\x013" * 2


async def test_what_waits_for_its_turn_is_forgotten_with_the_connection() -> None:
    backend = Compressing()
    async with transport(backend) as (websocket, _):
        websocket.send_nowait((Encoded(("first",), compress=False),))
        websocket.abandon()
        assert backend.made == []
