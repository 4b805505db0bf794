"""The first steps of a socket: the namespace's middleware lets it in, and its handlers greet it."""

import logging
from typing import TYPE_CHECKING

from trio_sio.exceptions import ConnectionRefused, Refused
from trio_sio.logs.shown import quoted
from trio_sio.router.causes import function_name, handles
from trio_sio.router.handlers import call

if TYPE_CHECKING:
    from trio_sio.router.socket import Socket

logger = logging.getLogger("trio_sio.router")

BROKEN = "Internal server error"
"""What a client gets when middleware fails; what failed is for the log alone."""


async def pass_middleware(socket: "Socket") -> bool:
    """Run the namespace's middleware; return whether the socket is in."""
    try:
        for function in socket.namespace.chain():
            socket.events.latest = function
            await call(function, socket)
    except ConnectionRefused as refused:
        socket.client.router.counters.refused["middleware"] += 1
        if socket.client.log is not None:
            socket.client.log.refused(socket.namespace.name, f"by {function_name(function)}")
        socket.refuse(refused.answer)
        return False
    except Exception as error:
        socket.refuse(BROKEN)
        if socket.session.raise_errors:
            raise
        log, role = socket.client.router.log, f"middleware of {quoted(socket.namespace.name)}"
        log.fail(logger, error, "%s, %s, failed", function_name(function), role)
        return False
    if socket.is_over:
        return False
    await socket.admit()
    return True


async def welcome(socket: "Socket") -> bool:
    """Run the "connection" handlers; return whether the socket may stay."""
    for event in ("connect", "connection"):
        for registration in socket.namespace.take_handlers(event):
            socket.events.latest = registration.function
            try:
                function = registration.function
                await socket.calls.guarded(call(function, socket), function, handles(event))
            except Refused as refused:
                socket.send_error(refused.answer)
                socket.kick()
                return False
    return True
