"""What of a client's own words a line of the log may show.

Tokens of 2.x clients travel in the query, session ids are as good as passwords while their session
lives, and whatever a client sends can hold line breaks or terminal codes. So a line shows of

    a request    its method and path, and of the query `EIO`, `transport` and `t`; `sid` shortened
    a session    the first characters of its id
    an origin    scheme, host and port
    a name       what is printable of it, cut off

and nothing of other values of a query, of cookies and other header fields, or of bodies. Where
packets are shown to whoever asks for them, a CONNECT is shown without the secret by which a client
is known again when it comes back.
"""

import re
from urllib.parse import urlsplit

from trio_sio.protocol.engineio.session_id import node_of

ID_CHARACTERS = 6
"""Of a session id: enough to tell two sessions apart, too few to take one over."""

NAME_CHARACTERS = 60
"""Of an event, a namespace, a room or a path."""

_SHOWN_VALUES = {
    "EIO": re.compile(r"[0-9]{1,3}"),
    "transport": re.compile(r"[a-z-]{1,16}"),
    "t": re.compile(r"[0-9A-Za-z_.-]{1,12}"),
}
"""Fields of a query whose values are shown, if they look as a client of ours makes them."""

_MAX_FIELDS = 20
"""Fields of a query that are looked at; our clients send eight at most."""


_PID = re.compile(r'("pid"\s*:\s*)"[^"]*"?')


def without_pid(connect: str) -> str:
    """Return the text of a CONNECT packet without the secret in it."""
    return _PID.sub(r'\1"…"', connect)


def printable(text: str, limit: int = NAME_CHARACTERS) -> str:
    """Return the beginning of a string, with everything that does not print as escapes.

    Args:
        text: perhaps a client's.
        limit: characters that are kept of it; "…" stands for the others.
    """
    cut = text if len(text) <= limit else text[:limit] + "…"
    if cut.isprintable():
        return cut
    return "".join([one if one.isprintable() else ascii(one)[1:-1] for one in cut])


def quoted(text: str, limit: int = NAME_CHARACTERS) -> str:
    """Return `printable` text between quotation marks."""
    return f"'{printable(text, limit)}'"


def short_id(sid: str) -> str:
    """Return the beginning of a session id, after that of its node if it names one."""
    node = node_of(sid)
    return printable(sid, ID_CHARACTERS + len(node) + 1 if node else ID_CHARACTERS)


def word(text: str, key: str = "transport") -> str:
    """Return the value of a query's `transport`, or `EIO`, if it may be shown, else "…"."""
    return _value(key, text)


def target(text: str) -> str:
    """Return a request-target without what may be secret in its query."""
    path, mark, query = text.partition("?")
    return printable(path) + mark + _query(query)


def _query(query: str) -> str:
    shown = []
    fields = query.split("&", _MAX_FIELDS)
    for field in fields:
        key, _, value = field.partition("=")
        if key in _SHOWN_VALUES or key == "sid":
            shown.append(f"{key}={_value(key, value)}")
    if len(shown) < len(fields) and query:
        shown.append("…")
    return "&".join(shown)


def _value(key: str, value: str) -> str:
    if key == "sid":
        return short_id(value)
    return value if not value or _SHOWN_VALUES[key].fullmatch(value) else "…"


def origin(text: str) -> str:
    """Return scheme, host and port of an Origin or a Referer; "…" if it is neither."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "…"
    if not (parts.scheme and host):
        return "…"
    host = f"[{host}]" if ":" in host else host
    return printable(f"{parts.scheme}://{host}" + (f":{port}" if port else ""), 100)


def words_of(error: Exception) -> str:
    """Return what a library says of a client's bytes, without the bytes that it quotes."""
    text = re.split(r"""b?['"]|: """, str(error), maxsplit=1)[0]
    return printable(text.rstrip(" :("), 200) or type(error).__name__
