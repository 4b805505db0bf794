"""The invoker and the dispatcher of a socket whose calls are traced; others know nothing of it."""

from collections.abc import Awaitable
from typing import Any

from trio_sio.exceptions import ConnectionRefused, Refused, WrongArguments
from trio_sio.failures import failures, sort
from trio_sio.logs.events import EventLog
from trio_sio.router.acknowledgement import Acknowledgement
from trio_sio.router.background import BackgroundTasks
from trio_sio.router.context import CallTracer
from trio_sio.router.dispatch import Dispatcher
from trio_sio.router.handlers import CATCH_ALL, Handler, HandlerTable, Registration
from trio_sio.router.inbox import Inbox
from trio_sio.router.invocation import ADAPTER, MIDDLEWARE, Invoker, Role
from trio_sio.router.sender import EventSender


class TracedInvoker(Invoker):
    """Tells a tracer what it calls, and what comes of that.

    Args:
        subject, handlers, sender: as of `Invoker`.
        tracer: is told.

    Attributes:
        tracer: the same.
    """

    __slots__ = ("tracer",)

    def __init__(
        self, subject: object, handlers: HandlerTable, sender: EventSender, tracer: CallTracer
    ) -> None:
        super().__init__(subject, handlers, sender)
        self.tracer = tracer

    async def judge(self, function: Handler) -> object:
        """Ask middleware of the namespace about the subject."""
        with self.tracer.call(MIDDLEWARE.name, function):
            try:
                return await super().judge(function)
            except failures() as error:
                self._note(error)
                raise

    def _note(self, error: BaseException) -> None:
        found = sort(error, ConnectionRefused, is_over=self.sender.is_over)
        if found.refusal is not None:
            self.tracer.refused(found.refusal)
        if found.failure is not None:
            self.tracer.failed(found.failure)

    async def guard(self, awaitable: Awaitable[object], function: Handler, role: Role) -> object:
        """Await a call; see `Invoker.guard`."""
        if role is ADAPTER:
            return await super().guard(awaitable, function, role)
        with self.tracer.call(role.name, function):
            return await super().guard(awaitable, function, role)

    async def settle(self, error: BaseException, function: Handler, role: Role) -> Refused | None:
        """Report the failures in what a function raised; see `Invoker.settle`."""
        refused = await super().settle(error, function, role)
        if refused is not None:
            self.tracer.refused(refused)
        return refused

    async def report(self, error: BaseException, what: str = "") -> None:
        """Log an error and call the "error" handlers; see `Invoker.report`."""
        if isinstance(error, WrongArguments):
            self.tracer.refused(error)
        else:
            self.tracer.failed(error)
        await super().report(error, what)


class TracedDispatcher(Dispatcher):
    """Tells a tracer of each call of an event's handler.

    Args:
        invoker: calls the application's functions.
        inbox, background, log: as of `Dispatcher`.
    """

    __slots__ = ("_tracer",)

    def __init__(
        self,
        invoker: TracedInvoker,
        inbox: Inbox,
        background: BackgroundTasks,
        log: EventLog | None,
    ) -> None:
        super().__init__(invoker, inbox, background, log)
        self._tracer = invoker.tracer

    async def _call(
        self, registration: Registration, args: tuple[Any, ...], ack: Acknowledgement | None
    ) -> None:
        event = name = registration.event
        if event == CATCH_ALL:
            name = args[int(args[0] is self._invoker.subject)]
        with self._tracer.event(event, name, registration.function):
            await super()._call(registration, args, ack)
