"""Who may see the view: everybody on this machine, and elsewhere whoever has the token.

The demo is a program on somebody's own machine, whose user should not have to look for a token. But
a request from there is not always theirs: a proxy passes on what strangers send, and their browser
runs pages of other sites. So what comes without the token has to be without any trace of either.
"""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from trio_sio import ConnectionRefused, Request, Socket

_OF_PROXIES = ("forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip")
_FROM_HERE = ("same-origin", "none")

WANTED = "So the view needs the token, which trio-sio has printed at its start."


@dataclass(frozen=True, slots=True)
class Access:
    """Who may see the view.

    Attributes:
        token: what opens it from anywhere.
        is_local: whether the server listens on this machine alone.
    """

    token: str
    is_local: bool = False

    @classmethod
    def of(cls, host: str | None, token: str | None = None) -> "Access":
        """Make it for a server.

        Args:
            host: the address that it listens on, `None` for all.
            token: the token; `None` for a random one.
        """
        return cls(token or secrets.token_urlsafe(16), is_loopback(host))

    def check(self, socket: Socket) -> bool:
        """Let somebody in, or say why not; for `Admin`.

        Raises:
            ConnectionRefused: they need the token, or have another one.
        """
        handshake = socket.handshake
        given = handshake.auth.get("token") or handshake.get("token")
        if given:
            given = str(given).encode("utf-8", "replace")
            if secrets.compare_digest(given, self.token.encode()):
                return True
            raise ConnectionRefused("This is not the token that trio-sio has printed at its start.")
        for problem in self.problems(socket.request):
            raise ConnectionRefused(f"{problem} {WANTED}")
        return True

    def problems(self, request: Request) -> Iterator[str]:
        """Yield why a request may not be that of this machine's user, as sentences."""
        headers = request.headers
        if not self.is_local:
            yield "The server can be reached from other machines."
        if not is_loopback(request.remote):
            yield "You are on another machine than the server."
        if any(name in _OF_PROXIES or name.startswith("x-forwarded") for name, _ in headers):
            yield "Your request came through a proxy."
        host = headers.get("host")
        if not is_loopback(_host_name(f"//{host}")):
            yield "The page's address is not localhost: its name may belong to somebody else."
        origin = headers.get("origin")
        if origin and _place(origin) != host.lower():
            yield "The page is one of another site."
        if headers.get("sec-fetch-site", "none") not in _FROM_HERE:
            yield "The request is one of another site's page."
        if "j" in parse_qs(request.query_string, keep_blank_values=True):
            yield "JSONP does not say which page it belongs to."


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine, by its name or its address."""
    if host == "localhost":
        return True
    try:
        return host is not None and ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # half an address of IPv6
        return ""


def _place(url: str) -> str | None:
    """Return host and port of a URL, `None` if it is none."""
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return None
