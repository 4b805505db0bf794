"""In what servers are known to differ, by their names and those of the checks."""

from collections.abc import Iterator, Mapping

from trio_sio.testing.clients.transports import TRANSPORTS

_BY_REASON = {
    "python-socketio 4.6.1": {
        "it refuses origins by default, and names none": (
            "handshake/cross-origin-with-credentials",
        ),
        "its refusals are strings without a code": (
            "refusals/an-unknown-transport",
            "refusals/an-unknown-session[GET]",
            "refusals/an-unknown-session[POST]",
            "refusals/a-websocket-without-an-upgrade",
        ),
        "polling is the default": ("refusals/no-transport",),
        "it opens WebSockets before it looks for the session": (
            "refusals/a-websocket-for-an-unknown-session",
        ),
        "a handshake by POST raises in it": ("refusals/a-handshake-by-post",),
        "it does not ask which transport a session has": (
            "refusals/polling-for-a-session-by-websocket",
            "upgrade/polling-behind-the-upgrade",
            "upgrade/a-post-behind-the-upgrade",
        ),
        "gevent-websocket closes without an answer": (
            "refusals/a-websocket-of-an-unknown-version",
        ),
        "lengths in text payloads count bytes when it sends, and code points when it receives": (
            "payloads/lengths-are-characters[polling]",
            "payloads/lengths-are-characters[polling-base64]",
            "payloads/lengths-count-utf-16-code-units",
        ),
        "two polls of one session wait side by side": ("payloads/a-second-poll-while-one-is-held",),
        "a payload without lengths is ignored, and the session goes on": (
            "payloads/a-malformed-payload-ends-the-session",
        ),
        "more than 16 packets in one POST are ignored": ("payloads/many-packets-in-one-post",),
        "WebSockets get binary frames whatever their query says": ("binary/base64-by-websocket",),
        "a poll behind CLOSE during an upgrade raises in it": (
            "upgrade/the-client-closes-during-the-upgrade",
        ),
        "its JSONP takes no text but ASCII": (
            "payloads/lengths-are-characters[polling-jsonp]",
            "events/values-come-back[polling-jsonp]",
        ),
        "it does not undo the escapes of JSONP": ("payloads/jsonp-escapes",),
        "PONG repeats whatever PING has": (
            "heartbeat/a-ping-with-data[polling]",
            "heartbeat/a-ping-with-data[websocket]",
        ),
        "who asks for a namespace that does not exist is let in": (
            "namespaces/an-unknown-namespace",
        ),
        "the query of a namespace does not reach the application": (
            "namespaces/the-query-of-a-namespace",
        ),
        "an empty binary value becomes null": tuple(
            f"binary/values-anywhere[{how}]" for how in TRANSPORTS
        ),
        "a WebSocket stays open when its session has ended": (
            "heartbeat/silence-ends-the-session[websocket]",
        ),
        "leaving the root namespace ends the session": (
            "closing/the-client-leaves-the-root[polling]",
            "closing/the-client-leaves-the-root[websocket]",
        ),
        "what is no packet is ignored, and the session goes on": tuple(
            f"closing/what-is-no-packet-ends-the-session[{packet}]"
            for packet in ("9", "x", "4", "42{", '42"text"', '451["x"]', "45-1[]")
        ),
        "max_http_buffer_size is no limit for WebSockets on gevent": (
            "limits/a-message-one-byte-over-the-limit",
            "limits/a-message-that-is-too-large",
        ),
        "a body that is too large is neither read nor answered": (
            "limits/a-body-one-byte-over-the-limit",
            "limits/a-body-that-is-too-large",
        ),
    },
    "socket.io 4.8.4": {
        "a CONNECT right behind a DISCONNECT finds the namespace still joined": (
            "namespaces/leaving-and-joining-in-one-post",
        ),
        "each PONG postpones the next ping, one that was not asked for, too": (
            "heartbeat/an-unasked-pong-does-not-postpone-pings[polling]",
            "heartbeat/an-unasked-pong-does-not-postpone-pings[websocket]",
        ),
        "an upgrade stops the time in which a ping has to be answered": (
            "upgrade/a-ping-that-is-never-answered",
        ),
        "what is for a namespace that was left a moment ago closes the connection": (
            "strictness/an-event-behind-leaving",
            'strictness/what-crosses-a-disconnect[42/chat,["echo",1]]',
            'strictness/what-crosses-a-disconnect[43/chat,0["late"]]',
            "strictness/what-crosses-a-disconnect[41/chat,]",
        ),
        "a second CONNECT closes the connection": ("strictness/joining-what-is-joined",),
        "what comes before CONNECT was answered closes the connection": (
            "strictness/an-event-right-behind-connect",
        ),
        "two CONNECT packets at a time make two sockets": ("strictness/two-connects-at-a-time",),
    },
}


def _by_check(reasons: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    for reason, names in reasons.items():
        for name in names:
            yield name, reason


DIFFERENCES: Mapping[str, Mapping[str, str]] = {
    server: dict(_by_check(reasons)) for server, reasons in _BY_REASON.items()
}
"""By server, and by the name of a check that it fails, why it does."""
