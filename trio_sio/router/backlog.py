"""Tells the application that a client falls behind, and that it has caught up."""

from trio_sio.protocol.socketio.packet import BACKLOG
from trio_sio.router.background import BackgroundTasks
from trio_sio.router.invocation import BACKLOG_HANDLER, Invoker


class Backlog:
    """What one socket's handlers have been told.

    They are called one after the other, alternately with True and False; a change that is undone
    before they are called is left out, and nothing is told once the socket has left.

    Args:
        invoker: calls the handlers.
        background: where they run.
    """

    __slots__ = ("_background", "_invoker", "_is_behind", "_is_telling", "_told")

    def __init__(self, invoker: Invoker, background: BackgroundTasks) -> None:
        self._invoker = invoker
        self._background = background
        self._is_behind = False
        self._told = False
        self._is_telling = False

    def change(self, is_behind: bool) -> None:
        """Take note, and have the handlers called; does not wait."""
        self._is_behind = is_behind
        if not self._is_telling and is_behind is not self._told:
            self._is_telling = True
            self._background.nursery.start_soon(self._tell)

    async def _tell(self) -> None:
        invoker = self._invoker
        try:
            while self._told is not self._is_behind and not invoker.sender.is_over:
                self._told = self._is_behind
                for function, args in invoker.listeners(BACKLOG, self._told):
                    await invoker.run(function, *args, role=BACKLOG_HANDLER)
        finally:
            self._is_telling = False
