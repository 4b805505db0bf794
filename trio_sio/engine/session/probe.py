"""A WebSocket that a polling session tries, and may go on by."""

import trio

from trio_sio.engine.websocket.transport import WebSocketTransport


class Probe:
    """Of one session at a time.

    Args:
        transport: the WebSocket.
        scope: of the task that tries it.
    """

    __slots__ = ("_scope", "_transport")

    def __init__(self, transport: WebSocketTransport, scope: trio.CancelScope) -> None:
        self._transport = transport
        self._scope = scope

    def cancel(self) -> None:
        """Try it no longer."""
        self._scope.cancel()

    async def settle(self) -> None:
        """Return when what the client has said by the WebSocket so far has had its effect.

        A request that it sent behind the `5` comes by another connection, and may be read first.
        """
        await self._transport.wait_caught_up()
