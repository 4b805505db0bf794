"""`RedisEmitter`: events from programs that run on Trio and are no servers."""

import os
import socket
import ssl
from types import TracebackType
from typing import Literal, Self

from trio_sio.adapters.redis.link.address import Address
from trio_sio.adapters.redis.link.connector import Connector
from trio_sio.emitter.audience import Audience, Choosing, check_generation
from trio_sio.emitter.pipeline import Pipeline
from trio_sio.options import checks
from trio_sio.protocol.cluster.channels import DEFAULT_KEY
from trio_sio.protocol.socketio.foreign import Default
from trio_sio.protocol.socketio.packet import MAX_ATTACHMENTS

TIMEOUT = 5.0
"""Seconds in which Redis has to take an event, with connecting, if there is no connection."""

_above_zero = checks.number(above=0)

_MAX_REPLY = 64 * 1024
"""Bytes of a reply; those to PUBLISH are numbers, or an error's text."""


class RedisTarget(Choosing["RedisTarget"]):
    """Whom an event is for: what `to`, `of` and the flags of an emitter return."""

    __slots__ = ("_audience", "_pipeline")

    def __init__(self, pipeline: Pipeline, audience: Audience) -> None:
        self._pipeline = pipeline
        self._audience = audience

    def _chosen(self) -> Audience:
        return self._audience

    def _with(self, audience: Audience) -> "RedisTarget":
        return RedisTarget(self._pipeline, audience)

    async def emit(self, event: str, *args: object) -> None:
        """Send an event to all sockets that are chosen, on all servers.

        It returns when Redis has taken it. If it is cancelled, the event may have been sent.

        Args:
            event: the event's name.
            *args: JSON values, with bytes anywhere in them.

        Raises:
            TypeError: the name is not a str.
            ValueError: the name is reserved.
            LocalProtocolError: the arguments cannot be sent.
            trio.BrokenResourceError: Redis has not taken it: it cannot be reached, refuses, or is
                too slow, as the text says. The next event is tried over a new connection.
            trio.ClosedResourceError: the emitter is closed.
            RuntimeError: it is called from another thread than its Trio run's, or from another
                Trio run.
        """
        await self._pipeline.publish(*self._audience.message(event, args))


class RedisEmitter(Choosing[RedisTarget]):
    """Emits to the clients of Socket.IO servers, from a program on Trio that is none.

    The servers have `RedisAdapter`, or in JavaScript socket.io-redis. Several tasks may use one
    emitter, and all that `to`, `of` and the flags return: these are values, and never change.

        async with RedisEmitter("redis://localhost:6379") as emitter:
            await emitter.of("/chat").to("lobby").emit("news", {"text": "hello"})

    The first event opens the connection, and one that is lost is opened again by the next event. A
    program that blocks has `SyncRedisEmitter`; one that is a server itself needs neither.

    Args:
        url: as of `RedisAdapter`: `redis://`, `rediss://`, `unix://`, `redis+sentinel://`.
        key: what the names of all channels begin with, as that of the servers (JS: `key`).
        ssl_context: for TLS, in place of what the URL says; needs a URL that begins with `rediss`.
        timeout: seconds in which Redis has to take an event, with connecting.
        max_attachments: binary values in one event, as the servers' option of that name.
        json_default: called for values that cannot be sent otherwise, as the servers' option.
        generation: of the servers, as the option of `RedisAdapter`.

    Raises:
        ValueError: the URL cannot be read, or has no TLS for `ssl_context`; or the timeout is not
            above 0; or there is no such generation.
        TypeError: the URL or the key is not a str, the timeout no number, or `json_default` not a
            function.
    """

    __slots__ = ("_all", "_pipeline")

    def __init__(
        self,
        url: str = "redis://localhost:6379",
        key: str = DEFAULT_KEY,
        *,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float = TIMEOUT,
        max_attachments: int = MAX_ATTACHMENTS,
        json_default: Default | None = None,
        generation: Literal[2, 4] = 2,
    ) -> None:
        if not isinstance(key, str):
            raise TypeError(f"a key must be a str, not {key!r}")
        _above_zero("timeout", timeout)
        checks.plain_function("json_default", json_default)
        check_generation(generation)
        address = Address.of(url)
        if ssl_context is not None and not address.tls:
            raise ValueError("ssl_context needs a URL that begins with rediss")
        connector = Connector(
            address,
            ssl_context or address.ssl_context(),
            name=_name,
            connect_timeout=timeout,
            max_message_bytes=_MAX_REPLY,
        )
        self._pipeline = Pipeline(connector, timeout)
        self._all = Audience(
            key,
            max_attachments=max_attachments,
            json_default=json_default,
            generation=generation,
        )

    def _chosen(self) -> Audience:
        return self._all

    def _with(self, audience: Audience) -> RedisTarget:
        return RedisTarget(self._pipeline, audience)

    async def emit(self, event: str, *args: object) -> None:
        """Send an event to all sockets of "/", on all servers; see `RedisTarget.emit`."""
        await self._with(self._all).emit(event, *args)

    async def aclose(self) -> None:
        """Close the connection; whoever emits later gets `trio.ClosedResourceError`."""
        await self._pipeline.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _name() -> str:
    """Return what Redis shows in `CLIENT LIST`."""
    return f"{socket.gethostname()}:{os.getpid()}"
