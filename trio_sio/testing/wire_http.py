"""HTTP by hand: bytes out, responses in, also what no client library would send.

Nothing is checked on the way out, so that a test may send whatever it wants to see refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import trio

from trio_sio.http import Headers
from trio_sio.protocol.http.chunked import ChunkedBody
from trio_sio.protocol.http.field_list import has_element
from trio_sio.testing.limit import WIRE_WAIT, within

_WITHOUT_BODY = (204, 304)
_INFORMATIONAL = range(100, 200)

_MOST_TRAILERS = 10_000
_MOST_BODY = 1_000_000_000
"""Bytes; a server is not the enemy of a test's client."""

SHOWN = 200
"""Bytes that a client shows when what it waits for does not come."""


@dataclass(frozen=True, slots=True)
class WireResponse:
    """An HTTP response.

    Attributes:
        status: such as 200.
        reason: the phrase behind it, such as "OK".
        headers: the header fields.
        body: the body as it came, compressed if it is.
    """

    status: int
    reason: str
    headers: Headers
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()


class WireConnection:
    """One connection to a server.

    Requests may be written one behind the other without waiting for answers, cut anywhere, or
    be no requests at all; responses are read one by one.

    Args:
        stream: the connection.
        host: what requests say in `Host`.
        patience: seconds to wait for bytes of the server.

    Attributes:
        stream: the connection.
    """

    def __init__(
        self, stream: trio.abc.Stream, host: str = "wire", *, patience: float = WIRE_WAIT
    ) -> None:
        self.stream = stream
        self._host = host
        self._patience = patience
        self._received = bytearray()

    async def send(self, data: bytes, cut: int | None = None) -> None:
        """Send bytes as they are.

        Args:
            data: the bytes.
            cut: send them in pieces of so many bytes, and let the server read each.
        """
        if cut is None:
            await self.stream.send_all(data)
            return
        for start in range(0, len(data), cut):
            await self.stream.send_all(data[start : start + cut])
            await trio.testing.wait_all_tasks_blocked()

    async def send_request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        cut: int | None = None,
    ) -> None:
        """Send a request; `Host` and, with a body, `Content-Length` are added if missing."""
        await self.send(self.request_bytes(method, target, headers, body), cut)

    def request_bytes(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> bytes:
        """Return the bytes of a request, for `send`."""
        fields = dict(headers or {})
        names = {name.lower() for name in fields}
        if "host" not in names:
            fields = {"Host": self._host, **fields}
        if body and not names & {"content-length", "transfer-encoding"}:
            fields["Content-Length"] = str(len(body))
        lines = [f"{method} {target} HTTP/1.1", *(f"{n}: {v}" for n, v in fields.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1") + body

    async def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> WireResponse:
        """Send a request and return the answer."""
        await self.send_request(method, target, headers, body)
        return await self.receive_response(to=method)

    async def receive_response(self, to: str = "GET") -> WireResponse:
        """Return the next response; one of status 100 or 101 is a response as well.

        Args:
            to: the method it answers; the answer to HEAD has no body whatever its length says.

        Raises:
            trio.BrokenResourceError: the server closed the connection instead.
        """
        head = await self._receive_head()
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, reason = [*first.split(" ", 2), ""][:3]
        assert version == "HTTP/1.1", first
        headers = Headers((n, v.strip()) for n, _, v in (line.partition(":") for line in lines))
        return WireResponse(
            int(status), reason, headers, await self._receive_body(int(status), headers, to)
        )

    async def _receive_head(self) -> bytes:
        while b"\r\n\r\n" not in self._received:
            await self._receive_more()
        head, _, rest = self._received.partition(b"\r\n\r\n")
        self._received = rest
        return bytes(head)

    async def _receive_body(self, status: int, headers: Headers, to: str) -> bytes:
        if to == "HEAD" or status in _INFORMATIONAL or status in _WITHOUT_BODY:
            return b""
        if "content-length" in headers:
            return await self.receive_exactly(int(headers["content-length"]))
        if has_element(headers.get_all("transfer-encoding"), "chunked"):
            return await self._receive_chunks()
        return await self.receive_rest()

    async def _receive_chunks(self) -> bytes:
        body = ChunkedBody(_MOST_TRAILERS, _MOST_TRAILERS)
        while not body.is_complete:
            if not self._received:
                await self._receive_more()
            data, self._received = bytes(self._received), bytearray()
            self._received += body.receive(data, _MOST_BODY)
        return body.take()

    async def receive_exactly(self, size: int) -> bytes:
        """Return this many bytes.

        Raises:
            trio.BrokenResourceError: the server closed the connection before.
        """
        while len(self._received) < size:
            await self._receive_more()
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    async def receive_rest(self) -> bytes:
        """Return all there is until the server closes the connection."""
        while data := await self._receive_some("the server to close"):
            self._received += data
        rest, self._received = bytes(self._received), bytearray()
        return rest

    async def _receive_more(self) -> None:
        data = await self._receive_some("bytes of the server")
        if not data:
            raise trio.BrokenResourceError(
                f"the server closed the connection; unread: {bytes(self._received)!r}"
            )
        self._received += data

    async def _receive_some(self, awaited: str) -> bytes | bytearray:
        def came() -> str:
            return f"unread: {bytes(self._received[:SHOWN])!r} of {len(self._received)} bytes"

        with within(self._patience, awaited, came):
            return await self.stream.receive_some()

    async def aclose(self) -> None:
        """Close the connection, whatever is under way."""
        await trio.aclose_forcefully(self.stream)
