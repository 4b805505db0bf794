"""`run`: serve until a signal comes, then end in peace."""

import ssl
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from trio_sio.failures import leaves
from trio_sio.program.listening import announce, open_listeners
from trio_sio.program.signals import INTERRUPTED, heard_signals
from trio_sio.server import Server
from trio_sio.sync import running_loop

Beside = Callable[[], Awaitable[object]]


def run(
    io: Server,
    port: int = 3000,
    host: str | None = "127.0.0.1",
    *,
    ssl_context: ssl.SSLContext | None = None,
    beside: Beside | None = None,
    grace: float = 1.0,
) -> None:
    """Serve until SIGINT (Ctrl-C) or SIGTERM; for programs that are only a server.

    It writes the addresses to standard output. The first signal refuses new clients, lets the
    others finish what they are about, and closes them; then this returns, and the program ends
    with status 0. A second signal ends the process at once, with status 130. This holds in a
    container as well, where a process has to handle signals by itself.

    It must be called in the main thread. In a program that runs Trio by itself, use
    `Server.serve_tcp`.

    Args:
        io: the server.
        port: the port, 0 for any free one.
        host: the address to listen on, `None` for all of this machine.
        ssl_context: serves TLS.
        beside: an async function that runs beside the server, and is cancelled with it.
        grace: seconds that each client gets to finish when the server ends.

    Raises:
        RuntimeError: Trio or asyncio runs here already, as in a notebook.
        SystemExit: it cannot listen there; the text says why, and the status is 1.
        Exception: what the application raised, if there is but one error without the groups
            around it.
    """
    if loop := running_loop():
        raise RuntimeError(
            f"trio_sio.run begins a Trio run, and {loop} runs in this thread already:"
            " in Trio, `await io.serve_tcp(port)`; in a notebook, start a program of its own"
        )
    run_program(partial(_serve, io, port, host, ssl_context, beside, grace))


def run_program(main: Callable[[], Awaitable[None]]) -> None:
    """Run a whole program; raises SystemExit or the application's errors as `run` does.

    Args:
        main: the program.
    """
    try:
        trio.run(main)
    except KeyboardInterrupt:  # before the signals were ours, or after
        raise SystemExit(INTERRUPTED) from None
    except BaseExceptionGroup as group:
        errors = list(leaves(group))
        if len(errors) > 1:
            raise
        error = errors[0]
    else:
        return
    try:
        raise error  # outside of `except`: it is not shown a second time, in its groups
    finally:
        del error


async def _serve(
    io: Server,
    port: int,
    host: str | None,
    ssl_context: ssl.SSLContext | None,
    beside: Beside | None,
    grace: float,
) -> None:
    listeners = await open_listeners(port, host, ssl_context)
    asked_to_end = trio.Event()
    with heard_signals(asked_to_end):
        async with io, trio.open_nursery() as nursery:
            await nursery.start(io.serve_listeners, listeners)
            if beside is not None:
                nursery.start_soon(_call, beside)
            below = [getattr(one, "transport_listener", one) for one in listeners]
            announce([one.socket for one in below], secure=ssl_context is not None)
            await asked_to_end.wait()
            await io.drain(grace=grace, spread=0)
            nursery.cancel_scope.cancel()


async def _call(function: Beside) -> None:
    await function()
