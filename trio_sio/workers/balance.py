"""A listener on the port that all workers share, which keeps the workers evenly loaded.

All workers wait on one socket. If whoever wakes up first took the connection, one of four workers
would easily have twice its share and another one a quarter. SO_REUSEPORT, with a socket and a
queue for each worker, spreads connections evenly. But it loses what is in the queue of a worker
that ends, keeps a connection waiting for its worker while others are idle, and a worker that was
restarted stays behind the others. So here each worker tells the others, in shared memory, how many
connections it has, and one that is ahead waits for a moment before it accepts. The worker with the
fewest takes the connection meanwhile, and one that was restarted takes most of them until it has
caught up.
"""

import errno
import mmap
import socket

import trio

PATIENCE = 0.001
"""Seconds for which a worker that is ahead leaves a connection to others."""

COUNTING_INTERVAL = 0.05
"""Seconds for which the number of a worker's open connections is taken to be right."""

_NOBODY = -1

_TAKEN_OR_GONE = {
    *(errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED, errno.EPROTO, errno.EPERM),
    *(errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH),
}
"""What accept(2) says when another worker was faster, or the client is not there any more."""


class Loads:
    """How many connections each worker has, in memory that all of them share.

    Args:
        workers: how many there are; they are numbered from 1.
    """

    def __init__(self, workers: int) -> None:
        self._memory = mmap.mmap(-1, 8 * workers)
        self._counts = memoryview(self._memory).cast("q")
        for number in range(1, workers + 1):
            self.leave(number)

    def set(self, number: int, connections: int) -> None:
        """Say how many connections a worker has, which accepts more."""
        self._counts[number - 1] = connections

    def leave(self, number: int) -> None:
        """Say that a worker accepts no connections."""
        self._counts[number - 1] = _NOBODY

    def is_ahead(self, number: int) -> bool:
        """Whether a worker has clearly more connections than another one that accepts some.

        One sixteenth more is none too many, nor are four.
        """
        others = [
            count
            for other, count in enumerate(self._counts, start=1)
            if other != number and count != _NOBODY
        ]
        if not others:
            return False
        least = min(others)
        return self._counts[number - 1] > least + max(4, least // 16)


class Share:
    """The connections of one worker, on all sockets that it shares.

    Args:
        loads: of all workers.
        number: of this one.
    """

    def __init__(self, loads: Loads, number: int) -> None:
        self._loads = loads
        self._number = number
        self._connections: list[trio.socket.SocketType] = []
        self._count_at = 0.0
        loads.set(number, 0)

    @property
    def is_ahead(self) -> bool:
        """Whether this worker should leave a connection to others."""
        now = trio.current_time()
        if now >= self._count_at:  # nobody tells of a connection's end, so we look
            self._count_at = now + COUNTING_INTERVAL
            self._connections = [one for one in self._connections if one.fileno() >= 0]
            self._loads.set(self._number, len(self._connections))
        return self._loads.is_ahead(self._number)

    def add(self, connection: trio.socket.SocketType) -> None:
        """Count a connection until it is closed."""
        self._connections.append(connection)
        self._loads.set(self._number, len(self._connections))

    def end(self) -> None:
        """Tell the others that this worker accepts no more."""
        self._loads.leave(self._number)


class BalancedListener(trio.abc.Listener[trio.SocketStream]):
    """One worker's listener on a socket that all workers share.

    Args:
        shared: the socket, which listens.
        share: of this worker.

    Attributes:
        transport_listener: Trio's own listener on that socket, which knows its address.
    """

    def __init__(self, shared: socket.socket, share: Share) -> None:
        self.transport_listener = trio.SocketListener(trio.socket.from_stdlib_socket(shared))
        self._shared = shared
        self._share = share

    @property
    def socket(self) -> trio.socket.SocketType:
        """The shared socket."""
        return self.transport_listener.socket

    async def accept(self) -> trio.SocketStream:
        """Accept a connection; leave it to others for a moment if they have fewer.

        Raises:
            OSError: as `trio.SocketListener.accept`.
            trio.ClosedResourceError: the listener is closed.
        """
        while True:
            if self._shared.fileno() < 0:
                raise trio.ClosedResourceError
            await trio.lowlevel.wait_readable(self._shared)
            if self._share.is_ahead:
                await trio.sleep(PATIENCE)
            accepted = self._accept_nowait()
            if accepted is not None:
                self._share.add(accepted)
                return trio.SocketStream(accepted)

    def _accept_nowait(self) -> trio.socket.SocketType | None:
        """Return a connection, `None` if another worker took it."""
        if self._shared.fileno() < 0:
            raise trio.ClosedResourceError
        try:
            accepted, _ = self._shared.accept()
        except OSError as error:
            if error.errno in _TAKEN_OR_GONE:
                return None
            raise
        return trio.socket.from_stdlib_socket(accepted)

    async def aclose(self) -> None:
        """Close the listener; the socket stays open in the other processes."""
        self._share.end()
        await self.transport_listener.aclose()
