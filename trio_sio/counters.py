"""What a server counts while it runs: plain numbers, since each event goes past them."""

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
"""Why clients are refused: the error codes of Engine.IO; a path that is not the server's; bytes
that are no HTTP request, or too many; `max_connections`, `max_connections_per_address` or
`max_sessions`; `drain`; the end of the server; fields that `allow_headers` does not name; a
function of the application that took over `handshake_timeout`; a body that `fallback` could not
read; a namespace that does not exist or is one too many; middleware."""


class Counters:
    """What has happened since the server was made.

    Attributes:
        sessions: clients that came.
        joins: sockets that were let into a namespace.
        refused: refusals, by kind; each of `REFUSALS` has a number.
        bytes_in: bytes that came over connections, HTTP and WebSocket included, TLS not.
        bytes_out: bytes that left over connections, likewise.
        events_in: events that clients have sent to namespaces that they are in.
        events_out: events that were sent, one for each recipient.
        calls: calls of handlers of events that are over.
        call_seconds: seconds that these took, with all waiting; a part of them is added by
            `trio_sio.engine.runtime.stalls`, which is off without `slow_step`.
        turn: when the present task's turn of the event loop began, by `perf_counter()`; 0 if nobody
            watches. A handler takes its time from here, which spares it two looks at the clock.
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
