"""The server that is judged: where it is, and how connections to it are opened."""

import ssl
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import trio

from trio_sio.testing.clients.packets import messages
from trio_sio.testing.wire import PacketText, text_payload
from trio_sio.testing.wire_http import WireConnection, WireResponse

_PORTS = {"http": 80, "https": 443}
_DEFAULT_PATH = "/socket.io"


@dataclass(frozen=True, slots=True)
class Target:
    """A server, by its URL.

    Attributes:
        host: name or address.
        port: TCP port.
        path: the engine's path, without a slash at its end.
        tls: for https.
        patience: seconds to wait for one thing, before the check fails.
        protocol: the revision of Socket.IO that clients speak to it, 4 or 5.
    """

    host: str
    port: int
    path: str = _DEFAULT_PATH
    tls: ssl.SSLContext | None = None
    patience: float = 5.0
    protocol: int = 4

    @classmethod
    def parse(
        cls, url: str, *, patience: float = 5.0, verify: bool = True, protocol: int = 4
    ) -> Self:
        """Return the target that a URL names.

        Args:
            url: such as `http://localhost:3000` or `https://example.com/path/socket.io`.
            patience: seconds to wait for one thing.
            verify: whether to check the server's certificate.
            protocol: the revision of Socket.IO that clients speak to it, 4 or 5.

        Raises:
            ValueError: this is no such URL.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(f"{url!r} is no URL of a server, such as http://localhost:3000")
        if parts.query or parts.fragment:
            raise ValueError(f"{url!r} has a query or a fragment, which no server's URL has")
        tls = None
        if parts.scheme == "https":
            tls = ssl.create_default_context()
            if not verify:
                tls.check_hostname = False
                tls.verify_mode = ssl.CERT_NONE
        port = parts.port or _PORTS[parts.scheme]
        path = parts.path.rstrip("/") or _DEFAULT_PATH
        return cls(parts.hostname, port, path, tls, patience, protocol)

    @property
    def url(self) -> str:
        """The URL that this was made from, with what it left out."""
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.path}"

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields of each request: none but those that HTTP asks for."""
        return {}

    @property
    def eio(self) -> int:
        """The revision of Engine.IO, which goes with that of Socket.IO."""
        return self.protocol - 1

    @property
    def authority(self) -> str:
        """Host and port, as in the field `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def request_target(self, transport: str = "", query: str = "", sid: str = "") -> str:
        """Return such as `/socket.io/?EIO=3&transport=polling&sid=…`."""
        parts = [
            f"EIO={self.eio}",
            f"transport={transport}" if transport else "",
            query,
            f"sid={sid}" if sid else "",
        ]
        return f"{self.path}/?{'&'.join(part for part in parts if part)}"

    def payload(self, *packets: PacketText) -> bytes:
        """Return the text payload of packets."""
        return text_payload(packets, self.eio)

    def binary(self, data: bytes) -> bytes:
        """Return the binary MESSAGE packet of an attachment, as on a WebSocket."""
        (packet,) = messages([data], self.eio)
        assert isinstance(packet, bytes)
        return packet

    async def connect(self) -> WireConnection:
        """Open a connection.

        Raises:
            OSError: nobody listens there, or TLS failed.
            trio.TooSlowError: it took longer than `patience`.
        """
        with trio.fail_after(self.patience):
            stream: trio.abc.Stream = await trio.open_tcp_stream(self.host, self.port)
            if self.tls is not None:
                stream = await self._secured(stream, self.tls)
        return WireConnection(stream, self.authority, patience=self.patience)

    async def _secured(self, stream: trio.abc.Stream, context: ssl.SSLContext) -> trio.abc.Stream:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(trio.aclose_forcefully, stream)
            secure = trio.SSLStream(
                stream, context, server_hostname=self.host, https_compatible=True
            )
            try:
                await secure.do_handshake()
            except trio.BrokenResourceError as error:
                raise OSError(f"TLS with {self.host} failed: {error.__cause__}") from error
            stack.pop_all()
            return secure

    async def request(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> WireResponse:
        """Send a request on a connection of its own, and return the response.

        Raises:
            OSError: the server cannot be reached.
            trio.BrokenResourceError: it closed the connection instead.
            trio.TooSlowError: it did not answer in time.
        """
        connection = await self.connect()
        try:
            return await connection.request(method, target, headers, body)
        finally:
            await connection.aclose()
