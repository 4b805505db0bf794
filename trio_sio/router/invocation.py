"""Calls the application's functions for one socket, and settles what they raise.

Nothing else in the router calls handlers, middleware or callbacks of a socket, so this knows which
was called last.

An error of a handler is logged with its traceback, once, and handed to the socket's "error"
handlers; the client stays. With `raise_errors` it propagates out of the server. `failures` says
what counts as an error.
"""

import logging
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from inspect import isawaitable
from types import CoroutineType
from typing import Any

from trio_sio.exceptions import ClientError, LocalProtocolError, Refused, WrongArguments
from trio_sio.failures import Never, failures, sort
from trio_sio.logs.shown import quoted
from trio_sio.protocol.socketio.packet import JSON, PacketType
from trio_sio.router.arity import function_name as function_name
from trio_sio.router.dialect import Dialect, dialect_of
from trio_sio.router.handlers import Handler, HandlerTable
from trio_sio.router.sender import EventSender

logger = logging.getLogger("trio_sio.router")

FAILED = object()
"""In place of a result: there is none, and what happened has been reported."""

BROKEN = "Internal server error"
"""What a client is told when middleware fails; what failed is for the log alone."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a function is there for.

    Attributes:
        words: for a report.
        name: in short, for a trace.
    """

    words: str
    name: str

    def __str__(self) -> str:
        return self.words


MIDDLEWARE = Role("middleware", "middleware")
PACKET_MIDDLEWARE = Role("packet middleware", "packet middleware")
WATCHER = Role("which sees every event of clients", "any event")
CALLBACK = Role("which takes an answer of the client", "acknowledgement")
BACKLOG_HANDLER = Role("which hears of backlogs", "backlog")
ERROR_HANDLER = Role("an error handler", "error")
ADAPTER = Role("which keeps the rooms", "leave rooms")


def client_error(data: JSON) -> ClientError:
    """Return the exception for an ERROR packet's data."""
    return ClientError(data if isinstance(data, str) else repr(data))


def failure(function: Handler, role: Role) -> str:
    """Return the words for a failure: whose it is."""
    return f"{function_name(function)}, {role}, failed"


def handles(event: str) -> Role:
    """Return the role of a handler."""
    return Role(f"which handles {quoted(event)}", event)


