"""One hostile connection: what all kinds of attack are made of."""

import os
import socket
import struct

import trio

from tools.load.clients import PATIENCE, masked

SEND_BUFFER = 32 * 1024
"""Thousands of floods would fill gigabytes of the kernel's memory otherwise."""

ADDRESSES = 50
"""Source addresses, 127.0.0.2 and on: one has 28,000 ports, and those that were closed rest."""

_UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Attacker:
    """A connection that means harm.

    Args:
        port: the server's, on 127.0.0.1.
        version: of Engine.IO.
        number: which attacker it is; chooses the source address.
        attack: set when all are here and the attack begins.
        delay: seconds from then on until this one begins.

    Attributes:
        arrived: set when it has come as far as `begin`, or never will.
        begun: set when it has begun, or never will.
    """

    def __init__(
        self, port: int, version: int, number: int, attack: trio.Event, delay: float
    ) -> None:
        self.version = version
        self._port = port
        self._source = f"127.0.0.{2 + number % ADDRESSES}"
        self._attack = attack
        self._delay = delay
        self.arrived = trio.Event()
        self.begun = trio.Event()
        self._sockets: list[trio.socket.SocketType] = []
        self._socket: trio.socket.SocketType | None = None

    # -- the connection ------------------------------------------------------------------------

    async def connect(self, receive_buffer: int = 0) -> None:
        """Open a connection; a further one leaves those before it open."""
        one = trio.socket.socket()
        self._sockets.append(one)
        self._socket = one
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if receive_buffer:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        one.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        await one.bind((self._source, 0))
        await one.connect(("127.0.0.1", self._port))

    async def begin(self) -> None:
        """Wait until the attack begins."""
        self.arrived.set()
        await self._attack.wait()
        await trio.sleep(self._delay)
        self.begun.set()

    def close(self, *, reset: bool = False) -> None:
        """Go away.

        Args:
            reset: rudely, by RST.
        """
        self.arrived.set()
        self.begun.set()
        for one in self._sockets:
            if reset:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
        self._sockets.clear()

    # -- bytes ---------------------------------------------------------------------------------

    async def send(self, data: bytes) -> None:
        """Send everything; raises `OSError` when the server has had enough."""
        assert self._socket is not None
        view = memoryview(data)
        while view:
            view = view[await self._socket.send(view) :]

    async def trickle(self, data: bytes, pause: float) -> None:
        """Send byte after byte."""
        for index in range(len(data)):
            await self.send(data[index : index + 1])
            await trio.sleep(pause)

    async def flood(self, data: bytes) -> None:
        """Send it again and again, and take what comes back, until the server has had enough."""
        assert self._socket is not None
        while True:
            await self.send(data)
            self.drop()

    def drop(self) -> None:
        """Throw away what the server has said; raises `OSError` if it has gone."""
        assert self._socket is not None
        try:
            if not os.read(self._socket.fileno(), 65536):
                raise ConnectionResetError
        except BlockingIOError:
            pass

    async def wait_closed(self) -> None:
        """Return when the server has closed the connection; what it says is thrown away."""
        assert self._socket is not None
        while await self._socket.recv(65536):
            pass

    async def read_until(self, end: bytes) -> bytes:
        """Read until something has come; returns all that has."""
        assert self._socket is not None
        data = b""
        with trio.fail_after(PATIENCE):
            while end not in data:
                more = await self._socket.recv(65536)
                if not more:
                    raise ConnectionResetError
                data += more
        return data

    # -- Engine.IO -----------------------------------------------------------------------------

    def request(self, method: str, more: str = "", fields: str = "") -> bytes:
        """Return the head of a request; polling, unless `more` says otherwise."""
        transport = "" if "transport=" in more else "&transport=polling"
        target = f"/socket.io/?EIO={self.version}{transport}{more}"
        return f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n".encode()

    async def websocket(self, receive_buffer: int = 0, sid: str = "") -> None:
        """Connect and join "/" by WebSocket, or try one for a session that polls."""
        await self.connect(receive_buffer)
        await self.open_websocket(sid)
        if sid:
            return
        if self.version == 4:
            await self.send(masked("40"))
        await self.read_until(b"\x0240" if self.version == 3 else b"40{")

    async def open_websocket(self, sid: str = "") -> None:
        """Ask for a WebSocket, and wait until it is there; of a new session, for its opening.

        In Engine.IO 3 what comes next tells that it is there: the client is in "/" then.
        """
        more = "&transport=websocket" + (f"&sid={sid}" if sid else "")
        await self.send(self.request("GET", more, _UPGRADE))
        if sid:
            await self.read_until(b"\r\n\r\n")
        elif self.version == 4:
            await self.read_until(b'"sid"')

    async def poll(self) -> str:
        """Connect and begin a session by polling; return its id."""
        await self.connect()
        await self.send(self.request("GET"))
        answer = await self.read_until(b'"sid":"')
        while b'"' not in answer.partition(b'"sid":"')[2]:
            answer += await self.read_until(b'"')
        sid = answer.partition(b'"sid":"')[2].partition(b'"')[0].decode()
        if self.version == 4:
            await self.post(sid, b"40")
        return sid

    async def post(self, sid: str, body: bytes) -> None:
        """Post a payload and wait for the answer."""
        await self.send(self.post_head(sid, len(body)) + body)
        await self.read_until(b"ok")

    def post_head(self, sid: str, length: int) -> bytes:
        """Return the head of a POST with so many bytes to follow."""
        fields = f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n"
        return self.request("POST", f"&sid={sid}", fields)
