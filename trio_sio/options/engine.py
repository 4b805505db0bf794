"""The options of `Engine`, which are options of `Server` too."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Literal, get_args

from trio_sio.abc import WebApplication
from trio_sio.http import Request, Response
from trio_sio.options import checks
from trio_sio.options.compression import CompressionOption, check_compression
from trio_sio.options.declaration import Group, Options, frozen, option
from trio_sio.options.hints import warn_of_milliseconds

AllowHeaders = str | Collection[str]
"""The name of a header field, several, or `"*"` for any."""

Origins = str | Collection[str] | Callable[[str], Awaitable[bool] | bool]
"""`"*"`, one origin, several, or a function that is called with the origin of each request."""

TransportName = Literal["polling", "websocket"]
TRANSPORTS: tuple[TransportName, ...] = get_args(TransportName)

SameSite = Literal["Strict", "Lax", "None"]

ForwardedFields = Literal["x-forwarded", "forwarded"]

TrustedProxies = int | str | Collection[str]
"""How many proxies, or their addresses, networks, `"unix"` or `"all"`."""

WSEngine = Literal["auto", "trio-websocket", "websockets"]

OverflowPolicy = Literal["disconnect", "drop_newest", "drop_oldest"]
OVERFLOW_POLICIES: tuple[OverflowPolicy, ...] = get_args(OverflowPolicy)

_LONGEST_HEARTBEAT = 1_000_000
"""Seconds. A client waits for `ping_interval` and `ping_timeout` together, and a timer in
JavaScript that is to wait for more than 2 ** 31 ms does not wait at all."""

_seconds = checks.number(above=0)
_heartbeat = checks.number(above=0, at_most=_LONGEST_HEARTBEAT)
_count = checks.count()
_count_or_none = checks.count(or_none=True)


@frozen(kw_only=True)
class EngineOptions(Options):
    """What an engine can be told; `docs/options.md` lists all options."""

    # -- what everybody needs ------------------------------------------------------------------

    path: str = option("/engine.io", checks.url_path, Group.BASICS)
    """The URL path at which the server answers."""

    serve_client: bool | Path | str = option(False, checks.flag_or_folder, Group.BASICS)
    """Serves the browser client under `path`; a folder to serve it from, or `False`."""

    origins: Origins = option("*", checks.origins, Group.BASICS)
    """The origins that may connect: `"*"` for every web site, one, several, or a function.

    Every request is checked. A refused client is told which origins are allowed. A function,
    async or not, gets the origin and returns a bool, or raises `RequestRefused`.
    """

    allow_headers: AllowHeaders = option((), checks.field_names, Group.BASICS)
    """Header fields that pages of other origins may send; `"*"` for any.

    `["Authorization"]`, for example, if the client's `extraHeaders` has it.
    """

    allow_request: Callable[[Request], Awaitable[object] | object] | None = option(
        None, checks.function, Group.BASICS
    )
    """`async def (request)`, decides about each handshake in place of `origins`.

    It raises `RequestRefused`, or returns something false, to refuse. `None`, as of a function that
    returns nothing, lets the client in. It need not be async.
    """

    generate_id: Callable[[Request], Awaitable[str] | str] | None = option(
        None, checks.function, Group.BASICS
    )
    """`(request) -> str`, async or not: makes the ids of sessions; `None` for random ones.

    These ids are used as they are, without `node_id`.
    """

    fallback: Callable[[Request], Awaitable[Response]] | WebApplication | None = option(
        None, checks.function_or_application, Group.BASICS
    )
    """`async def (request) -> Response`, answers requests for other paths; `None` for a 404.

    Or a `trio_sio.abc.WebApplication`, as `trio_sio.asgi.Fallback(app)` makes one of an ASGI
    application. If the request of a function has no body, the call is cancelled when the client
    closes its connection.
    """

    transports: Sequence[TransportName] = option(TRANSPORTS, checks.words(TRANSPORTS), Group.BASICS)
    """The transports that clients may use."""

    allow_upgrades: bool = option(True, checks.flag, Group.BASICS)
    """Tells polling clients that they may upgrade to WebSocket."""

    raise_errors: bool = option(False, checks.flag, Group.BASICS)
    """Lets errors of handlers out of the server, instead of only logging them."""

    # -- what operators need -------------------------------------------------------------------

    ws_engine: WSEngine = option("auto", checks.word(get_args(WSEngine)), Group.OPERATION)
    """The WebSocket library; `"auto"` takes `websockets` if it is installed."""

    node_id: str = option("", checks.node_id, Group.OPERATION)
    """The name of this node of a cluster, with which its session ids begin; `""` for none.

    A proxy can route by it: `"w3"` makes ids like `w3.pMx0aBcDeFgHiJkLmNoP`. Up to 32 letters of
    ASCII, digits, `_` and `-`, another text for each node. A client whose requests are sent to
    another node than its session's is told so, and the log as well.
    """

    per_message_deflate: CompressionOption = option(False, check_compression, Group.OPERATION)
    """Compresses WebSocket messages: `True`, or parameters; needs the extra `speed`."""

    http_compression: CompressionOption = option(True, check_compression, Group.OPERATION)
    """Compresses the responses to polls: `True`, `False`, or parameters."""

    cookie: str | None = option("io", checks.cookie_text(' ",;\\=()<>@:/[]?{}'), Group.OPERATION)
    """The name of the cookie with the session id, for load balancers; `None` for no cookie."""

    cookie_path: str | None = option("/", checks.cookie_text(";"), Group.OPERATION)
    """The cookie's path; `None` for the browser's default, which also drops `HttpOnly`."""

    cookie_http_only: bool = option(True, checks.flag, Group.OPERATION)
    """Hides the cookie from the page's scripts."""

    cookie_secure: bool | None = option(None, checks.flag_or_none, Group.OPERATION)
    """Lets browsers send the cookie over TLS only; `None` if the client's connection uses TLS.

    Behind a proxy that terminates TLS, set it to `True`, or set `trusted_proxies`.
    """

    cookie_same_site: SameSite | None = option(
        "Strict", checks.word((*get_args(SameSite), None)), Group.OPERATION
    )
    """The cookie's `SameSite`: `"Strict"`, `"Lax"`, `"None"`, or `None` for none.

    `"None"` is for pages of other sites. Browsers take it over TLS only, so the cookie is `Secure`
    then, and `cookie_secure` must not be `False`.
    """

    cookie_domain: str | None = option(None, checks.cookie_text(" ;,"), Group.OPERATION)
    """The cookie's `Domain`, with whose subdomains it is shared; `None` for this host alone."""

    cookie_max_age: int | None = option(None, checks.age, Group.OPERATION, unit="seconds")
    """How long browsers keep the cookie (`Max-Age`); `None` until they are closed."""

    trusted_proxies: TrustedProxies | None = option(None, checks.proxies, Group.OPERATION)
    """The proxies that are believed who the client is; `None` for none.

    How many there are one behind the other, or their addresses and networks, as `"10.0.0.0/8"`;
    `"unix"` is a peer on a Unix socket, and `"all"` every peer. The client's address and whether it
    uses TLS are then what these proxies say, in the fields that `forwarded_fields` names.
    """

    forwarded_fields: ForwardedFields = option(
        "x-forwarded", checks.word(get_args(ForwardedFields)), Group.OPERATION
    )
    """Which fields trusted proxies write.

    `"x-forwarded"` are `X-Forwarded-For` and `X-Forwarded-Proto`, `"forwarded"` is RFC 7239's. The
    other kind is ignored, since a proxy passes on what its client wrote there.
    """

    proxy_protocol: bool = option(False, checks.flag, Group.OPERATION)
    """Expects the PROXY protocol, version 1 or 2, at the beginning of each accepted connection.

    The client's address, and whether it uses TLS, are then what this header says. A connection
    without it is closed, so only the proxy should reach the port. `serve_stream` reads none.
    """

    ping_interval: float = option(25.0, _heartbeat, Group.OPERATION, unit="seconds")
    """The interval at which clients send pings; at most 1,000,000."""

    ping_timeout: float = option(5.0, _heartbeat, Group.OPERATION, unit="seconds", counted=True)
    """A client that is silent for `ping_interval` and this long is closed; at most 1,000,000.

    JavaScript's timers, which wait for both together, cannot wait for longer.
    """

    high_water: float = option(
        0.5, checks.number(above=0, at_most=1), Group.OPERATION, unit="fraction"
    )
    """The fraction of `max_outbox` or `max_outbox_bytes` above which a client is behind."""

    low_water: float = option(0.25, checks.number(at_least=0), Group.OPERATION, unit="fraction")
    """The fraction of both down to which it has to drain to catch up; less than `high_water`."""

    slow_step: float | None = option(
        0.25, checks.number(above=0, or_none=True), Group.OPERATION, unit="seconds"
    )
    """A longer step of the event loop is logged with its function; `None` turns this watch off."""

    grace: float = option(5.0, checks.number(at_least=0), Group.OPERATION, unit="seconds")
    """How long handlers may go on after their socket or the server has closed."""

    # -- limits: time --------------------------------------------------------------------------

    head_timeout: float = option(20.0, _seconds, Group.LIMITS, unit="seconds", counted=True)
    """How long a client may take to send the head of a request."""

    body_timeout: float = option(120.0, _seconds, Group.LIMITS, unit="seconds", counted=True)
    """How long a client may take to send the body of a request."""

    keep_alive_timeout: float = option(75.0, _seconds, Group.LIMITS, unit="seconds")
    """How long a connection may be idle between two requests."""

    answer_timeout: float = option(120.0, _seconds, Group.LIMITS, unit="seconds", counted=True)
    """How long a client may take to receive a response that the network did not take at once."""

    handshake_timeout: float = option(20.0, _seconds, Group.LIMITS, unit="seconds")
    """How long an async `allow_request`, `origins` or `generate_id` may take, each.

    After that the call is cancelled and the request answered with 503. It is cancelled, too, when
    the client closes its connection.
    """

    upgrade_timeout: float = option(10.0, _seconds, Group.LIMITS, unit="seconds")
    """How long an upgrade from polling to WebSocket may take."""

    connect_timeout: float | None = option(
        None,
        checks.number(above=0, or_none=True),
        Group.LIMITS,
        unit="seconds",
        counted=True,
    )
    """Closes a client that joins no namespace within this time; `None` for no limit."""

    # -- limits: number and size ---------------------------------------------------------------

    max_connections: int | None = option(
        None, _count_or_none, Group.LIMITS, unit="connections", counted=True
    )
    """How many connections may be open; more are answered with 503; `None` for no limit."""

    max_connections_per_address: int | None = option(
        None, _count_or_none, Group.LIMITS, unit="connections", counted=True
    )
    """How many may be open from one address; more are answered with 503; `None` for no limit.

    Behind a proxy, all connections have the proxy's address. With `trusted_proxies`, connections of
    these proxies are not limited, but sessions are, by the client's address.
    """

    max_sessions: int | None = option(
        100_000, _count_or_none, Group.LIMITS, unit="clients", counted=True
    )
    """How many clients there may be; more are answered with 503; `None` for no limit.

    A polling client counts between two polls, too.
    """

    max_headers: int = option(100, _count, Group.LIMITS, unit="fields", counted=True)
    """Header fields of one request; more are answered with 431."""

    max_header_size: int = option(16 * 1024, _count, Group.LIMITS, unit="bytes", counted=True)
    """The size of the head of one request; a larger one is answered with 431."""

    max_http_buffer_size: int = option(
        100_000_000, _count, Group.LIMITS, unit="bytes", counted=True
    )
    """The size of one WebSocket message, and of the body of one POST.

    A body of the default size is parsed in one step, which holds the event loop for 4 s as a JSONP
    form and for 40 s if it is JSON of nothing but `[]`
    (`pytest --long tests/protocol/test_large_bodies.py` measures your machine), so set it to what
    your clients need.
    """

    handshake_buffer_size: int | None = option(
        None, _count_or_none, Group.LIMITS, unit="bytes", counted=True
    )
    """The same until the client has joined a namespace; `None` for `max_http_buffer_size`."""

    max_payload_packets: int = option(100_000, _count, Group.LIMITS, unit="packets", counted=True)
    """Packets in the body of one POST."""

    max_fragments: int = option(4096, _count, Group.LIMITS, unit="fragments", counted=True)
    """Fragments of one WebSocket message."""

    max_outbox: int = option(512, _count, Group.LIMITS, unit="packets", counted=True)
    """Packets that may be queued for one client."""

    max_outbox_bytes: int = option(8 * 2**20, _count, Group.LIMITS, unit="bytes", counted=True)
    """Bytes that may be queued for one client."""

    on_overflow: OverflowPolicy = option("disconnect", checks.word(OVERFLOW_POLICIES), Group.LIMITS)
    """What a broadcast does at a full outbox.

    `"disconnect"` closes that client, `"drop_newest"` drops the event for that client, and
    `"drop_oldest"` drops events that have been queued for longer.
    """

    def __attrs_post_init__(self) -> None:
        if self.cookie_same_site == "None" and self.cookie_secure is False:
            wanted = "True or None if 'cookie_same_site' is 'None'"
            raise ValueError(checks.wrong("cookie_secure", wanted, self.cookie_secure))
        if not self.low_water < self.high_water:
            raise ValueError(checks.wrong("low_water", "less than 'high_water'", self.low_water))
        for name in ("ping_interval", "ping_timeout"):
            warn_of_milliseconds(name, getattr(self, name))
