"""What handlers were called with, and whether anything is left of attackers."""

import trio
from trio.testing import wait_all_tasks_blocked

import trio_sio


class Heard:
    """What the handlers of a server were called with, and how sockets have ended."""

    def __init__(self, io: trio_sio.Server) -> None:
        self.events: list[tuple[object, ...]] = []
        self.connections: list[str] = []
        self.ends: list[str] = []
        for name in ("/", "/slow", "/closed"):
            namespace = io.of(name)
            namespace.on("echo", self._echo)
            namespace.on("connection", lambda socket: self.connections.append(socket.id))
            namespace.on("disconnect", lambda socket, reason: self.ends.append(str(reason)))
        io.of("/slow").use(_wait)
        io.of("/closed").use(_refuse)

    def _echo(self, socket: trio_sio.Socket, *args: object) -> object:
        self.events.append(args)
        return args


async def _wait(socket: trio_sio.Socket) -> None:
    await trio.sleep(1)


async def _refuse(socket: trio_sio.Socket) -> None:
    raise trio_sio.ConnectionRefused("no")


async def only_the_neighbour_is_left(io: trio_sio.Server) -> None:
    await wait_all_tasks_blocked()
    now = io.statistics()
    assert now.sessions_by_protocol == {3: 1, 4: 0}
    assert (now.queued, now.queued_bytes) == (0, 0)
