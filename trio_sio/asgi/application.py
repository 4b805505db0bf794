"""`Application`: a Socket.IO server as an ASGI application, under another server."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from trio_sio.asgi.lifespan import Lifespan
from trio_sio.asgi.mounted_request import Receiver, path_of, request_of
from trio_sio.asgi.mounted_responder import MountedResponder
from trio_sio.asgi.mounted_websocket import MountedWebSocket
from trio_sio.asgi.types import Receive, Scope, Send
from trio_sio.failures import failures
from trio_sio.http import Request
from trio_sio.server import Server

logger = logging.getLogger("trio_sio.asgi")

NO_TRIO = (
    "this is a Trio server, and Trio does not run here: uvicorn, Daphne and Hypercorn's asyncio"
    " worker cannot serve it; use `hypercorn --worker-class trio module:app`, or run the server"
    " alone, with `trio_sio.run(io)`"
)

OtherApplication = Callable[[Any, Any, Any], Awaitable[Any]]
"""An ASGI application; each framework has types of its own for the arguments."""

OTHER_SHUTDOWN = 30.0
"""Seconds that the other application has for its end."""


class Application:
    """An ASGI 3 application that answers at the server's `path`, for an ASGI server on Trio.

        app = Application(io)       # hypercorn --worker-class trio module:app

    The server lives as long as the application (ASGI, "Lifespan Protocol"). Where a framework
    passes no lifespan on to what it mounts (Starlette and FastAPI), its own has to contain
    `async with io`.

    The connections are the other server's, so its limits apply to them and to requests' heads;
    the options about connections (`max_connections`, `head_timeout`, `keep_alive_timeout`,
    `max_headers`, compression of WebSockets) have no effect.

    Args:
        io: the server.
        other_app: an ASGI application for all other paths; `None` for the server's own answer
            there (404, or that of option `fallback`).

    Raises:
        TypeError: `io` is not a `Server`.
    """

    def __init__(self, io: Server, other_app: OtherApplication | None = None) -> None:
        if not isinstance(io, Server):
            raise TypeError(f"Application takes a trio_sio.Server, not {io!r}")
        self._io = io
        self._other_app = other_app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        """Serve one scope.

        Raises:
            RuntimeError: there is no Trio, or the server is not open.
        """
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        if not trio.lowlevel.in_trio_run():
            raise RuntimeError(NO_TRIO)
        ours = self._io.path.removesuffix("/") + "/"
        path = path_of(scope, ours)
        has_slash = self._io.engine.options.add_trailing_slash
        is_ours = path.startswith(ours) or (path + "/" == ours and not has_slash)
        if self._other_app is not None and not is_ours:
            await self._other_app(scope, receive, send)
            return
        receiver = Receiver(receive, self._io.engine.options.body_timeout)
        request = request_of(scope, receiver, path)
        if not self._io.engine.serving:
            raise RuntimeError(
                "the trio_sio server is not open: the ASGI server, or the framework in which the"
                " application is mounted, passes no lifespan on; put `async with io:` around it,"
                " for example into the framework's own lifespan"
            )
        if scope["type"] == "websocket":
            await self._serve_websocket(scope, request, receiver, receive, send)
        else:
            await self._serve_http(scope, request, receiver, send)

    async def _serve_http(
        self, scope: Scope, request: Request, receiver: Receiver, send: Send
    ) -> None:
        is_http1 = scope.get("http_version", "1.1").startswith("1")
        is_plain = request.method in ("GET", "HEAD", "OPTIONS") and not request.has_body
        if is_http1 and is_plain:
            receiver.expect_no_body()
        async with trio.open_nursery() as nursery:
            responder = MountedResponder(
                send,
                receiver,
                nursery,
                method=request.method,
                answer_timeout=self._io.engine.options.answer_timeout,
                is_http1=is_http1,
            )
            await self._serve(request, responder)

    async def _serve(self, request: Request, responder: MountedResponder) -> None:
        io = self._io
        await io.engine.serve_request(request, responder, io.serve_session)

    async def _serve_websocket(
        self, scope: Scope, request: Request, receiver: Receiver, receive: Receive, send: Send
    ) -> None:
        if (await receive())["type"] != "websocket.connect":
            return
        receiver.expect_no_body()
        socket = MountedWebSocket(receive, send, receiver)
        can_refuse = "websocket.http.response" in (scope.get("extensions") or {})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(socket.pump)
            responder = MountedResponder(
                send if can_refuse else _closing_instead(send),
                receiver,
                nursery,
                method="GET",
                answer_timeout=self._io.engine.options.answer_timeout,
                prefix="websocket.http",
                socket=socket,
                is_http1=scope.get("http_version", "1.1").startswith("1"),
            )
            try:
                await self._serve(request, responder)
                if socket.is_accepted and not responder.is_answered:
                    await socket.wait_ended()
            finally:
                socket.end()

    # -- life ------------------------------------------------------------------------------

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the server, and the other application's life, between startup and shutdown."""
        await receive()  # lifespan.startup
        if not trio.lowlevel.in_trio_run():
            await send({"type": "lifespan.startup.failed", "message": NO_TRIO})
            return
        has_started = False
        try:
            async with trio.open_nursery() as nursery:
                if self._other_app is not None:
                    other = Lifespan(self._other_app, "auto", OTHER_SHUTDOWN)
                    await nursery.start(other.run)
                    scope.setdefault("state", {}).update(other.state)
                if self._io.engine.serving:  # somebody has opened it, and will close it
                    has_started = True
                    await _until_shutdown(receive, send)
                else:
                    async with self._io:
                        has_started = True
                        await _until_shutdown(receive, send)
                nursery.cancel_scope.cancel()
        except failures() as error:
            logger.exception("the server failed")
            stage = "shutdown" if has_started else "startup"
            message = "; ".join(_sentences(error))
            await send({"type": f"lifespan.{stage}.failed", "message": message})
            return
        await send({"type": "lifespan.shutdown.complete"})


async def _until_shutdown(receive: Receive, send: Send) -> None:
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown


def _sentences(error: BaseException) -> list[str]:
    if isinstance(error, BaseExceptionGroup):
        return [text for one in error.exceptions for text in _sentences(one)]
    return [f"{type(error).__name__}: {error}"]


def _closing_instead(send: Send) -> Send:
    """Return what sends a close in place of a refusal, which that server cannot send."""

    async def send_close(message: dict[str, object]) -> None:
        if message["type"] == "websocket.http.response.start":
            await send({"type": "websocket.close", "code": 1008})

    return send_close  # type: ignore[return-value]
