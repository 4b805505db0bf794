"""One server after another on the same listeners, in one process.

The next server begins to accept connections before the last one stops. Then that one drains: it
closes each client once nothing of it is under way, and the client reconnects to the next server.
Their tables are shared (`Premises`), and so are broadcasts meanwhile (`corridor`).
"""

from collections.abc import Sequence

import trio

import trio_sio
from trio_sio.demo.application import Demo
from trio_sio.demo.corridor import Door
from trio_sio.demo.hood.movers import NAMES, Mover, account
from trio_sio.demo.hood.premises import Premises
from trio_sio.options import WSEngine
from trio_sio.server import AdapterFactory

GRACE = 2.0
SPREAD = 1.0
"""Seconds, of the drain."""

BEFORE = 0.5
AFTER = 2.0
"""Seconds for which the movers chat before the drain and after it; pages are back by then."""

LONGEST = 30.0
"""Seconds that all of it may take."""


class Succession:
    """Serves the demo.

    Args:
        premises: what its servers share.
        ws_engine: the library that speaks WebSocket.
        adapter: connects it to other processes; then no server takes over from another.

    Attributes:
        doors: those of the servers that are there.

    Raises:
        ImportError: `ws_engine` is not installed.
    """

    def __init__(
        self,
        premises: Premises,
        ws_engine: WSEngine = "auto",
        adapter: AdapterFactory | None = None,
    ) -> None:
        self._premises = premises
        self._ws_engine = ws_engine
        self._adapter = adapter
        self.doors: list[Door] = []
        self._count = 0
        self._reigns: list[_Reign] = [self._next()]  # the last one accepts, others drain
        self._closing = trio.Event()
        self._listeners: Sequence[trio.SocketListener] = ()
        self._servers: trio.Nursery | None = None
        self._moves: trio.Nursery | None = None

    @property
    def demo(self) -> Demo:
        """The one that accepts clients."""
        return self._reigns[-1].demo

    def _next(self) -> "_Reign":
        self._count += 1
        name = f"server {self._count}" if self._count > 1 else ""
        engine, premises = self._ws_engine, self._premises
        if self._adapter is not None:
            return _Reign(Demo(ws_engine=engine, adapter=self._adapter, premises=premises))
        door = Door(self.doors)
        demo = Demo(
            ws_engine=engine,
            adapter=door,
            is_alone=True,
            premises=premises,
            name=name,
            move=self._move,
        )
        return _Reign(demo, door)

    async def serve(
        self,
        listeners: Sequence[trio.SocketListener],
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until `close` is called."""
        self._listeners = listeners
        try:
            async with trio.open_nursery() as servers:
                self._servers = servers
                await servers.start(self._reigns[-1].serve, listeners)
                async with trio.open_nursery() as moves:
                    self._moves = moves
                    task_status.started()
                    await self._closing.wait()
                    moves.cancel_scope.cancel()
                for reign in self._reigns:
                    reign.end(drain=False)
        finally:
            for listener in listeners:
                listener.socket.close()

    def close(self) -> None:
        """Have it end."""
        self._closing.set()

    # -- the button ----------------------------------------------------------------------------

    async def _move(self, _operator: trio_sio.Socket) -> str:
        """Have the next server take over; the operator is disconnected by that, and reads notes."""
        assert self._moves is not None
        self._premises.stage.claim("Drain")
        self._moves.start_soon(self._show)
        return f"Server {self._count + 1} takes over. The notes tell what happens."

    async def _show(self) -> None:
        """Have the next server take over while some clients chat, and note what came of it."""
        add_note = self._premises.notes.add
        movers = [Mover(name, _reachable(self._listeners[0])) for name in NAMES]
        enough = trio.Event()
        try:
            with trio.move_on_after(LONGEST) as scope:
                async with trio.open_nursery() as nursery:
                    for mover in movers:
                        nursery.start_soon(mover.chat, enough)
                    await trio.sleep(BEFORE)
                    told = await self.hand_over()
                    await trio.sleep(AFTER)
                    enough.set()
                clients = len(self.demo.io.sockets.connected)
                add_note(f"{told} Server {self._count} has {clients} now. {account(movers)}")
            if scope.cancelled_caught:
                add_note(f"The drain was given up after {LONGEST:g} s. {account(movers)}")
        finally:
            self._premises.stage.release()

    async def hand_over(self) -> str:
        """Have the next server take over, wait until the last one has ended, and tell of it."""
        assert self._servers is not None
        last, following = self._reigns[-1], self._next()
        begun, clients = trio.current_time(), len(last.demo.io.sockets.connected)
        self._reigns.append(following)  # before it serves, so that `close` ends it in any case
        await self._servers.start(following.serve, self._listeners)
        self._premises.notes.add(f"Server {self._count} accepts clients on the same port.")
        last.end(drain=True)
        await last.gone.wait()
        self._reigns.remove(last)
        took = trio.current_time() - begun
        return f"Server {self._count - 1} has closed its {clients} clients within {took:.1f} s."


class _Reign:
    """The time of one server.

    Args:
        demo: the server and its handlers.
        door: its door to the others.

    Attributes:
        demo: the same.
        gone: is set when it has ended.
    """

    def __init__(self, demo: Demo, door: Door | None = None) -> None:
        self.demo = demo
        self.gone = trio.Event()
        self._door = door
        self._over = trio.Event()
        self._drain = trio.CancelScope()

    async def serve(
        self,
        listeners: Sequence[trio.SocketListener],
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve on copies of the listeners, which stay open for the next one, and then drain."""
        try:
            async with self.demo.io:
                async with trio.open_nursery() as nursery:
                    copies = [trio.SocketListener(one.socket.dup()) for one in listeners]
                    await nursery.start(self.demo.io.serve_listeners, copies)
                    nursery.start_soon(self.demo.push_figures)
                    task_status.started()
                    await self._over.wait()
                    nursery.cancel_scope.cancel()
                with self._drain:
                    await self.demo.io.drain(grace=GRACE, spread=SPREAD)
        finally:
            if self._door is not None:
                self._door.close()
            self.gone.set()

    def end(self, *, drain: bool) -> None:
        """Have it end.

        Args:
            drain: whether clients are closed one after the other.
        """
        if not drain:
            self._drain.cancel()
        self._over.set()


def _reachable(listener: trio.SocketListener) -> tuple[str, int]:
    """Return an address at which this machine reaches a listener."""
    host, port, *_ = listener.socket.getsockname()
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port
