"""What a run leaves out, which its last lines say.

Peers that a machine may lack: `--without node` leaves out what needs Node.js. Without the option a
missing peer is a failure, never a silent skip.

Tests that take many minutes, marked `long`: they run with `--long` only. All other async tests
have a limit.
"""

import faulthandler
import shutil
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.time_limit import limit_item
from tools.setup_machine import PEERS

# By marker: what has to be on the machine for a test that carries it.
_NEEDS = {
    "node": ("node",),
    "chromium": ("chromium", "node"),  # Node.js drives the browser
    "python_socketio": ("python-socketio",),
}
_PROGRAMS = ("node", "chromium")

settings.register_profile("any machine", deadline=None)  # how long an example takes says nothing
settings.load_profile("any machine")
_left_out = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without",
        action="append",
        default=[],
        choices=PEERS,
        help="leave out the tests that need this peer (repeatable)",
    )
    parser.addoption(
        "--long", action="store_true", help="run the tests that take many minutes, too"
    )
    parser.addoption(
        "--limit",
        type=float,
        default=90.0,
        metavar="SECONDS",
        help="for each async test that is not marked `long`, in real time",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_left_out] = Counter()
    for marker, peers in _NEEDS.items():
        config.addinivalue_line("markers", f"{marker}: needs {' and '.join(peers)}")
    config.addinivalue_line("markers", "long: takes many minutes; runs with --long only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept, dropped = [], []
    for item in items:
        why = _why_left_out(item)
        if why is None:
            kept.append(item)
            if item.get_closest_marker("long") is None:
                limit_item(item, config.getoption("--limit"))
        else:
            dropped.append(item)
            config.stash[_left_out][why] += 1
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("long") is not None:
        faulthandler.cancel_dump_traceback_later()  # `faulthandler_timeout` is for the others
    for peer in _peers(item):
        if peer in _PROGRAMS and shutil.which(peer) is None:
            pytest.fail(f"{peer} is not installed; `--without {peer}` leaves this out", False)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for why, count in config.stash[_left_out].items():
        terminalreporter.write_line(f"left out {why}: {count} tests", yellow=True)


def _why_left_out(item: pytest.Item) -> str | None:
    if item.get_closest_marker("long") is not None and not item.config.getoption("--long"):
        return "without --long"
    without: list[str] = item.config.getoption("--without")
    missed = next((peer for peer in without if peer in _peers(item)), None)
    return None if missed is None else f"by --without {missed}"


def _peers(item: pytest.Item) -> Iterator[str]:
    for marker in item.iter_markers():
        yield from _NEEDS.get(marker.name, ())
