"""The page that Prometheus scrapes, as a function for `fallback`."""

import gzip
import hmac
from collections.abc import Awaitable, Callable

from trio_sio.http import NO_STORE, Request, Response
from trio_sio.metrics.collector import Collector, CollectorRegistry, choose_encoder, gzip_accepted

Answer = Callable[[Request], Awaitable[Response]]


def page(
    source: Collector | CollectorRegistry,
    *,
    token: str | None,
    path: str = "/metrics",
    other: Answer | None = None,
) -> Answer:
    """Make a function that answers Prometheus's scrapes, for the option `fallback`.

    The format is what the scraper asks for (`Accept`), OpenMetrics or Prometheus's text, and it is
    compressed for those that accept gzip.

    Args:
        source: a `Collector`, or a registry that has collectors.
        token: what scrapers have to send as `Authorization: Bearer …`; others get a 401. `None`
            lets everybody read the page who reaches the port, which has to be said.
        path: where the page is.
        other: answers requests for other paths; without it they get a 404.

    Returns:
        An async function from `Request` to `Response`.

    Raises:
        ValueError: the token is empty, or the path does not begin with "/".
    """
    if token == "":
        raise ValueError("token is empty; None lets everybody read the page")
    if not path.startswith("/"):
        raise ValueError(f"path has to begin with '/', and is {path!r}")
    registry = _registry(source)
    wanted = None if token is None else f"Bearer {token}".encode()

    async def answer(request: Request) -> Response:
        if request.path != path:
            return Response(404) if other is None else await other(request)
        if request.method not in ("GET", "HEAD"):
            return Response.text(405, "metrics are read with GET", [("Allow", "GET, HEAD")])
        if wanted is not None and not _is_equal(request.headers.get("authorization"), wanted):
            return Response.text(
                401, "metrics need a token", [("WWW-Authenticate", "Bearer"), NO_STORE]
            )
        return _expose(registry, request)

    return answer


def _registry(source: Collector | CollectorRegistry) -> CollectorRegistry:
    if isinstance(source, CollectorRegistry):
        return source
    registry = CollectorRegistry()
    registry.register(source)
    return registry


def _is_equal(sent: str, wanted: bytes) -> bool:
    """Compare in a time that tells nothing of the token."""
    return hmac.compare_digest(sent.encode(errors="surrogateescape"), wanted)


def _expose(registry: CollectorRegistry, request: Request) -> Response:
    encode, content_type = choose_encoder(request.headers.get("accept"))
    fields = [("Content-Type", content_type), ("Vary", "Accept, Accept-Encoding"), NO_STORE]
    body = encode(registry)
    if gzip_accepted(request.headers.get("accept-encoding")):
        fields.append(("Content-Encoding", "gzip"))
        body = gzip.compress(body, compresslevel=1, mtime=0)
    return Response(200, fields, body)
