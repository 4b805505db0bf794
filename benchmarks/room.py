"""A room of WebSocket clients of which one stops to read, for servers in another process.

What the others get is dropped by the kernel as it is "read" (`MSG_TRUNC`), so that they cost next
to nothing; it is counted in bytes, and one of them reads everything and looks at the numbers in it.
"""

import selectors
import socket
import time
from collections.abc import Callable

from tools.load.clients import PATIENCE, Client, connect, frame_size, masked

TRUNCATED = bytearray(4 * 2**20)
"""Where nothing is ever written to; its size is what one call may drop."""
TICK = 0.05
"""Seconds between two looks at whatever the caller looks at."""


class Room:
    """Clients that have joined "/".

    Args:
        port: the server's port on 127.0.0.1.
        version: of Engine.IO, 3 or 4.
        size: how many clients, the slow one among them.
        payload: bytes of the text in each message.
    """

    def __init__(self, port: int, version: int, size: int, payload: int) -> None:
        self._payload = payload
        self._frame = frame_size(len(_event("news", self._text(0))))
        self.slow = _slow_client(port, version)
        self._honest = connect(port, version, size - 1)
        self._reader = self._honest[0]
        self._buffer = b""
        self._next = 0  # what the reader has to find next
        self._slow_bytes = 0
        self._bytes = dict.fromkeys(self._honest, 0)
        self._complete = 0  # messages that everybody has
        self._having: list[int] = []  # how many have the messages after that
        self._ordered = 0
        self._selector = selectors.DefaultSelector()
        for client in (self.slow, *self._honest):
            client.setblocking(False)
            self._selector.register(client, selectors.EVENT_READ)

    def close(self) -> None:
        """Go away."""
        self._selector.close()
        for client in (self.slow, *self._honest):
            client.close()

    def broadcast(self, count: int, window: int, tick: Callable[[int], None]) -> None:
        """Have the server send a number of messages to everybody, and wait until they are there.

        Args:
            count: how many.
            window: how many may be on their way: what the honest clients can take decides how fast
                the server has to be.
            tick: called all the time, with how many have come to everybody.
        """
        end = self._ordered + count
        looked = 0.0
        while self._complete < end:
            while self._ordered < end and self._ordered < self._complete + window:
                self._order()
            events = self._selector.select(PATIENCE)
            if not events:
                raise TimeoutError(f"message {self._complete} does not come to everybody")
            for key, _ in events:
                self._receive(key.fileobj)  # type: ignore[arg-type]
            if time.perf_counter() - looked > TICK:
                tick(self._complete)
                looked = time.perf_counter()

    def stop_reading(self) -> None:
        """Let the slow client take what it is owed, and nothing from then on."""
        self._selector.unregister(self.slow)
        self.slow.settimeout(PATIENCE)
        while self._slow_bytes < self._complete * self._frame:
            self._read_slowly()

    def _read_slowly(self) -> None:
        size = self.slow.recv_into(TRUNCATED, len(TRUNCATED), socket.MSG_TRUNC)
        if size == 0:
            raise RuntimeError("the server closed the slow client while it was reading")
        self._slow_bytes += size

    def _text(self, number: int) -> str:
        return f"{number:08}".ljust(self._payload, "x")

    def _order(self) -> None:
        message = masked(_event("burst", 1, self._text(self._ordered)))
        self._honest[-1].setblocking(True)
        self._honest[-1].sendall(message)
        self._honest[-1].setblocking(False)
        self._ordered += 1

    def _receive(self, client: socket.socket) -> None:
        if client is self.slow:
            self._read_slowly()
            return
        before = self._bytes[client] // self._frame
        if client is self._reader:
            size = self._read()
        else:
            size = client.recv_into(TRUNCATED, len(TRUNCATED), socket.MSG_TRUNC)
        if size == 0:
            raise RuntimeError("the server closed the connection of a client that reads")
        self._bytes[client] += size
        for number in range(before, self._bytes[client] // self._frame):
            self._count(number)

    def _count(self, number: int) -> None:
        """Somebody has this message."""
        place = number - self._complete
        if place >= len(self._having):
            self._having.append(0)
        self._having[place] += 1
        while self._having and self._having[0] == len(self._honest):
            del self._having[0]
            self._complete += 1

    def _read(self) -> int:
        """Read as one does, and look whether the messages come in order."""
        data = self._reader.recv(len(TRUNCATED))
        self._buffer += data
        while len(self._buffer) >= self._frame:
            frame, self._buffer = self._buffer[: self._frame], self._buffer[self._frame :]
            if not frame.endswith(_event("news", self._text(self._next)).encode()):
                raise RuntimeError(f"message {self._next} is lost, or comes too late")
            self._next += 1
        return len(data)


def _event(name: str, *args: int | str) -> str:
    parts = ",".join(str(arg) if isinstance(arg, int) else f'"{arg}"' for arg in args)
    return f'42["{name}",{parts}]'


def _slow_client(port: int, version: int) -> socket.socket:
    client = Client(port, version, receive_buffer=4096)
    client.join()
    return client.socket
