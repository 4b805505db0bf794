"""Which origins may talk to us, and the header fields that let a page read our responses.

The origin of each request is checked, polling and WebSocket alike: a browser sends cookies along
with a WebSocket request from any page, and no preflight stops it.

A preflight (Fetch standard, section 4.8) is the OPTIONS that a browser sends before a page of
another origin may send requests that no form could send: a binary POST, by its Content-Type, and
any request with a field that the page chose (the client's option `extraHeaders`). It comes without
cookies and other credentials, and names the method and the fields of the request that follows. So
it is answered whatever the query says and whether or not there is a session: a browser tells its
page what is wrong with a request only if it could send that.
"""

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from trio_sio.engine import proxy_faults
from trio_sio.http import NO_STORE, Request, Response
from trio_sio.logs import shown
from trio_sio.options import Origins
from trio_sio.options.cors import METHODS, CORSOption, listed

ANY = frozenset({"*", "*:*"})

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}

_SHOWN_ACCEPTED = 8
"""Origins of the option that go into the same sentence."""

Fields = list[tuple[str, str]]


def origin_of(request: Request) -> str:
    """Return the Origin, or else the Referer; "*" if there is neither, or Origin is null."""
    origin = request.headers.get("origin") or request.headers.get("referer")
    return "*" if origin in ("", "null") else origin


def is_listed(origins: Origins, origin: str) -> bool:
    """Whether the option itself accepts an origin, without calling a function.

    Args:
        origins: "*" for all; origins such as "https://a.example", "a.example:8080",
            "a.example:*" and "*:443", one or several. A function lists none.
        origin: as `origin_of` returns it.
    """
    if callable(origins):
        return False
    accepted = _listed(origins)
    return not ANY.isdisjoint(accepted) or not _spellings(origin).isdisjoint(_normal(accepted))


def explain(origins: Origins, origin: str) -> str:
    """Return the sentence about an origin that is not accepted: which it is, and which are."""
    seen = "one that is missing or null" if origin == "*" else repr(shown.origin(origin))
    if callable(origins):
        return f"the function of option 'origins' does not accept this origin: {seen}"
    accepted = _listed(origins)
    names = [repr(one) for one in accepted][:_SHOWN_ACCEPTED]
    if len(accepted) > len(names):
        names.append(f"{len(accepted) - len(names)} more")
    text = f"option 'origins' accepts {', '.join(names) or 'no origin'}, not {seen}"
    return text + proxy_faults.of_origin(accepted, origin)


def _listed(origins: str | Collection[str]) -> Collection[str]:
    return origins.split() if isinstance(origins, str) else origins


def _normal(accepted: Collection[str]) -> set[str]:
    return {one.lower().removesuffix("/") for one in accepted}


def _spellings(origin: str) -> set[str]:
    """Return all the ways in which an option may name `origin`; host names have no case."""
    if origin == "*":  # no origin at all: the reference reads it as a nameless host on port 80
        return {"*:80"}
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 80)
    except ValueError:
        return set()
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    named = {f"{parts.scheme}://{host}:{port}", f"{host}:{port}", f"{host}:*", f"*:{port}"}
    if port == _DEFAULT_PORTS.get(parts.scheme):
        named.add(f"{parts.scheme}://{host}")
    return named


class EchoCORS:
    """The CORS fields as socket.io 2.5 has them: each accepted origin is echoed.

    No response of the engine may be kept: it is for the client that asked, and of no use a second
    time. The client sends credentials by default, and then a browser wants the very origin echoed,
    never "*". So a cache has to keep the responses to each origin apart, and those without one.
    """

    def headers(self, request: Request, vary: str = "Origin") -> Fields:
        """Return the header fields of every response of the engine to an accepted origin.

        Args:
            request: the request.
            vary: the fields of the request on which the answer depends.
        """
        origin = request.headers.get("origin").strip(" \t")  # of two empty ones it would be ", "
        if not origin:
            return [NO_STORE, ("Vary", vary), ("Access-Control-Allow-Origin", "*")]
        return [
            NO_STORE,
            ("Vary", vary),
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
        ]

    def upgrade_headers(self, request: Request) -> Fields:
        """Return the fields of the 101; there are none."""
        return []

    def file_headers(self, request: Request) -> Fields:
        """Return the fields of the browser client's files: `<script crossorigin integrity=…>`."""
        return [("Access-Control-Allow-Origin", "*")]

    def preflight(self, request: Request) -> Response | None:
        """Return the whole response to a preflight; `None` to leave that to `Preflight`."""
        return None


