"""`python -m trio_sio`, also installed as `trio-sio`: the demo server.

`trio-sio` serves it, `trio-sio --workers 2 --redis redis://localhost:6379` with two processes, and
`trio-sio fetch-client` gets the browser client that its page loads.
`trio-sio contract app:io` writes down the events of an application, and `trio-sio conformance URL`
judges any Socket.IO server from outside.
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import trio

from trio_sio import browser_client, workers
from trio_sio.contract import command as contract
from trio_sio.demo.application import Demo
from trio_sio.demo.hood.access import Access
from trio_sio.demo.hood.premises import Premises
from trio_sio.demo.succession import Succession
from trio_sio.program.listening import HasAddress, announce, explained, open_listeners
from trio_sio.program.output import run_heard
from trio_sio.program.run import run_program
from trio_sio.program.signals import heard_signals
from trio_sio.server import AdapterFactory

_MOST_WORKERS = 100

GRACE = 0.0
"""Seconds that visitors get at the end; the engine gives them a moment for goodbyes anyway."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["fetch-client"]:
        return browser_client.main(arguments[1:])
    if arguments[:1] == ["contract"]:
        return run_heard(contract.main, arguments[1:])
    if arguments[:1] == ["conformance"]:
        from trio_sio.conformance import command as conformance  # which the demo need not load

        return run_heard(conformance.main, arguments[1:])
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
            run_program(partial(_serve, options))
    except (_CannotServe, workers.WorkersFailed) as error:
        sys.stderr.write(f"trio-sio: {error}\n")
        return 1
    except KeyboardInterrupt:  # before the signals were ours, or after
        return 130
    return 0


async def _serve(options: argparse.Namespace) -> None:
    """Serve the demo by one process, whose servers may take over from each other."""
    access = Access.of(options.host, options.token)
    with _explained():
        succession = Succession(
            Premises(access=access), options.ws_engine, _make_adapter(options.redis)
        )
    listeners = await open_listeners(options.port, options.host, None)
    asked_to_end = trio.Event()
    with heard_signals(asked_to_end):
        async with trio.open_nursery() as nursery:
            await nursery.start(succession.serve, listeners)
            _announce([one.socket for one in listeners], access)
            await asked_to_end.wait()
            succession.close()


def _run_workers(options: argparse.Namespace) -> None:
    """Serve the demo with several processes; signals mean the same as for one."""
    access = Access.of(options.host, options.token)  # made here, so that all have one token

    def make_demo(name: str = "") -> Demo:
        with _explained():
            adapter = _make_adapter(options.redis)
            premises = Premises(access=access)
            return Demo(ws_engine=options.ws_engine, adapter=adapter, premises=premises, name=name)

    make_demo()  # before processes fail one after the other
    with explained(options.port, options.host):
        sockets = workers.open_sockets(options.port, options.host)

    async def serve_demo(worker: workers.Worker) -> None:
        demo = make_demo(f"worker {worker.number} of {options.workers}")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(demo.push_figures)
            await worker.serve(demo.io, grace=GRACE, spread=0)
            nursery.cancel_scope.cancel()

    _announce(sockets, access)
    workers.run(serve_demo, workers=options.workers, sockets=sockets, stop_timeout=10)


class _CannotServe(Exception):
    """There is no point in starting; the text says why, in one line."""


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (ImportError, ValueError) as error:
        raise _CannotServe(str(error)) from error


def _announce(sockets: Sequence[HasAddress], access: Access) -> None:
    announce(sockets, secure=False)
    whom = "Elsewhere than on this machine" if access.is_local else "Everywhere"
    sys.stdout.write(f'{whom} the view "Under the hood" asks for the token {access.token}\n')
    sys.stdout.flush()


def _make_adapter(redis: str | None) -> AdapterFactory | None:
    if redis is None:
        return None
    from trio_sio.adapters.redis import RedisAdapter  # needs the extra `redis`

    return RedisAdapter(redis)


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
        "if it was not there when the package was built. `trio-sio contract` writes down an "
        "application's events, and `trio-sio conformance` judges any Socket.IO server; both "
        "have a --help of their own.",
    )
    parser.add_argument(
        "--host",
        type=_host,
        default="127.0.0.1",
        help='address to listen on, "" for all of this machine (%(default)s)',
    )
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
        "--token",
        default=os.environ.get("TRIO_SIO_TOKEN"),
        help='what opens the view "Under the hood" from other machines and through proxies; '
        "a random one by default, or what TRIO_SIO_TOKEN says in the environment",
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


def _host(text: str) -> str | None:
    return text or None


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


if __name__ == "__main__":
    sys.exit(main())
