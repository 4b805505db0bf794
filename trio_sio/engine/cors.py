"""Which origins may talk to us, and the headers that let a browser hand over our answers.

The origin is looked at on each request, polling and WebSocket alike: a browser sends cookies
along with a WebSocket request from any page, and no preflight stops it.
"""

import inspect
from collections.abc import Collection
from urllib.parse import urlsplit

from trio_sio.engine.message import Request
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


async def is_allowed(origins: Origins, origin: str) -> bool:
    """Decide whether requests from `origin` are welcome.

    Args:
        origins: "*" for all; origins such as "https://a.example", "a.example:8080",
            "a.example:*" and "*:443", one or several; or a function that decides itself and
            may raise `RequestRefused`.
        origin: what `origin_of` says.
    """
    if callable(origins):
        answer = origins(origin)
        return bool(await answer if inspect.isawaitable(answer) else answer)
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


def headers(request: Request) -> Fields:
    """Return the headers of an XHR answer.

    The client sends credentials by default, and with those a browser wants the very origin
    echoed, never "*".
    """
    origin = request.headers.get("origin")
    if not origin:
        return [("Access-Control-Allow-Origin", "*")]
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Allow-Credentials", "true"),
    ]


def preflight_headers(request: Request) -> Fields:
    """Return the headers of an answer to OPTIONS: browsers ask before a binary POST."""
    return [*headers(request), ("Access-Control-Allow-Headers", "Content-Type")]
