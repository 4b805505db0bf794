"""`run`, for programs that are only a server: listens, and ends in peace at a signal."""

import errno
import signal
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import trio

from trio_sio.engine.engine import Listener
from trio_sio.server import Server

Background = Callable[[], Awaitable[object]]

INTERRUPTED = 130
"""The exit status of a program that Ctrl-C has ended, as shells have it: 128 and SIGINT."""

_EVERY_INTERFACE = ("", "0.0.0.0", "::")


class CannotListen(Exception):
    """An address cannot be listened on; the text says why, in one line."""


def run(
    io: Server,
    port: int = 3000,
    host: str = "127.0.0.1",
    *,
    ssl_context: ssl.SSLContext | None = None,
    background: Background | None = None,
) -> None:
    """Serve until SIGINT (Ctrl-C) or SIGTERM, as the whole of a program (JS: `io.listen`).

    It prints the URL. At a signal, clients are closed, handlers get `grace` seconds, it returns;
    a second signal does not wait for clients. It calls `trio.run`, so it is for the main thread of
    a program without an event loop; in a Trio program use `serve_tcp`.

    Args:
        io: the server.
        port: the port, 0 for any free one.
        host: the address to listen on: "127.0.0.1" for this machine alone, "0.0.0.0" for every
            IPv4 address and "" for every address that it has.
        ssl_context: serves TLS.
        background: an async function that runs beside the server and is cancelled at its end; if
            it raises, the program ends.

    Raises:
        SystemExit: the port cannot be opened, and why; or Ctrl-C came before it was open.
        Exception: whatever the application raises, if it is to end the server (`raise_errors`);
            not in a group, if it is one.
    """
    try:
        trio.run(partial(_run, io, port, host, ssl_context, background))
    except CannotListen as error:
        raise SystemExit(str(error)) from error
    except KeyboardInterrupt:  # before the signals were ours
        raise SystemExit(INTERRUPTED) from None
    except BaseExceptionGroup as group:
        leaf = _only_leaf(group)
        if isinstance(leaf, KeyboardInterrupt):
            raise SystemExit(INTERRUPTED) from None
        raise leaf from None


async def _run(
    io: Server,
    port: int,
    host: str,
    ssl_context: ssl.SSLContext | None,
    background: Background | None,
) -> None:
    tcp = await open_listeners(host, port)
    listeners: Sequence[Listener] = tcp
    if ssl_context is not None:
        listeners = [trio.SSLListener(one, ssl_context, https_compatible=True) for one in tcp]
    scheme = "http" if ssl_context is None else "https"
    url = url_of(scheme, host, tcp[0].socket.getsockname()[1])
    line = f"Serving at {url}. Ctrl-C stops the server."
    await serve_until_signal(io, listeners, partial(say, line), background)


async def serve_until_signal(
    io: Server,
    listeners: Sequence[Listener],
    ready: Callable[[], object],
    background: Background | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; a second one does not wait for goodbyes.

    Args:
        io: the server.
        listeners: where it serves.
        ready: called when it does.
        background: an async function that runs meanwhile.
    """
    asked_to_end = trio.Event()
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as watch:
            watch.start_soon(_watch_signals, signals, asked_to_end, watch.cancel_scope)
            async with io:
                async with trio.open_nursery() as nursery:
                    await nursery.start(io.serve_listeners, listeners)
                    if background is not None:
                        nursery.start_soon(background)
                    ready()
                    await asked_to_end.wait()
                    nursery.cancel_scope.cancel()
            watch.cancel_scope.cancel()


async def _watch_signals(
    signals: AsyncIterator[int], asked_to_end: trio.Event, everything: trio.CancelScope
) -> None:
    async for _ in signals:
        if asked_to_end.is_set():
            everything.cancel()
        asked_to_end.set()


async def open_listeners(host: str, port: int) -> list[trio.SocketListener]:
    """Listen on a port of TCP.

    Raises:
        CannotListen: it is taken, or not allowed, or there is no such host.
    """
    with explained(host, port):
        return await trio.open_tcp_listeners(port, host=host or None)


@contextmanager
def explained(host: str, port: int) -> Iterator[None]:
    """Say in a line why an address cannot be listened on.

    Raises:
        CannotListen: in place of what `getaddrinfo`, `bind` and `listen` raise.
    """
    try:
        yield
    except UnicodeError as error:  # what getaddrinfo makes of `a..b`
        raise CannotListen(f"cannot listen on {host}:{port}: no such host") from error
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port}: {_why(error)}") from error


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use already; choose another one"
    if error.errno == errno.EACCES:
        return "permission denied; ports from 1024 on need none"
    return error.strerror or str(error)


def url_of(scheme: str, host: str, port: int) -> str:
    """Return what a browser on this machine opens."""
    if host in _EVERY_INTERFACE:
        return f"{scheme}://localhost:{port} (and every other address of this machine)"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def say(line: str) -> None:
    """Print a line at once: whoever started us through a pipe waits for it."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _only_leaf(error: BaseException) -> BaseException:
    """Return the one exception in a group of groups, or the first group that has several."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
