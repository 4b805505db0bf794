"""WebSocket clients that cost little themselves: a load for a server in another process.

Frames are built before the clock starts, and what comes back is counted in bytes and never
parsed: the server has to send exactly the frames that are expected, so a lost or a surplus one
shows. They speak Engine.IO 3 or 4, which look the same once a client has joined "/".
"""

import base64
import os
import selectors
import socket
import time
from collections import deque

READ_SIZE = 256 * 1024
PATIENCE = 60.0
"""Seconds after which a server that owes something is given up."""

MIXED = 0
"""A version of Engine.IO that is none: clients of 3 and of 4, taking turns."""

AT_ONCE = 64
"""Clients that are on their way in at the same time."""

_REQUEST = (
    "GET /socket.io/?EIO={version}&transport=websocket{more} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: {key}\r\n\r\n"
)


def masked(text: str) -> bytes:
    """Return a client's text frame; its mask is zero, so the payload can be read in a dump."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        head = bytes((0x81, 0x80 | length))
    elif length < 65536:
        head = bytes((0x81, 0xFE)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x81, 0xFF)) + length.to_bytes(8, "big")
    return head + bytes(4) + payload


def frame_size(length: int) -> int:
    """Return the size of a server's frame with a payload of that many bytes."""
    return length + (2 if length < 126 else 4 if length < 65536 else 10)


class Client:
    """One connection on its way in, and then one that is read blindly.

    Args:
        port: the server's port on 127.0.0.1.
        version: of Engine.IO, 3 or 4.
        sid: upgrade this session from polling, instead of beginning one.
        receive_buffer: bytes that the kernel keeps for it, 0 for as many as it likes.
    """

    def __init__(self, port: int, version: int, sid: str = "", receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(PATIENCE)
        if receive_buffer:  # works before connecting only
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._version = version
        self._buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        more = f"&sid={sid}" if sid else ""
        request = _REQUEST.format(version=version, key=key, more=more)
        self.socket.sendall(request.encode())

    def join(self) -> None:
        """Wait until the server has let the client into "/"."""
        self.read_head()
        self.read_message()  # OPEN
        if self._version == 4:
            self.socket.sendall(masked("40"))
        assert self.read_message().startswith("40")

    def upgrade(self) -> None:
        """Go through the probe."""
        self.read_head()
        self.socket.sendall(masked("2probe"))
        assert self.read_message() == "3probe"
        self.socket.sendall(masked("5"))

    def read_head(self) -> None:
        """Read the answer to the request."""
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(f"refused: {head!r}")

    def read_message(self) -> str:
        """Return a message of up to 125 bytes, or up to 65535."""
        while len(self._buffer) < 4:
            self._more()
        start, length = 2, self._buffer[1]
        if length == 126:
            start, length = 4, int.from_bytes(self._buffer[2:4], "big")
        while len(self._buffer) < start + length:
            self._more()
        payload = self._buffer[start : start + length]
        self._buffer = self._buffer[start + length :]
        return payload.decode()

    def _more(self) -> None:
        data = self.socket.recv(READ_SIZE)
        if not data:
            raise RuntimeError(f"the server closed the connection after {self._buffer!r}")
        self._buffer += data


def connect(port: int, version: int, count: int) -> list[socket.socket]:
    """Return connections of clients that have joined "/", some always on their way."""
    sockets: list[socket.socket] = []
    coming: deque[Client] = deque()
    versions = (3, 4) if version == MIXED else (version,)
    for number in range(count):
        coming.append(Client(port, versions[number % len(versions)]))
        if len(coming) == AT_ONCE:
            client = coming.popleft()
            client.join()
            sockets.append(client.socket)
    for client in coming:
        client.join()
        sockets.append(client.socket)
    return sockets


class Crowd:
    """Clients that have joined "/" and wait.

    Args:
        port: the server's port on 127.0.0.1.
        version: of Engine.IO, 3, 4 or `MIXED`.
        size: how many clients.
    """

    def __init__(self, port: int, version: int, size: int) -> None:
        self.clients = connect(port, version, size)
        self._selector = selectors.DefaultSelector()
        self._owed = dict.fromkeys(self.clients, 0)
        for client in self.clients:
            client.setblocking(False)
            self._selector.register(client, selectors.EVENT_READ)

    def close(self) -> None:
        """Go away."""
        self._selector.close()
        for client in self.clients:
            client.close()

    def order(self, text: str, expected: int, receivers: int) -> None:
        """Have the first client send something that brings the receivers the expected bytes."""
        for client in self.clients[:receivers]:
            self._owed[client] = expected
        self.clients[0].sendall(masked(text))
        waiting = receivers
        while waiting:
            for client in self._ready():
                waiting -= self._receive(client)

    def ask_each(self, text: str, expected: int, receivers: int) -> None:
        """Have each of the first clients send something, one after the other."""
        for client in self.clients[:receivers]:
            self._owed[client] = expected
            client.sendall(masked(text))
            while not any(self._receive(one) for one in self._ready()):
                pass

    def loop(self, rounds: int, message: bytes, expected: int) -> float:
        """Let every client send and wait for its answer, again and again; return the seconds."""
        left = dict.fromkeys(self.clients, rounds)
        begun = time.perf_counter()
        for client in self.clients:
            self._owed[client] = expected
            client.sendall(message)
        waiting = len(self.clients)
        while waiting:
            for client in self._ready():
                if self._receive(client):
                    left[client] -= 1
                    if left[client]:
                        self._owed[client] = expected
                        client.sendall(message)
                    else:
                        waiting -= 1
        return time.perf_counter() - begun

    def pace(self, rate: float, seconds: float, message: bytes, expected: int) -> list[float]:
        """Send at a fixed rate, whatever comes back, each client in turn; return the delays.

        A client that still waits when its turn comes is counted from that turn on, so that a
        server which stands still is charged for all that it kept waiting.
        """
        delays: list[float] = []
        due: dict[socket.socket, deque[float]] = {client: deque() for client in self.clients}
        begun = time.perf_counter()
        total = int(rate * seconds)
        sent = 0
        while len(delays) < total:
            now = time.perf_counter() - begun
            while sent < total and sent / rate <= now:
                client = self.clients[sent % len(self.clients)]
                due[client].append(sent / rate)
                client.sendall(message)
                sent += 1
            wait = PATIENCE if sent == total else max(0.0, sent / rate - now)
            for key, _ in self._selector.select(wait):
                client = key.fileobj  # type: ignore[assignment]
                self._owed[client] += len(client.recv(READ_SIZE))
                now = time.perf_counter() - begun
                while self._owed[client] >= expected:
                    self._owed[client] -= expected
                    delays.append(now - due[client].popleft())
        return delays

    def _ready(self) -> list[socket.socket]:
        events = self._selector.select(PATIENCE)
        if not events:
            raise TimeoutError(f"the server owes {sum(self._owed.values())} bytes")
        return [key.fileobj for key, _ in events if isinstance(key.fileobj, socket.socket)]

    def _receive(self, client: socket.socket) -> bool:
        """Read; return whether the client has now got exactly what it was owed."""
        size = len(client.recv(READ_SIZE))
        self._owed[client] -= size
        if size == 0 or self._owed[client] < 0:
            raise RuntimeError("the server closed a connection or sent more than was expected")
        return self._owed[client] == 0
