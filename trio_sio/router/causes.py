"""The names that failures get in the log: whose function it was, and what it was there for."""

from functools import partial

from trio_sio.logs.shown import quoted
from trio_sio.protocol.socketio.unsendable import type_name
from trio_sio.router.handlers import Handler

PACKET_MIDDLEWARE = "packet middleware"
CALLBACK = "which takes an answer of the client"
BACKLOG_HANDLER = "which hears of backlogs"
ERROR_HANDLER = "an error handler"
ADAPTER = "which keeps the rooms"


def function_name(function: Handler) -> str:
    """Return module and name of a function, of a method, or of what a partial calls."""
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__qualname__", None)
    return f"{function.__module__}.{name}" if name else f"an object of {type_name(function)}"


def failure(function: Handler, role: str) -> str:
    """Return the words for a failure: whose it is."""
    return f"{function_name(function)}, {role}, failed"


def handles(event: str) -> str:
    """Return the role of a handler."""
    return f"which handles {quoted(event)}"


def returned(function: Handler, event: str) -> str:
    """Return the words for what a handler returned."""
    return f"what {function_name(function)} returned for {quoted(event)}"
