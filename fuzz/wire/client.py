"""The connections on which a program is run."""

import re
from collections.abc import Callable
from contextlib import suppress

import trio
from trio.testing import wait_all_tasks_blocked

from fuzz.wire.steps import CONNECTIONS, Step, Verb
from trio_sio.testing.wire_websocket import frame_bytes

PATH = b"/socket.io/?EIO=%d&transport="

Connect = Callable[[], trio.abc.HalfCloseableStream]
"""Opens a connection to the server."""

_SID = re.compile(rb'sid\\?":\\?"([\w.-]+)')  # escaped in a script of JSONP
_PIECE = 3
_UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


class Connection:
    """One connection, which is read all the time.

    Attributes:
        stream: this end of it.
        received: everything that the server has sent.
        is_closed: whether this end has closed it.
        has_ended: whether the server has closed it, or broken it off.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream) -> None:
        self.stream = stream
        self.received = b""
        self.is_closed = False
        self.has_ended = False

    async def read(self) -> None:
        """Read until the end."""
        try:
            async for data in self.stream:
                self.received += data
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        self.has_ended = True

    async def write(self, data: bytes) -> None:
        """Write bytes, if there is anybody who takes them."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self.stream.send_all(data)

    async def end(self) -> None:
        """Say that no more comes."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self.stream.send_eof()

    async def aclose(self) -> None:
        """Close it."""
        self.is_closed = True
        await self.stream.aclose()


class Clients:
    """Runs the steps of a program.

    Args:
        connect: opens a connection.
        nursery: for the tasks that read.
        eio: the revision of Engine.IO that their requests say.
    """

    def __init__(self, connect: Connect, nursery: trio.Nursery, eio: int = 3) -> None:
        self._connect = connect
        self._path = PATH % eio
        self._nursery = nursery
        self._present: list[Connection | None] = [None] * CONNECTIONS
        self.connections: list[Connection] = []

    async def run(self, step: Step) -> None:
        """Run a step, and wait until the server has done what there is to do."""
        connection = self._connection(step.connection)
        data = step.data.replace(b"@sid@", self._sid())
        match step.verb:
            case Verb.TIME:
                await trio.sleep(data[0] if data else 1)
            case Verb.CLOSE:
                await connection.aclose()
            case Verb.END:
                await connection.end()
            case Verb.WRITE_IN_PIECES:
                for start in range(0, len(data), _PIECE):
                    await connection.write(data[start : start + _PIECE])
                    await wait_all_tasks_blocked()
            case _:
                await connection.write(self._written(step.verb, data))
        await wait_all_tasks_blocked()

    def _connection(self, number: int) -> Connection:
        """Return a connection; a new one, if the last of the number has ended."""
        present = self._present[number]
        if present is None or present.is_closed or present.has_ended:
            present = self._present[number] = Connection(self._connect())
            self.connections.append(present)
            self._nursery.start_soon(present.read)
        return present

    def _sid(self) -> bytes:
        for connection in reversed(self.connections):
            if found := _SID.findall(connection.received):
                return bytes(found[-1])
        return b"none"

    def _written(self, verb: Verb, data: bytes) -> bytes:
        """Return the bytes of a step; behind a request of ours comes what the input has."""
        sid = b"&sid=" + self._sid()
        match verb:
            case Verb.HANDSHAKE:
                return self._request(b"GET", b"polling", data)
            case Verb.POLL:
                return self._request(b"GET", b"polling" + sid, data)
            case Verb.POST:
                length = b"Content-Length: %d\r\n" % len(data)
                return self._request(b"POST", b"polling" + sid, b"", length) + data
            case Verb.UPGRADE:
                own = b"" if data.startswith(b"!") else sid
                return self._request(b"GET", b"websocket" + own, b"", _UPGRADE)
            case Verb.FRAME:
                first = data[0] if data else 0x81
                fin, opcode = bool(first & 0x80), first & 0x0F
                return frame_bytes(opcode, data[1:], fin=fin, rsv=first >> 4 & 7)
        return data

    def _request(self, method: bytes, query: bytes, more: bytes, fields: bytes = b"") -> bytes:
        target = self._path + query + more
        return b"%b %b HTTP/1.1\r\nHost: here\r\n%b\r\n" % (method, target, fields)
