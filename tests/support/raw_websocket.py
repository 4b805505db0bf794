"""A WebSocket client that can say anything, right or wrong, over a stream in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from trio.testing import memory_stream_pair

import trio_sio
from trio_sio.engine.session.session import Handler

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # of the example in RFC 6455, section 1.3
FIELDS = {
    "Host": "here",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
}


def frame(
    opcode: int, payload: bytes, *, fin: bool = True, mask: bool = True, rsv: int = 0
) -> bytes:
    """Return a client's frame, or one that no client may send."""
    head = bytes(((0x80 if fin else 0) | rsv | opcode,))
    bit = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes((bit | len(payload),))
    elif len(payload) < 65536:
        head += bytes((bit | 126,)) + len(payload).to_bytes(2, "big")
    else:
        head += bytes((bit | 127,)) + len(payload).to_bytes(8, "big")
    if not mask:
        return head + payload
    key = b"\x01\x02\x03\x04"
    return head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


class RawWebSocket:
    """One connection.

    Attributes:
        status: the status line of the answer to the upgrade request.
        headers: its header fields, by lower-case name.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self.stream = stream
        self.status = ""
        self.headers: dict[str, str] = {}
        self._buffer = b""

    async def upgrade(self, target: str, method: str = "GET", **fields: str | None) -> None:
        """Send the upgrade request and read the head of the answer."""
        merged: dict[str, str | None] = {
            **FIELDS,
            **{k.replace("_", "-"): v for k, v in fields.items()},
        }
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in merged.items() if value is not None]
        await self.stream.send_all("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += await self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.status, *rest = head.decode().split("\r\n")
        self.headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in rest)}

    async def send(self, data: str | bytes) -> None:
        """Send a message."""
        if isinstance(data, str):
            await self.stream.send_all(frame(TEXT, data.encode()))
        else:
            await self.stream.send_all(frame(BINARY, data))

    async def receive_frame(self) -> tuple[int, bytes]:
        """Return the next frame's first byte without FIN, and its payload."""
        head = await self._take(2)
        length = head[1]
        if length == 126:
            length = int.from_bytes(await self._take(2), "big")
        elif length == 127:
            length = int.from_bytes(await self._take(8), "big")
        return head[0] & 0x7F, await self._take(length)

    async def receive(self) -> str | bytes:
        """Return the next message."""
        opcode, payload = await self.receive_frame()
        assert opcode in (TEXT, BINARY), (opcode, payload)
        return payload.decode() if opcode == TEXT else payload

    async def rest(self) -> bytes:
        """Return everything until the connection ends."""
        data, self._buffer = self._buffer, b""
        while more := bytes(await self.stream.receive_some()):
            data += more
        return data

    async def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._buffer += await self._more()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    async def _more(self) -> bytes:
        data = bytes(await self.stream.receive_some())
        assert data, "the server has closed the connection"
        return data


async def echo(session: trio_sio.Session) -> None:
    """Send back what comes."""
    while True:
        await session.send(await session.receive())


@asynccontextmanager
async def websockets(
    handler: Handler = echo, *, count: int = 1, **options: object
) -> AsyncIterator[tuple[trio_sio.Engine, list[RawWebSocket]]]:
    """Serve some connections by an engine."""
    engine = trio_sio.Engine(**{"raise_errors": True, **options})  # type: ignore[arg-type]
    async with engine, trio.open_nursery() as nursery:
        clients = []
        for _ in range(count):
            ours, theirs = memory_stream_pair()
            nursery.start_soon(engine.serve_stream, theirs, handler)
            clients.append(RawWebSocket(ours))
        yield engine, clients
        for client in clients:
            await client.stream.aclose()
