"""Answers OPTIONS: what a browser asks before a page of another origin may send certain requests.

Those are requests that no form could send: a binary POST, by its Content-Type, and any request
with a field that the page chose (the client's option `extraHeaders`). The Fetch standard calls
the question a preflight (section 4.8). It comes without cookies and other credentials, and is
about the request that follows, of which it names the method and the fields. So it is answered
whatever the query says and whether or not there is a session: a browser tells its page what is
wrong with a request only if it could send that.

The status is 200, as in the reference server: browsers of the time of Socket.IO 2.x do not all
take a 204. Private network access (`Access-Control-Request-Private-Network`) is not granted: an
answer that let each public page into a local network is nothing to give unasked, and browsers
have put their users in its place.
"""

import re
from collections.abc import Collection

from trio_sio.http import Request, Response
from trio_sio.logs.shown import quoted

ALWAYS_ALLOWED = ("Content-Type",)
"""The client's binary POST has a Content-Type that no form has."""

MAX_AGE = 7200
"""Seconds for which a browser need not ask again; Chromium keeps no answer for longer."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Preflight:
    """Answers the preflights of one engine.

    Args:
        allow_headers: the option: names of fields that pages may send, or "*" for any.
    """

    def __init__(self, allow_headers: str | Collection[str]) -> None:
        names = [allow_headers] if isinstance(allow_headers, str) else list(allow_headers)
        self._allows_any = "*" in names
        self._names = {name.lower(): name for name in (*ALWAYS_ALLOWED, *names)}

    def answer(self, request: Request) -> Response:
        """Return the answer for a page that is welcome."""
        headers = [
            ("Allow", "GET, POST, OPTIONS"),
            ("Access-Control-Allow-Methods", "GET, POST"),
            ("Access-Control-Allow-Headers", ", ".join(self._allowed(request))),
            ("Access-Control-Max-Age", str(MAX_AGE)),
        ]
        if self._allows_any:
            headers.append(("Vary", "Access-Control-Request-Headers"))
        return Response(200, headers)

    def explain(self, request: Request) -> str:
        """Return the sentence about fields that are not allowed, `""` if all are."""
        if self._allows_any:
            return ""
        others = [name for name in _asked(request) if name not in self._names]
        if not others:
            return ""
        allowed = ", ".join(map(repr, self._names.values()))
        return f"option 'allow_headers' does not name {quoted(others[0])}; pages may send {allowed}"

    def _allowed(self, request: Request) -> Collection[str]:
        if not self._allows_any:
            return self._names.values()
        # By name, since "*" stands for nothing where credentials are sent.
        return list(dict.fromkeys([*ALWAYS_ALLOWED, *_asked(request)]))


def _asked(request: Request) -> list[str]:
    """Return the fields that the page wants to send, as the browser names them."""
    field = request.headers.get("access-control-request-headers")
    names = [name.strip().lower() for name in field.split(",")]
    return [name for name in names if _NAME.fullmatch(name)]
