"""The options of `RedisAdapter`, which checks them by this."""

import ssl
from typing import Literal

from trio_sio.options import checks
from trio_sio.options.declaration import Group, Options, frozen, option

_seconds = checks.number(above=0)
_count = checks.count()


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(checks.wrong(name, "a str", value))
    if not value:
        raise ValueError(checks.wrong(name, "a str that is not empty", value))


def _text_or_none(name: str, value: object) -> None:
    if value is not None:
        _text(name, value)


def _generation(name: str, value: object) -> None:
    if isinstance(value, bool) or value not in (2, 4) or not isinstance(value, int):
        raise ValueError(checks.wrong(name, "2 or 4", value))


def _context_or_none(name: str, value: object) -> None:
    if value is not None and not isinstance(value, ssl.SSLContext):
        raise TypeError(checks.wrong(name, "an ssl.SSLContext or None", value))


@frozen(kw_only=True)
class RedisOptions(Options):
    """What a `RedisAdapter` can be told besides its URL."""

    key: str = option("socket.io", _text, Group.BASICS)
    """What the names of all channels begin with (JS: `key`); the same on all servers."""

    generation: Literal[2, 4] = option(2, _generation, Group.BASICS)
    """Of Socket.IO in Node.js: 2 for its socket.io-redis 5, 4 for @socket.io/redis-adapter 8."""

    ssl_context: ssl.SSLContext | None = option(None, _context_or_none, Group.BASICS)
    """For TLS, in place of what the URL says; needs a URL that begins with `rediss`."""

    name: str | None = option(None, _text_or_none, Group.OPERATION)
    """What this server is called in logs of the others; `None` for host and process id."""

    requests_timeout: float = option(5.0, _seconds, Group.LIMITS, unit="seconds")
    """How long to wait for the answers of other servers (JS: `requestsTimeout`)."""

    connect_timeout: float = option(5.0, _seconds, Group.LIMITS, unit="seconds")
    """How long connecting to Redis may take, each time."""

    command_timeout: float = option(5.0, _seconds, Group.LIMITS, unit="seconds")
    """Redis may be silent for this long while it owes a reply; then the connection is given up."""

    subscribe_timeout: float = option(1.0, _seconds, Group.LIMITS, unit="seconds")
    """How long `socket.join` waits for Redis to confirm the subscription to a new room."""

    probe_interval: float = option(5.0, _seconds, Group.LIMITS, unit="seconds")
    """How often the server announces itself and proves that it hears."""

    probe_timeout: float = option(5.0, _seconds, Group.LIMITS, unit="seconds")
    """The own probe has to come back in this time; otherwise Redis is connected to anew."""

    max_subscriptions: int = option(10_000, _count, Group.LIMITS, unit="rooms")
    """Rooms of a namespace with a subscription each; with more, one pattern serves all of them."""

    max_outgoing_bytes: int = option(16 * 2**20, _count, Group.LIMITS, unit="bytes")
    """What may be queued for Redis; `emit` waits, and while Redis is away the oldest is dropped."""

    max_message_bytes: int = option(64 * 2**20, _count, Group.LIMITS, unit="bytes")
    """The size of one message from Redis; at a larger one it is connected to anew."""
