"""Calling the application's code for one socket, and what becomes of what it raises.

An error of a handler is logged with its traceback, once, and handed to the socket's "error"
handlers; the client stays. With `raise_errors` it goes on, out of the server.
"""

import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from trio_sio.exceptions import Disconnected, Refused
from trio_sio.router.causes import CALLBACK, ERROR_HANDLER, function_name
from trio_sio.router.handlers import Handler, call

if TYPE_CHECKING:
    from trio_sio.protocol.socketio.packet import JSON
    from trio_sio.router.socket import Socket

logger = logging.getLogger("trio_sio.router")

FAILED = object()
"""In place of a result: there is none, and what happened has been reported."""


class ClientError(Exception):
    """What a client said in an ERROR packet; "error" handlers get it, and nobody is to blame."""


def client_error(data: "JSON") -> ClientError:
    """Return the exception for an ERROR packet's data."""
    return ClientError(data if isinstance(data, str) else repr(data))


def handlers_of(
    socket: "Socket", event: str, argument: object
) -> list[tuple[Handler, tuple[object, ...]]]:
    """Return who hears of something that happens to a socket, and with which arguments."""
    common = [(one.function, (socket, argument)) for one in socket.namespace.take_handlers(event)]
    own = [(one.function, (argument,)) for one in socket.handlers.take(event)]
    return [*common, *own]


class Calls:
    """Calls handlers, middleware and callbacks of one socket.

    Args:
        socket: the socket.
    """

    __slots__ = ("_socket",)

    def __init__(self, socket: "Socket") -> None:
        self._socket = socket

    async def run(self, function: Handler, *args: object, role: str = CALLBACK) -> None:
        """Call a function, for tasks of the socket's nursery."""
        await self.guarded(call(function, *args), function, role)

    async def guarded(self, awaitable: Awaitable[object], function: Handler, role: str) -> object:
        """Await the application's code; report what it raises, and return `FAILED` then.

        Args:
            awaitable: the call.
            function: what is called; it names the failure.
            role: what it is there for, such as "which handles 'news'".

        Raises:
            Refused: that is for the caller to answer.
        """
        try:
            return await awaitable
        except Refused:
            raise
        except Exception as error:
            await self.failed(error, function, role)
            return FAILED

    async def failed(self, error: Exception, function: Handler, role: str) -> None:
        """Report what the application's code raised, if it is somebody's mistake."""
        if not (isinstance(error, Disconnected) and self._socket.is_over):
            # Speaking to a client that left meanwhile is nobody's.
            await self.report(error, f"{function_name(function)}, {role}, failed")

    async def report(self, error: Exception, what: str = "") -> None:
        """Log an error and tell the "error" handlers; with `raise_errors`, raise it.

        Args:
            error: what was raised.
            what: whose failure it is; `""` for an error whose own words say all there is.
        """
        socket = self._socket
        if isinstance(error, ClientError):
            await self.tell(error)
            return
        if socket.session.raise_errors:
            await self.tell(error)
            raise error
        self._log(error, what)
        await self.tell(error)

    def _log(self, error: Exception, what: str) -> None:
        log = self._socket.client.router.log
        if what:
            log.fail(logger, error, "%s for %r", what, self._socket)
        else:
            kind = "words", str(error)
            log.tell(logger, logging.ERROR, kind, "%s, to %r", error, self._socket)

    async def tell(self, error: Exception) -> None:
        """Run the "error" handlers; what those raise is logged, or raised, and goes no further."""
        socket = self._socket
        for function, args in handlers_of(socket, "error", error):
            socket.events.latest = function
            try:
                await call(function, *args)
            except Exception as another:
                if socket.session.raise_errors:
                    raise
                self._log(another, f"{function_name(function)}, {ERROR_HANDLER}, failed")
