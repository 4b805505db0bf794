"""The last steps of a socket: its final handlers run, and it leaves its rooms."""

import logging
from typing import TYPE_CHECKING

import trio

from trio_sio.exceptions import Refused
from trio_sio.router.calls import handlers_of
from trio_sio.router.causes import ADAPTER, failure, handles
from trio_sio.router.handlers import call

if TYPE_CHECKING:
    from trio_sio.router.socket import Socket

logger = logging.getLogger("trio_sio.router")


async def depart(socket: "Socket", error: Exception | None) -> None:
    """Run the last handlers and leave the rooms, even if everything around is cancelled.

    Each step is taken whatever becomes of the others. Handlers get `grace` seconds together, and
    the adapter has as many of its own.

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
        await _tell_of_the_end(socket, error, deadline)
    finally:
        socket.mark_ended()
        try:
            deadline += await _leave_rooms(socket, grace)
        finally:
            socket.namespace.sockets.pop(socket.id, None)
            if socket.gone is not None:
                socket.gone.set()
            try:
                if was_in:
                    await _run(socket, deadline, "disconnect", socket.reason)
            finally:
                socket.client.departed(socket)


async def _tell_of_the_end(socket: "Socket", error: Exception | None, deadline: float) -> None:
    """Run the handlers that still find the socket in its rooms."""
    was_in = socket.connected
    try:
        if error is not None:  # all hear of it before the first leaves
            for one in socket.witnesses:
                if one.connected:
                    await _run(one, deadline, "error", error)
            socket.witnesses = ()
    finally:
        if was_in:
            await _run(socket, deadline, "disconnecting", socket.reason)


async def _leave_rooms(socket: "Socket", grace: float) -> float:
    """Leave all rooms; return the seconds for which the adapter kept the handlers waiting.

    An adapter does what is local before it waits; what it does not come to within `grace` seconds
    is left undone.
    """
    begun = trio.current_time()
    with trio.CancelScope(shield=True, deadline=begun + grace) as scope:
        remove = socket.namespace.adapter.remove_all
        await socket.calls.guarded(remove(socket.id), remove, ADAPTER)
    if scope.cancelled_caught:
        line = "%r: the adapter did not take it out of its rooms within grace"
        socket.client.router.log.tell(logger, logging.WARNING, "rooms", line, socket)
    return trio.current_time() - begun


async def _run(socket: "Socket", deadline: float, event: str, argument: object) -> None:
    """Run the handlers of one of the last events, shielded until the deadline."""
    handlers = handlers_of(socket, event, argument)
    if not handlers:
        return  # a scope costs 5 µs, and most applications have none of these
    with trio.CancelScope(shield=True, deadline=deadline) as scope:
        for function, args in handlers:
            socket.events.latest = function
            try:
                await socket.calls.guarded(call(function, *args), function, handles(event))
            except Refused as refused:  # there is nothing left that it could refuse
                await socket.calls.report(refused, failure(function, handles(event)))
    if scope.cancelled_caught:
        log, line = socket.client.router.log, "%r: a %r handler was cut off after grace"
        log.tell(logger, logging.WARNING, ("grace", event), line, socket, event)
