"""`SyncRedisEmitter`: events from programs that block, such as scripts, Django, Flask and Celery.

Needs redis-py (extra `redis-emitter`).
"""

import inspect
from types import TracebackType
from typing import Literal, Protocol, Self

from trio_sio.emitter.audience import Audience, Choosing, check_generation
from trio_sio.options import checks
from trio_sio.protocol.cluster.channels import DEFAULT_KEY
from trio_sio.protocol.socketio.foreign import Default
from trio_sio.protocol.socketio.packet import MAX_ATTACHMENTS


class Publishes(Protocol):
    """What is used of a client: `redis.Redis`, `redis.RedisCluster` and others have it."""

    def publish(self, channel: bytes, message: bytes, /) -> object:
        """Publish a message."""


class SyncTarget(Choosing["SyncTarget"]):
    """Whom an event is for: what `to`, `of` and the flags of an emitter return."""

    __slots__ = ("_audience", "_client")

    def __init__(self, client: Publishes, audience: Audience) -> None:
        self._client = client
        self._audience = audience

    def _chosen(self) -> Audience:
        return self._audience

    def _with(self, audience: Audience) -> "SyncTarget":
        return SyncTarget(self._client, audience)

    def emit(self, event: str, *args: object) -> None:
        """Send an event to all sockets that are chosen, on all servers.

        Args:
            event: the event's name.
            *args: JSON values, with bytes anywhere in them.

        Raises:
            TypeError: the name is not a str, or the client is not one that blocks.
            ValueError: the name is reserved.
            LocalProtocolError: the arguments cannot be sent.
            redis.RedisError: Redis has not taken it; `redis.ConnectionError` if it is away.
        """
        result = self._client.publish(*self._audience.message(event, args))
        if inspect.iscoroutine(result):
            result.close()
            raise TypeError("SyncRedisEmitter needs a client that blocks, such as redis.Redis")


class SyncRedisEmitter(Choosing[SyncTarget]):
    """Emits to the clients of Socket.IO servers, from a program that is none.

    The servers have `RedisAdapter`, or in JavaScript socket.io-redis. Several threads may use one
    emitter, and all that `to`, `of` and the flags return: these are values, and never change.

        emitter = SyncRedisEmitter("redis://localhost:6379")
        emitter.of("/chat").to("lobby").emit("news", {"text": "hello"})

    Args:
        redis: a URL for redis-py, or a client that the program has already.
        key: what the names of all channels begin with, as that of the servers (JS: `key`).
        max_attachments: binary values in one event, as the servers' option of that name.
        json_default: called for values that cannot be sent otherwise, as the servers' option.
        generation: of the servers, as the option of `RedisAdapter`.

    Raises:
        ImportError: there is a URL, but no redis-py.
        ValueError: the URL cannot be read, or there is no such generation.
        TypeError: `redis` is neither, `key` is not a str, or `json_default` not a function.
    """

    __slots__ = ("_all", "_is_own", "_redis")

    def __init__(
        self,
        redis: str | Publishes = "redis://localhost:6379",
        key: str = DEFAULT_KEY,
        *,
        max_attachments: int = MAX_ATTACHMENTS,
        json_default: Default | None = None,
        generation: Literal[2, 4] = 2,
    ) -> None:
        if not isinstance(key, str):
            raise TypeError(f"a key must be a str, not {key!r}")
        checks.plain_function("json_default", json_default)
        check_generation(generation)
        self._is_own = isinstance(redis, str)
        self._redis = _connect_to(redis) if isinstance(redis, str) else redis
        if not callable(getattr(self._redis, "publish", None)):
            raise TypeError(f"a URL or a client of Redis is needed, not {redis!r}")
        self._all = Audience(
            key,
            max_attachments=max_attachments,
            json_default=json_default,
            generation=generation,
        )

    def _chosen(self) -> Audience:
        return self._all

    def _with(self, audience: Audience) -> SyncTarget:
        return SyncTarget(self._redis, audience)

    def emit(self, event: str, *args: object) -> None:
        """Send an event to all sockets of "/", on all servers; see `SyncTarget.emit`."""
        self._with(self._all).emit(event, *args)

    def close(self) -> None:
        """Close the connections, if the emitter was made with a URL; using it opens new ones."""
        if self._is_own:
            self._redis.close()  # type: ignore[attr-defined]  # redis-py's

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _connect_to(url: str) -> Publishes:
    try:
        import redis
    except ImportError as error:
        raise ImportError("a URL needs redis-py: pip install 'trio-sio[redis-emitter]'") from error
    return redis.Redis.from_url(url)
