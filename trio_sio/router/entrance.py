"""The first steps of a socket: the namespace's middleware lets it in, and its handlers greet it."""

import logging
from typing import TYPE_CHECKING

from trio_sio.exceptions import ConnectionRefused, Refused
from trio_sio.failures import check_returned, failures, sort
from trio_sio.logs.shown import quoted
from trio_sio.router.causes import ADAPTER, function_name, handles
from trio_sio.router.handlers import Handler, call

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
            check_returned(function_name(function), await call(function, socket))
    except failures() as error:
        _refuse(socket, error, function, "middleware")
        return False
    if socket.is_over:
        return False
    await admit(socket)
    return True


async def admit(socket: "Socket") -> None:
    """Let a socket in, or refuse it if the adapter has no room of its own for it."""
    add = socket.namespace.adapter.add_all
    try:
        await add(socket.id, (socket.id,))
    except failures() as error:
        _refuse(socket, error, add, ADAPTER)
    else:
        socket.enter()


def _refuse(socket: "Socket", error: BaseException, function: Handler, role: str) -> None:
    """Tell the client why it is not let in, and the log what failed."""
    client, namespace, name = socket.client, socket.namespace.name, function_name(function)
    found = sort(error, ConnectionRefused, is_over=socket.is_over)
    if client.log is not None:
        failed = "" if found.refusal is not None else ", which failed"
        client.log.refused(namespace, f"by {name}{failed}")
    if found.refusal is not None:
        client.router.counters.refused["middleware"] += 1
    if found.exits is None:
        socket.refuse(BROKEN if found.refusal is None else found.refusal.answer)
    if found.failure is not None:
        if socket.session.raise_errors:
            raise error
        line = "%s, %s of %s, failed"
        client.router.log.fail(logger, found.failure, line, name, role, quoted(namespace))
    if found.exits is not None:
        raise found.exits


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
