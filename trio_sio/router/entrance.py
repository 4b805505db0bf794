"""The first steps of a socket: the namespace's middleware lets it in, and its handlers greet it."""

import logging
from typing import TYPE_CHECKING

from trio_sio.exceptions import ConnectionRefused, Refused
from trio_sio.failures import failures, sort
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
    except failures() as error:
        _refuse(socket, error, "middleware")
        return False
    if socket.is_over:
        return False
    await admit(socket)
    return True


async def admit(socket: "Socket") -> None:
    """Let a socket in, or refuse it if the adapter has no room of its own for it."""
    try:
        await socket.namespace.adapter.add_all(socket.id, (socket.id,))
    except failures() as error:
        _refuse(socket, error, "the adapter")
    else:
        socket.enter()


def _refuse(socket: "Socket", error: BaseException, who: str) -> None:
    """Tell the client why it is not let in, and the log what failed."""
    found = sort(error, ConnectionRefused, is_over=socket.is_over)
    if found.exits is None:
        socket.refuse(BROKEN if found.refusal is None else found.refusal.answer)
    if found.failure is not None:
        if socket.session.raise_errors:
            raise error
        name = socket.namespace.name
        logger.error("%s of namespace %r failed", who, name, exc_info=found.failure)
    if found.exits is not None:
        raise found.exits


async def welcome(socket: "Socket") -> bool:
    """Run the "connection" handlers; return whether the socket may stay."""
    for event in ("connect", "connection"):
        for registration in socket.namespace.take_handlers(event):
            socket.events.latest = registration.function
            try:
                await socket.calls.guarded(call(registration.function, socket))
            except Refused as refused:
                socket.send_error(refused.answer)
                socket.kick()
                return False
    return True
