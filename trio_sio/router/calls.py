"""Calling the application's code for one socket, and what becomes of what it raises.

An error of a handler is logged with its traceback, once, and handed to the socket's "error"
handlers; the client stays. With `raise_errors` it goes on, out of the server. What counts as an
error is said in `failures`.
"""

import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING

from trio_sio.exceptions import ClientError, Refused
from trio_sio.failures import Never, failures, sort
from trio_sio.router.causes import CALLBACK, ERROR_HANDLER, failure
from trio_sio.router.handlers import Handler, call

if TYPE_CHECKING:
    from trio_sio.protocol.socketio.packet import JSON
    from trio_sio.router.socket import Socket

logger = logging.getLogger("trio_sio.router")

FAILED = object()
"""In place of a result: there is none, and what happened has been reported."""


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
        """Call a function, for tasks of the socket's nursery; the client gets a refusal."""
        try:
            await self.guarded(call(function, *args), function, role)
        except Refused as refused:  # as from handlers of events
            self._socket.send_error(refused.answer)

    async def guarded(self, awaitable: Awaitable[object], function: Handler, role: str) -> object:
        """Await the application's code; report what it raises, and return `FAILED` then.

        Args:
            awaitable: the call.
            function: what is called; it names the failure.
            role: what it is there for, such as "which handles 'news'".

        Raises:
            Refused: that is for the caller to answer.
        """
        refused: Refused | None = None
        try:
            return await awaitable
        except failures() as error:
            refused = await self.settle(error, function, role)
        try:
            if refused is not None:
                raise refused
        finally:
            del refused  # its traceback holds us
        return FAILED

    async def settle(self, error: BaseException, function: Handler, role: str) -> Refused | None:
        """Report what is a failure in something that the application's code raised.

        Args:
            error: what was raised.
            function: what raised it; it names the failure.
            role: what it is there for, such as "which handles 'news'".

        Returns:
            The refusal that is in it, for the caller to answer.

        Raises:
            BaseException: what has to go on out.
        """
        socket = self._socket
        found = sort(error, Refused, is_over=socket.is_over)
        if found.exits is not None:  # no time for "error" handlers
            if found.failure is not None:
                self._log(found.failure, failure(function, role))
            raise error if socket.session.raise_errors else found.exits
        if found.failure is not None:
            await self.report(found.failure, failure(function, role))
        return found.refusal

    async def report(self, error: BaseException, what: str = "") -> None:
        """Log an error and tell the "error" handlers; with `raise_errors`, raise it.

        Args:
            error: what was raised.
            what: whose failure it is; `""` for an error whose own words say all there is.
        """
        if isinstance(error, ClientError):
            await self.tell(error)
            return
        if self._socket.session.raise_errors:
            await self.tell(error)
            raise error
        self._log(error, what)
        await self.tell(error)

    def _log(self, error: BaseException, what: str) -> None:
        log = self._socket.client.router.log
        if what:
            log.fail(logger, error, "%s for %r", what, self._socket)
        else:
            kind = "words", str(error)
            log.tell(logger, logging.ERROR, kind, "%s, to %r", error, self._socket)

    async def tell(self, error: BaseException) -> None:
        """Run the "error" handlers; what those raise is logged, or raised, and goes no further."""
        socket = self._socket
        for function, args in handlers_of(socket, "error", error):
            socket.events.latest = function
            try:
                await call(function, *args)
            except failures() as another:
                self._settle_another(another, function)

    def _settle_another(self, error: BaseException, function: Handler) -> None:
        socket = self._socket
        found = sort(error, Never, is_over=socket.is_over)
        if found.failure is not None:
            if socket.session.raise_errors:
                raise error
            self._log(found.failure, failure(function, ERROR_HANDLER))
        if found.exits is not None:
            raise found.exits
