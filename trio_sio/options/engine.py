"""The options of `Engine`, which are options of `Server` too."""

from collections.abc import Collection
from typing import Literal, get_args

from trio_sio.options import checks
from trio_sio.options.basics import BasicOptions
from trio_sio.options.compression import CompressionOption, check_compression
from trio_sio.options.cookie import (
    BY_PROTOCOL,
    ByProtocol,
    Cookie,
    CookieOption,
    SameSite,
    check_cookie,
    cookie_domain,
    cookie_path,
    cookie_same_site,
)
from trio_sio.options.declaration import Group, frozen, option
from trio_sio.options.hints import warn_of_milliseconds

_PING_TIMEOUTS = {3: 5.0, 4: 20.0}
"""Seconds, as in socket.io 2.5 and 4.8. Where the server pings, all of it is the answer's."""

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
class EngineOptions(BasicOptions):
    """What an engine can be told; `docs/options.md` lists all options."""

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

    cookie: CookieOption = option(BY_PROTOCOL, check_cookie, Group.OPERATION)
    """The name of the cookie with the session id, for load balancers; `None` for no cookie.

    By default clients of Socket.IO 2.x get `io`, those of 3.x and 4.x none, as from their own
    servers. Given, all get it: those of 2.x with each response of polling, the others with the
    first one. A dict has some of `name`, `path`, `http_only`, `same_site`, `secure`, `domain`,
    `max_age` and `expires`, a `datetime`; what it leaves out is as the options below say.
    """

    cookie_path: str | None = option("/", cookie_path, Group.OPERATION)
    """The cookie's path; `None` for the browser's default.

    `None` also drops `HttpOnly` for clients of Socket.IO 2.x, as in socket.io 2.5.
    """

    cookie_http_only: bool = option(True, checks.flag, Group.OPERATION)
    """Hides the cookie from the page's scripts."""

    cookie_secure: bool | None = option(None, checks.flag_or_none, Group.OPERATION)
    """Lets browsers send the cookie over TLS only; `None` if the client's connection uses TLS.

    Behind a proxy that terminates TLS, set it to `True`, or set `trusted_proxies`.
    """

    cookie_same_site: SameSite | ByProtocol | None = option(
        BY_PROTOCOL, cookie_same_site, Group.OPERATION
    )
    """The cookie's `SameSite`: `"Strict"`, `"Lax"`, `"None"`, or `None` for none.

    By default it is `"Strict"` for clients of Socket.IO 2.x, and `"Lax"` for the others. `"None"`
    is for pages of other sites. Browsers take it over TLS only, so the cookie is `Secure` then, and
    `cookie_secure` must not be `False`.
    """

    cookie_domain: str | None = option(None, cookie_domain, Group.OPERATION)
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
    """The interval at which clients send pings, or the server does; at most 1,000,000.

    The server's leave up to a twentieth of it earlier: many together, but no crowd for ever.
    """

    ping_timeout: float | None = option(
        None,
        checks.number(above=0, at_most=_LONGEST_HEARTBEAT, or_none=True),
        Group.OPERATION,
        unit="seconds",
        counted=True,
    )
    """A client that is silent for `ping_interval` and this long is closed; at most 1,000,000.

    `None` is 5 for clients of Socket.IO 2.x, who ping by themselves, and 20 for those of 3.x and
    4.x, who answer the server's pings. JavaScript's timers, which wait for `ping_interval` and this
    together, cannot wait for longer.
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
    """The same before a namespace is joined, and for joining; `None` for `max_http_buffer_size`."""

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
        if (cookie := self.cookie_for(3)) is not None:
            cookie.check(self.cookie)
        if not self.low_water < self.high_water:
            raise ValueError(checks.wrong("low_water", "less than 'high_water'", self.low_water))
        for name in ("ping_interval", "ping_timeout"):
            if (seconds := getattr(self, name)) is not None:
                warn_of_milliseconds(name, seconds)

    def ping_timeout_of(self, protocol: int) -> float:
        """Return `ping_timeout` for clients that speak a revision of Engine.IO, in seconds."""
        return _PING_TIMEOUTS[protocol] if self.ping_timeout is None else self.ping_timeout

    def silence_of(self, protocol: int) -> float:
        """Return the seconds after which such a client, if it is silent, is taken for gone."""
        return self.ping_interval + self.ping_timeout_of(protocol)

    def cookie_for(self, protocol: int) -> Cookie | None:
        """Return what holds for clients that speak a revision of Engine.IO; `None` for no cookie.

        Args:
            protocol: the revision, 3 or 4.
        """
        names = ("path", "http_only", "same_site", "secure", "domain", "max_age")
        others = {name: getattr(self, f"cookie_{name}") for name in names}
        return Cookie.of(self.cookie, others, protocol)
