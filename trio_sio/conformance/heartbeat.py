"""What keeps a client's session alive while a check does something else.

In Engine.IO 3 the client pings. In Engine.IO 4 the server does, so somebody has to receive at any
time, and keeps for the check what is no ping.
"""

from typing import Any, Protocol

import trio

from trio_sio.testing.clients.expectation import Ended, Unexpected
from trio_sio.testing.clients.transports import Transport
from trio_sio.testing.wire import PacketText

_ENDS = (Unexpected, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError)
"""What a transport raises that carries no more packets, or none that can be read."""

_GONE = (Ended, trio.BrokenResourceError, trio.ClosedResourceError)

_MOST = 10_000
"""Packets that wait for a check; behind them nothing is read."""


class Receiving(Protocol):
    """The client."""

    transport: Transport
    opening: dict[str, Any]

    async def send(self, *packets: PacketText) -> None:
        """Send packets of Engine.IO."""


async def ping(client: Receiving) -> None:
    """Ping until the session ends, twice as often as it has to be: a machine may be busy."""
    interval = client.opening["pingInterval"] / 1000
    while True:
        await trio.sleep(interval / 2)
        try:
            await client.send("2")
        except _GONE:
            return  # the check will notice


class Reading:
    """Receives the packets of a client, answers pings, and keeps the rest for the check.

    Args:
        client: the client.
    """

    def __init__(self, client: Receiving) -> None:
        self._client = client
        self._put, self._get = trio.open_memory_channel[PacketText](_MOST)
        self._failure: Exception | None = None
        self._last: PacketText | None = None
        self._gate = trio.Event()

    def pause_behind(self, packet: PacketText) -> None:
        """Stop receiving when this packet has come, until `go_on`."""
        self._last = packet
        self._gate = trio.Event()

    def go_on(self) -> None:
        """Receive again, by the client's present transport."""
        self._last = None
        self._gate.set()

    async def receive(self) -> PacketText:
        """Return the next packet that is no PING.

        Raises:
            Exception: as the transport, behind all packets that came before.
        """
        try:
            return await self._get.receive()
        except trio.EndOfChannel:
            assert self._failure is not None
            raise self._failure from None

    async def run(self) -> None:
        """Receive until the transport ends."""
        with self._put:
            try:
                while True:
                    await self._take(await self._client.transport.receive())
            except _ENDS as error:
                self._failure = error

    async def _take(self, packet: PacketText) -> None:
        if isinstance(packet, str) and packet.startswith("2"):
            await self._client.send("3")
            return
        await self._put.send(packet)
        if packet == self._last:
            await self._gate.wait()
