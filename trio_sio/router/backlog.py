"""Telling the application that a client falls behind, and that it has caught up."""

from typing import TYPE_CHECKING

from trio_sio.protocol.socketio.packet import BACKLOG
from trio_sio.router.calls import handlers_of
from trio_sio.router.causes import BACKLOG_HANDLER

if TYPE_CHECKING:
    from trio_sio.router.socket import Socket


class Backlog:
    """What one socket's handlers have been told.

    They are called one after the other, with True and False in turn; what changes back before they
    come to it is left out, and nothing is told once the socket has left.

    Args:
        socket: the socket.
    """

    __slots__ = ("_is_behind", "_is_telling", "_socket", "_told")

    def __init__(self, socket: "Socket") -> None:
        self._socket = socket
        self._is_behind = False
        self._told = False
        self._is_telling = False

    def change(self, is_behind: bool) -> None:
        """Take note, and have the handlers told; does not wait."""
        self._is_behind = is_behind
        if not self._is_telling and is_behind is not self._told:
            self._is_telling = True
            self._socket.nursery.start_soon(self._tell)

    async def _tell(self) -> None:
        socket = self._socket
        try:
            while self._told is not self._is_behind and not socket.is_over:
                self._told = self._is_behind
                for function, args in handlers_of(socket, BACKLOG, self._told):
                    socket.events.latest = function
                    await socket.calls.run(function, *args, role=BACKLOG_HANDLER)
        finally:
            self._is_telling = False


def tell_backlog(socket: "Socket", is_behind: bool) -> None:
    """Tell a socket's handlers, if it has any and its nursery is open.

    Args:
        socket: one that is here.
        is_behind: whether its client has fallen behind, or caught up.
    """
    if socket.backlog is None:
        common, own = socket.namespace.is_listened_to(BACKLOG), socket.handlers.has(BACKLOG)
        if not (is_behind and (common or own)):
            return
        socket.backlog = Backlog(socket)
    if socket.is_serving:
        socket.backlog.change(is_behind)
