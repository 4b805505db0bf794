"""Where a server listens, as one would type it into a browser."""

from collections.abc import Iterable, Iterator
from typing import Any

import trio

_EVERY_INTERFACE = ("0.0.0.0", "::")


def urls_of(listeners: Iterable[trio.abc.Listener[Any]], path: str) -> Iterator[str]:
    """Yield the URLs of listeners that have a TCP port, each once.

    Args:
        listeners: TCP, TLS over it, or others, which have no URL.
        path: option `path`.
    """
    seen = set()
    for listener in listeners:
        secure = isinstance(listener, trio.SSLListener)
        below: object = getattr(listener, "transport_listener", listener)
        if not isinstance(below, trio.SocketListener):
            continue
        name = below.socket.getsockname()
        if isinstance(name, tuple):
            url = f"{'https' if secure else 'http'}://{_host(name[0])}:{name[1]}{path}"
            if url not in seen:
                seen.add(url)
                yield url


def _host(address: str) -> str:
    if address in _EVERY_INTERFACE:
        return "localhost"
    return f"[{address}]" if ":" in address else address
