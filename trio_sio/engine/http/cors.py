"""Which origins may talk to us, and the headers that let a browser hand over our answers.

The origin is looked at on each request, polling and WebSocket alike: a browser sends cookies
along with a WebSocket request from any page, and no preflight stops it.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from trio_sio.http import Request
from trio_sio.logs import shown
from trio_sio.options import Origins

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
    """Whether the option itself says, without asking a function, that `origin` is welcome.

    Args:
        origins: "*" for all; origins such as "https://a.example", "a.example:8080",
            "a.example:*" and "*:443", one or several. A function lists none.
        origin: what `origin_of` says.
    """
    if callable(origins):
        return False
    accepted = _listed(origins)
    return not ANY.isdisjoint(accepted) or not _spellings(origin).isdisjoint(_normal(accepted))


def explain(origins: Origins, origin: str) -> str:
    """Return the sentence about an origin that is not welcome: what was seen, what is accepted."""
    seen = "one that is missing or null" if origin == "*" else repr(shown.origin(origin))
    if callable(origins):
        return f"the function of option 'origins' does not accept this origin: {seen}"
    accepted = _listed(origins)
    names = [repr(one) for one in accepted][:_SHOWN_ACCEPTED]
    if len(accepted) > len(names):
        names.append(f"{len(accepted) - len(names)} more")
    return f"option 'origins' accepts {', '.join(names) or 'no origin'}, not {seen}"


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


NO_STORE = ("Cache-Control", "no-store")
"""No answer of the engine is anybody's but the client's that asked, nor of use a second time."""


def headers(request: Request, vary: str = "Origin") -> Fields:
    """Return what each answer of the engine to a welcome origin has.

    The client sends credentials by default, and with those a browser wants the very origin
    echoed, never "*". So a cache has to keep the answers to each origin apart, and those without.

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


def refused_headers() -> Fields:
    """Return what an answer to an origin that is not welcome has: its page cannot read it."""
    return [NO_STORE, ("Vary", "Origin")]
