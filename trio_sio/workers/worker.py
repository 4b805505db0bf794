"""`Worker`: what the application's `main` gets."""

import socket
from collections.abc import Callable, Sequence

import trio

from trio_sio.server import Server
from trio_sio.workers.balance import BalancedListener, Share


class Worker:
    """One of the processes that `trio_sio.workers.run` has started, seen from inside.

    Args:
        number: which of them.
        node_id: its node id.
        shared: the sockets that all workers share.
        private: the socket that it has alone, `None` for none.
        share: its connections on the shared sockets.
        on_started: called by `started`.

    Attributes:
        number: which worker this is, from 1 on. The one that takes the place of a worker that died
            has its number.
        node_id: its node id, for the option `node_id`: `"w1"` for the first.
        shared: listeners on the port that all workers share.
        private: a listener on its own port or Unix socket, if `run` was asked for one.
    """

    def __init__(
        self,
        number: int,
        node_id: str,
        shared: Sequence[socket.socket],
        private: socket.socket | None,
        share: Share,
        on_started: Callable[[], object],
    ) -> None:
        self.number = number
        self.node_id = node_id
        self.shared = [BalancedListener(one, share) for one in shared]
        self.private: list[trio.SocketListener] = []
        if private is not None:
            self.private = [trio.SocketListener(trio.socket.from_stdlib_socket(private))]
        self._on_started = on_started
        self._stop = trio.Event()

    def __repr__(self) -> str:
        return f"<Worker {self.node_id}>"

    @property
    def listeners(self) -> list[trio.abc.Listener[trio.SocketStream]]:
        """All of its listeners, shared or not, for `io.serve_listeners`."""
        return [*self.shared, *self.private]

    async def wait_stop(self) -> None:
        """Wait until the worker is asked to end; then it should end by itself, and soon.

        If nobody waits here when it is asked, `main` is cancelled. It is, too, when it is asked
        once more.
        """
        await self._stop.wait()

    def started(self) -> None:
        """Tell the parent that this worker serves; a rolling restart goes on to the next then."""
        self._on_started()

    def stop(self) -> bool:
        """Ask it to end; return whether anybody hears of it, for the first time.

        For whoever runs `main`.
        """
        hears = not self._stop.is_set() and self._stop.statistics().tasks_waiting > 0
        self._stop.set()
        return hears

    async def serve(self, io: Server, *, grace: float = 30.0, spread: float = 10.0) -> None:
        """Serve until the worker is asked to end, and drain then.

        The server gets the worker's node id, unless it has one or is serving already. When the
        worker is asked to end, it leaves new connections on the shared port to the other workers at
        once. Its own listener stays until the drain is over, since clients that a proxy keeps with
        this worker still need it.

        Args:
            io: the server.
            grace: as for `Server.drain`.
            spread: as for `Server.drain`.
        """
        if not io.engine.serving and not io.engine.options.node_id:
            io.engine.set_options(node_id=self.node_id)
        async with io, trio.open_nursery() as nursery:
            if self.private:
                await nursery.start(io.serve_listeners, self.private)
            async with trio.open_nursery() as shared:
                if self.shared:
                    await shared.start(io.serve_listeners, self.shared)
                self.started()
                await self.wait_stop()
                shared.cancel_scope.cancel()
            await io.drain(grace=grace, spread=spread)
            nursery.cancel_scope.cancel()
