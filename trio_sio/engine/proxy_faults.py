"""What a proxy does to requests so that they are refused: sentences for refusals, with the cure.

    path      a prefix, or the slash at the end, was taken away or added
    query     it was taken away, or some of it
    origin    the page is where the option says, but for the scheme or the port
    address   all clients seem to come from one, which is the proxy's

Each looks at one refused request and says no more than can be seen there. It returns `""` if there
is no sign of a proxy.
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from trio_sio.http import Request
from trio_sio.logs import shown


def of_path(request: Request, here: str) -> str:
    """Explain a path that is not the server's, if it is a Socket.IO client that asks.

    Args:
        request: the request.
        here: where the server answers, without the slash at the end.
    """
    path, whole = request.path, f"{here}/"
    if "transport=" not in request.query_string:
        return ""
    if path == here:
        return "the slash at the end is missing: does a proxy take it away?"
    if re.sub("/+", "/", path).startswith(whole):
        return "there is a slash too many: does a proxy add it?"
    if path.lower().startswith(whole.lower()):
        return "upper and lower case differ"
    before, found, _ = path.partition(whole)
    if found:
        prefix, there = shown.quoted(before), shown.quoted(before + here)
        cure = f"have the proxy take that away, or set the option 'path' to {there}"
        return f"{prefix} stands before it: {cure}"
    if path and whole.endswith(path):
        return f"{whole[: -len(path)]!r} is missing before it: does a proxy take it away?"
    return ""


def of_query(request: Request) -> str:
    """Explain a query without `transport`."""
    if request.query_string:
        return ""
    return "; there is no query at all: does a proxy drop it?"


def of_missing_sid(request: Request) -> str:
    """Explain a request that could only belong to a session, and names none."""
    return "; the query has no 'sid': does a proxy change it?" if request.method == "POST" else ""


def of_version(request: Request) -> str:
    """Explain a request that has lost its upgrade, by its version of HTTP."""
    if request.http_version != "1.0":
        return ""
    return " (it came as HTTP/1.0, as nginx sends it without 'proxy_http_version 1.1')"


def of_origin(accepted: Iterable[str], origin: str) -> str:
    """Explain an origin that is not accepted, but nearly.

    Args:
        accepted: what option `origins` lists.
        origin: of the request.
    """
    seen = _parts(origin)
    if seen is None:
        return ""
    near = [one for one in map(_parts, accepted) if one is not None and one[1] == seen[1]]
    if any(scheme != seen[0] for scheme, _, _ in near):
        return f"; the page came by {seen[0]}: name it so, even if TLS ends at a proxy"
    return "; the ports differ" if near else ""


def _parts(origin: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(origin)
        return (parts.scheme, parts.hostname, parts.port) if parts.hostname else None
    except ValueError:
        return None


def has_lost_tls(request: Request) -> bool:
    """Whether a page that came by TLS asks its own host without: TLS has ended before."""
    origin = _parts(request.headers.get("origin"))
    if request.secure or origin is None or origin[0] != "https":
        return False
    asked = _parts(f"https://{request.headers.get('host')}")
    return asked is not None and asked[1] == origin[1]


def of_address(address: str) -> str:
    """Explain that there are too many clients at an address."""
    try:
        is_near = ip_address(address).is_private
    except ValueError:
        return ""
    return "; if that is a proxy, name it in the option 'trusted_proxies'" if is_near else ""
