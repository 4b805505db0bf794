"""Polling clients: a GET that is held and a POST, on a connection each, as browsers do it."""

import selectors
import socket
import time

PATIENCE = 60.0
READ_SIZE = 64 * 1024

_GET = "GET /socket.io/?EIO={version}&transport=polling{more} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
_POST = (
    "POST /socket.io/?EIO={version}&transport=polling{more} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n\r\n{body}"
)


class Connection:
    """One keep-alive connection; it counts whole responses."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def response(self) -> bytes | None:
        """Read once; return the body of a response if one is whole now."""
        data = self.socket.recv(READ_SIZE)
        if not data:
            raise RuntimeError(f"the server closed the connection after {self._buffer!r}")
        self._buffer += data
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(f"refused: {self._buffer!r}")
        if b"chunked" in head.lower():  # what it brings is looked for, not taken apart
            if not rest.endswith(b"0\r\n\r\n"):
                return None
            self._buffer = b""
            return rest
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        return rest[:length]

    def request(self, data: bytes) -> bytes:
        """Send a request and wait for its answer."""
        self.socket.sendall(data)
        while (body := self.response()) is None:
            pass
        return body


class Poller:
    """One client that has joined "/"."""

    def __init__(self, port: int, version: int) -> None:
        self.version = version
        self.gets = Connection(port)
        self.posts = Connection(port)
        body = self.gets.request(_GET.format(version=version, more="").encode())
        self.sid = body.partition(b'"sid":"')[2].partition(b'"')[0].decode()
        self.poll = _GET.format(version=version, more=f"&sid={self.sid}").encode()
        if version == 4:
            self.posts.request(self.post("40"))
            body = self.gets.request(self.poll)
        while b"40" not in body[-60:]:
            body = self.gets.request(self.poll)

    def post(self, packet: str) -> bytes:
        """Return the request that sends a packet."""
        body = packet if self.version == 4 else f"{len(packet)}:{packet}"
        more = f"&sid={self.sid}"
        return _POST.format(version=self.version, more=more, length=len(body), body=body).encode()

    def close(self) -> None:
        """Go away."""
        self.gets.socket.close()
        self.posts.socket.close()


class Pollers:
    """Polling clients that have joined "/"."""

    def __init__(self, port: int, version: int, size: int) -> None:
        self.clients = [Poller(port, version) for _ in range(size)]

    def close(self) -> None:
        """Go away."""
        for client in self.clients:
            client.close()

    def echo(self, rounds: int, text: str) -> float:
        """Let every client post an event and poll for its echo, again and again."""
        packet = f'42["echo","{text}"]'
        selector = selectors.DefaultSelector()
        owed = dict.fromkeys(self.clients, 0)
        left = dict.fromkeys(self.clients, rounds)
        for client in self.clients:
            for connection in (client.gets, client.posts):
                selector.register(connection.socket, selectors.EVENT_READ, (client, connection))
        begun = time.perf_counter()
        for client in self.clients:
            self._send(client, packet, owed)
        waiting = len(self.clients)
        while waiting:
            for key, _ in selector.select(PATIENCE):
                client, connection = key.data
                body = connection.response()
                if body is None:
                    continue
                if connection is client.gets and packet.encode() not in body:
                    raise RuntimeError(f"no echo but {body!r}")
                owed[client] -= 1
                if owed[client] == 0:
                    left[client] -= 1
                    if left[client]:
                        self._send(client, packet, owed)
                    else:
                        waiting -= 1
        selector.close()
        return time.perf_counter() - begun

    def _send(self, client: Poller, packet: str, owed: dict[Poller, int]) -> None:
        owed[client] = 2
        client.gets.socket.sendall(client.poll)
        client.posts.socket.sendall(client.post(packet))
