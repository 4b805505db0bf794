"""`python -m trio_sio`, also installed as `trio-sio`: the demo server.

`trio-sio` serves it, `trio-sio fetch-client` gets the browser client that its page loads.
"""

import argparse
import errno
import logging
import signal
import sys
from collections.abc import AsyncIterator, Sequence

import trio

from trio_sio import browser_client
from trio_sio.demo.application import Demo
from trio_sio.options import WSEngine

_EVERY_INTERFACE = ("", "0.0.0.0", "::")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["fetch-client"]:
        return browser_client.main(arguments[1:])
    options = _parser().parse_args(arguments)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    # Ours alone: the WebSocket libraries log each frame.
    level = "debug" if options.verbose else options.log_level
    logging.getLogger("trio_sio").setLevel(level.upper())
    if options.verbose:
        logging.getLogger("trio_sio.wire").setLevel(logging.DEBUG)
    try:
        trio.run(serve, options.host, options.port, options.ws_engine)
    except _CannotServe as error:
        sys.stderr.write(f"trio-sio: {error}\n")
        return 1
    except KeyboardInterrupt:  # before the signals were ours, or after
        return 130
    return 0


async def serve(host: str, port: int, ws_engine: WSEngine = "auto") -> None:
    """Serve the demo until SIGINT or SIGTERM; a second one does not wait for goodbyes."""
    demo = _make_demo(ws_engine)
    listeners = await _open_listeners(host, port)
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as watch:
            asked_to_end = trio.Event()
            watch.start_soon(_watch_signals, signals, asked_to_end, watch.cancel_scope)
            async with demo.io:
                async with trio.open_nursery() as nursery:
                    await nursery.start(demo.io.serve_listeners, listeners)
                    nursery.start_soon(demo.push_figures)
                    _say(f"trio_sio demo on {_url(host, listeners)}")
                    await asked_to_end.wait()
                    nursery.cancel_scope.cancel()
            watch.cancel_scope.cancel()


class _CannotServe(Exception):
    """There is no point in starting; the text says why, in one line."""


async def _watch_signals(
    signals: AsyncIterator[int], asked_to_end: trio.Event, everything: trio.CancelScope
) -> None:
    async for _ in signals:
        if asked_to_end.is_set():
            everything.cancel()
        asked_to_end.set()


def _make_demo(ws_engine: WSEngine) -> Demo:
    try:
        return Demo(ws_engine=ws_engine)
    except (ImportError, ValueError) as error:
        raise _CannotServe(str(error)) from error


async def _open_listeners(host: str, port: int) -> list[trio.SocketListener]:
    try:
        return await trio.open_tcp_listeners(port, host=host or None)
    except UnicodeError as error:  # what getaddrinfo makes of `a..b`
        raise _CannotServe(f"cannot listen on {host}:{port}: no such host") from error
    except OSError as error:
        raise _CannotServe(f"cannot listen on {host}:{port}: {_why(error)}") from error


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use already; choose another one with --port"
    if error.errno == errno.EACCES:
        return "permission denied; ports from 1024 on need none"
    return error.strerror or str(error)


def _url(host: str, listeners: Sequence[trio.SocketListener]) -> str:
    port = listeners[0].socket.getsockname()[1]
    if host in _EVERY_INTERFACE:
        return f"http://localhost:{port} (and every other address of this machine)"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # whoever started us through a pipe waits for this line


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trio-sio",
        description="Serve the trio_sio demo, a chat in the browser.",
        epilog="`trio-sio fetch-client` gets the browser client that the page needs, "
        "if it was not there when the package was built.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=_port, default=3000, help="port, 0 for any free one (%(default)s)"
    )
    parser.add_argument(
        "--ws-engine",
        choices=("auto", "trio-websocket", "websockets"),
        default="auto",
        help="library that speaks WebSocket (%(default)s)",
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="warning",
        help="what to log on standard error (%(default)s)",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="log what happens, and each packet with its content"
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
