"""The options of `Engine` and `Server`, with the defaults of the Socket.IO 2.x document.

Times are seconds, sizes are bytes. An unknown option is a `TypeError`, a value that cannot be
meant a `TypeError` or `ValueError`; both name the option and the value.
"""

import difflib
import math
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, TypedDict

from trio_sio.compression_options import COMPRESSIONS, CompressionOption, check_compression

TRANSPORTS = ("polling", "websocket")
WS_ENGINES = ("auto", "trio-websocket", "websockets")
OVERFLOW_POLICIES = ("disconnect", "drop_newest", "drop_oldest")
FLOOD_POLICIES = ("disconnect", "drop", "wait")

AllowHeaders = str | Collection[str]
"""The name of a header field, several, or `"*"` for any."""

Origins = str | Collection[str] | Callable[[str], Awaitable[bool] | bool]
"""`"*"`, one origin, several, or a function that is asked for each request."""

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_POSITIVE = (
    "ping_timeout",
    "ping_interval",
    "upgrade_timeout",
    "head_timeout",
    "body_timeout",
    "keep_alive_timeout",
    "answer_timeout",
    "handshake_timeout",
    "connect_timeout",
    "attachments_timeout",
    "slow_step",
    "max_events_per_second",
)
_LONGEST_HEARTBEAT = 1_000_000
"""Seconds; a client waits for `ping_interval` and `ping_timeout` together, and a timer in
JavaScript that is to wait for more than 2 ** 31 ms does not wait at all."""

_COUNTS = (
    "max_http_buffer_size",
    "handshake_buffer_size",
    "max_outbox",
    "max_outbox_bytes",
    "max_inbox",
    "max_attachments",
    "max_packet_bytes",
    "max_payload_packets",
    "max_fragments",
    "max_headers",
    "max_header_size",
    "max_sessions",
    "handshake_packets",
    "max_namespaces",
    "max_pending_namespaces",
    "max_rooms",
    "max_pending_acks",
    "event_burst",
    "max_connections",
    "max_connections_per_address",
)
_MAY_BE_NONE = (
    "handshake_buffer_size",
    "connect_timeout",
    "slow_step",
    "handshake_packets",
    "max_connections",
    "max_connections_per_address",
    "max_sessions",
    "max_events_per_second",
    "event_burst",
)
_FLAGS = (
    "allow_upgrades",
    "cookie_http_only",
    "raise_errors",
    "cleanup_empty_child_namespaces",
)


LIMIT_OPTIONS = (
    *("head_timeout", "body_timeout", "answer_timeout", "connect_timeout", "ping_timeout"),
    *("max_http_buffer_size", "handshake_buffer_size", "max_payload_packets", "max_fragments"),
    *("max_headers", "max_header_size", "max_outbox", "max_outbox_bytes"),
    *("max_connections", "max_connections_per_address", "max_sessions"),
    *("handshake_packets", "max_namespaces", "max_pending_namespaces", "max_events_per_second"),
    *("max_packet_bytes", "attachments_timeout", "max_rooms", "max_pending_acks"),
)
"""Options that `statistics().limits` counts: what a client does or has can go beyond them."""


class EngineKeywords(TypedDict, total=False):
    """The options of `Engine` as keyword arguments, for type checkers."""

    path: str
    serve_client: bool | Path | str
    origins: Origins
    allow_headers: AllowHeaders
    ping_timeout: float
    ping_interval: float
    upgrade_timeout: float
    max_http_buffer_size: int
    handshake_buffer_size: int | None
    allow_request: Callable[[Any], Awaitable[object] | object] | None
    transports: Sequence[str]
    allow_upgrades: bool
    per_message_deflate: CompressionOption
    http_compression: CompressionOption
    cookie: str | None
    cookie_path: str | None
    cookie_http_only: bool
    cookie_secure: bool | None
    ws_engine: str
    generate_id: Callable[[Any], Awaitable[str] | str] | None
    fallback: Callable[[Any], Awaitable[Any]] | None
    head_timeout: float
    body_timeout: float
    keep_alive_timeout: float
    answer_timeout: float
    handshake_timeout: float
    connect_timeout: float | None
    max_connections: int | None
    max_connections_per_address: int | None
    max_sessions: int | None
    max_payload_packets: int
    max_fragments: int
    max_headers: int
    max_header_size: int
    max_outbox: int
    max_outbox_bytes: int
    on_overflow: str
    high_water: float
    low_water: float
    slow_step: float | None
    grace: float
    raise_errors: bool


