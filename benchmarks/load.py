"""A load of WebSocket clients that costs little itself.

Frames are built before the clock starts, what comes back is counted in bytes and never parsed:
the server has to send exactly the frames that are expected, so a lost or a surplus one shows.
"""

import base64
import os
import selectors
import socket
import time

READ_SIZE = 256 * 1024
PATIENCE = 60.0
"""Seconds after which a server that owes something is given up."""

_REQUEST = (
    "GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n"
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


def frame_size(text: str) -> int:
    """Return the size of the server's frame of that text."""
    length = len(text.encode())
    return length + (2 if length < 126 else 4 if length < 65536 else 10)


class Crowd:
    """Clients that have joined "/" and wait.

    Args:
        port: the server's port on 127.0.0.1.
        size: how many clients.
    """

    def __init__(self, port: int, size: int) -> None:
        self.clients = [_connect(port) for _ in range(size)]
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

    def broadcast(self, rounds: int, burst: int, text: str) -> float:
        """Have the server send bursts to all, one after the other; return the seconds taken."""
        order = masked(f'42["burst",{burst},"{text}"]')
        expected = burst * frame_size(f'42["news","{text}"]')
        begun = time.perf_counter()
        for _ in range(rounds):
            for client in self.clients:
                self._owed[client] = expected
            self.clients[0].sendall(order)
            self._collect(len(self.clients))
        return time.perf_counter() - begun

    def echo(self, rounds: int, text: str) -> float:
        """Let every client send and wait for its echo, again and again; return the seconds."""
        message = masked(f'42["echo","{text}"]')
        expected = frame_size(f'42["echo","{text}"]')
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

    def _collect(self, waiting: int) -> None:
        while waiting:
            for client in self._ready():
                waiting -= self._receive(client)

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


def _connect(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    client.sendall(_REQUEST.format(key=key).encode())
    received = b""
    while not received.endswith(b"\x81\x0240"):  # the CONNECT packet of "/" is the last
        data = client.recv(4096)
        if not data:
            raise RuntimeError(f"refused: {received!r}")
        received += data
    return client
