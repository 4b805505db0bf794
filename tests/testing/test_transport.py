"""The transport in memory: two ends and a buffer."""

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.version import EIO3, EIO4, EngineVersion
from trio_sio.testing.transport import MemoryTransport

PING = EnginePacket(EnginePacketType.PING)


def items(*parts: str) -> list[Encoded]:
    return [Encoded((part,)) for part in parts]


async def test_packets_travel_both_ways(autojump_clock: trio.abc.Clock) -> None:
    transport = MemoryTransport(buffer=10)
    transport.lift_limits()
    transport.send_nowait(items("4a", "4b"))
    await transport.send(items("4c"))
    assert [await transport.client_receive() for _ in range(3)] == ["4a", "4b", "4c"]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.client_send, PING)
        assert await transport.receive() == PING


@pytest.mark.parametrize(("version", "sent"), [(EIO3, b"old"), (EIO4, b"new")], ids=["3", "4"])
async def test_each_revision_gets_its_own_messages(version: EngineVersion, sent: bytes) -> None:
    transport = MemoryTransport(10, version)
    item = Encoded.of_messages([b"old"])
    item.make_otherwise(lambda: [b"new"])
    transport.send_nowait([item])
    assert await transport.client_receive() == sent


async def test_the_buffer_is_full_until_something_is_taken() -> None:
    transport = MemoryTransport(buffer=2)
    transport.send_nowait(items("4a"))
    assert transport.writable
    transport.send_nowait(items("4b", "4c"))  # the last item may exceed it
    assert not transport.writable
    assert not transport.direct
    await transport.client_receive()
    assert not transport.writable  # it was received, but nobody took it
    transport.client_took(1)
    assert not transport.writable
    transport.client_took(1)
    assert transport.writable
    assert transport.direct


async def test_client_goes_away() -> None:
    transport = MemoryTransport(buffer=2)
    transport.client_close()
    with pytest.raises(TransportClosed) as closed:
        await transport.receive()
    assert closed.value.reason is DisconnectReason.TRANSPORT_CLOSE


@pytest.mark.parametrize("how", ["finish", "abandon"])
async def test_server_ends(how: str) -> None:
    transport = MemoryTransport(buffer=2)
    transport.send_nowait(items("4 last words"))
    if how == "finish":
        await transport.finish(by_client=False, orderly=True)
    else:
        transport.abandon()
    transport.send_nowait(items("4 too late"))
    assert await transport.client_receive() == "4 last words"
    with pytest.raises(trio.EndOfChannel):
        await transport.client_receive()
    with pytest.raises(trio.BrokenResourceError):
        await transport.client_send(PING)
    with pytest.raises(TransportClosed):
        await transport.receive()
    transport.client_took(1)
    assert not transport.writable


async def test_it_shows_whether_the_client_has_left() -> None:
    transport = MemoryTransport(buffer=10)
    assert not transport.is_gone(0, 30)
    transport.client_close()
    assert transport.is_gone(0, 30)


async def test_one_can_wait_until_all_has_been_received(autojump_clock: trio.abc.Clock) -> None:
    transport = MemoryTransport(buffer=10)
    heard: list[str] = []

    async def wait(name: str) -> None:
        await transport.wait_heard()
        heard.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(transport.client_send, PING)
        nursery.start_soon(wait, "one")
        await wait_all_tasks_blocked()
        await transport.receive()
        await wait_all_tasks_blocked()
        assert heard == []  # the last one may still be in somebody's hands
        nursery.start_soon(transport.receive)
        await wait_all_tasks_blocked()
        assert heard == ["one"]
        await transport.client_send(PING)
        nursery.start_soon(wait, "two")
        await wait_all_tasks_blocked()
        assert heard == ["one"]
        transport.abandon()
    assert heard == ["one", "two"]
