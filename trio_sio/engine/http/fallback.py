"""Requests for the application's own pages (option `fallback`)."""

import logging
from collections.abc import Awaitable, Callable

import trio

from trio_sio.abc import WebApplication
from trio_sio.engine.http.responder import Responder, Sequel, fault_of_client, unless_hung_up
from trio_sio.engine.http.streaming import send_streamed
from trio_sio.engine.http.timeouts import ResponseTimeout
from trio_sio.engine.runtime.timers import Timers
from trio_sio.failures import Never, failures, sort
from trio_sio.http import (
    NO_STORE,
    BodyError,
    EngineResponse,
    Request,
    Response,
)
from trio_sio.logs import shown
from trio_sio.logs.throttle import LogThrottle
from trio_sio.protocol.http.response_check import check_length, check_response

logger = logging.getLogger("trio_sio.engine")


class Fallback:
    """Has the application answer requests.

    Args:
        function: the application's, or the application itself.
        log: where its failures are told.
        raise_errors: whether its failures are raised instead.
        timers: of the engine.
    """

    def __init__(
        self,
        function: Callable[[Request], Awaitable[Response]] | WebApplication,
        log: LogThrottle,
        *,
        raise_errors: bool,
        timers: Timers | None = None,
    ) -> None:
        self._application: WebApplication | None = None
        self._function: Callable[[Request], Awaitable[Response]] | None = None
        if isinstance(function, WebApplication):
            self._application = function
        else:
            self._function = function
        self._log = log
        self._raise_errors = raise_errors
        self._timers = timers
        self._answering = 0
        self._idle = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Let the application live, if it has a life of its own."""
        if self._application is not None:
            await self._application.run(task_status=task_status)
        else:
            task_status.started()

    def close(self) -> None:
        """Tell the application that the server closes."""
        if self._application is not None:
            self._application.close()

    async def wait_idle(self) -> None:
        """Wait until the application answers nothing."""
        while self._answering:
            await self._idle.wait()

    async def answer(self, request: Request, responder: Responder) -> Response | Sequel | None:
        """Return the application's response, or 500 if it fails; `None` if it has been sent.

        Raises:
            BodyError: the function wanted a body that it did not get, by the client's fault.
            HungUp: the client left; the function has been cancelled.
            ResponseTimeout: the client did not take a piece of a streamed response in time.
        """
        self._answering += 1
        try:
            return await self._answer(request, responder)
        finally:
            self._answering -= 1
            if not self._answering:
                self._idle.set()
                self._idle = trio.Event()

    async def _answer(self, request: Request, responder: Responder) -> Response | Sequel | None:
        try:
            answering = self._call(request, responder)
            # It may read the body, and nobody else meanwhile; an application watches by itself.
            if self._application is None and not request.has_body:
                answering = unless_hung_up(responder, answering, self._timers)
            return await answering
        except ResponseTimeout:
            raise
        except failures() as error:
            fault = fault_of_client(error)
            if isinstance(fault, BodyError) and responder.is_answered:
                return None  # it was wanted while the response was sent
            if fault is not None:
                raise fault from None
            found = sort(error, Never)
            if self._raise_errors:
                raise
            if found.failure is not None:
                line, path = "fallback failed for %s %s", shown.target(request.target)
                self._log.fail(logger, found.failure, line, request.method, path)
            if found.exits is not None:
                raise found.exits from None
            return None if responder.is_answered else Response(500, [NO_STORE])

    async def _call(self, request: Request, responder: Responder) -> Response | Sequel | None:
        response: object
        if self._application is None:
            assert self._function is not None
            response = await self._function(request)
        else:
            response = await self._application.answer(request, responder)
            if response is None or callable(response) or isinstance(response, EngineResponse):
                return response
        checked = check_answer("fallback", request, response)
        if isinstance(checked.body, bytes):
            return checked
        await send_streamed(responder, checked)
        return None


def check_answer(who: str, request: Request, response: object) -> Response:
    """Return an application's response; its headers may have changed since it was made.

    Args:
        who: what has returned it, for the error's text.
        request: what it answers.
        response: the response.

    Raises:
        TypeError: it is none.
        ValueError: it cannot be sent.
    """
    if not isinstance(response, Response):
        raise TypeError(f"{who} must return a Response, not {response!r}")
    check_response(response.status, response.headers, response.body)
    check_length(request.method, response.status, response.headers, response.body)
    return response
