"""`Fallback`: gives the requests for other paths to an ASGI application."""

import trio

from trio_sio.abc import WebReply
from trio_sio.asgi.http import HTTPCycle
from trio_sio.asgi.lifespan import Lifespan, LifespanMode
from trio_sio.asgi.scope import Scopes
from trio_sio.asgi.types import ASGIApplication
from trio_sio.asgi.websocket import WebSocketCycle, WebSocketLimits
from trio_sio.http import Request, Response


class Fallback:
    """An ASGI 3 application for the paths that are not the server's.

    `Server(fallback=Fallback(app))` serves both on one port. The application runs on Trio: of
    frameworks that know only asyncio, nothing that waits works.

    Args:
        app: `await app(scope, receive, send)`.
        lifespan: "auto" tells the application of its start and end, and goes on if it does not know
            them; "on" lets the server fail then; "off" does not tell it.
        shutdown_timeout: seconds that the application has at its end.
        max_message_size: bytes that a message of a WebSocket's client may have, inflated.
        ping_interval: seconds after which the silent client of a WebSocket is asked for a sign of
            life.
        ping_timeout: seconds that it has for that.
        answer_timeout: seconds that the client of a WebSocket may take nothing of what is sent to
            it; for HTTP, it is the server's option of the same name.
        compression: whether WebSockets are compressed where the client offers that (RFC 7692).

    Raises:
        TypeError: `app` cannot be called.
        ValueError: `lifespan` is none of these, or a number is not positive.
    """

    def __init__(
        self,
        app: ASGIApplication,
        *,
        lifespan: LifespanMode = "auto",
        shutdown_timeout: float = 10.0,
        max_message_size: int = 16 * 1024 * 1024,
        ping_interval: float = 20.0,
        ping_timeout: float = 20.0,
        answer_timeout: float = 20.0,
        compression: bool = False,
    ) -> None:
        if not callable(app):
            raise TypeError(f"an ASGI application must be callable, not {app!r}")
        if lifespan not in ("auto", "on", "off"):
            raise ValueError(f"lifespan must be 'auto', 'on' or 'off', not {lifespan!r}")
        self._app = app
        self._mode: LifespanMode = lifespan
        self._shutdown_timeout = shutdown_timeout
        self._lifespan = Lifespan(app, "off", shutdown_timeout)
        self._limits = WebSocketLimits(
            max_message_size, ping_interval, ping_timeout, answer_timeout, compression
        )
        self._closing = trio.Event()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the application, and end it when this is cancelled.

        Raises:
            RuntimeError: it did not start.
        """
        self._closing = trio.Event()
        self._lifespan = Lifespan(self._app, self._mode, self._shutdown_timeout)
        await self._lifespan.run(task_status=task_status)

    async def answer(self, request: Request, reply: WebReply) -> None:
        """Have the application answer a request; see `trio_sio.abc.WebApplication`."""
        scopes = Scopes(self._lifespan.state)
        if not request.wants_websocket:
            await HTTPCycle(request, reply).run(self._app, scopes.http(request))
            return
        websocket = WebSocketCycle(request, reply, self._limits, self._closing)
        subprotocols = websocket.open()
        if subprotocols is None:
            fields = [("Sec-WebSocket-Version", "13")]
            await reply.send(Response.text(400, "This is no WebSocket handshake.", fields))
            return
        await websocket.run(self._app, scopes.websocket(request, subprotocols))

    def close(self) -> None:
        """Learn that the server closes: WebSockets end, requests of HTTP go on while they may."""
        self._closing.set()
