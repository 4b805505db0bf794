"""Proxies before the server: whom to believe about the client (option `trusted_proxies`)."""

import logging
from dataclasses import replace

from trio_sio.engine.proxy_faults import has_lost_tls
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
        self._address_field = "forwarded" if by_rfc else "x-forwarded-for"
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
        resolved = replace(request, remote=remote, secure=secure, remote_port=port)
        if not self._has_hinted and "sid=" not in request.target:
            self._hint_of_trusted(request, resolved)
        return resolved

    def _hint(self, request: Request) -> None:
        """Say once that a proxy seems to be there that is not trusted."""
        if self._has_hinted:
            return
        seen = next((name for name in _FIELDS if name in request.headers), "")
        if seen:
            self._tell(
                request,
                f"sends the field {seen}, which is ignored; if that is your proxy, name it in the"
                " option 'trusted_proxies' to have its clients' addresses and schemes",
            )
        elif has_lost_tls(request):
            self._tell(
                request,
                "asks by plain HTTP for a page that came by TLS; if that is your proxy, have it"
                " send X-Forwarded-Proto, and name it in the option 'trusted_proxies'",
            )

    def _hint_of_trusted(self, request: Request, resolved: Request) -> None:
        """Say once that a trusted proxy does not tell what it is trusted with."""
        missing = self._address_field not in request.headers
        if missing and "transport=" in request.query_string:
            others = [name for name in _FIELDS if name in request.headers]
            sent = f" (but {others[0]}: see option 'forwarded_fields')" if others else ""
            self._tell(
                request,
                f"is trusted, but sends no {self._address_field}{sent}: all of its clients have"
                " its own address",
            )
        elif has_lost_tls(resolved):
            self._tell(
                request,
                "is trusted, but does not say that a page came by TLS: have it send"
                f" {'proto=https' if self._address_field == 'forwarded' else 'X-Forwarded-Proto'}",
            )

    def _tell(self, request: Request, text: str) -> None:
        self._has_hinted = True
        peer = shown.printable(request.remote, 60) or "a peer without an address"
        self._log.tell(logger, logging.WARNING, "trusted_proxies", "%s %s", peer, text)
