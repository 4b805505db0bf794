"""The listeners of a program: opened, or a sentence why not, and what their addresses are."""

import errno
import ssl
import sys
from collections.abc import Iterable
from typing import Any

import trio


async def open_listeners(port: int, host: str | None, context: ssl.SSLContext | None) -> list[Any]:
    """Open listeners; raises SystemExit with a sentence if that cannot be done."""
    where = f"{'every address' if host is None else host}, port {port}"
    try:
        if context is None:
            return [*await trio.open_tcp_listeners(port, host=host)]
        return [*await trio.open_ssl_over_tcp_listeners(port, context, host=host)]
    except UnicodeError:  # what getaddrinfo makes of `a..b`
        raise SystemExit(f"cannot listen on {where}: no such host") from None
    except OSError as error:
        raise SystemExit(f"cannot listen on {where}: {_why(error)}") from error


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program has the port"
    if error.errno == errno.EACCES:
        return "permission denied; ports from 1024 on need none"
    return error.strerror or str(error)


def announce(listeners: Iterable[Any], *, secure: bool) -> None:
    """Write the addresses to standard output."""
    for one in listeners:
        socket = one.transport_listener.socket if secure else one.socket
        _say(f"Listening on {_url('https' if secure else 'http', *socket.getsockname()[:2])}")


def _url(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _say(line: str) -> None:
    if sys.stdout is not None:  # as for programs without a console
        print(line, flush=True)  # noqa: T201 - whoever started us waits for this line
