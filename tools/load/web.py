"""Clients of HTTP that cost little: each sends a request, and counts the bytes of its answer."""

import selectors
import socket

READ_SIZE = 256 * 1024
PATIENCE = 60.0
"""Seconds after which a server that owes something is given up."""


class WebClients:
    """Connections that are kept.

    Args:
        port: the server's port on 127.0.0.1.
        count: how many.
    """

    def __init__(self, port: int, count: int) -> None:
        self._sockets: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", port), PATIENCE)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(client, selectors.EVENT_READ)
            self._sockets.append(client)

    def close(self) -> None:
        """Go away."""
        self._selector.close()
        for client in self._sockets:
            client.close()

    def answer_size(self, request: bytes) -> int:
        """Send a request; return how many bytes its answer has."""
        client = self._sockets[0]
        client.sendall(request)
        answer = b""
        while not _is_whole(answer):
            data = client.recv(READ_SIZE)
            if not data:
                raise RuntimeError(f"the server closed the connection after {answer[:200]!r}")
            answer += data
        if b" 200 " not in answer.partition(b"\r\n")[0]:
            raise RuntimeError(f"the server answered {answer[:200]!r}")
        return len(answer)

    def loop(self, rounds: int, request: bytes, expected: int) -> None:
        """Let every client send a request and wait for its answer, again and again."""
        left = dict.fromkeys(self._sockets, rounds)
        owed = dict.fromkeys(self._sockets, expected)
        for client in self._sockets:
            client.sendall(request)
        waiting = len(left)
        while waiting:
            events = self._selector.select(PATIENCE)
            if not events:
                raise TimeoutError(f"the server owes {sum(owed.values())} bytes")
            for key, _ in events:
                client = key.fileobj  # type: ignore[assignment]
                size = len(client.recv(READ_SIZE))
                owed[client] -= size
                if size == 0 or owed[client] < 0:
                    raise RuntimeError("the server closed, or sent more than was expected")
                if owed[client]:
                    continue
                left[client] -= 1
                waiting -= not left[client]
                if left[client]:
                    owed[client] = expected
                    client.sendall(request)


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return body.endswith(b"0\r\n\r\n")  # chunks
