"""`python -m trio_sio`, also installed as `trio-sio`: the demo server.

`trio-sio` serves it, `trio-sio --workers 2 --redis redis://localhost:6379` with two processes, and
`trio-sio fetch-client` gets the browser client that its page loads.
`trio-sio contract app:io` writes down the events of an application, and `trio-sio conformance URL`
judges any Socket.IO 2.x server from outside.
"""

import argparse
import errno
import logging
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

import trio

from trio_sio import browser_client, workers
from trio_sio.conformance import command as conformance
from trio_sio.contract import command as contract
from trio_sio.demo.application import Demo
from trio_sio.options import WSEngine
from trio_sio.server import AdapterFactory

_MOST_WORKERS = 100

_EVERY_INTERFACE = ("", "0.0.0.0", "::")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["fetch-client"]:
        return browser_client.main(arguments[1:])
    if arguments[:1] == ["contract"]:
        return contract.main(arguments[1:])
    if arguments[:1] == ["conformance"]:
        return conformance.main(arguments[1:])
    options = _parse(arguments)
    who = "%(processName)s " if options.workers > 1 else ""
    logging.basicConfig(format=f"{who}%(levelname)s %(name)s: %(message)s")
    # Ours alone: the WebSocket libraries log each frame.
    level = "debug" if options.verbose else options.log_level
    logging.getLogger("trio_sio").setLevel(level.upper())
    if options.verbose:
        logging.getLogger("trio_sio.wire").setLevel(logging.DEBUG)
    try:
        if options.workers > 1:
            _run_workers(options)
        else:
            trio.run(serve, options.host, options.port, options.ws_engine, options.redis)
    except (_CannotServe, workers.WorkersFailed) as error:
        sys.stderr.write(f"trio-sio: {error}\n")
        return 1
    except KeyboardInterrupt:  # before the signals were ours, or after
        return 130
    return 0


async def serve(
    host: str, port: int, ws_engine: WSEngine = "auto", redis: str | None = None
) -> None:
    """Serve the demo until SIGINT or SIGTERM; a second one does not wait for goodbyes."""
    demo = _make_demo(ws_engine, redis)
    listeners = await _open_listeners(host, port)
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as watch:
            asked_to_end = trio.Event()
            watch.start_soon(_watch_signals, signals, asked_to_end, watch.cancel_scope)
            async with demo.io:
                async with trio.open_nursery() as nursery:
                    await nursery.start(demo.io.serve_listeners, listeners)
                    nursery.start_soon(demo.push_figures)
                    port = listeners[0].socket.getsockname()[1]
                    _say(f"trio_sio demo on {_url(host, port)}")
                    await asked_to_end.wait()
                    nursery.cancel_scope.cancel()
            watch.cancel_scope.cancel()


def _run_workers(options: argparse.Namespace) -> None:
    """Serve the demo with several processes; signals mean the same as for one."""
    _make_demo(options.ws_engine, options.redis)  # before processes fail one after the other
    with _explained(options.host, options.port):
        sockets = workers.open_sockets(options.port, options.host or None)

    async def serve_demo(worker: workers.Worker) -> None:
        demo = _make_demo(options.ws_engine, options.redis)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(demo.push_figures)
            await worker.serve(demo.io, grace=0.5, spread=0)
            nursery.cancel_scope.cancel()

    _say(f"trio_sio demo on {_url(options.host, sockets[0].getsockname()[1])}")
    workers.run(serve_demo, workers=options.workers, sockets=sockets, stop_timeout=10)


class _CannotServe(Exception):
    """There is no point in starting; the text says why, in one line."""


async def _watch_signals(
    signals: AsyncIterator[int], asked_to_end: trio.Event, everything: trio.CancelScope
) -> None:
    async for _ in signals:
        if asked_to_end.is_set():
            everything.cancel()
        asked_to_end.set()


def _make_demo(ws_engine: WSEngine, redis: str | None) -> Demo:
    try:
        return Demo(ws_engine=ws_engine, adapter=None if redis is None else _make_adapter(redis))
    except (ImportError, ValueError) as error:
        raise _CannotServe(str(error)) from error


def _make_adapter(redis: str) -> AdapterFactory:
    from trio_sio.adapters.redis import RedisAdapter  # needs the extra `redis`

    return RedisAdapter(redis)


async def _open_listeners(host: str, port: int) -> list[trio.SocketListener]:
    with _explained(host, port):
        return await trio.open_tcp_listeners(port, host=host or None)


@contextmanager
def _explained(host: str, port: int) -> Iterator[None]:
    """Say in a line why an address cannot be listened on."""
    try:
        yield
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


def _url(host: str, port: int) -> str:
    if host in _EVERY_INTERFACE:
        return f"http://localhost:{port} (and every other address of this machine)"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # whoever started us through a pipe waits for this line


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.workers > 1 and options.redis is None:
        parser.error("--workers needs --redis, or visitors of two workers would not see each other")
    return options


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
        "--workers",
        type=_count,
        default=1,
        metavar="N",
        help="processes that share the port (%(default)s); more than one needs --redis",
    )
    parser.add_argument(
        "--redis",
        metavar="URL",
        help="where Redis connects several servers, as redis://localhost:6379; "
        "visitors have WebSockets only then",
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


def _count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"the number of workers is 1 to {_MOST_WORKERS}")
    return count


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