class GivenCORS:
    """The CORS fields that option `cors` asks for, as the npm package `cors` has them.

    Args:
        option: as it has been checked.
    """

    def __init__(self, option: Mapping[str, object]) -> None:
        self._origin = option.get("origin", "*")
        self._lines: Fields = []
        if option.get("credentials") is True:
            self._lines.append(("Access-Control-Allow-Credentials", "true"))
        if exposed := listed(option.get("exposed_headers", ())):
            self._lines.append(("Access-Control-Expose-Headers", exposed))
        self._methods = listed(option.get("methods", METHODS))
        allowed = option.get("allowed_headers")
        self._allowed: Fields | None = None  # whatever is asked for
        if allowed is not None:
            names = listed(allowed)
            self._allowed = [("Access-Control-Allow-Headers", names)] if names else []
        self._max_age = option.get("max_age")
        self._varies = self._origin != "*"

    def headers(self, request: Request, vary: str = "Origin") -> Fields:
        """Return the header fields of every response of the engine; see `EchoCORS`."""
        if not self._varies or self._origin is False:
            vary = vary.removeprefix("Origin").removeprefix(", ")
        return [NO_STORE, *([("Vary", vary)] if vary else []), *self._origin_fields(request)]

    def upgrade_headers(self, request: Request) -> Fields:
        """Return the fields of the 101."""
        vary = [("Vary", "Origin")] if self._varies and self._origin is not False else []
        return [*vary, *self._origin_fields(request)]

    def file_headers(self, request: Request) -> Fields:
        """Return the fields of the browser client's files."""
        return self.upgrade_headers(request)

    def preflight(self, request: Request) -> Response:
        """Return the response to a preflight, without the fields that every response has."""
        fields: Fields = []
        if self._origin is not False:
            fields.append(("Access-Control-Allow-Methods", self._methods))
            fields += _echoed(request) if self._allowed is None else self._allowed
            if self._max_age is not None:
                fields.append(("Access-Control-Max-Age", str(self._max_age)))
        return Response(204, fields)

    def _origin_fields(self, request: Request) -> Fields:
        if self._origin is False:
            return []
        allowed = self._told(request.headers.get("origin").strip(" \t"))
        return [*([("Access-Control-Allow-Origin", allowed)] if allowed else []), *self._lines]

    def _told(self, origin: str) -> str:
        """Return what a page of an origin is told of whose pages may read, `""` for nothing."""
        accepted = self._origin
        if isinstance(accepted, str):
            return accepted
        if accepted is True:
            return origin
        several = [accepted] if isinstance(accepted, re.Pattern) else accepted
        assert isinstance(several, Collection)
        matches = any(
            one.search(origin) if isinstance(one, re.Pattern) else one == origin for one in several
        )
        return origin if matches else ""


CORS = EchoCORS | GivenCORS


def cors_of(option: CORSOption) -> CORS:
    """Return what makes the CORS fields of one engine."""
    return EchoCORS() if option is None else GivenCORS(option)


def refused_headers() -> Fields:
    """Return the header fields of a response to an origin that is not accepted.

    Its page cannot read the response.
    """
    return [NO_STORE, ("Vary", "Origin")]


ALWAYS_ALLOWED = ("Content-Type",)
"""The client's binary POST has a Content-Type that no form has."""

MAX_AGE = 7200
"""Seconds for which a browser need not ask again; Chromium keeps no answer for longer."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Preflight:
    """Answers the preflights of one engine.

    To clients of Socket.IO 2.x the status is 200, as in the reference server: browsers of their
    time do not all take a 204. To the others it is the answer of socket.io 4 with CORS for all: 204
    and all fields that are asked for, unless the option names some.

    Private network access (`Access-Control-Request-Private-Network`) is not granted: an answer that
    let each public page into a local network is nothing to give unasked, and browsers have put
    their users in its place.

    Args:
        allow_headers: the option: names of fields that pages may send, or "*" for any.
    """

    def __init__(self, allow_headers: str | Collection[str]) -> None:
        names = [allow_headers] if isinstance(allow_headers, str) else list(allow_headers)
        self._is_given = bool(names)
        self._allows_any = "*" in names
        self._names = {name.lower(): name for name in (*ALWAYS_ALLOWED, *names)}

    def answer(self, request: Request, protocol: int) -> Response:
        """Return the response for a page whose origin is accepted.

        Args:
            request: the preflight.
            protocol: the revision of Engine.IO that the query says.
        """
        headers = [
            ("Allow", "GET, POST, OPTIONS"),
            ("Access-Control-Allow-Methods", "GET, POST"),
            ("Access-Control-Allow-Headers", ", ".join(self._allowed(request, protocol))),
            ("Access-Control-Max-Age", str(MAX_AGE)),
        ]
        if self._echoes(protocol):
            headers.append(("Vary", "Access-Control-Request-Headers"))
        return Response(200 if protocol == 3 else 204, headers)

    def explain(self, request: Request, protocol: int) -> str:
        """Return the sentence about a field that is not allowed, `""` if all are."""
        if self._echoes(protocol):
            return ""
        others = [name for name in _asked(request) if name not in self._names]
        if not others:
            return ""
        allowed = ", ".join(map(repr, self._names.values()))
        seen = shown.quoted(others[0])
        return f"option 'allow_headers' does not name {seen}; pages may send {allowed}"

    def _echoes(self, protocol: int) -> bool:
        """Whether all is allowed that is asked for."""
        return self._allows_any or (protocol != 3 and not self._is_given)

    def _allowed(self, request: Request, protocol: int) -> Collection[str]:
        if not self._echoes(protocol):
            return self._names.values()
        # By name, since "*" stands for nothing where credentials are sent.
        return list(dict.fromkeys([*ALWAYS_ALLOWED, *_asked(request)]))


def _echoed(request: Request) -> Fields:
    """Return the fields that allow whatever the page wants to send."""
    asked = ",".join(_asked(request))
    allowed = [("Access-Control-Allow-Headers", asked)] if asked else []
    return [("Vary", "Access-Control-Request-Headers"), *allowed]


def _asked(request: Request) -> list[str]:
    """Return the fields that the page wants to send, as the browser names them."""
    field = request.headers.get("access-control-request-headers")
    names = [name.strip().lower() for name in field.split(",")]
    return [name for name in names if _NAME.fullmatch(name)]
