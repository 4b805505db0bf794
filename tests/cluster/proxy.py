"""A TCP proxy that can be cut without a word, and healed: the network between a node and Redis."""

import socket
import threading
from contextlib import suppress
from typing import Self


class Proxy:
    """Passes connections on to a port.

    Args:
        port: the port.
        piece: how many bytes it passes on at once, at most.

    Attributes:
        port: where it listens.
    """

    def __init__(self, port: int, piece: int = 65536) -> None:
        self._there = port
        self._piece = piece
        self._subscribers: set[socket.socket] = set()
        self._deaf: set[socket.socket] = set()
        self._flows = threading.Event()
        self._flows.set()
        self._refuses = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flows.set()
        _close(self._listener)
        self._close_all()

    def _close_all(self) -> None:
        while self._sockets:
            _close(self._sockets.pop())

    def cut(self) -> None:
        """Let nothing through in either direction; connections stay open."""
        self._flows.clear()

    def deafen(self) -> None:
        """Let nothing through any more of what Redis sends to those who have subscribed by now."""
        self._deaf |= self._subscribers

    def break_off(self) -> None:
        """Close all connections, and new ones at once."""
        self._refuses = True
        self._close_all()

    def heal(self) -> None:
        """Let everything through; what has been held back, too, as TCP does."""
        self._refuses = False
        self._flows.set()

    def _accept(self) -> None:
        with suppress(OSError):  # it is closed
            while True:
                near, _ = self._listener.accept()
                try:
                    far = self._connect()
                except OSError:
                    near.close()
                    continue
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _connect(self) -> socket.socket:
        if self._refuses:
            raise ConnectionRefusedError
        return socket.create_connection(("127.0.0.1", self._there))

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(self._piece):
                if b"SUBSCRIBE" in data.upper():
                    self._subscribers.add(sink)
                self._flows.wait()
                if source not in self._deaf:
                    sink.sendall(data)
            self._flows.wait()
            sink.shutdown(socket.SHUT_WR)


def _close(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)  # whoever waits for it goes on
    one.close()