class ServerKeywords(EngineKeywords, total=False):
    """The options of `Server` as keyword arguments, for type checkers."""

    adapter: Callable[[Any], Any] | None
    parser: Any
    max_inbox: int
    max_attachments: int
    max_packet_bytes: int
    attachments_timeout: float
    handshake_packets: int | None
    max_namespaces: int
    max_pending_namespaces: int
    max_rooms: int
    max_pending_acks: int
    max_events_per_second: float | None
    event_burst: int | None
    on_flood: str
    cleanup_empty_child_namespaces: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """What the engine can be told; docs/options.md explains each option.

    `allow_request` is `async def (request)` and raises `RequestRefused` to refuse, or returns
    something false; `None`, as of a function that returns nothing, lets the client in. It replaces
    the check of `origins`. `generate_id` is `(request) -> str`, async or not. `fallback` is
    `async def (request) -> Response` for paths that are not the engine's.
    """

    path: str = "/engine.io"
    serve_client: bool | Path | str = False
    origins: Origins = "*"
    allow_headers: AllowHeaders = ()
    ping_timeout: float = 5.0
    ping_interval: float = 25.0
    upgrade_timeout: float = 10.0
    max_http_buffer_size: int = 100_000_000
    handshake_buffer_size: int | None = None
    allow_request: Callable[[Any], Awaitable[object] | object] | None = None
    transports: Sequence[str] = TRANSPORTS
    allow_upgrades: bool = True
    per_message_deflate: CompressionOption = False
    http_compression: CompressionOption = True
    cookie: str | None = "io"
    cookie_path: str | None = "/"
    cookie_http_only: bool = True
    cookie_secure: bool | None = None
    ws_engine: str = "auto"
    generate_id: Callable[[Any], Awaitable[str] | str] | None = None
    fallback: Callable[[Any], Awaitable[Any]] | None = None
    head_timeout: float = 20.0
    body_timeout: float = 120.0
    keep_alive_timeout: float = 75.0
    answer_timeout: float = 120.0
    handshake_timeout: float = 20.0
    connect_timeout: float | None = None
    max_connections: int | None = None
    max_connections_per_address: int | None = None
    max_sessions: int | None = 100_000
    max_payload_packets: int = 100_000
    max_fragments: int = 4096
    max_headers: int = 100
    max_header_size: int = 16 * 1024
    max_outbox: int = 512
    max_outbox_bytes: int = 8 * 2**20
    on_overflow: str = "disconnect"
    high_water: float = 0.5
    low_water: float = 0.25
    slow_step: float | None = 0.25
    grace: float = 5.0
    raise_errors: bool = False

    @classmethod
    def of(cls, options: Mapping[str, object]) -> Self:
        """Build options from keyword arguments.

        Raises:
            TypeError: an option that does not exist (a near one is suggested), or a wrong type.
            ValueError: a value out of its range.
        """
        known = [field.name for field in fields(cls)]
        for name in options:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"unknown option {name!r}{hint}")
        return cls(**options)  # type: ignore[arg-type]  # checked in __post_init__

    def __post_init__(self) -> None:
        """Check each value once, here; nobody else has to."""
        for check in (
            *(_check_numbers, _check_rates, _check_marks, _check_flags),
            *(_check_texts, _check_calls, _check_parser),
        ):
            check(self)
        for name in COMPRESSIONS:
            check_compression(name, getattr(self, name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions(EngineOptions):
    """What a Socket.IO server can be told beyond its engine.

    `adapter` is a callable `(namespace) -> Adapter`, `None` for `MemoryAdapter`; `parser` is
    "msgpack", or has two attributes, `Encoder` and `Decoder`; `None` is Socket.IO's own.
    """

    path: str = "/socket.io"
    serve_client: bool | Path | str = True
    adapter: Callable[[Any], Any] | None = None
    parser: Any = None
    max_inbox: int = 64
    max_attachments: int = 10
    max_packet_bytes: int = 100_000_000
    attachments_timeout: float = 120.0
    handshake_packets: int | None = 100
    max_namespaces: int = 100
    max_pending_namespaces: int = 64
    max_rooms: int = 10_000
    max_pending_acks: int = 10_000
    max_events_per_second: float | None = None
    event_burst: int | None = None
    on_flood: str = "disconnect"
    cleanup_empty_child_namespaces: bool = True
    handshake_buffer_size: int | None = 100_000
    connect_timeout: float | None = 45.0


def _wrong(options: EngineOptions, name: str, wanted: str) -> str:
    return f"option {name!r} must be {wanted}, not {getattr(options, name)!r}"


def _check_numbers(options: EngineOptions) -> None:
    for name in (*_POSITIVE, "grace"):
        value = getattr(options, name, 1.0)  # some are the server's alone
        if value is None and name in _MAY_BE_NONE:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(_wrong(options, name, "a number"))
        if not (value >= 0 if name == "grace" else value > 0):
            raise ValueError(_wrong(options, name, "a positive number"))
    for name in _COUNTS:
        value = getattr(options, name, 1)
        if value is None and name in _MAY_BE_NONE:
            continue
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(_wrong(options, name, "a whole number"))
        if value < 1:
            raise ValueError(_wrong(options, name, "at least 1"))


def _check_rates(options: EngineOptions) -> None:
    for name in ("ping_interval", "ping_timeout"):
        if getattr(options, name) > _LONGEST_HEARTBEAT:
            wanted = f"at most {_LONGEST_HEARTBEAT}: JavaScript's timers take no more"
            raise ValueError(_wrong(options, name, wanted))
    if getattr(options, "max_events_per_second", None) == math.inf:
        raise ValueError(_wrong(options, "max_events_per_second", "a number, or None for no limit"))


def _check_marks(options: EngineOptions) -> None:
    for name in ("high_water", "low_water"):
        value = getattr(options, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(_wrong(options, name, "a number"))
    if not 0 < options.high_water <= 1:
        raise ValueError(_wrong(options, "high_water", "more than 0 and at most 1"))
    if not 0 <= options.low_water < options.high_water:
        raise ValueError(_wrong(options, "low_water", "less than 'high_water'"))


def _check_flags(options: EngineOptions) -> None:
    for name in _FLAGS:
        if not isinstance(getattr(options, name, True), bool):  # some are the server's alone
            raise TypeError(_wrong(options, name, "True or False"))
    if options.cookie_secure is not None and not isinstance(options.cookie_secure, bool):
        raise TypeError(_wrong(options, "cookie_secure", "True, False or None"))
    if not isinstance(options.serve_client, (bool, str, Path)):
        raise TypeError(_wrong(options, "serve_client", "True, False or a folder"))


def _check_texts(options: EngineOptions) -> None:
    if not isinstance(options.path, str) or not options.path.startswith("/"):
        raise ValueError(_wrong(options, "path", "a path that begins with a slash"))
    if options.ws_engine not in WS_ENGINES:
        raise ValueError(_wrong(options, "ws_engine", "one of " + ", ".join(WS_ENGINES)))
    if options.on_overflow not in OVERFLOW_POLICIES:
        raise ValueError(_wrong(options, "on_overflow", "one of " + ", ".join(OVERFLOW_POLICIES)))
    if getattr(options, "on_flood", "drop") not in FLOOD_POLICIES:
        raise ValueError(_wrong(options, "on_flood", "one of " + ", ".join(FLOOD_POLICIES)))
    transports = options.transports
    if isinstance(transports, str) or not transports or set(transports) - set(TRANSPORTS):
        raise ValueError(_wrong(options, "transports", f"some of {TRANSPORTS}"))
    for name in ("cookie", "cookie_path"):
        value = getattr(options, name)
        if value is not None and not _is_cookie_text(value, name == "cookie"):
            raise ValueError(_wrong(options, name, "text that may stand in a cookie, or None"))


def _is_cookie_text(value: object, is_name: bool) -> bool:
    """Whether `value` can stand in `Set-Cookie` without ending it or adding to it."""
    forbidden = ' ",;\\=()<>@:/[]?{}' if is_name else ";"
    return (
        isinstance(value, str)
        and bool(value)
        and all(" " <= letter <= "~" and letter not in forbidden for letter in value)
    )


def _check_calls(options: EngineOptions) -> None:
    for name in ("allow_request", "generate_id", "fallback", "adapter"):
        value = getattr(options, name, None)
        if value is not None and not callable(value):
            raise TypeError(_wrong(options, name, "callable"))
    _check_allow_headers(options)
    origins = options.origins
    if isinstance(origins, str) or callable(origins):
        return
    if not isinstance(origins, Collection) or not all(isinstance(one, str) for one in origins):
        raise TypeError(_wrong(options, "origins", "a text, a collection of texts or a function"))


def _check_allow_headers(options: EngineOptions) -> None:
    names = options.allow_headers
    wanted = '"*", the name of a header field or a collection of such names'
    if not isinstance(names, Collection) or isinstance(names, (bytes, Mapping)):
        raise TypeError(_wrong(options, "allow_headers", wanted))
    for name in [names] if isinstance(names, str) else names:
        if not isinstance(name, str):
            raise TypeError(_wrong(options, "allow_headers", wanted))
        if not _FIELD_NAME.fullmatch(name):
            raise ValueError(_wrong(options, "allow_headers", wanted))


def _check_parser(options: EngineOptions) -> None:
    parser = getattr(options, "parser", None)
    if parser is None or parser == "msgpack":
        return
    if not all(callable(getattr(parser, name, None)) for name in ("Encoder", "Decoder")):
        wanted = '"msgpack", or an object with Encoder and Decoder'
        raise TypeError(_wrong(options, "parser", wanted))
