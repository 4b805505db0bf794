"""Another server at another path of the same port, as option `fallback` takes it.

The connections are those of the server that listens, and so are their limits. Sessions, heartbeats
and the time that its application has at the end are the neighbour's own.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import trio

from trio_sio.abc import WebReply
from trio_sio.engine.http.responder import HungUp, Responder, Sequel
from trio_sio.engine.http.timeouts import ResponseTimeout
from trio_sio.http import Request, Response

Answer = Callable[[Request, Responder], Awaitable[Response | Sequel | None]]

MARGIN = 1.0
"""Seconds that a neighbour has beyond its `grace`, for its goodbyes."""


class Neighbour:
    """A `trio_sio.abc.WebApplication` that is a server.

    Args:
        live: opens the server; leaving it closes all clients.
        answer: has it answer a request.
        grace: seconds that its application has at the end.
    """

    def __init__(
        self, live: Callable[[], AbstractAsyncContextManager[object]], answer: Answer, grace: float
    ) -> None:
        self._live = live
        self._answer = answer
        self._grace = grace
        self._closing = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve until `close`; if this is cancelled, clients still get their goodbyes."""
        self._closing = closing = trio.Event()
        opened = trio.Event()
        life_scope = trio.CancelScope(shield=True)
        async with trio.open_nursery() as nursery:
            try:
                nursery.start_soon(self._serve, life_scope, opened, closing)
                await opened.wait()
                task_status.started()
                await closing.wait()
            finally:
                closing.set()
                life_scope.deadline = trio.current_time() + self._grace + MARGIN

    async def _serve(
        self, life_scope: trio.CancelScope, opened: trio.Event, closing: trio.Event
    ) -> None:
        with life_scope:
            async with self._live():
                opened.set()
                await closing.wait()

    async def answer(self, request: Request, reply: WebReply) -> Response | Sequel | None:
        """Have the server answer a request; see `trio_sio.abc.WebApplication`."""
        assert isinstance(reply, Responder), "an engine's own connection"
        try:
            return await self._answer(request, reply)
        except ResponseTimeout:
            raise
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise HungUp("the client closed the connection") from error

    def close(self) -> None:
        """Begin to close all clients."""
        self._closing.set()
