"""Tells handlers of every event what is sent to a socket.

Whoever sends cannot wait for them: a broadcast goes to all sockets in one step. So what one raises
is reported by a task of the socket, as many of these at a time as concurrent handlers may run;
beyond that, and while there is no nursery, it is only logged.
"""

from collections.abc import Sequence
from inspect import isawaitable, iscoroutine

from trio_sio.failures import failures
from trio_sio.router.background import BackgroundTasks
from trio_sio.router.handlers import Handler
from trio_sio.router.invocation import Invoker, Role, function_name

OUTGOING = Role("which sees every event that is sent", "any outgoing event")


def tell_outgoing(
    invoker: Invoker, background: BackgroundTasks, event: str, args: Sequence[object]
) -> None:
    """Call the handlers of a socket's namespace, then its own.

    Args:
        invoker: calls the application's functions for the socket.
        background: what runs beside the socket's task.
        event: the event's name.
        args: its arguments.
    """
    subject = invoker.subject
    for function in invoker.sender.namespace.outgoing_watchers():
        _tell(invoker, background, function, (subject, event, *args))
    for function in invoker.handlers.outgoing:
        _tell(invoker, background, function, (event, *args))


def _tell(
    invoker: Invoker, background: BackgroundTasks, function: Handler, args: tuple[object, ...]
) -> None:
    try:
        result = invoker.begin(function, args)
        if isawaitable(result):
            if iscoroutine(result):
                result.close()
            name = function_name(function)
            raise TypeError(f"{name} is async, and nobody can wait for it: {OUTGOING}")
    except failures() as error:
        report = invoker.settle_and_tell
        if not background.begin_report(report, error, function, OUTGOING, name=function):
            invoker.note(error, function, OUTGOING)
