"""From polling to WebSocket: probe, pause, switch.

    client (WebSocket)  2probe
    server (WebSocket)                 3probe
    server (polling)                   6 on the held GET, so that the client can stop polling
    client (WebSocket)  5
    server (polling)                   400, on a GET that is held nevertheless
    from here on both sides use the WebSocket; what was queued meanwhile leaves there, in order

After anything else on the probing WebSocket, its end, or `upgrade_timeout` seconds, the session
goes on polling as if nothing had been.
"""

import contextlib
from typing import Protocol

import trio

from trio_sio.abc import Transport, TransportClosed
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.session.log import tapped
from trio_sio.engine.session.session import Session
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.version import EngineVersion

NUDGE_INTERVAL = 0.1
"""Seconds after which a poll that is held during the probe is let go, as in the reference; the
client polls again until it has seen the answer to its probe. A POST that waits is let go, too."""


class ProbedTransport(Transport, Protocol):
    """A WebSocket that a session may move to."""

    def speak(self, version: EngineVersion) -> None:
        """Speak another revision, from the next packet on."""

    async def wait_caught_up(self) -> None:
        """Return when all that has come was read, or the connection belongs to a session."""

    async def wait_closed(self) -> None:
        """Return when the session has no more use for the connection."""


class Upgrade:
    """One attempt of a polling session to move to a WebSocket.

    Args:
        session: the session, which tries no other.
        polling: its transport.
        transport: the WebSocket.
    """

    def __init__(
        self, session: Session, polling: PollingTransport, transport: ProbedTransport
    ) -> None:
        self._session = session
        self._polling = polling
        self._transport = transport
        self._version = session.state.version
        self._scope = trio.CancelScope()

    def cancel(self) -> None:
        """Give up: the session ends."""
        self._scope.cancel()

    async def settle(self) -> None:
        """Return when what the client has said by the WebSocket so far has had its effect.

        A request that it sent behind the `5` comes by another connection, and may be read first.
        """
        await self._transport.wait_caught_up()

    async def run(self, limit: float) -> bool:
        """Try it; return whether the session has moved.

        Args:
            limit: seconds that the client may take (option `upgrade_timeout`).
        """
        session, tap = self._session, tapped(self._transport, self._session.log.wire)
        moved = False
        self._scope.deadline = trio.current_time() + limit
        with self._scope:
            session.begin_upgrade(self)
            # Whatever goes wrong here, the session goes on polling.
            with contextlib.suppress(
                TransportClosed, RemoteProtocolError, trio.BrokenResourceError
            ):
                moved = await self._probe(tap)
        if moved and session.finish_upgrade(tap):
            self._polling.turn_away()
            self._polling.abandon()
            return True
        session.abandon_upgrade()
        return False

    async def _probe(self, transport: Transport) -> bool:
        """Return whether the client says that it moves."""
        packet = await transport.receive()
        while packet == self._version.probe:  # as often as it asks, like the reference
            await transport.send((self._version.probe_answer,))
            packet = await _receive_nudging(self._polling, transport)
        # The reference takes an UPGRADE packet without a probe before it, too.
        return packet.type is EnginePacketType.UPGRADE


async def _receive_nudging(polling: PollingTransport, transport: Transport) -> EnginePacket:
    """Receive the next packet; let go of polls and POSTs until it comes.

    The client ends both before it says `5`.
    """
    outcome: list[EnginePacket | Exception] = []

    async def receive(scope: trio.CancelScope) -> None:
        try:
            outcome.append(await transport.receive())
        except (TransportClosed, RemoteProtocolError) as error:
            outcome.append(error)
        scope.cancel()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive, nursery.cancel_scope)
        while True:
            await trio.sleep(NUDGE_INTERVAL)
            polling.release()
            polling.posts.let_ahead()
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
