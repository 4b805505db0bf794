"""Frames through a real connection: at once, in part, and at the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.engine.session.outboxes import make_outbox
from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.transport import WebSocketTransport
from trio_sio.protocol.encoded import Encoded, WireFormat
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType

if TYPE_CHECKING:
    from trio_sio.engine.websocket.backends.base import Control, Turn


class Quiet:
    """A library that has got these messages, and then the end."""

    def __init__(self, *messages: str | bytes, code: int | None = None) -> None:
        self.control: Control = lambda data: None
        self.turn: Turn = trio.lowlevel.checkpoint
        self.budget: int | None = 100
        self.stopped = False
        self.is_clear = True
        self.compresses = True
        self._messages = list(messages)
        self._read: str | bytes | None = None
        self._code = code

    def next(self) -> str | bytes | None:
        message, self._read = self._read, None
        return message

    async def read(self) -> None:
        await trio.lowlevel.checkpoint()
        if not self._messages:
            raise TransportClosed(DisconnectReason.TRANSPORT_ERROR, self._code)
        self._read = self._messages.pop(0)

    def stop(self) -> None:
        self.stopped = True

    def shared_frames(self, item: Encoded) -> bool:
        return item.compress

    def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        return b"<own>"


@asynccontextmanager
async def transport(
    library: Quiet | None = None,
) -> AsyncIterator[tuple[WebSocketTransport, trio.SocketStream]]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        port = listener.socket.getsockname()[1]
        async with await trio.open_tcp_stream("127.0.0.1", port) as other:
            pipe = ByteStream(await listener.accept())
            yield WebSocketTransport(pipe, library or Quiet()), other
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
    library = Quiet()
    async with transport(library) as (ours, other):
        library.control(b"\x8a\x01a")  # a probe: nobody owns the connection
        ours.attach(make_outbox(ours))
        library.control(b"\x8a\x01b")
        library.control(b"\x88\x02\x03\xe8")
        assert await other.receive_some() == b"\x8a\x01a\x8a\x01b"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: ours.finish(by_client=True, orderly=False))
            assert await receive_all(other) == b"\x88\x02\x03\xe8"
            assert library.stopped
            await other.aclose()
        await ours.wait_released()


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


class Slow(Quiet):
    """A library that reads when it is told to."""

    def __init__(self, *messages: str | bytes) -> None:
        super().__init__(*messages)
        self.go, self.wait = trio.open_memory_channel[None](0)

    async def read(self) -> None:
        await self.wait.receive()
        await super().read()


async def test_one_can_wait_until_all_has_been_received() -> None:
    library = Slow("4a", "4b", "4c")
    async with transport(library) as (ours, other), trio.open_nursery() as nursery:
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
        await library.go.send(None)
        await wait_all_tasks_blocked()
        nursery.start_soon(wait, "second")
        await look("first")  # somebody is busy with what has been received
        library.is_clear = False
        nursery.start_soon(ours.receive)
        await look("first")  # something is half here
        await library.go.send(None)
        await wait_all_tasks_blocked()
        library.is_clear = True
        await other.send_all(b"x")
        await trio.lowlevel.wait_readable(ours._pipe.descriptor)
        nursery.start_soon(ours.receive)
        await look("first")  # something has yet to be read
        await ours._pipe.read()
        await library.go.send(None)
        await wait_all_tasks_blocked()
        nursery.start_soon(ours.receive)
        await look("first", "second")
        library.is_clear = False
        nursery.start_soon(wait, "third")
        await look("first", "second")
        ours.abandon()  # nothing is to be heard any more
        await look("first", "second", "third")
        nursery.cancel_scope.cancel()


async def test_trust_lifts_the_budget() -> None:
    library = Quiet()
    async with transport(library) as (ours, _):
        ours.trust()
        assert library.budget is None


class Compressing(Quiet):
    """A library that compresses what is not shared, and says when."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str | bytes] = []

    def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        self.made += item.parts
        return f"<{item.parts[0]!s}>".encode()


async def test_nothing_is_compressed_in_the_step_of_whoever_emits() -> None:
    """It is done by the client's own writer, in its turns: a broadcast holds nobody up."""
    library, turns = Compressing(), 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        await trio.lowlevel.checkpoint()

    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        port = listener.socket.getsockname()[1]
        async with await trio.open_tcp_stream("127.0.0.1", port) as other:
            pipe = ByteStream(await listener.accept())
            websocket = WebSocketTransport(pipe, library, turn)
            websocket.send_nowait((Encoded(("first",), compress=False),))
            assert library.made == []
            assert (websocket.unsent, websocket.direct) == (True, False)
            await websocket.send([Encoded(("second",), compress=False), Encoded(("3",))])
            assert library.made == ["first", "second"]
            assert turns == 2
            assert (websocket.unsent, websocket.direct) == (False, True)
            await pipe.aclose()
            assert await receive_all(other) == b"<first><second>\x81\x013"


async def test_what_is_shared_leaves_at_once() -> None:
    async with transport(Compressing()) as (websocket, other):
        websocket.send_nowait((Encoded(("3",)), Encoded(("3",))))
        assert not websocket.unsent
        assert await other.receive_some() == b"\x81\x013" * 2


async def test_what_waits_for_its_turn_is_forgotten_with_the_connection() -> None:
    library = Compressing()
    async with transport(library) as (websocket, _):
        websocket.send_nowait((Encoded(("first",), compress=False),))
        websocket.abandon()
        assert library.made == []
