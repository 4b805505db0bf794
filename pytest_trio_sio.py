"""What pytest loads of trio_sio: fixtures for applications, and reports without nurseries' groups.

pytest loads this at each of its starts, in every project of a machine that has trio_sio. So it is a
module of its own, which imports nothing of trio_sio before a test asks for one of its fixtures.
`trio_sio.testing.pytest_plugin` has the rest.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from trio_sio.testing.pytest_plugin import (
        ClientFactory,
        NetworkFactory,
        Residents,
        ServerFactory,
    )

if "trio_sio.testing" not in sys.modules:  # as in a run of pytest within a test
    # What the state machines assert is shown with its values. pytest does so by itself with the
    # files of an installed plugin, but does not know those of an editable installation.
    pytest.register_assert_rewrite("trio_sio.testing")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that repeats a run of networks with faults."""
    parser.getgroup("trio_sio").addoption(
        "--io-seed",
        type=int,
        metavar="N",
        help="the seed of the fixture io_network, as a failed test has shown it (default: any)",
    )


@pytest.fixture
async def _io_servers(request: pytest.FixtureRequest) -> AsyncIterator[Residents]:
    """The servers that the other fixtures have opened; they are closed last."""
    from trio_sio.testing.pytest_plugin import open_residents

    async with open_residents(request.node) as servers:
        yield servers


@pytest.fixture
async def io_client(
    request: pytest.FixtureRequest, _io_servers: Residents
) -> AsyncIterator[ClientFactory]:
    """Connects clients in memory until the end of the test: `await io_client(io, "/chat")`."""
    from trio_sio.testing.pytest_plugin import open_clients

    async with open_clients(request.node, _io_servers) as connect:
        yield connect


@pytest.fixture
async def io_network(
    request: pytest.FixtureRequest, _io_servers: Residents
) -> AsyncIterator[NetworkFactory]:
    """Opens networks with faults until the end of the test: `network = await io_network(io)`."""
    from trio_sio.testing.pytest_plugin import open_networks

    async with open_networks(request.node, _io_servers) as open_one:
        yield open_one


@pytest.fixture
async def io_server(
    request: pytest.FixtureRequest, _io_servers: Residents
) -> AsyncIterator[ServerFactory]:
    """Serves on a free port until the end of the test: `url = await io_server(io)`."""
    from trio_sio.testing.pytest_plugin import open_servers

    async with open_servers(request.node, _io_servers) as serve:
        yield serve


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Raise what a test has raised, without the groups that Trio and pytest-trio put around it.

    What a client has waited for in vain is shown where the test waits, and not inside the client.
    """
    __tracebackhide__ = True
    try:
        return (yield)
    except (Exception, BaseExceptionGroup) as raised:
        if "trio_sio" not in sys.modules:
            raise
        from trio_sio.testing.pytest_plugin import reported

        error = reported(pyfuncitem, raised)
    raise error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the networks of a failed test have done, and their seed."""
    report = yield
    plugin = sys.modules.get("trio_sio.testing.pytest_plugin")
    if plugin is not None:
        plugin.tell(item, report)
    return report
