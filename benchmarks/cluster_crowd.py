"""Clients of several nodes, who get exactly the bytes that they are owed: each event once."""

import selectors
import socket
from collections.abc import Mapping, Sequence

from tools.load.clients import PATIENCE, READ_SIZE, connect, masked
from tools.load.process import Server


class ClusterCrowd:
    """Clients that have joined "/" of their nodes and wait.

    Args:
        nodes: where they connect.
        size: how many clients each node has.

    Attributes:
        groups: the clients of each node.
    """

    def __init__(self, nodes: Sequence[Server], size: int) -> None:
        self.groups = [connect(node.port, node.peer.version, size) for node in nodes]
        self._selector = selectors.DefaultSelector()
        for client in self.clients:
            client.setblocking(False)
            self._selector.register(client, selectors.EVENT_READ)

    @property
    def clients(self) -> list[socket.socket]:
        """All of them."""
        return [client for group in self.groups for client in group]

    def close(self) -> None:
        """Go away."""
        self._selector.close()
        for client in self.clients:
            client.close()

    def order(self, sender: socket.socket, text: str, owed: Mapping[socket.socket, int]) -> None:
        """Have a client send something, and wait until others have got what that brings them.

        Args:
            sender: the client.
            text: what it sends.
            owed: how many bytes each client gets.

        Raises:
            RuntimeError: a client got more than that.
            TimeoutError: a client does not get as much.
        """
        left = {client: size for client, size in owed.items() if size}
        sender.sendall(masked(text))
        while left:
            events = self._selector.select(PATIENCE)
            if not events:
                raise TimeoutError(f"the nodes owe {sum(left.values())} bytes")
            for key, _ in events:
                client = key.fileobj
                assert isinstance(client, socket.socket)
                size = len(client.recv(READ_SIZE))
                rest = left.pop(client, 0) - size
                if size == 0 or rest < 0:
                    raise RuntimeError("a node closed a connection or sent more than expected")
                if rest:
                    left[client] = rest
