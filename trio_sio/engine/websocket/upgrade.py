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

import trio

from trio_sio.abc import Transport, TransportClosed
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.session.log import tapped
from trio_sio.engine.session.session import Session
from trio_sio.engine.websocket.transport import WebSocketTransport
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.version import EngineVersion

NUDGE_INTERVAL = 0.1
"""Seconds after which a poll that is held during the probe is let go, as in the reference; the
client polls again until it has seen the answer to its probe. A POST that waits is let go, too."""


class Probe:
    """A WebSocket that a polling session tries, and may go on by; one of a session at a time.

    Args:
        transport: the WebSocket.
        scope: of the task that tries it.
    """

    __slots__ = ("_scope", "_transport")

    def __init__(self, transport: WebSocketTransport, scope: trio.CancelScope) -> None:
        self._transport = transport
        self._scope = scope

    def cancel(self) -> None:
        """Stop trying it."""
        self._scope.cancel()

    async def settle(self) -> None:
        """Return when what the client has said by the WebSocket so far has had its effect.

        A request that it sent behind the `5` comes by another connection, and may be read first.
        """
        await self._transport.wait_caught_up()


async def try_upgrade(
    session: Session, transport: WebSocketTransport, version: EngineVersion, limit: float
) -> bool:
    """Let a polling session try a WebSocket; return whether it moved there.

    Args:
        session: a session that polls, and is not trying another WebSocket.
        transport: the WebSocket.
        version: what the client speaks.
        limit: seconds that the client may take (option `upgrade_timeout`).
    """
    polling, tap = session.transport, tapped(transport, session.log.wire)
    if not isinstance(polling, PollingTransport):
        return False
    moved = False
    with trio.move_on_after(limit) as scope:
        session.begin_upgrade(Probe(transport, scope))
        # Whatever goes wrong here, the session goes on polling.
        with contextlib.suppress(TransportClosed, RemoteProtocolError, trio.BrokenResourceError):
            moved = await _probe(polling, tap, version)
    if moved and session.finish_upgrade(tap):
        polling.turn_away()
        polling.abandon()
        return True
    session.abandon_upgrade()
    return False


async def _probe(polling: PollingTransport, transport: Transport, version: EngineVersion) -> bool:
    packet = await transport.receive()
    if packet == version.probe:
        await transport.send((version.probe_answer,))
        packet = await _receive_nudging(polling, transport)
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
