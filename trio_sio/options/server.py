"""The options of `Server`: those of its engine, and its own."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

from trio_sio.abc import Adapter, Parser
from trio_sio.options import checks
from trio_sio.options.declaration import Group, frozen, option, with_default
from trio_sio.options.engine import EngineOptions
from trio_sio.options.recovery import RecoveryOption, check_recovery

ParserOption = Parser | Literal["msgpack"] | None
"""`None` for Socket.IO's own."""

FloodPolicy = Literal["disconnect", "drop", "wait"]

_count = checks.count()
_count_or_none = checks.count(or_none=True)
_positive_or_none = checks.number(above=0, or_none=True)


def _rate(name: str, value: object) -> None:
    _positive_or_none(name, value)
    if value == math.inf:
        raise ValueError(checks.wrong(name, "a finite number, or None for no limit", value))


@frozen(kw_only=True)
class ServerOptions(EngineOptions):
    """What a server can be told; `docs/options.md` lists all options."""

    # -- defaults that differ from an engine's -------------------------------------------------

    path: str = with_default(EngineOptions, "path", "/socket.io")
    serve_client: bool | Path | str = with_default(EngineOptions, "serve_client", True)
    handshake_buffer_size: int | None = with_default(
        EngineOptions, "handshake_buffer_size", 100_000
    )
    connect_timeout: float | None = with_default(EngineOptions, "connect_timeout", 45.0)

    # -- what everybody needs ------------------------------------------------------------------

    adapter: Callable[[Any], Adapter] | None = option(None, checks.function, Group.BASICS)
    """`(namespace) -> Adapter`, makes a namespace's adapter; `None` for `MemoryAdapter`."""

    parser: ParserOption = option(None, checks.parser, Group.BASICS)
    """Encodes and decodes packets: `None` for Socket.IO's own, `"msgpack"`, or your own.

    Socket.IO's own reads JSON of up to 10,000 levels. `"msgpack"` speaks the format of
    socket.io-msgpack-parser 2.x, of up to 1,024 levels, and needs the extra `msgpack`. One of your
    own is an object with `Encoder` and `Decoder`, as `trio_sio.Parser`.
    """

    json_default: Callable[[object], object] | None = option(
        None, checks.plain_function, Group.BASICS
    )
    """`(value) -> what is sent in its place`, called for values that cannot be sent otherwise.

    Decimals, UUIDs, dataclasses, sets and the like; [Values](guide/values.md) lists what has a form
    of its own. It may return bytes, and values for which it is called again. It serves every
    parser, broadcasts to other servers, and custom requests.
    """

    cleanup_empty_child_namespaces: bool = option(True, checks.flag, Group.BASICS)
    """Drops a dynamic namespace when its last socket has left.

    It stays if it has handlers of its own, or if `io.of(name)` was called for it.
    """

    connection_state_recovery: RecoveryOption = option(None, check_recovery, Group.BASICS)
    """Lets clients of Socket.IO 4 that lose their connection return to their sockets.

    A `Recovery`, or a mapping with its names: `max_disconnection_duration` in seconds,
    `skip_middlewares`, and the limits `max_packets`, `max_bytes` and `max_sessions` of what is kept
    in memory; `{}` for its defaults. [Recovery](guide/recovery.md) tells what returns and what does
    not. It needs an adapter that keeps events, as the one in memory does.
    """

    validate: bool = option(False, checks.flag, Group.BASICS)
    """Checks what clients send against the types of handlers and of declared events.

    Handlers get values of these types; a client that sends others gets an ERROR packet. It needs
    the extra `typed`. Handlers without types are not checked; `on(…, validate=…)` decides for one.
    """

    # -- limits before a client has joined a namespace -----------------------------------------

    handshake_packets: int | None = option(
        100, _count_or_none, Group.LIMITS, unit="messages", counted=True
    )
    """Messages that a client may send before it has joined a namespace; `None` for no limit."""

    # -- limits of one client ------------------------------------------------------------------

    max_namespaces: int = option(100, _count, Group.LIMITS, unit="namespaces", counted=True)
    """How many namespaces one client may join; it is told that it cannot join more."""

    max_pending_namespaces: int = option(64, _count, Group.LIMITS, unit="namespaces", counted=True)
    """How many namespaces one client may be joining at a time, while middleware decides."""

    max_attachments: int = option(10, _count, Group.LIMITS, unit="attachments")
    """Binary values in one packet; JavaScript clients refuse more."""

    max_packet_bytes: int = option(100_000_000, _count, Group.LIMITS, unit="bytes", counted=True)
    """The size of one packet with its attachments."""

    attachments_timeout: float = option(
        120.0, checks.number(above=0), Group.LIMITS, unit="seconds", counted=True
    )
    """How long the attachments of one packet may take."""

    max_events_per_second: float | None = option(
        None, _rate, Group.LIMITS, unit="events per second", counted=True
    )
    """How many events one client may send on average; `None` for no limit.

    Those to all its namespaces count together. Joining a namespace counts as one.
    """

    event_burst: int | None = option(None, _count_or_none, Group.LIMITS, unit="events")
    """How many events one client may send at once; `None` for those of one second."""

    on_flood: FloodPolicy = option("disconnect", checks.word(get_args(FloodPolicy)), Group.LIMITS)
    """What happens to a client that sends more events than that.

    `"disconnect"` closes it, `"drop"` drops the event and sends a client of 2.x an ERROR packet,
    and `"wait"` reads from the client more slowly.
    """

    # -- limits of one socket ------------------------------------------------------------------

    max_inbox: int = option(64, _count, Group.LIMITS, unit="events")
    """Events queued for one socket's handlers; then its client is not read until there is room.

    It also limits how many handlers with `concurrent=True` one socket runs at a time.
    """

    max_rooms: int = option(10_000, _count, Group.LIMITS, unit="rooms", counted=True)
    """How many rooms a socket may be in; then `join` raises `LimitReached`."""

    max_pending_acks: int = option(
        10_000, _count, Group.LIMITS, unit="acknowledgements", counted=True
    )
    """How many acknowledgements a socket may wait for; then `emit` and `call` raise `LimitReached`.

    A callback that has been called counts until it ends.
    """


LIMIT_OPTIONS = tuple(
    name for name, declared in ServerOptions.declarations().items() if declared.counted
)
"""Options that `statistics().limits` counts: what a client does or has can go beyond them."""
