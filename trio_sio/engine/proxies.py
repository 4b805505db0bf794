"""Proxies before the server: whom to believe about the client (option `trusted_proxies`)."""

import logging
from dataclasses import replace

from trio_sio.http import Request
from trio_sio.logs import shown
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import EngineOptions
from trio_sio.protocol.http.forwarded import Proxies, origin_of

logger = logging.getLogger("trio_sio.engine")

_FIELDS = ("forwarded", "x-forwarded-for", "x-forwarded-proto")


class ProxyTrust:
    """What the proxies of one engine are believed.

    Args:
        options: `trusted_proxies` and `forwarded_fields`.
        log: the engine's, throttled.

    Attributes:
        is_needed: whether somebody is trusted, so that each request has to be resolved; otherwise
            some are enough, for the hint.
    """

    def __init__(self, options: EngineOptions, log: LogThrottle) -> None:
        by_rfc = options.forwarded_fields == "forwarded"
        trusted = options.trusted_proxies
        self.is_needed = trusted is not None
        self._proxies = None if trusted is None else Proxies.of(trusted, by_rfc=by_rfc)
        self._log = log
        self._has_hinted = False

    def trusts(self, address: str) -> bool:
        """Whether the peer at an address (`""` if it has none) speaks for others."""
        return self._proxies is not None and self._proxies.trusts(address, 0)

    def resolve(self, request: Request) -> Request:
        """Return the request as from the client, as far as the peer is believed who that is."""
        if self._proxies is None or not self._proxies.trusts(request.remote, 0):
            self._hint(request)
            return request
        get_all = request.headers.get_all
        remote, secure = origin_of(self._proxies, get_all, request.remote, request.secure)
        said = "forwarded" if self._proxies.by_rfc else "x-forwarded-for"
        port = 0 if said in request.headers else request.remote_port  # nobody says the client's
        return replace(request, remote=remote, secure=secure, remote_port=port)

    def _hint(self, request: Request) -> None:
        """Say once that a proxy seems to be there that is not trusted."""
        if self._has_hinted:
            return
        seen = next((name for name in _FIELDS if name in request.headers), "")
        if not seen:
            return
        self._has_hinted = True
        peer = shown.printable(request.remote, 60) or "a peer without an address"
        text = (
            "%s sends the field %s, which is ignored; if that is your proxy, name it in the option"
            " 'trusted_proxies' to have its clients' addresses and schemes"
        )
        self._log.tell(logger, logging.WARNING, "trusted_proxies", text, peer, seen)