class Invoker:
    """Calls the application's functions for one socket.

    Args:
        subject: the socket, which the functions get as their first argument.
        handlers: the handlers that are registered for the socket alone.
        sender: tells the client of refusals.

    Attributes:
        subject, handlers, sender: the same.
        latest: the function that was called last.
    """

    __slots__ = ("handlers", "latest", "sender", "subject")

    def __init__(self, subject: object, handlers: HandlerTable, sender: EventSender) -> None:
        self.subject = subject
        self.handlers = handlers
        self.sender = sender
        self.latest: Handler | None = None

    def doing(self) -> str:
        """Say which function was called last, for whom; `""` for none."""
        latest = self.latest
        return "" if latest is None else f"{function_name(latest)} for {self.subject!r}"

    def listeners(self, event: str, argument: object) -> list[tuple[Handler, tuple[object, ...]]]:
        """Return the handlers of something that happens to the socket, and their arguments."""
        common = self.sender.namespace.take_handlers(event)
        own = self.handlers.take(event)
        return [
            *((one.function, (self.subject, argument)[: one.takes]) for one in common),
            *((one.function, (argument,)[: one.takes]) for one in own),
        ]

    def has_listeners(self, event: str) -> bool:
        """Whether an event has handlers, of the namespace or of the socket."""
        return self.handlers.has(event) or self.sender.namespace.is_listened_to(event)

    # -- calling ---------------------------------------------------------------------------

    def begin(self, function: Handler, args: tuple[object, ...]) -> object:
        """Call a function; return its result, which is to be awaited if it is awaitable."""
        self.latest = function
        return function(*args)

    async def call(self, function: Handler, *args: object) -> object:
        """Call a function, async or not; return its result, or raise what it raises."""
        result = self.begin(function, args)
        if type(result) is CoroutineType or isawaitable(result):
            return await result
        return result

    def judge(self, function: Handler) -> Coroutine[Any, Any, object]:
        """Ask middleware of the namespace about the subject; to be awaited."""
        return self.call(function, self.subject)

    async def run(self, function: Handler, *args: object, role: Role = CALLBACK) -> None:
        """Call a function, for tasks of the socket's nursery; the client is told of a refusal."""
        try:
            await self.guard(self.call(function, *args), function, role)
        except Refused as refused:  # as from handlers of events
            self.send_error(refused.answer)

    async def guard(self, awaitable: Awaitable[object], function: Handler, role: Role) -> object:
        """Await a call; if it fails, report that and return `FAILED`.

        Args:
            awaitable: the call.
            function: the function, which the report names.
            role: what it is there for, such as "which handles 'news'".

        Raises:
            Refused: for the caller to answer.
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

    # -- what goes wrong -------------------------------------------------------------------

    async def settle(self, error: BaseException, function: Handler, role: Role) -> Refused | None:
        """Report the failures in what a function raised.

        Args:
            error: the exception, or a group.
            function: the function, which the report names.
            role: what it is there for, such as "which handles 'news'".

        Returns:
            The refusal among them, for the caller to answer.

        Raises:
            BaseException: what has to propagate.
        """
        sender = self.sender
        found = sort(error, Refused, is_over=sender.is_over)
        if found.exits is not None:  # no time for "error" handlers
            if found.failure is not None:
                sender.namespace.counters.failures += 1
                self._log(found.failure, failure(function, role))
            raise error if sender.session.raise_errors else found.exits
        if found.failure is not None:
            await self.report(found.failure, failure(function, role))
        return found.refusal

    async def settle_and_tell(self, error: BaseException, function: Handler, role: Role) -> None:
        """Report the failures in what a function raised, and tell the client of a refusal."""
        refused = await self.settle(error, function, role)
        if refused is not None:
            self.send_error(refused.answer)

    def note(self, error: BaseException, function: Handler, role: Role) -> None:
        """Log what a function raised, if nobody can wait for more."""
        if sort(error, Refused, is_over=self.sender.is_over).failure is not None:
            self.sender.namespace.counters.failures += 1
            self._log(error, failure(function, role))

    async def report(self, error: BaseException, what: str = "") -> None:
        """Log an error and call the "error" handlers; with `raise_errors`, raise it.

        Args:
            error: the error.
            what: whose failure it is; `""` if the error itself says everything. Of wrong
                arguments, the handler.
        """
        if isinstance(error, (ClientError, WrongArguments)):
            if isinstance(error, WrongArguments):
                kind, log = ("arguments", what), self.sender.namespace.context.log
                log.tell(logger, logging.WARNING, kind, "%r: %s", self.subject, error)
            await self.call_error_handlers(error)
            return
        self.sender.namespace.counters.failures += 1
        if self.sender.session.raise_errors:
            await self.call_error_handlers(error)
            raise error
        self._log(error, what)
        await self.call_error_handlers(error)

    def _log(self, error: BaseException, what: str) -> None:
        log = self.sender.namespace.context.log
        if what:
            log.fail(logger, error, "%s for %r", what, self.subject)
        else:
            kind = "words", str(error)
            log.tell(logger, logging.ERROR, kind, "%s, to %r", error, self.subject)

    async def call_error_handlers(self, error: BaseException) -> None:
        """Call the "error" handlers; their own errors are logged or raised, never handed on."""
        for function, args in self.listeners("error", error):
            try:
                await self.call(function, *args)
            except failures() as another:
                self._settle_another(another, function)

    def _settle_another(self, error: BaseException, function: Handler) -> None:
        found = sort(error, Never, is_over=self.sender.is_over)
        if found.failure is not None:
            self.sender.namespace.counters.failures += 1
            if self.sender.session.raise_errors:
                raise error
            self._log(found.failure, failure(function, ERROR_HANDLER))
        if found.exits is not None:
            raise found.exits

    def send_error(self, answer: JSON) -> None:
        """Send a client that has joined an ERROR packet, with what the application refused with.

        A client of Socket.IO 3 or 4 would take it for the answer to its joining, and hear nothing
        more; so it is told nothing.
        """
        if dialect_of(self.sender.session.protocol).tells_errors:
            self._send_error(answer, BROKEN)

    def send_refusal(self, refusal: Refused, dialect: Dialect) -> None:
        """Send an ERROR packet in place of the CONNECT packet."""
        answer = dialect.refusal(refusal.message, refusal.data)
        self._send_error(answer, dialect.refusal(BROKEN, None))

    def _send_error(self, answer: JSON, instead: JSON) -> None:
        try:
            self.sender.send_control(PacketType.ERROR, answer)
        except LocalProtocolError as error:  # JSON cannot express the data
            line = "%r: the data of a refusal %s"
            log = self.sender.namespace.context.log
            log.tell(logger, logging.ERROR, "refusal", line, self.subject, error)
            self.sender.send_control(PacketType.ERROR, instead)
