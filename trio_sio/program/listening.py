"""The listeners of a program: opened, or a sentence why not, and what their addresses are."""

import errno
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import trio

from trio_sio.engine.runtime.listeners import EVERY_INTERFACE, url_of


class HasAddress(Protocol):
    """A socket of TCP, Trio's or Python's own."""

    def getsockname(self) -> tuple[Any, ...]:
        """Return its address and port, and more with IPv6."""


async def open_listeners(port: int, host: str | None, context: ssl.SSLContext | None) -> list[Any]:
    """Open listeners; raises SystemExit with a sentence if that cannot be done."""
    with explained(port, host):
        if context is None:
            return [*await trio.open_tcp_listeners(port, host=host)]
        return [*await trio.open_ssl_over_tcp_listeners(port, context, host=host)]


@contextmanager
def explained(port: int, host: str | None) -> Iterator[None]:
    """Raise SystemExit with a sentence if an address cannot be listened on."""
    where = f"{'every address' if host is None else host}, port {port}"
    try:
        yield
    except UnicodeError:  # what getaddrinfo makes of `a..b`
        raise SystemExit(f"cannot listen on {where}: no such host") from None
    except OSError as error:
        raise SystemExit(f"cannot listen on {where}: {_why(error)}") from error


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program has the port; choose another one"
    if error.errno == errno.EACCES:
        return "permission denied; ports from 1024 on need none"
    return error.strerror or str(error)


def announce(sockets: Iterable[HasAddress], *, secure: bool) -> None:
    """Write the addresses of sockets to standard output, each once."""
    names = [socket.getsockname() for socket in sockets]
    for line in dict.fromkeys(_where(name[0], name[1], secure=secure) for name in names):
        # Whoever started us waits for this line. Without a console there is no standard output.
        print(f"Listening on {line}", flush=True)  # noqa: T201


def _where(address: str, port: int, *, secure: bool) -> str:
    url = url_of(address, port, secure=secure)
    if address in EVERY_INTERFACE:
        return f"{url} (and every other address of this machine)"
    return url
