"""A server that notes what becomes of its sockets."""

from collections import defaultdict
from typing import NamedTuple

import trio

import trio_sio


class Event(NamedTuple):
    """What a handler saw: which event, with what, and how the socket stood then."""

    name: str
    argument: str
    rooms: int
    connected: bool


class Watched:
    """Notes the events of sockets in "/" and "/admin".

    Attributes:
        sockets: by namespace, the last that came.
        seen: by namespace, what happened.
        order: namespaces in the order in which their sockets began to leave.
    """

    def __init__(self, io: trio_sio.Server) -> None:
        self.io = io
        self.sockets: dict[str, trio_sio.Socket] = {}
        self.seen: defaultdict[str, list[Event]] = defaultdict(list)
        self.order: list[str] = []
        self._here: defaultdict[str, trio.Event] = defaultdict(trio.Event)
        self._gone: defaultdict[str, trio.Event] = defaultdict(trio.Event)
        for name in ("/", "/admin"):
            namespace = io.of(name)
            namespace.on("connection", self._came)
            namespace.on("error", lambda socket, error: self._note(socket, "error", error))
            namespace.on("disconnecting", lambda socket, why: self._leaves(socket, why))
            namespace.on("disconnect", lambda socket, why: self._left(socket, why))

    async def came(self, *namespaces: str) -> None:
        """Wait until "connection" handlers of those have seen a socket."""
        for name in namespaces:
            await self._here[name].wait()

    def _came(self, socket: trio_sio.Socket) -> None:
        self.sockets[socket.nsp.name] = socket
        self._here[socket.nsp.name].set()

    def _note(self, socket: trio_sio.Socket, event: str, argument: object) -> None:
        seen = Event(event, str(argument), len(socket.rooms), socket.connected)
        self.seen[socket.nsp.name].append(seen)

    def _leaves(self, socket: trio_sio.Socket, reason: object) -> None:
        self.order.append(socket.nsp.name)
        self._note(socket, "disconnecting", reason)

    def _left(self, socket: trio_sio.Socket, reason: object) -> None:
        self._note(socket, "disconnect", reason)
        self._gone[socket.nsp.name].set()

    async def all_left(self, reason: str, *namespaces: str, error: str = "") -> None:
        """Wait until sockets have left, in that order, and look at what their handlers saw.

        Args:
            reason: the argument of their events.
            *namespaces: whose sockets; others must not have left.
            error: the beginning of what "error" handlers were told before.
        """
        for name in namespaces:
            await self._gone[name].wait()
        assert self.order == list(namespaces)
        for name in namespaces:
            seen = self.seen[name]
            if error:
                assert seen[0].name == "error"
                assert seen[0].argument.startswith(error)
                seen = seen[1:]
            assert seen == [
                Event("disconnecting", reason, 1, True),
                Event("disconnect", reason, 0, False),
            ]
            assert name == "/" or self.sockets[name].id not in self.io.of(name).connected

    @property
    def session(self) -> trio_sio.Session:
        """The session of the last client."""
        session = self.sockets["/"].session
        assert isinstance(session, trio_sio.Session)
        return session
