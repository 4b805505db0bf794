"""What a server counts while it runs: plain attributes, since every event increments some."""

REFUSALS = (
    "transport_unknown",
    "session_id_unknown",
    "bad_handshake_method",
    "bad_request",
    "forbidden",
    "unsupported_protocol",
    "not_found",
    "no_http",
    "full",
    "draining",
    "closing",
    "preflight",
    "too_slow",
    "body",
    "namespace",
    "middleware",
)
"""Why clients are refused: the error codes of Engine.IO, and

    not_found    the path is not the server's
    no_http      the bytes are not an HTTP request, or too many
    full         max_connections, max_connections_per_address or max_sessions
    draining     the server drains
    closing      the server closes
    preflight    a header field that allow_headers does not name
    too_slow     a function of the application exceeded handshake_timeout
    body         fallback could not read the body
    namespace    the namespace does not exist, or exceeds a limit
    middleware   middleware of a namespace refused
"""


class Counters:
    """Counts since the server was made.

    Attributes:
        sessions: sessions opened.
        joins: sockets that have joined a namespace.
        refused: refusals, by kind; every one of `REFUSALS` is a key.
        bytes_in: bytes received, with HTTP and WebSocket, without TLS.
        bytes_out: bytes sent, likewise.
        events_in: events that clients have sent to namespaces that they have joined.
        events_out: events sent, counted once for each recipient.
        calls: calls of event handlers that have finished.
        call_seconds: their duration in seconds, including waits; a part of it is added by
            `trio_sio.engine.runtime.stalls`, which is off without `slow_step`.
        turn: when the current task's step of the event loop began, by `perf_counter()`; 0 without
            `slow_step`. Handlers are timed from here, which saves two reads of the clock.
    """

    __slots__ = (
        "bytes_in",
        "bytes_out",
        "call_seconds",
        "calls",
        "events_in",
        "events_out",
        "joins",
        "refused",
        "sessions",
        "turn",
    )

    def __init__(self) -> None:
        self.sessions = 0
        self.joins = 0
        self.refused = dict.fromkeys(REFUSALS, 0)
        self.bytes_in = 0
        self.bytes_out = 0
        self.events_in = 0
        self.events_out = 0
        self.calls = 0
        self.call_seconds = 0.0
        self.turn = 0.0
