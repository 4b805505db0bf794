"""A client in memory, for testing applications: no port, no thread, no waiting.

It speaks packets, so that everything of the server but bytes takes part: heartbeat, outbox,
middleware, handlers, rooms. With pytest-trio's `autojump_clock` a minute of silence costs no
time; the client keeps itself alive meanwhile, by pings or by answering the server's, unless told
not to.
"""

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlencode

import trio

from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.session.session import Session
from trio_sio.exceptions import ConnectionRefused, Disconnected
from trio_sio.failures import ungrouped
from trio_sio.http import Headers, Request
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.server import Server
from trio_sio.testing.clients.base_client import BaseClient
from trio_sio.testing.clients.dialect import Dialect, check_auth, check_protocol, dialect_of
from trio_sio.testing.clients.symptom import Symptom
from trio_sio.testing.limit import WAIT, within
from trio_sio.testing.transport import MemoryTransport

_PING = EnginePacket(EnginePacketType.PING)
_PONG = EnginePacket(EnginePacketType.PONG)
_counter = itertools.count()


class MemoryClient(BaseClient):
    """One client in one namespace; `connect` makes it.

    Attributes:
        session: the server's end, `session.id` among it.
        namespace: where the client is.
    """

    def __init__(
        self, dialect: Dialect, session: Session, transport: MemoryTransport, namespace: str
    ) -> None:
        protocol = dialect.version.number + 1
        super().__init__(namespace, dialect.encoder, dialect.make_decoder(), protocol)
        self.session = session
        self._transport = transport
        self._pinged = trio.Event()

    @property
    def session_id(self) -> str:
        """The id of the session."""
        return self.session.id

    @property
    def reason(self) -> DisconnectReason | None:
        """Why the server ended the session; `None` while it lasts."""
        return self.session.reason

    async def send_engine_packet(self, packet: EnginePacket) -> None:
        """Send any Engine.IO packet."""
        try:
            with within(WAIT, f"the server to take {packet.data!r}"[:200], self._came):
                await self._transport.client_send(packet)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise Disconnected(self.reason) from None

    async def _send_parts(self, parts: Sequence[str | bytes]) -> None:
        for part in parts:
            await self.send_engine_packet(EnginePacket(EnginePacketType.MESSAGE, part))

    def _took(self, parts: int) -> None:
        self._transport.client_took(parts)

    # -- tasks, for `connect` ----------------------------------------------------------------

    async def read(self) -> None:
        """Sort what the server sends, until the session ends."""
        try:
            while True:
                self._take(await self._transport.client_receive())
        except trio.EndOfChannel:
            pass
        finally:
            self._end()

    def _take(self, part: str | bytes) -> None:
        if isinstance(part, str) and part[0] != "4":
            self._took(1)  # OPEN, PING, PONG, NOOP, CLOSE
            if part[0] == "2":
                self._pinged.set()
        else:
            self._feed(part[1:] if isinstance(part, str) else part)

    async def beat(self, interval: float) -> None:
        """Ping, or answer the server's pings, as the protocol asks of a client."""
        try:
            while True:
                if self.protocol == 4:
                    await trio.sleep(interval)
                    await self.send_engine_packet(_PING)
                else:
                    await self._pinged.wait()
                    self._pinged = trio.Event()
                    await self.send_engine_packet(_PONG)
        except Disconnected:
            return


@asynccontextmanager
async def connect(
    io: Server,
    namespace: str = "/",
    *,
    protocol: int = 4,
    auth: Mapping[str, JSON] | None = None,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    heartbeat: bool = True,
    raise_errors: bool = True,
    buffer: int = 1000,
) -> AsyncIterator[MemoryClient]:
    """Connect a client in memory to a server; leave it to disconnect.

    Args:
        io: the server; opened for as long as the client is here, if it is not open yet.
        namespace: which namespace to join.
        protocol: the revision of Socket.IO that the client speaks: 4 as clients 1.x and 2.x do, 5
            as those of 3.x and 4.x.
        auth: what the client says when it joins (JS: option `auth`), in protocol 5.
        query: the query, of the request or, in protocol 4 and a namespace other than "/", of the
            join.
        headers: header fields of the handshake request.
        heartbeat: send the pings, or the answers to pings, that keep the session alive.
        raise_errors: let errors of the application's handlers come out of this `async with`: one
            as it was raised, several in one group. They are logged otherwise.
        buffer: how much the client has room for while it does not call `receive`.

    Raises:
        ConnectionRefused: the client was not let in.
        ValueError: there is no such protocol, or `auth` is given in protocol 4.
    """
    check_auth(protocol, auth)
    dialect = dialect_of(io, protocol)
    symptom = Symptom(ConnectionRefused, Disconnected)
    with ungrouped():
        async with AsyncExitStack() as stack:
            if not io.engine.serving:
                await stack.enter_async_context(io)
            check_protocol(io, protocol)
            version = dialect.version
            transport = MemoryTransport(buffer, version)
            request = _request(io, query or {}, headers or {}, version.number)
            nursery = await stack.enter_async_context(trio.open_nursery())
            sid = f"memory-{next(_counter)}"
            serve = partial(io.engine.open_session, version=version, raise_errors=raise_errors)
            session = await nursery.start(serve, sid, request, transport, io.serve_session)
            full = namespace if namespace.startswith("/") else "/" + namespace
            client = MemoryClient(dialect, session, transport, full)
            nursery.start_soon(client.read)
            if heartbeat:
                nursery.start_soon(client.beat, io.engine.options.ping_interval)
            try:
                with symptom:
                    await client.join(urlencode(query or {}), auth)
                    yield client
            finally:
                client._transport.client_close()
            await client.session.wait_application_done()
            nursery.cancel_scope.cancel()
    symptom.show()


def _request(io: Server, query: Mapping[str, str], headers: Mapping[str, str], eio: int) -> Request:
    """Return what a client's handshake request would be."""
    target = f"{io.path}/?" + urlencode({**query, "EIO": str(eio), "transport": "memory"})
    return Request("GET", target, Headers(headers.items()), remote="127.0.0.1")
