"""A session is kept alive while a check does something else."""

from typing import TYPE_CHECKING, Any

import pytest
import trio

from trio_sio.conformance.heartbeat import Reading, ping
from trio_sio.testing.clients.expectation import Ended

if TYPE_CHECKING:
    from trio_sio.testing.clients.transports import Transport

Packet = str | bytes


class Peer:
    """A client and its transport in one, to which a test says what comes."""

    def __init__(self) -> None:
        self.opening: dict[str, Any] = {"pingInterval": 2000}
        self.sent: list[tuple[float, tuple[Packet, ...]]] = []
        self.has_ended = False
        self.transport: Transport = self
        self.come, self._coming = trio.open_memory_channel[Packet](10)

    def begin(self, sid: str) -> None: ...

    async def send(self, *packets: Packet) -> None:
        await trio.lowlevel.checkpoint()
        if self.has_ended:
            raise Ended("the session has ended")
        self.sent.append((trio.current_time(), packets))

    async def receive(self) -> Packet:
        try:
            return await self._coming.receive()
        except trio.EndOfChannel:
            raise Ended("nothing comes any more") from None

    async def aclose(self) -> None: ...


async def test_pings_come_twice_as_often_as_they_have_to(autojump_clock: trio.abc.Clock) -> None:
    peer = Peer()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ping, peer)
        await trio.sleep(3.5)
        peer.has_ended = True  # and the task returns
    assert peer.sent == [(1, ("2",)), (2, ("2",)), (3, ("2",))]


async def test_pings_of_the_server_are_answered_and_the_rest_is_kept(
    autojump_clock: trio.abc.Clock,
) -> None:
    peer = Peer()
    reading = Reading(peer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reading.run)
        for packet in ("4a", "2", b"\x02", "2x", "6"):
            await peer.come.send(packet)
        assert [await reading.receive() for _ in range(3)] == ["4a", b"\x02", "6"]
        assert [packets for _, packets in peer.sent] == [("3",), ("3",)]
        await peer.come.send("4last")
        peer.come.close()
        assert await reading.receive() == "4last"
        for _ in range(2):
            with pytest.raises(Ended, match="nothing comes"):
                await reading.receive()


async def test_nothing_is_received_behind_a_pause(autojump_clock: trio.abc.Clock) -> None:
    peer, other = Peer(), Peer()
    reading = Reading(peer)
    reading.pause_behind("6")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(reading.run)
        for packet in ("4a", "6", "4 by the old way"):
            await peer.come.send(packet)
        assert [await reading.receive() for _ in range(2)] == ["4a", "6"]
        with trio.move_on_after(60) as quiet:
            await reading.receive()
        assert quiet.cancelled_caught
        peer.transport = other
        reading.go_on()
        await other.come.send("6")  # there is no pause any more
        await other.come.send("4b")
        assert [await reading.receive() for _ in range(2)] == ["6", "4b"]
        nursery.cancel_scope.cancel()
