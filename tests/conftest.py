"""Peers that a machine may lack: `--without node` leaves out what needs Node.js, and says so.

Without the option a missing peer is a failure, never a silent skip.
"""

import shutil
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.setup_machine import PEERS

# By marker: what has to be on the machine for a test that carries it.
_NEEDS = {
    "node": ("node",),
    "chromium": ("chromium", "node"),  # Node.js drives the browser
    "python_socketio": ("python-socketio",),
}
_PROGRAMS = ("node", "chromium")
_left_out = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without",
        action="append",
        default=[],
        choices=PEERS,
        help="leave out the tests that need this peer (repeatable)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_left_out] = Counter()
    for marker, peers in _NEEDS.items():
        config.addinivalue_line("markers", f"{marker}: needs {' and '.join(peers)}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    without: list[str] = config.getoption("--without")
    kept, dropped = [], []
    for item in items:
        missed = next((peer for peer in without if peer in _peers(item)), None)
        if missed is None:
            kept.append(item)
        else:
            dropped.append(item)
            config.stash[_left_out][missed] += 1
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_runtest_setup(item: pytest.Item) -> None:
    for peer in _peers(item):
        if peer in _PROGRAMS and shutil.which(peer) is None:
            pytest.fail(f"{peer} is not installed; `--without {peer}` leaves this out", False)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for peer, count in config.stash[_left_out].items():
        terminalreporter.write_line(f"left out by --without {peer}: {count} tests", yellow=True)


def _peers(item: pytest.Item) -> Iterator[str]:
    for marker in item.iter_markers():
        yield from _NEEDS.get(marker.name, ())
