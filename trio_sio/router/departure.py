"""The last steps of a socket: its final handlers run, and it leaves its rooms."""

import logging
from typing import TYPE_CHECKING

import trio

from trio_sio.router.calls import handlers_of
from trio_sio.router.causes import handles
from trio_sio.router.handlers import call

if TYPE_CHECKING:
    from trio_sio.router.socket import Socket

logger = logging.getLogger("trio_sio.router")


async def depart(socket: "Socket", error: Exception | None) -> None:
    """Run the last handlers and leave the rooms, even if everything around is cancelled.

    Handlers get `grace` seconds together; the rooms are left in any case.

    Args:
        socket: a socket whose reason is known.
        error: what "error" handlers are to be told first.
    """
    grace = socket.client.router.grace
    if socket.after is not None:  # but a handler that does not end holds nobody up for long
        with trio.CancelScope(shield=True, deadline=trio.current_time() + grace):
            await socket.after.wait()
    deadline = trio.current_time() + grace
    was_in = socket.connected
    try:
        if error is not None:  # all hear of it before the first leaves
            for one in socket.witnesses:
                if one.connected:
                    await _run(one, deadline, "error", error)
            socket.witnesses = ()
        if was_in:
            await _run(socket, deadline, "disconnecting", socket.reason)
    finally:
        socket.mark_ended()
        # An adapter does what is local before it waits, so this holds even past the deadline.
        with trio.CancelScope(shield=True, deadline=deadline):
            await socket.namespace.adapter.remove_all(socket.id)
        socket.namespace.sockets.pop(socket.id, None)
        if socket.gone is not None:
            socket.gone.set()
    try:
        if was_in:
            await _run(socket, deadline, "disconnect", socket.reason)
    finally:
        socket.client.departed(socket)


async def _run(socket: "Socket", deadline: float, event: str, argument: object) -> None:
    """Run the handlers of one of the last events, shielded until the deadline."""
    handlers = handlers_of(socket, event, argument)
    if not handlers:
        return  # a scope costs 5 µs, and most applications have none of these
    with trio.CancelScope(shield=True, deadline=deadline) as scope:
        for function, args in handlers:
            socket.events.latest = function
            await socket.calls.guarded(call(function, *args), function, handles(event))
    if scope.cancelled_caught:
        log, line = socket.client.router.log, "%r: a %r handler was cut off after grace"
        log.tell(logger, logging.WARNING, ("grace", event), line, socket, event)
