"""A client of bytes in one namespace."""

from collections.abc import Sequence

from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.socketio.parser import PacketDecoder, PacketEncoder
from trio_sio.testing.clients.base_client import BaseClient
from trio_sio.testing.clients.packets import messages
from trio_sio.testing.clients.transports import Access, Polling, WebSocket
from trio_sio.testing.limit import WAIT, within
from trio_sio.testing.network.faults import Ending
from trio_sio.testing.network.route import Route
from trio_sio.testing.network.session import ClientSession

BUFFER = 1000
"""Parts of packets that wait for `receive` before the client stops reading."""


class NetworkClient(BaseClient):
    """One client in one namespace, by bytes through a network; `Network.connect` makes it.

    It can do what `MemoryClient` can, and its network can break. Events that nobody receives are
    kept, up to 1000 of them; then the client stops reading. `Disconnected.reason` is what
    JavaScript's client would tell: "ping timeout" if the server did not answer a ping in time, or
    sent none,
    "transport close" at the end of a WebSocket, "transport error" if a request of polling failed.

    Attributes:
        namespace: where the client is.
    """

    def __init__(
        self,
        namespace: str,
        encoder: PacketEncoder,
        decoder: PacketDecoder,
        *,
        access: Access,
        transport: Polling | WebSocket,
        query: str,
        route: Route,
    ) -> None:
        super().__init__(namespace, encoder, decoder, access.eio + 1)
        self._eio = access.eio
        self._route = route
        self._session = ClientSession(access, transport, query, self._hear, route.tell)
        self._waiting = 0  # parts that `receive` has not taken

    @property
    def session_id(self) -> str:
        """The id of the session."""
        return self._session.opening.sid

    @property
    def transport(self) -> str:
        """What packets go by now: "polling" or "websocket"."""
        return self._session.transport

    @property
    def reason(self) -> DisconnectReason | None:
        """Why the session ended, as the client sees it; `None` while it lasts."""
        return self._session.reason

    async def upgrade(self) -> None:
        """Move from polling to a WebSocket; events may come and go meanwhile.

        The client does as JavaScript's: it probes the WebSocket while polling goes on, waits for
        the end of the poll and of the POST under way, and sends UPGRADE.

        Raises:
            RuntimeError: the client does not poll.
            trio.BrokenResourceError: the WebSocket was refused, or broke; polling goes on.
            Disconnected: the session has ended.
        """
        await self._session.upgrade()

    def cut(self, how: Ending = "reset") -> None:
        """Break all connections of this client; what is under way still arrives.

        Args:
            how: "reset": both ends get `trio.BrokenResourceError`; "end": they read the end.
        """
        self._route.cut(how)

    def freeze(self) -> None:
        """Make all connections half-open: nothing passes in either direction, nobody is told."""
        self._route.freeze()

    def thaw(self) -> None:
        """End what `freeze` or `Faults.freeze` began; what was sent meanwhile arrives now."""
        self._route.thaw()

    # -- for `Network.connect` -----------------------------------------------------------------

    async def open(self) -> None:
        """Do the handshake; raises as `ClientSession.open`."""
        await self._session.open()

    async def run(self, *, heartbeat: bool) -> None:
        """Receive and send until the session ends; raises as `ClientSession.run`."""
        try:
            await self._session.run(heartbeat=heartbeat)
        finally:
            self._end()

    async def close(self) -> None:
        """End the session in order, unless the network keeps that from the server."""
        if not self._route.is_frozen:
            await self._session.close()

    # -- how packets come and go ---------------------------------------------------------------

    async def _send_parts(self, parts: Sequence[str | bytes]) -> None:
        packets = messages(parts, self._eio)
        with within(WAIT, f"the server to take {packets!r}"[:200], self._came):
            await self._session.send(packets)

    def _hear(self, part: str | bytes) -> None:
        self._waiting += 1
        self._feed(part)
        self._session.set_room(self._has_room)

    def _took(self, parts: int) -> None:
        self._waiting -= parts
        self._session.set_room(self._has_room)

    @property
    def _has_room(self) -> bool:
        return self._waiting - self._parts < BUFFER

    def _came(self) -> str:
        return f"{super()._came()}\n{self._route.told()}"
