"""The cookie that lets a load balancer send a client's requests to the same server.

It carries the session id and is never read by this server. As in socket.io 2.5 it comes with
each polling answer and never with the 101 of a WebSocket.
"""

from urllib.parse import quote

from trio_sio.options import EngineOptions

_SAFE = "-_.!~*'()"
"""What JavaScript's encodeURIComponent leaves as it is, besides letters and digits."""


def set_cookie(options: EngineOptions, sid: str, *, by_tls: bool) -> list[tuple[str, str]]:
    """Return the `Set-Cookie` field for a session, or nothing if cookies are off.

    Args:
        options: `cookie`, `cookie_path`, `cookie_http_only` and `cookie_secure`.
        sid: the session's id.
        by_tls: whether the request came by TLS; so will those to which the cookie belongs.
    """
    if options.cookie is None:
        return []
    value = f"{options.cookie}={quote(sid, safe=_SAFE)}"
    if options.cookie_path is not None:
        value += f"; Path={options.cookie_path}"
        if options.cookie_http_only:
            value += "; HttpOnly"
    if by_tls if options.cookie_secure is None else options.cookie_secure:
        value += "; Secure"
    return [("Set-Cookie", value + "; SameSite=Strict")]
