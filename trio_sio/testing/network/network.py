"""The network between clients and one server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import trio

from trio_sio.exceptions import ConnectionRefused
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.server import Server
from trio_sio.testing.clients.dialect import Dialect, check_auth, dialect_of
from trio_sio.testing.clients.expectation import Ended
from trio_sio.testing.clients.transports import QUERIES, Polling, WebSocket, transports_of
from trio_sio.testing.limit import WIRE_WAIT, within
from trio_sio.testing.network.client import NetworkClient
from trio_sio.testing.network.faults import Faults
from trio_sio.testing.network.route import Route
from trio_sio.testing.network.transcript import TAIL, Transcript
from trio_sio.testing.wire import WireClient, open_wire
from trio_sio.testing.wire_http import WireConnection

if TYPE_CHECKING:
    from trio_sio.engine.session.session import Session

_NO_FAULTS = Faults()


@dataclass(frozen=True, slots=True)
class WireAccess:
    """The way to the server by a wire, for transports.

    Attributes:
        wire: opens connections.
        headers: header fields of each request.
        patience: seconds to wait for one thing.
        eio: the revision of Engine.IO, 3 or 4.
    """

    wire: WireClient
    headers: Mapping[str, str]
    patience: float = WIRE_WAIT
    eio: int = 3

    def request_target(self, transport: str = "", query: str = "", sid: str = "") -> str:
        """Return such as `/socket.io/?EIO=3&transport=polling&sid=…`."""
        return self.wire.target(transport, query, sid, eio=self.eio)

    async def connect(self) -> WireConnection:
        """Open a connection."""
        await trio.lowlevel.checkpoint()
        return self.wire.connect()


class Network:
    """A network between clients and one server, in memory; `open_network` makes it.

    Attributes:
        seed: what chance is made of.
        transcript: what went when; `str(network.transcript)` has a line for each thing.
    """

    def __init__(self, io: Server, seed: int) -> None:
        self.seed = seed
        self.transcript = Transcript()
        self._io = io
        self._clients = 0

    @asynccontextmanager
    async def connect(
        self,
        transport: str = "websocket",
        namespace: str = "/",
        *,
        protocol: int = 4,
        auth: Mapping[str, JSON] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        heartbeat: bool = True,
        faults: Faults = _NO_FAULTS,
    ) -> AsyncIterator[NetworkClient]:
        """Connect a client; leave it to disconnect.

        Args:
            transport: "polling", "polling-base64", "polling-jsonp", "websocket",
                "websocket-base64" or "upgraded", which begins by polling and moves to a WebSocket.
                Protocol 5 has no JSONP.
            namespace: which namespace to join.
            protocol: the revision of Socket.IO that the client speaks: 4 as clients 1.x and 2.x
                do, 5 as those of 3.x and 4.x.
            auth: what the client says when it joins (JS: option `auth`), in protocol 5.
            query: the query, of the handshake and, in protocol 4 and a namespace other than "/",
                of the join.
            headers: header fields of each request.
            heartbeat: send the pings that keep the session alive, and give up a server that does
                not answer them; in protocol 5 answer the server's, and give up one that sends none.
            faults: what the network does to this client.

        Raises:
            ConnectionRefused: the client was not let in.
            trio.BrokenResourceError: the connection broke before it was, as `Disconnected` if
                there was a session.
            ValueError: there is no such protocol, it has no such transport, or `auth` is given in
                protocol 4.
        """
        check_auth(protocol, auth)
        dialect, known = dialect_of(self._io, protocol), transports_of(protocol)
        if transport not in known:
            raise ValueError(f"'transport' must be one of {known}, not {transport!r}")
        failed: Exception | None = None
        server_end: Session | None = None
        encoded = urlencode(query or {})
        async with self._laid(faults) as (route, wire), trio.open_nursery() as nursery:
            access = WireAccess(wire, headers or {}, eio=dialect.version.number)
            try:
                client = await self._handshake(
                    access, route, transport, namespace, encoded, dialect
                )
                server_end = self._io.engine.sessions.get(client.session_id)
                nursery.start_soon(partial(client.run, heartbeat=heartbeat))
                await client.join(encoded, auth)
                if transport == "upgraded":
                    await client.upgrade()
                yield client
                await client.close()
            except Exception as error:
                failed = error
            nursery.cancel_scope.cancel()
        if server_end is not None and server_end.reason is not None:
            await server_end.wait_application_done()
        if failed is not None:
            raise failed

    @asynccontextmanager
    async def open_wire(self, *, faults: Faults = _NO_FAULTS) -> AsyncIterator[WireClient]:
        """Let a test speak by bytes of its own; as `trio_sio.testing.open_wire`.

        Args:
            faults: what the network does to these connections, as if they were one client's.
        """
        async with self._laid(faults) as (_, wire):
            yield wire

    @asynccontextmanager
    async def _laid(self, faults: Faults) -> AsyncIterator[tuple[Route, WireClient]]:
        """Lay a way to the server, and cut it in the end, so that neither side waits.

        The server sees connections that end, also if the client has failed.
        """
        failed: Exception | None = None
        self._clients += 1
        name = f"client {self._clients}"
        self.transcript.tell(name, f"has {faults}")
        route = Route(faults, str(self.seed), name, self.transcript)
        async with open_wire(self._io, streams=route.open) as wire:
            try:
                yield route, wire
            except Exception as error:
                failed = error
            finally:
                route.cut("end")
        if failed is not None:
            raise failed

    async def _handshake(
        self,
        access: WireAccess,
        route: Route,
        how: str,
        namespace: str,
        query: str,
        dialect: Dialect,
    ) -> NetworkClient:
        """Open a session.

        Raises:
            ConnectionRefused: the server refused it.
            trio.BrokenResourceError: the connection broke.
        """
        wanted = "&".join(part for part in (QUERIES[how], query) if part)
        full = namespace if namespace.startswith("/") else "/" + namespace
        try:
            with within(WIRE_WAIT, "the answer to a handshake", route.told):
                kind = WebSocket if how.startswith("websocket") else Polling
                transport = await kind.open(access, wanted)
                client = NetworkClient(
                    full,
                    dialect.encoder,
                    dialect.make_decoder(),
                    access=access,
                    transport=transport,
                    query=wanted.removeprefix("j=0&"),
                    route=route,
                )
                await client.open()
        except Ended as refusal:
            raise ConnectionRefused(str(refusal)) from refusal
        return client


@asynccontextmanager
async def open_network(io: Server, *, seed: int = 0) -> AsyncIterator[Network]:
    """Put a network with faults between clients and a server: no port, no real connection.

    All delays and sizes come from the seed: the same seed, the same clients in the same order with
    the same faults, and the same application give the same run, by Trio's clock. With pytest-trio's
    `autojump_clock` the delays take no time. One thing is Trio's own: which of several tasks that
    can run at the same moment runs first. Where that matters, it has to be replayed too: inside
    Hypothesis's `@given`, with pytest-trio installed, it is. Ids of sessions are random unless the
    option `generate_id` makes others.

    What a test raises in the block gets a note of what went over the network at last.

    Args:
        io: the server; opened for as long, if it is not open yet.
        seed: what chance is made of.
    """
    async with AsyncExitStack() as stack:
        if not io.engine.serving:
            await stack.enter_async_context(io)
        network = Network(io, seed)
        try:
            yield network
        except trio.TooSlowError:  # of a client, which tells it
            raise
        except Exception as error:
            error.add_note(f"network with seed={seed}\n{summary_of(network)}")
            raise


def summary_of(network: Network) -> str:
    """Return what a network has done, as far as a failure shows it: its faults, and the end."""
    lines = network.transcript.lines
    before = lines[:-TAIL]
    shown = [line for line in before if f" has {Faults.__name__}(" in line]
    if before:
        shown.append(f"… {len(before)} lines before")
    return "\n".join([*shown, *lines[-TAIL:]])
