"""The fixtures of the module `pytest_trio_sio`, which pytest loads by itself.

Each client, server and network lives in a task of its own in its fixture's nursery. So nothing of
the test's own has to be closed before, and what fails there cancels the test.
"""

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeVar

import pytest
import trio

from trio_sio.engine.runtime.listeners import url_of
from trio_sio.exceptions import Disconnected, Refused
from trio_sio.failures import ungroup, ungrouped
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.server import Server
from trio_sio.testing.client import MemoryClient, connect
from trio_sio.testing.network.network import Network, open_network, summary_of
from trio_sio.testing.tracebacks import begin_at_user, end_at_user

_T = TypeVar("_T")

HOST = "127.0.0.1"

_IN_VAIN = (trio.TooSlowError, Disconnected, Refused)
"""What clients and sockets raise because of what the other side does, or does not."""

_seed = pytest.StashKey[int]()
_networks = pytest.StashKey[list[Network]]()

_has_failed = pytest.StashKey[bool]()
"""Whether a handler has failed, so that clients were disconnected by that."""


class ClientFactory(Protocol):
    """The fixture `io_client`."""

    async def __call__(
        self,
        io: Server,
        namespace: str = "/",
        *,
        protocol: int = 4,
        auth: Mapping[str, JSON] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        heartbeat: bool = True,
        raise_errors: bool = True,
        buffer: int = 1000,
    ) -> MemoryClient:
        """Connect a client that stays until the end of the test; otherwise as `connect`."""


class NetworkFactory(Protocol):
    """The fixture `io_network`."""

    async def __call__(self, io: Server, *, seed: int | None = None) -> Network:
        """Put a network with faults before a server, until the end of the test.

        Args:
            io: the server; opened for as long, if it is not open yet.
            seed: what chance is made of; `None` for that of the option `--io-seed`, or any. A
                test that fails shows it.
        """


class ServerFactory(Protocol):
    """The fixture `io_server`."""

    async def __call__(self, io: Server) -> str:
        """Serve on a free port of this machine until the end of the test.

        Args:
            io: the server; opened for as long, if it is not open yet.

        Returns:
            The URL, for a client of any language.
        """


class Residents:
    """Context managers that stay entered until the end of the test, each in a task of its own.

    Args:
        nursery: where the tasks run.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._is_over = trio.Event()

    async def enter(self, context: AbstractAsyncContextManager[_T]) -> _T:
        """Enter a context manager; what entering it raises is raised here."""
        entered: _T = await self._nursery.start(self._stay, context)
        return entered

    def leave(self) -> None:
        """Have all of them leave; the nursery ends when they have."""
        self._is_over.set()

    async def _stay(
        self, context: AbstractAsyncContextManager[object], task_status: trio.TaskStatus[object]
    ) -> None:
        async with context as value:
            task_status.started(value)
            await self._is_over.wait()


@asynccontextmanager
async def open_residents(item: pytest.Item) -> AsyncIterator[Residents]:
    """Make room for what stays until the end of the test.

    Args:
        item: the test.
    """
    try:
        with ungrouped():
            async with trio.open_nursery() as nursery:
                residents = Residents(nursery)
                yield residents
                residents.leave()
    except Exception:
        item.stash[_has_failed] = True
        raise


@asynccontextmanager
async def open_clients(item: pytest.Item, servers: Residents) -> AsyncIterator[ClientFactory]:
    """Return the fixture `io_client`.

    Args:
        item: the test.
        servers: who leave after the clients.
    """
    async with open_residents(item) as clients:

        async def connect_client(
            io: Server,
            namespace: str = "/",
            *,
            protocol: int = 4,
            auth: Mapping[str, JSON] | None = None,
            query: Mapping[str, str] | None = None,
            headers: Mapping[str, str] | None = None,
            heartbeat: bool = True,
            raise_errors: bool = True,
            buffer: int = 1000,
        ) -> MemoryClient:
            await _open(io, servers)
            client = connect(
                io,
                namespace,
                protocol=protocol,
                auth=auth,
                query=query,
                headers=headers,
                heartbeat=heartbeat,
                raise_errors=raise_errors,
                buffer=buffer,
            )
            return await clients.enter(client)

        yield connect_client


@asynccontextmanager
async def open_networks(item: pytest.Item, servers: Residents) -> AsyncIterator[NetworkFactory]:
    """Return the fixture `io_network`.

    Args:
        item: the test.
        servers: who leave after the networks.
    """
    opened = item.stash[_networks] = []
    async with open_residents(item) as networks:

        async def open_one(io: Server, *, seed: int | None = None) -> Network:
            await _open(io, servers)
            chosen = _any_seed(item.config) if seed is None else seed
            network = await networks.enter(open_network(io, seed=chosen))
            opened.append(network)
            return network

        yield open_one


def _any_seed(config: pytest.Config) -> int:
    """Return the seed of this run."""
    given: int | None = config.getoption("--io-seed")
    if given is not None:
        return given
    return config.stash.setdefault(_seed, random.randrange(2**32))


def tell(item: pytest.Item, report: pytest.TestReport) -> None:
    """Add to the report of a failed test what its networks have done.

    Args:
        item: the test.
        report: of its set-up, of the test itself, or of its end.
    """
    if report.failed:
        report.sections.extend(_told(network) for network in item.stash.get(_networks, []))
    if report.when == "teardown":
        item.stash[_networks] = []  # items stay until the end of the run


def _told(network: Network) -> tuple[str, str]:
    return f"network with --io-seed={network.seed}", summary_of(network)


@asynccontextmanager
async def open_servers(item: pytest.Item, servers: Residents) -> AsyncIterator[ServerFactory]:
    """Return the fixture `io_server`.

    Args:
        item: the test.
        servers: who leave after their listeners.
    """
    async with open_residents(item) as listening:

        async def serve(io: Server) -> str:
            await _open(io, servers)
            return await listening.enter(_listening(io))

        yield serve


async def _open(io: Server, servers: Residents) -> None:
    """Open a server for all who use it, unless it is open."""
    if not io.engine.serving:
        await servers.enter(io)


@asynccontextmanager
async def _listening(io: Server) -> AsyncIterator[str]:
    async with trio.open_nursery() as nursery:
        listener, *_ = await nursery.start(io.serve_tcp, 0, HOST)
        yield url_of(HOST, listener.socket.getsockname()[1], secure=False)
        nursery.cancel_scope.cancel()


def reported(item: pytest.Item, error: BaseException) -> BaseException:
    """Return what is reported of a test.

    Args:
        item: the test.
        error: what it has raised, with its fixtures.

    Returns:
        What was raised, without the groups of nurseries, and without "Disconnected" of clients
        whose handlers have failed. Its traceback ends in the user's own
        function where that has waited in vain; `--full-trace` keeps the rest.
    """
    found = error
    if isinstance(error, BaseExceptionGroup):
        found = _without_groups(item, error)
    if isinstance(found, _IN_VAIN) and not item.config.getoption("fulltrace"):
        found = found.with_traceback(end_at_user(found.__traceback__))
    return found


def _without_groups(item: pytest.Item, group: BaseExceptionGroup) -> BaseException:
    error: BaseException = group
    if item.stash.get(_has_failed, False):
        _, others = group.split(lambda one: isinstance(one, Disconnected))
        error = group if others is None else others
    found = ungroup(error)
    return found.with_traceback(begin_at_user(found.__traceback__))
